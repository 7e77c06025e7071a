/**
 * "info os": lists of what runs on this machine, from /proc, in gdb's osdata format (gdb manual, "Operating System Information").
 *
 * About the whole machine, not about our tracees, hence not asked of the target.
 */

import * as fs from 'node:fs';
import { escapeXml } from './xml';

type Row = Readonly<Record<string, string>>;

function document(type: string, rows: readonly Row[]): string {
  const items = rows.map((row) => {
    const columns = Object.entries(row).map(([name, value]) => `<column name="${name}">${escapeXml(value)}</column>`);
    return `<item>${columns.join('')}</item>\n`;
  });
  return `<?xml version="1.0"?>\n<!DOCTYPE target SYSTEM "osdata.dtd">\n<osdata type="${type}">\n${items.join('')}</osdata>\n`;
}

/** Processes come and go while they are listed: what cannot be read is left out. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function numericEntries(folder: string): number[] {
  const names = attempt(() => fs.readdirSync(folder)) ?? [];
  return names
    .map(Number)
    .filter((id) => Number.isInteger(id) && id > 0)
    .sort((a, b) => a - b);
}

function userNames(): ReadonlyMap<number, string> {
  const text = attempt(() => fs.readFileSync('/etc/passwd', 'utf8')) ?? '';
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const fields = line.split(':');
        return [Number(fields[2]), fields[0] ?? ''];
      }),
  );
}

function command(pid: number): string {
  const line = attempt(() => fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1')) ?? '';
  if (line !== '') return line.replace(/\0+$/, '').replaceAll('\0', ' ');
  return `[${(attempt(() => fs.readFileSync(`/proc/${pid}/comm`, 'latin1')) ?? '?').trimEnd()}]`;
}

/** The CPU a thread ran on last: field 39 of proc(5) stat, counted behind the parenthesised name. */
function core(pid: number, tid: number): string | undefined {
  const stat = attempt(() => fs.readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[36];
}

function processes(): Row[] {
  const users = userNames();
  return numericEntries('/proc').flatMap((pid) => {
    const uid = attempt(() => fs.statSync(`/proc/${pid}`).uid);
    if (uid === undefined) return [];
    const cores = new Set(numericEntries(`/proc/${pid}/task`).map((tid) => core(pid, tid)));
    const listed = [...cores]
      .filter((value) => value !== undefined)
      .sort()
      .join(',');
    return [{ pid: `${pid}`, user: users.get(uid) ?? `${uid}`, command: command(pid), cores: listed }];
  });
}

function threads(): Row[] {
  return numericEntries('/proc').flatMap((pid) => {
    const name = command(pid);
    return numericEntries(`/proc/${pid}/task`).map((tid) => ({
      pid: `${pid}`,
      command: name,
      tid: `${tid}`,
      core: core(pid, tid) ?? '',
    }));
  });
}

const LISTS: Readonly<Record<string, { readonly title: string; readonly about: string; readonly rows: () => Row[] }>> = {
  processes: { title: 'Processes', about: 'Listing of all processes', rows: processes },
  threads: { title: 'Threads', about: 'Listing of all threads', rows: threads },
};

/** undefined: no such list. The empty name asks which there are. */
export function osData(name: string): string | undefined {
  if (name === '' || name === 'types') {
    return document(
      'types',
      Object.entries(LISTS).map(([type, { title, about }]) => ({ Type: type, Description: about, Title: title })),
    );
  }
  const list = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
  return list === undefined ? undefined : document(name, list.rows());
}
