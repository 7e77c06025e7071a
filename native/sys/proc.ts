/**
 * /proc of a tracee, parsed. Pure parsers first, readers after; a reader answers undefined when the process is gone.
 */

import * as fs from 'node:fs';
import { O_CLOEXEC, O_RDONLY } from '../abi/flags';
import type { Addr, Pid, Tid } from '../base/brands';
import { readText, statusField } from '../base/proc-text';
import * as io from './io';

export { readText, statusField };

export interface MapRange {
  readonly start: Addr;
  readonly end: Addr;
  /** `rwxp` */
  readonly perms: string;
  readonly path: string;
}

/** /proc/PID/maps, only what finding code and holes needs (checkpoint/mappings.ts has the whole of it). */
export function parseRanges(text: string): MapRange[] {
  const ranges: MapRange[] = [];
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, start, end, perms, path] = match;
    ranges.push({ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), perms: perms ?? '', path: path ?? '' });
  }
  return ranges;
}

export interface SignalSets {
  readonly blocked: bigint;
  readonly ignored: bigint;
  readonly caught: bigint;
}

/** SigBlk, SigIgn, SigCgt of /proc/PID/status: bit n-1 is signal n. */
export function parseSignalSets(status: string): SignalSets {
  const field = (name: string): bigint => {
    const match = new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status);
    return match === null ? 0n : BigInt(`0x${match[1]}`);
  };
  return { blocked: field('SigBlk'), ignored: field('SigIgn'), caught: field('SigCgt') };
}

/** The CPU a thread last ran on: field 39 of /proc/PID/stat; the name may hold spaces and parentheses. */
export function parseProcessor(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[36] ?? 0);
}

export function readBytes(path: string): Buffer | undefined {
  try {
    return fs.readFileSync(path);
  } catch {
    return undefined;
  }
}

export function readLink(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch {
    return undefined;
  }
}

export function taskIds(pid: Pid): Tid[] {
  try {
    return fs.readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** /proc/PID/stat with a name of TASK_COMM_LEN in it is shorter. */
const room = Buffer.alloc(1024);

/** A small file, asked for every thread: Node's own readFile costs several times as much. */
function readShort(path: string, encoding: 'utf8' | 'latin1'): string | undefined {
  const fd = io.open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  const n = io.pread(fd, room, 0n);
  io.close(fd);
  return room.toString(encoding, 0, Math.max(0, n));
}

export function threadName(pid: Pid, tid: Tid): string {
  return readShort(`/proc/${pid}/task/${tid}/comm`, 'utf8')?.trimEnd() ?? '';
}

export function threadCore(pid: Pid, tid: Tid): number {
  const stat = readShort(`/proc/${pid}/task/${tid}/stat`, 'latin1');
  return stat === undefined ? 0 : parseProcessor(stat);
}
