/**
 * What differs between two states of a process, as far as the engine knows it: threads, descriptors, mappings. Pure. Of memory it says where both
 * have the same thing, so that pages can be compared there.
 */

import type { Addr, ThreadRef } from '../base/brands';
import { FILE_KINDS } from './file-kinds';
import { isOurs, overlay, sameBacking, type Mapping } from './mappings';
import type { FileState } from './state';

export interface ThreadFacts {
  readonly ref: ThreadRef;
  readonly name: string;
  /** undefined: it could not be read. */
  readonly pc: Addr | undefined;
  readonly sp: Addr | undefined;
}

/** One of the two states. */
export interface Side {
  readonly threads: readonly ThreadFacts[];
  /** The one that stood stopped. */
  readonly stopThread: ThreadRef | undefined;
  readonly files: readonly FileState[];
  readonly mappings: readonly Mapping[];
}

export interface ThreadDifference {
  readonly ref: ThreadRef;
  readonly name: string;
  /** Missing: it was not there. */
  readonly before?: ThreadFacts;
  readonly after?: ThreadFacts;
}

/** Threads that came, went, or stand elsewhere (by pc and stack pointer), in the order of their births: thread ids begin anew at pid_max. */
export function compareThreads(before: readonly ThreadFacts[], after: readonly ThreadFacts[]): ThreadDifference[] {
  const then = new Map(before.map((thread) => [thread.ref.serial, thread]));
  const now = new Map(after.map((thread) => [thread.ref.serial, thread]));
  const all = new Map([...then, ...now]);
  return [...all.values()]
    .flatMap(({ ref, name }) => {
      const a = then.get(ref.serial);
      const b = now.get(ref.serial);
      if (a !== undefined && b !== undefined && a.pc === b.pc && a.sp === b.sp) return [];
      return [{ ref, name, ...(a === undefined ? {} : { before: a }), ...(b === undefined ? {} : { after: b }) }];
    })
    .sort((a, b) => a.ref.serial - b.ref.serial);
}

export type FileChange = 'closed' | 'opened' | 'replaced' | 'moved';

export interface FileDifference {
  readonly fd: number;
  readonly change: FileChange;
  readonly before?: FileState;
  readonly after?: FileState;
}

/** `replaced`: another file has the number; `moved`: its position, or an eventfd's counter. */
export function compareFiles(before: readonly FileState[], after: readonly FileState[]): FileDifference[] {
  const then = new Map(before.map((file) => [file.fd, file]));
  const now = new Map(after.map((file) => [file.fd, file]));
  return [...new Set([...then.keys(), ...now.keys()])]
    .sort((a, b) => a - b)
    .flatMap((fd) => {
      const a = then.get(fd);
      const b = now.get(fd);
      const change = fileChange(a, b);
      if (change === undefined) return [];
      return [{ fd, change, ...(a === undefined ? {} : { before: a }), ...(b === undefined ? {} : { after: b }) }];
    });
}

function fileChange(a: FileState | undefined, b: FileState | undefined): FileChange | undefined {
  if (a === undefined) return b === undefined ? undefined : 'opened';
  if (b === undefined) return 'closed';
  if (a.kind !== b.kind || a.target !== b.target) return 'replaced';
  const positioned = FILE_KINDS[a.kind].positioned && a.position !== b.position;
  return positioned || a.counter !== b.counter ? 'moved' : undefined;
}

export interface Region {
  readonly start: Addr;
  readonly end: Addr;
  /** What it is now, or was when it is gone. */
  readonly mapping: Mapping;
}

export interface MappingDifferences {
  readonly mapped: readonly Region[];
  readonly unmapped: readonly Region[];
  /** The same thing is there, as a part of `mapping` (of the state before). */
  readonly common: readonly Region[];
}

/** The kernel's own mappings are left out. What lies at an address as another thing than before is both unmapped and mapped. */
export function compareMappings(before: readonly Mapping[], after: readonly Mapping[]): MappingDifferences {
  const mapped: Region[] = [];
  const unmapped: Region[] = [];
  const common: Region[] = [];
  for (const { start, end, a, b } of overlay(before.filter(isOurs), after.filter(isOurs))) {
    if (a !== undefined && b !== undefined && sameBacking(a, b, start)) {
      push(common, { start, end, mapping: a });
      continue;
    }
    if (a !== undefined) push(unmapped, { start, end, mapping: a });
    if (b !== undefined) push(mapped, { start, end, mapping: b });
  }
  return { mapped, unmapped, common };
}

/** Joins it with the one before when both are parts of one mapping. */
function push(regions: Region[], region: Region): void {
  const last = regions.at(-1);
  if (last !== undefined && last.end === region.start && last.mapping === region.mapping)
    regions[regions.length - 1] = { ...last, end: region.end };
  else regions.push(region);
}

/** Bytes of address space in use, the kernel's own mappings not counted. */
export function mappedBytes(mappings: readonly Mapping[]): bigint {
  return mappings.filter(isOurs).reduce((sum, { start, end }) => sum + (end - start), 0n);
}
