/**
 * The few words every layer shares: ids, addresses, and `GONE`.
 *
 * A tracee may be killed at any instant, so every answer about one is either the answer or `GONE`; the type makes
 * each caller say what it does then. Addresses are `bigint` from end to end; `number` is for counts and lengths.
 */

/** A process id, as the kernel and gdb show it (thread group id). */
export type Pid = number;
/** A kernel thread id. Never an identity by itself: tids are reused. See `ThreadRef`. */
export type Tid = number;
/** An address in a tracee. */
export type Addr = bigint;

/** A thread, unmistakably: the tid and a serial number that this owner gave it when it first saw it. */
export interface ThreadRef {
  readonly pid: Pid;
  readonly tid: Tid;
  readonly serial: number;
}

/** What an operation returns when the tracee has died meanwhile. */
export const GONE: unique symbol = Symbol('gone');
export type Gone = typeof GONE;

/** Bytes in a page on every architecture supported now. */
export const PAGE_SIZE = 4096;
