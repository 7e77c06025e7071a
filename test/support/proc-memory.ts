/**
 * The test's own view of a stopped process, through /proc and nothing else: mapping table, memory, signal state, descriptors. It is the
 * independent witness for "as it was", so it shares no code with the product.
 *
 * Addresses are numbers here: user addresses are below 2^47, and the comparison of many pages should not go through bigint.
 */

import * as fs from 'node:fs';

export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly permissions: string;
  readonly offset: number;
  readonly inode: string;
  readonly name: string;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface MemoryImage {
  /** Neighbours that differ in nothing are one entry: the kernel joins them or not as it pleases. */
  readonly table: readonly Mapping[];
  /** Contents, one per table entry; undefined for shared file mappings. */
  readonly contents: readonly (Buffer | undefined)[];
}

const PAGE = 4096;
const PAGEMAP_ENTRY = 8;
/** Bits 63 (present) and 62 (swapped) of a pagemap entry, in its top byte. */
const POPULATED = 0xc0;
const KERNEL_OWN = new Set(['[vvar]', '[vvar_vclock]', '[vsyscall]', '[vdso]']);
/** How the kernel shows shared anonymous memory; inode and offset are of an object that nobody can name: mapped anew it is another one. */
const SHARED_ANONYMOUS = '/dev/zero (deleted)';
const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ (\d+) *(.*)$/;

export function readMappings(pid: number): Mapping[] {
  const merged: Mapping[] = [];
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
    if (line === '') continue;
    const [, start, end, permissions, offset, inode, name] = LINE.exec(line) as unknown as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    if (KERNEL_OWN.has(name)) continue;
    const mapping = {
      start: parseInt(start, 16),
      end: parseInt(end, 16),
      permissions,
      offset: name === SHARED_ANONYMOUS ? 0 : parseInt(offset, 16),
      inode: name === SHARED_ANONYMOUS ? 'any' : inode,
      name,
    };
    const last = merged.at(-1);
    if (last !== undefined && continues(last, mapping)) merged[merged.length - 1] = { ...last, end: mapping.end };
    else merged.push(mapping);
  }
  return merged;
}

function continues(a: Mapping, b: Mapping): boolean {
  if (a.end !== b.start || a.permissions !== b.permissions || a.inode !== b.inode || a.name !== b.name) return false;
  return b.inode === '0' || b.inode === 'any' || b.offset === a.offset + (a.end - a.start);
}

function isSharedFile(mapping: Mapping): boolean {
  return mapping.permissions[3] === 's' && mapping.name !== SHARED_ANONYMOUS;
}

/** Everything in private and shared anonymous mappings. `masked` ranges (the kernel writes there by itself) read as zeros. */
export function captureMemory(pid: number, masked: readonly Range[] = []): MemoryImage {
  const table = readMappings(pid);
  const mem = fs.openSync(`/proc/${pid}/mem`, 'r');
  const pagemap = fs.openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    const contents = table.map((mapping) => (isSharedFile(mapping) ? undefined : readMapping(mem, pagemap, mapping)));
    return mask({ table, contents }, masked);
  } finally {
    fs.closeSync(mem);
    fs.closeSync(pagemap);
  }
}

/** Zeroes in these ranges; the image itself, changed. */
export function mask(image: MemoryImage, ranges: readonly Range[]): MemoryImage {
  const { table, contents } = image;
  for (const range of ranges) {
    const index = table.findIndex(({ start, end }) => start <= range.start && range.end <= end);
    contents[index]?.fill(0, range.start - table[index].start, range.end - table[index].start);
  }
  return image;
}

/** Pages of anonymous memory that are not there are zeros; they are not read, since that would bring them into being. */
function readMapping(mem: number, pagemap: number, { start, end, inode }: Mapping): Buffer {
  const length = end - start;
  const contents = Buffer.alloc(length);
  if (inode !== '0') {
    // A page beyond the end of the file cannot be read: one page at a time from there.
    if (readFully(mem, contents, 0, length, start) < length) {
      for (let at = 0; at < length; at += PAGE) readFully(mem, contents, at, PAGE, start + at);
    }
    return contents;
  }
  const pages = length / PAGE;
  const entries = Buffer.alloc(pages * PAGEMAP_ENTRY);
  readFully(pagemap, entries, 0, entries.length, (start / PAGE) * PAGEMAP_ENTRY);
  const populated = (page: number): boolean => ((entries[page * PAGEMAP_ENTRY + 7] as number) & POPULATED) !== 0;
  for (let page = 0; page < pages; page += 1) {
    if (!populated(page)) continue;
    const first = page;
    while (page < pages && populated(page)) page += 1;
    const bytes = (page - first) * PAGE;
    const got = readFully(mem, contents, first * PAGE, bytes, start + first * PAGE);
    if (got !== bytes) throw new Error(`memory at ${(start + first * PAGE + got).toString(16)} cannot be read`);
  }
  return contents;
}

function readFully(fd: number, into: Buffer, at: number, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    try {
      const n = fs.readSync(fd, into, at + done, length - done, position + done);
      if (n === 0) break;
      done += n;
    } catch {
      break;
    }
  }
  return done;
}

function show(mapping: Mapping): string {
  return `${mapping.start.toString(16)}-${mapping.end.toString(16)} ${mapping.permissions} ${mapping.offset.toString(16)} ${mapping.inode} ${mapping.name}`.trim();
}

/** What differs, in words; empty: nothing. */
export function compareMemory(before: MemoryImage, after: MemoryImage): string[] {
  const was = before.table.map(show);
  const is = after.table.map(show);
  const differences = [
    ...was.filter((line) => !is.includes(line)).map((line) => `mapping missing: ${line}`),
    ...is.filter((line) => !was.includes(line)).map((line) => `mapping too many: ${line}`),
  ];
  for (const [index, line] of was.entries()) {
    const other = is.indexOf(line);
    const a = before.contents[index];
    const b = other < 0 ? undefined : after.contents[other];
    if (a !== undefined && b !== undefined && !a.equals(b)) differences.push(describeDifference(before.table[index], a, b));
  }
  return differences;
}

function describeDifference(mapping: Mapping, a: Buffer, b: Buffer): string {
  const pages: number[] = [];
  for (let at = 0; at < a.length; at += PAGE) if (a.compare(b, at, at + PAGE, at, at + PAGE) !== 0) pages.push(at);
  const [first] = pages;
  let at = first;
  while (a[at] === b[at]) at += 1;
  const words = (data: Buffer): string => data.subarray(at & ~7, (at & ~7) + 16).toString('hex');
  return `${pages.length} pages differ in ${show(mapping)}, first at ${(mapping.start + at).toString(16)}: was ${words(a)}, is ${words(b)}`;
}

/** The kernel's tids, sorted. */
export function listTasks(pid: number): number[] {
  return fs
    .readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Pending, blocked, ignored and caught signals of one thread (and what is pending for the process). */
export function signalState(pid: number, tid = pid): string[] {
  const status = fs.readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1');
  return status.split('\n').filter((line) => /^(SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt):/.test(line));
}

/** Every descriptor: what it is, its offset, its flags (with close-on-exec). */
export function descriptors(pid: number): Record<string, string> {
  const result: Record<string, string> = {};
  for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
    const info = fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
    const [pos, flags] = ['pos', 'flags'].map((name) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(info)?.[1]);
    result[fd] = `${fs.readlinkSync(`/proc/${pid}/fd/${fd}`)} pos ${pos} flags ${flags}`;
  }
  return result;
}
