/** The loop that steps the threads of a process in turn and compares watched memory: sp_step_watch. */

import type { Addr, Tid } from '../base/brands';
import { told } from './ptrace-trace';
import { bind } from './shim';
import type { WaitEvent } from './wait';

const stepWatchRaw = bind<
  (
    pid: number,
    memFd: number,
    clientFd: number,
    registers: number,
    max: number,
    threads: Buffer,
    nthreads: number,
    points: Buffer,
    npoints: number,
    values: Buffer,
    others: Buffer,
    maxOthers: number,
    steps: Buffer,
  ) => number
>(
  'int sp_step_watch(int pid, int mem_fd, int client_fd, int registers, int max, void *threads, int nthreads, void *points, int npoints, void *values, void *others, int max_others, void *steps)',
);

/** struct sp_step_thread. */
const THREAD = { size: 48, tid: 0, state: 4, status: 8, signal: 12, stepped: 16, next: 20, start: 24, end: 32 } as const;
/** struct sp_watch_point. */
const POINT = { size: 24, addr: 0, length: 8, readable: 16 } as const;
const STANDS = 0;
const FLIES = 1;
const NEWS = 2;
const STEPPED_AND_WROTE = 2;
const NO_END = 0xffff_ffff_ffff_ffffn;
const MAX_OTHERS = 64;

export interface StepThread {
  readonly tid: Tid;
  /** Its step is on the way already. */
  readonly flies: boolean;
  /** Goes with its first step; 0: none. */
  readonly signal: number;
  /** A step that ends outside [start, end) is news; undefined: no step is. */
  readonly limits: { readonly start: Addr; readonly end: Addr } | undefined;
}

export interface StepOutcome {
  readonly now: 'stands' | 'flies' | 'news';
  /** Of `news`, as waitpid(2) gave it. */
  readonly status: number;
  /** A plain step was made. */
  readonly stepped: boolean;
  /** It is the one that changed watched memory. */
  readonly wrote: boolean;
  /** It had no turn: the signal is still to be delivered. */
  readonly signalLeft: boolean;
}

export interface StepJob {
  readonly pid: number;
  readonly memFd: number;
  readonly clientFd: number;
  /** Debug registers are in use, too. */
  readonly registers: boolean;
  readonly max: number;
  readonly points: readonly { readonly addr: Addr; readonly length: number; readonly readable: boolean }[];
  readonly values: Buffer;
}

export interface StepResult {
  /** In the order given. */
  readonly threads: readonly StepOutcome[];
  /** What other tracees had to say. */
  readonly others: readonly WaitEvent[];
  /** Whose turn is next. */
  readonly next: Tid | undefined;
  readonly steps: number;
}

function encodeThreads(threads: readonly StepThread[]): Buffer {
  const room = Buffer.alloc(threads.length * THREAD.size);
  threads.forEach((thread, i) => {
    const at = i * THREAD.size;
    room.writeInt32LE(thread.tid, at + THREAD.tid);
    room.writeInt32LE(thread.flies ? FLIES : STANDS, at + THREAD.state);
    room.writeInt32LE(thread.signal, at + THREAD.signal);
    room.writeBigUInt64LE(thread.limits?.start ?? 0n, at + THREAD.start);
    room.writeBigUInt64LE(thread.limits?.end ?? NO_END, at + THREAD.end);
  });
  return room;
}

function encodePoints(points: StepJob['points']): Buffer {
  const room = Buffer.alloc(points.length * POINT.size);
  points.forEach((point, i) => {
    const at = i * POINT.size;
    room.writeBigUInt64LE(point.addr, at + POINT.addr);
    room.writeBigUInt64LE(BigInt(point.length), at + POINT.length);
    room.writeBigUInt64LE(point.readable ? 1n : 0n, at + POINT.readable);
  });
  return room;
}

export function stepWatch(job: StepJob, threads: readonly StepThread[]): StepResult {
  const room = encodeThreads(threads);
  const points = encodePoints(job.points);
  const others = Buffer.alloc(MAX_OTHERS * 8);
  const steps = Buffer.alloc(4);
  const flags = job.registers ? 1 : 0;
  const { pid, memFd, clientFd, max, values } = job;
  const count = threads.length;
  told?.(`step ${threads.map(({ tid }) => tid).join(', ')}, watching memory`);
  const n = stepWatchRaw(
    pid,
    memFd,
    clientFd,
    flags,
    max,
    room,
    count,
    points,
    job.points.length,
    values,
    others,
    MAX_OTHERS,
    steps,
  );
  const word = (i: number, offset: number): number => room.readInt32LE(i * THREAD.size + offset);
  return {
    threads: threads.map((_thread, i) => {
      const state = word(i, THREAD.state);
      return {
        now: state === NEWS ? 'news' : state === FLIES ? 'flies' : 'stands',
        status: word(i, THREAD.status),
        stepped: word(i, THREAD.stepped) !== 0,
        wrote: word(i, THREAD.stepped) === STEPPED_AND_WROTE,
        signalLeft: word(i, THREAD.signal) !== 0,
      };
    }),
    others: Array.from({ length: n }, (_, i) => ({ tid: others.readInt32LE(i * 8), status: others.readInt32LE(i * 8 + 4) })),
    next: threads.find((_thread, i) => word(i, THREAD.next) !== 0)?.tid,
    steps: steps.readInt32LE(0),
  };
}
