/**
 * Waiting: for tracees and for descriptors, in one call, without Node's event loop (it never runs on the tracer thread).
 */

import type { Tid } from '../base/brands';
import { kernelError } from '../base/errors';
import { errnoName } from '../abi/errno';
import { describeStatus, told } from './ptrace-trace';
import { bind } from './shim';

const waitOpen = bind<() => number>('int sp_wait_open(void)');
const waitRaw = bind<
  (out: Buffer, max: number, fds: Buffer, nfds: number, ready: Buffer, timeout: number, spins: number) => number
>('int sp_wait(void *out, int max, void *fds, int nfds, void *ready, int timeout_ms, int spins)');
const waitTidRaw = bind<(tid: number, status: Buffer, timeout: number) => number>(
  'int sp_wait_tid(int tid, void *status, int timeout_ms)',
);
const stepRangeRaw = bind<
  (tid: number, memFd: number, pc: bigint, start: bigint, end: bigint, clientFd: number, max: number, stepped: Buffer) => number
>('int sp_step_range(int tid, int mem_fd, uint64_t pc, uint64_t start, uint64_t end, int client_fd, int max, void *stepped)');
const ignoreSignals = bind<() => number>('int sp_ignore_signals(void)');

/** struct sp_stepped. */
const STEPPED = { status: 0, known: 8, siginfo: 16, registers: 144, end: 360 } as const;
const MAX_EVENTS = 64;
const ETIMEDOUT = 110;
/** Looks before sleeping, when a tracee runs. */
const SPINS = 16;

export interface WaitEvent {
  readonly tid: Tid;
  /** As waitpid(2) gave it. */
  readonly status: number;
  /** What else is known of the stop without asking the kernel. */
  readonly seen?: SeenStop;
}

/** Of a stop of SIGTRAP. */
export interface SeenStop {
  readonly siginfo: Buffer;
  /** struct user_regs_struct. */
  readonly registers: Buffer;
}

export interface WaitResult {
  readonly events: readonly WaitEvent[];
  /** Descriptors with something to read, an end, or an error. Always empty when there are events. */
  readonly ready: readonly number[];
}

function tellStatus(tid: Tid, status: number): void {
  told?.(`wait ${tid}: ${describeStatus(status)}`);
}

/** One per process: makes it the tracer's. */
export class Waiter {
  private readonly out = Buffer.alloc(MAX_EVENTS * 8);
  private readonly fds = Buffer.alloc(16 * 4);
  private readonly readyRoom = Buffer.alloc(16 * 4);
  private readonly word = Buffer.alloc(4);
  private readonly stepped = Buffer.alloc(STEPPED.end);

  constructor() {
    const fd = waitOpen();
    if (fd < 0) throw kernelError('eventfd/sigaction', -fd, errnoName(-fd));
    ignoreSignals();
  }

  /** Blocks until a tracee has news, one of `fds` is ready, or `timeoutMs` is over (-1: for ever; 0: looks only). `busy`: a tracee runs, news may be microseconds away. */
  wait(fds: readonly number[], timeoutMs: number, busy = false): WaitResult {
    fds.forEach((fd, i) => this.fds.writeInt32LE(fd, i * 4));
    const n = waitRaw(this.out, MAX_EVENTS, this.fds, fds.length, this.readyRoom, timeoutMs, busy ? SPINS : 0);
    if (n < 0) throw kernelError('poll', -n, errnoName(-n));
    const events: WaitEvent[] = [];
    for (let i = 0; i < n; i++) events.push({ tid: this.out.readInt32LE(i * 8), status: this.out.readInt32LE(i * 8 + 4) });
    if (told !== undefined) for (const { tid, status } of events) tellStatus(tid, status);
    return { events, ready: n > 0 ? [] : fds.filter((_fd, i) => this.readyRoom.readInt32LE(i * 4) !== 0) };
  }

  /** The next status of one tracee; undefined when it has none within the limit or is no tracee of ours (any more). */
  waitFor(tid: Tid, timeoutMs: number): number | undefined {
    const result = waitTidRaw(tid, this.word, timeoutMs);
    if (result === 0) {
      const status = this.word.readInt32LE(0);
      tellStatus(tid, status);
      return status;
    }
    if (result === -ETIMEDOUT) throw kernelError('waitpid', ETIMEDOUT, errnoName(ETIMEDOUT), `thread ${tid} does not stop`);
    return undefined;
  }

  /** See sp_step_range: `look` has a stop to be classified, `again` stands in the range, `pending` is on its way. */
  stepRange(
    { tid, memFd, pc }: { readonly tid: Tid; readonly memFd: number; readonly pc: bigint },
    start: bigint,
    end: bigint,
    clientFd: number,
    max: number,
  ): { kind: 'look'; event: WaitEvent } | { kind: 'again' | 'pending' | 'gone' } {
    const { stepped } = this;
    const result = stepRangeRaw(tid, memFd, pc, start, end, clientFd, max, stepped);
    told?.(`step ${tid}${start === end ? '' : ` within 0x${start.toString(16)}-0x${end.toString(16)}`}`);
    if (result < 0) return { kind: 'gone' };
    if (result > 0) return { kind: result === 1 ? 'again' : 'pending' };
    const status = stepped.readInt32LE(STEPPED.status);
    tellStatus(tid, status);
    if (stepped.readInt32LE(STEPPED.known) === 0) return { kind: 'look', event: { tid, status } };
    const rest = Buffer.from(stepped.subarray(STEPPED.siginfo));
    const siginfo = rest.subarray(0, STEPPED.registers - STEPPED.siginfo);
    return { kind: 'look', event: { tid, status, seen: { siginfo, registers: rest.subarray(siginfo.length) } } };
  }
}
