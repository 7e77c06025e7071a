/**
 * The mappings of a process: /proc/PID/maps parsed and classified, and the plan of the fewest steps from one table to another. Pure.
 *
 * The plan works on address ranges, not on the kernel's objects: splits, merges, moves and growth are all differences of "what backs
 * this address". What the plan maps anew is `fresh`: its content is the kernel's (zeroes, the file), to be written afterwards.
 */

import type { Addr } from '../base/brands';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED } from '../abi/flags';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../abi/flags';

/** One line of /proc/PID/maps. */
export interface Mapping {
  readonly start: Addr;
  readonly end: Addr;
  /** `rwxp` or `rwxs`. */
  readonly perms: string;
  readonly offset: bigint;
  /** `fd:01`, hexadecimal major and minor number. */
  readonly dev: string;
  readonly inode: bigint;
  readonly path: string;
}

export type MappingKind =
  /** Private memory of the program's own; [heap], [stack] and named ones too. */
  | 'anon'
  /** A private mapping of a file: copied pages are the program's own. */
  | 'file'
  /** Shared memory without a name in the file system, memfd and System V memory: rolled back by content. */
  | 'shared'
  /** A shared mapping of a file: the file's content is not ours to roll back. */
  | 'shared-file'
  /** Devices, huge pages and secret memory: neither read nor rolled back. */
  | 'foreign'
  /** The kernel's own: never touched. */
  | 'kernel';

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+) *(.*)$/;

export function parseMappings(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, start, end, perms, offset, dev, inode, path] = match;
    mappings.push({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      perms: perms ?? '',
      offset: BigInt(`0x${offset}`),
      dev: dev ?? '',
      inode: BigInt(inode ?? '0'),
      path: path ?? '',
    });
  }
  return mappings;
}

const KERNEL_NAMES = new Set(['[vdso]', '[vvar]', '[vvar_vclock]', '[vsyscall]', '[uprobes]', '[sigpage]', '[vectors]']);
const NAMELESS_SHARED = /^(\/dev\/zero \(deleted\)|\/SYSV[0-9a-f]{8} \(deleted\)|\/memfd:.* \(deleted\)|\[anon_shmem:.*\])$/;
const FOREIGN = /^(\/dev\/(?!zero$|zero \(deleted\)$|shm\/)|\/anon_hugepage \(deleted\)$|\/secretmem|anon_inode:)/;

export function classify(mapping: Mapping): MappingKind {
  if (KERNEL_NAMES.has(mapping.path)) return 'kernel';
  if (FOREIGN.test(mapping.path)) return 'foreign';
  if (mapping.perms[3] === 's') return mapping.inode === 0n || NAMELESS_SHARED.test(mapping.path) ? 'shared' : 'shared-file';
  return mapping.inode === 0n ? 'anon' : 'file';
}

const isStack = (mapping: Mapping): boolean => mapping.path === '[stack]';
export const isWritable = (mapping: Mapping): boolean => mapping.perms[1] === 'w';
export const isDeleted = (mapping: Mapping): boolean => mapping.path.endsWith(' (deleted)');
export const isFileBacked = (mapping: Mapping): boolean => mapping.inode !== 0n;
/** Which file, whatever its name is now. */
export const fileKey = (mapping: Mapping): string => `${mapping.dev}:${mapping.inode}`;

export function protection(perms: string): number {
  return (perms[0] === 'r' ? PROT_READ : 0) | (perms[1] === 'w' ? PROT_WRITE : 0) | (perms[2] === 'x' ? PROT_EXEC : 0);
}

export interface Range {
  readonly start: Addr;
  readonly end: Addr;
}

export type MapStep =
  | { readonly op: 'brk'; readonly from: Addr; readonly to: Addr }
  | { readonly op: 'munmap'; readonly start: Addr; readonly end: Addr }
  | { readonly op: 'mprotect'; readonly start: Addr; readonly end: Addr; readonly perms: string }
  /** The stack becomes as long again as it was: by the kernel's own means, so that it stays one mapping (a mapping beside it would not be [stack]). */
  | { readonly op: 'grow'; readonly start: Addr; readonly end: Addr }
  | {
      readonly op: 'mmap';
      readonly start: Addr;
      readonly end: Addr;
      readonly flags: number;
      /** What it shall be: perms, and path, dev, inode, offset for a file. */
      readonly like: Mapping;
      readonly offset: bigint;
    };

export interface MapPlan {
  readonly steps: readonly MapStep[];
  readonly fresh: readonly Range[];
}

/** A process's memory layout. `brk`: the program break as brk(0) tells it. */
export interface Layout {
  readonly mappings: readonly Mapping[];
  readonly brk: Addr;
}

const PAGE = 4096n;
const pageUp = (addr: Addr): Addr => (addr + PAGE - 1n) & ~(PAGE - 1n);

/** Whether `a` and `b` have the same thing behind address `at`. */
export function sameBacking(a: Mapping, b: Mapping, at: Addr): boolean {
  const kind = classify(a);
  if (kind !== classify(b) || a.perms[3] !== b.perms[3]) return false;
  if (kind === 'anon') return isStack(a) === isStack(b);
  if (a.inode === 0n && b.inode === 0n) return kind === 'shared' || a.path === b.path;
  return a.dev === b.dev && a.inode === b.inode && at - a.start + a.offset === at - b.start + b.offset;
}

/** The part of `mapping` between two addresses. */
function slice(mapping: Mapping, start: Addr, end: Addr): Mapping {
  return { ...mapping, start, end, offset: isFileBacked(mapping) ? mapping.offset + (start - mapping.start) : mapping.offset };
}

/** Cuts [start, end) out of a table. */
export function cutOut(mappings: readonly Mapping[], start: Addr, end: Addr): Mapping[] {
  return mappings.flatMap((m) => {
    if (m.end <= start || m.start >= end) return [m];
    const left = m.start < start ? [slice(m, m.start, start)] : [];
    const right = m.end > end ? [slice(m, end, m.end)] : [];
    return [...left, ...right];
  });
}

/** Address ranges at whose borders either table changes, with what is there in each. */
export function* overlay(
  a: readonly Mapping[],
  b: readonly Mapping[],
): Generator<{ start: Addr; end: Addr; a?: Mapping; b?: Mapping }> {
  const borders = [...new Set([...a, ...b].flatMap((m) => [m.start, m.end]))].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0));
  let i = 0;
  let k = 0;
  for (let n = 0; n + 1 < borders.length; n++) {
    const start = borders[n]!;
    const end = borders[n + 1]!;
    while (i < a.length && a[i]!.end <= start) i++;
    while (k < b.length && b[k]!.end <= start) k++;
    const inA = i < a.length && a[i]!.start <= start ? a[i] : undefined;
    const inB = k < b.length && b[k]!.start <= start ? b[k] : undefined;
    if (inA !== undefined || inB !== undefined) yield { start, end, a: inA, b: inB };
  }
}

function mapFlags(like: Mapping): number {
  const share = like.perms[3] === 's' ? MAP_SHARED : MAP_PRIVATE;
  const anonymous = isFileBacked(like) && !like.path.startsWith('/dev/zero (deleted)') ? 0 : MAP_ANONYMOUS;
  return MAP_FIXED | share | anonymous;
}

/** The table after the break has moved from `from` to `to`. */
function moveBreak(mappings: readonly Mapping[], from: Addr, to: Addr): Mapping[] {
  const top = pageUp(from);
  const newTop = pageUp(to);
  if (newTop <= top) return cutOut(mappings, newTop, top);
  const heap: Mapping = { start: top, end: newTop, perms: 'rw-p', offset: 0n, dev: '00:00', inode: 0n, path: '[heap]' };
  return [...mappings, heap].sort((x, y) => (x.start < y.start ? -1 : 1));
}

/** What a table looks like after one step. For the tests, and for planning around brk. */
export function applyStep(mappings: readonly Mapping[], step: MapStep): Mapping[] {
  switch (step.op) {
    case 'brk':
      return moveBreak(mappings, step.from, step.to);
    case 'munmap':
      return cutOut(mappings, step.start, step.end);
    case 'grow':
      return mappings.map((m) => (isStack(m) && step.start < m.start ? { ...m, start: step.start } : m));
    case 'mprotect':
      return overlayProtect(mappings, step.start, step.end, step.perms);
    case 'mmap': {
      const made = { ...step.like, start: step.start, end: step.end, offset: step.offset };
      return [...cutOut(mappings, step.start, step.end), made].sort((x, y) => (x.start < y.start ? -1 : 1));
    }
  }
}

function overlayProtect(mappings: readonly Mapping[], start: Addr, end: Addr, perms: string): Mapping[] {
  return mappings.flatMap((m) => {
    if (m.end <= start || m.start >= end) return [m];
    const from = m.start > start ? m.start : start;
    const to = m.end < end ? m.end : end;
    const left = m.start < from ? [slice(m, m.start, from)] : [];
    const right = m.end > to ? [slice(m, to, m.end)] : [];
    return [...left, { ...slice(m, from, to), perms }, ...right];
  });
}

export const isOurs = (m: Mapping): boolean => classify(m) !== 'kernel';

/** brk(2) first: shrinking drops the heap's end, growing needs the room free. */
function planBreak(present: Layout, target: Layout): { steps: MapStep[]; mappings: readonly Mapping[]; fresh: Range[] } {
  if (present.brk === target.brk) return { steps: [], mappings: present.mappings, fresh: [] };
  const steps: MapStep[] = [];
  const fresh: Range[] = [];
  let mappings = present.mappings;
  const top = pageUp(present.brk);
  const newTop = pageUp(target.brk);
  if (newTop > top) {
    fresh.push({ start: top, end: newTop });
    if (mappings.some((m) => m.start < newTop + PAGE && m.end > top)) {
      const clear: MapStep = { op: 'munmap', start: top, end: newTop + PAGE };
      steps.push(clear);
      mappings = applyStep(mappings, clear);
    }
  }
  const move: MapStep = { op: 'brk', from: present.brk, to: target.brk };
  steps.push(move);
  return { steps, mappings: applyStep(mappings, move), fresh };
}

/** Joins a step with the one before it when the two are one call. */
function push(steps: MapStep[], step: MapStep): void {
  const last = steps.at(-1);
  if (last !== undefined && last.op === step.op && last.op !== 'brk' && step.op !== 'brk' && last.end === step.start) {
    if (last.op === 'munmap') {
      steps[steps.length - 1] = { ...last, end: step.end };
      return;
    }
    if (last.op === 'mprotect' && step.op === 'mprotect' && last.perms === step.perms) {
      steps[steps.length - 1] = { ...last, end: step.end };
      return;
    }
    if (last.op === 'mmap' && step.op === 'mmap' && last.like === step.like) {
      steps[steps.length - 1] = { ...last, end: step.end };
      return;
    }
  }
  steps.push(step);
}

/** The fewest munmap, mmap, mprotect and brk steps after which `present` is `target`. */
export function planMappings(present: Layout, target: Layout): MapPlan {
  const heap = planBreak(present, target);
  const unmaps: MapStep[] = [];
  const maps: MapStep[] = [];
  const protects: MapStep[] = [];
  const fresh: Range[] = [...heap.fresh];
  for (const { start, end, a, b } of overlay(heap.mappings.filter(isOurs), target.mappings.filter(isOurs))) {
    if (a !== undefined && b !== undefined && sameBacking(a, b, start)) {
      if (a.perms !== b.perms) push(protects, { op: 'mprotect', start, end, perms: b.perms });
      continue;
    }
    if (a !== undefined) push(unmaps, { op: 'munmap', start, end });
    if (b === undefined) continue;
    fresh.push({ start, end });
    if (isStack(b)) {
      protects.push({ op: 'grow', start, end });
      continue;
    }
    const offset = isFileBacked(b) ? b.offset + (start - b.start) : b.offset;
    push(maps, { op: 'mmap', start, end, flags: mapFlags(b), like: b, offset });
  }
  return { steps: [...heap.steps, ...unmaps, ...maps, ...protects], fresh: joinRanges(fresh) };
}

function joinRanges(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((x, y) => (x.start < y.start ? -1 : x.start > y.start ? 1 : 0));
  const joined: Range[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && range.start <= last.end) {
      joined[joined.length - 1] = { start: last.start, end: range.end > last.end ? range.end : last.end };
    } else joined.push(range);
  }
  return joined;
}

/**
 * What is left to do once a plan was carried out: nothing. Shared memory without a name that was mapped anew is another object now
 * (another inode in /proc/PID/maps), which only its content makes the same.
 */
export function leftToDo(present: readonly Mapping[], target: Layout): readonly MapStep[] {
  const nameless = (mappings: readonly Mapping[]): Mapping[] =>
    mappings.map((m) => (classify(m) === 'shared' && m.path.startsWith('/dev/zero') ? { ...m, inode: 0n, offset: 0n } : m));
  return planMappings({ mappings: nameless(present), brk: target.brk }, { mappings: nameless(target.mappings), brk: target.brk })
    .steps;
}

/** [vdso] and its like lie where the target has them: a restore cannot move them. */
export function sameKernelMappings(a: readonly Mapping[], b: readonly Mapping[]): boolean {
  const key = (mappings: readonly Mapping[]): string =>
    mappings
      .filter((m) => !isOurs(m))
      .map((m) => `${m.path}@${m.start}`)
      .join();
  return key(a) === key(b);
}

/** The programs and libraries: when these differ the debugger has to look at the link map again. */
export function mappedCode(mappings: readonly Mapping[]): string {
  return mappings
    .filter((m) => classify(m) === 'file' && m.perms[2] === 'x')
    .map((m) => `${m.path}@${m.start}+${m.offset}`)
    .join('\n');
}
