/**
 * Mappings, then their content. Ranges that are mapped anew are armed while still empty: so they become one mapping again with their
 * neighbours, and a later mremap(2) by the program does not meet a border that was not there.
 */

import { MADV_DONTNEED, MAP_NORESERVE, PROT_READ, PROT_WRITE } from '../../abi/flags';
import { errnoName } from '../../abi/errno';
import { SYS } from '../../abi/syscalls-x86-64';
import { PAGE_SIZE } from '../../base/brands';
import { bug, kernelError } from '../../base/errors';
import type { EngineInferior, EngineThread, RemoteCall } from '../../owner/engine-host';
import { rollPages, zeroPages, type IndexHandle } from '../../sys/pages';
import type { MemorySpace } from '../capture/memory';
import type { MappedFiles } from '../mapped-files';
import {
  classify,
  fileKey,
  isWritable,
  leftToDo,
  protection,
  type Layout,
  type Mapping,
  type MapPlan,
  type MapStep,
} from '../mappings';
import { pageRanges } from '../page-ranges';
import type { ScratchRoom } from '../scratch-room';
import { readMappings } from '../snapshot';
import { closePassed, passDescriptors } from './pass-descriptors';

const ENOMEM = -12n;
/** madvise(2) of locked memory: EINVAL; Linux 5.18 has MADV_DONTNEED_LOCKED. */
const EINVAL = -22n;
const MADV_DONTNEED_LOCKED = 24;

/** Touching the last page of the room from inside the kernel makes the stack grow down to it (expand_stack in mm/mmap.c); the page itself is dropped again. */
const growCalls = (start: bigint): RemoteCall[] => [
  { nr: SYS.clock_gettime, args: [0n, start] },
  { nr: SYS.madvise, args: [start, BigInt(PAGE_SIZE), BigInt(MADV_DONTNEED)] },
];

function stepCall(step: Exclude<MapStep, { op: 'grow' }>, fds: ReadonlyMap<string, number>): RemoteCall {
  switch (step.op) {
    case 'brk':
      return { nr: SYS.brk, args: [step.to] };
    case 'munmap':
      return { nr: SYS.munmap, args: [step.start, step.end - step.start] };
    case 'mprotect':
      return { nr: SYS.mprotect, args: [step.start, step.end - step.start, BigInt(protection(step.perms))] };
    case 'mmap': {
      const fd = BigInt(fds.get(fileKey(step.like)) ?? -1);
      const prot = BigInt(protection(step.like.perms));
      return {
        nr: SYS.mmap,
        args: [step.start, step.end - step.start, prot, BigInt(step.flags), fd, fd < 0n ? 0n : step.offset],
      };
    }
  }
}

/** What the call must have answered. */
function expected(step: Exclude<MapStep, { op: 'grow' }>): bigint {
  return step.op === 'brk' ? step.to : step.op === 'mmap' ? step.start : 0n;
}

function describe(step: MapStep): string {
  return step.op === 'brk'
    ? `brk(0x${step.to.toString(16)})`
    : `${step.op}(0x${step.start.toString(16)}-0x${step.end.toString(16)})`;
}

function perform(room: ScratchRoom, worker: EngineThread, steps: readonly MapStep[], fds: ReadonlyMap<string, number>): void {
  const calls: RemoteCall[] = [];
  const places = steps.map((step) => {
    calls.push(...(step.op === 'grow' ? growCalls(step.start) : [stepCall(step, fds)]));
    return calls.length - 1;
  });
  const results = room.run(worker, calls);
  steps.forEach((step, n) => {
    const i = places[n]!;
    if (step.op === 'grow') {
      if (results[i - 1] === 0n && results[i] === 0n) return;
      throw kernelError(`${describe(step)} (in the program)`, 14, errnoName(14), 'the stack does not grow to its former length');
    }
    let result = results[i]!;
    if (result === ENOMEM && step.op === 'mmap') {
      // A reservation larger than memory: the program had it with MAP_NORESERVE, which /proc/PID/maps does not tell.
      const again = { nr: SYS.mmap, args: calls[i]!.args.map((arg, k) => (k === 3 ? arg | BigInt(MAP_NORESERVE) : arg)) };
      result = room.run(worker, [again])[0]!;
    }
    if (result === expected(step)) return;
    const errno = result < 0n ? Number(-result) : 12;
    throw kernelError(
      `${describe(step)} (in the program)`,
      errno,
      errnoName(errno),
      step.op === 'mmap' ? step.like.path : undefined,
    );
  });
}

/** Carries out the plan. `files`: one descriptor of ours for each file it maps. */
export function rebuildMappings(
  inferior: EngineInferior,
  room: ScratchRoom,
  worker: EngineThread,
  plan: MapPlan,
  files: MappedFiles,
  freeFd: number,
): void {
  if (plan.steps.length === 0) return;
  const keys = [...files.keys()];
  const passed = passDescriptors(
    inferior,
    room,
    worker,
    keys.map((key) => files.get(key)!.fd),
    freeFd,
  );
  try {
    perform(room, worker, plan.steps, new Map(keys.map((key, i) => [key, passed[i]!])));
  } finally {
    closePassed(room, worker, passed);
  }
}

/** Lets the program drop what must be absent. */
function dropRanges(
  space: MemorySpace,
  room: ScratchRoom,
  worker: EngineThread,
  drops: readonly { readonly start: bigint; readonly end: bigint }[],
): void {
  const advise = (advice: number) => (range: { start: bigint; end: bigint }) => ({
    nr: SYS.madvise,
    args: [range.start, range.end - range.start, BigInt(advice)],
  });
  const results = room.run(worker, drops.map(advise(MADV_DONTNEED)));
  const locked = drops.filter((_, i) => results[i] === EINVAL);
  const again = room.run(worker, locked.map(advise(MADV_DONTNEED_LOCKED)));
  locked.forEach((range, i) => {
    if (again[i] !== 0n) zeroPages(space.files(), range.start, range.end);
  });
  const bad = results.findIndex((result) => result !== 0n && result !== EINVAL);
  if (bad >= 0) {
    const errno = Number(-results[bad]!);
    throw kernelError(
      'madvise(MADV_DONTNEED) (in the program)',
      errno,
      errnoName(errno),
      `at 0x${drops[bad]!.start.toString(16)}`,
    );
  }
}

/**
 * Shared memory that the program may not write just now: the kernel lets nobody write through such a mapping (FOLL_FORCE is for private
 * ones, mm/gup.c), so it is opened meanwhile. Where that is not allowed (a descriptor for reading only) the content is others' business.
 */
function protect(room: ScratchRoom, worker: EngineThread, mappings: readonly Mapping[], prot?: number): void {
  room.run(
    worker,
    mappings.map((m) => ({ nr: SYS.mprotect, args: [m.start, m.end - m.start, BigInt(prot ?? protection(m.perms))] })),
  );
}

/** Content. Afterwards memory is what `index` says, and writes are reported from here on. */
export function rebuildMemory(
  inferior: EngineInferior,
  space: MemorySpace,
  room: ScratchRoom,
  worker: EngineThread,
  target: { readonly layout: Layout; readonly index: IndexHandle; readonly fresh: MapPlan['fresh'] },
): void {
  const mappings = readMappings(inferior, room.range);
  const left = leftToDo(mappings, target.layout);
  if (left.length > 0) throw bug(`the mappings are not what was planned: ${left.map(describe).join(', ')} is left to do`);
  const ranges = pageRanges(mappings, undefined, target.fresh);
  space.arm(ranges.filter((range) => range.fresh === true));
  const closed = mappings.filter((m) => classify(m) === 'shared' && !isWritable(m));
  protect(room, worker, closed, PROT_READ | PROT_WRITE);
  try {
    const { drops } = rollPages(space.files(), space.live, target.index, ranges);
    dropRanges(space, room, worker, drops);
  } finally {
    protect(room, worker, closed);
  }
  // Before arming, which changes page tables all over: the next time that the program's address space is entered is then its own resume, most times.
  room.close();
  space.became(target.index, pageRanges(mappings));
}
