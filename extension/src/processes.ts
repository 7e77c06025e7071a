/** The processes of this machine that may be attached to, from /proc. No `vscode`. */

import * as fs from 'node:fs/promises';

export interface ProcessInfo {
  readonly pid: number;
  readonly name: string;
  readonly command: string;
  /** Clock ticks since the machine was started. */
  readonly startedAt: number;
}

/** Root sees all, others their own; newest first. Kernel threads and we ourselves are left out. */
export async function listProcesses(uid: number, proc = '/proc'): Promise<readonly ProcessInfo[]> {
  const names = (await fs.readdir(proc)).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(names.map((name) => readProcess(`${proc}/${name}`, Number(name), uid).catch(() => undefined)));
  return found.filter((info): info is ProcessInfo => info !== undefined).sort((a, b) => b.startedAt - a.startedAt);
}

async function readProcess(folder: string, pid: number, uid: number): Promise<ProcessInfo | undefined> {
  const [stat, owner, line] = await Promise.all([
    fs.readFile(`${folder}/stat`, 'utf8'),
    fs.stat(folder),
    fs.readFile(`${folder}/cmdline`, 'utf8'),
  ]);
  if (line === '' || (uid !== 0 && owner.uid !== uid)) return undefined;
  const { name, startedAt } = parseStat(stat);
  return { pid, name, command: line.split('\0').join(' ').trim(), startedAt };
}

/** proc_pid_stat(5): the name stands in parentheses and may hold any of the other characters; starttime is field 22. */
export function parseStat(text: string): { readonly name: string; readonly startedAt: number } {
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')];
  const fields = text.slice(close + 2).split(' ');
  return { name: text.slice(open + 1, close), startedAt: Number(fields[22 - 3]) };
}
