/**
 * A raw wait status, typed at once and never looked at again: what happened to a tracee. Pure.
 *
 * Sources: wait(2), ptrace(2) "Stopped states" and the PTRACE_SEIZE differences (PTRACE_EVENT_STOP).
 */

import {
  PTRACE_EVENT_CLONE,
  PTRACE_EVENT_EXEC,
  PTRACE_EVENT_EXIT,
  PTRACE_EVENT_FORK,
  PTRACE_EVENT_SECCOMP,
  PTRACE_EVENT_STOP,
  PTRACE_EVENT_VFORK,
  PTRACE_EVENT_VFORK_DONE,
  SYSGOOD,
} from '../abi/ptrace';
import { SIGTRAP } from '../abi/signals';

export type PtraceEvent = 'fork' | 'vfork' | 'clone' | 'exec' | 'vfork-done' | 'exit' | 'seccomp';

/** A ptrace stop. */
export type Stop =
  /** Signal-delivery stop: the kernel is about to deliver `signal`. */
  | { readonly kind: 'signal'; readonly signal: number }
  /** PTRACE_EVENT_STOP by PTRACE_INTERRUPT, by a new task's birth, or by SIGCONT. */
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'group-stop'; readonly signal: number }
  | { readonly kind: 'event'; readonly event: PtraceEvent }
  /** Entry or exit of a system call (PTRACE_SYSCALL with TRACESYSGOOD). */
  | { readonly kind: 'syscall' };

export type WaitStatus =
  | { readonly kind: 'stop'; readonly stop: Stop }
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: number };

const EVENTS: ReadonlyMap<number, PtraceEvent> = new Map<number, PtraceEvent>([
  [PTRACE_EVENT_FORK, 'fork'],
  [PTRACE_EVENT_VFORK, 'vfork'],
  [PTRACE_EVENT_CLONE, 'clone'],
  [PTRACE_EVENT_EXEC, 'exec'],
  [PTRACE_EVENT_VFORK_DONE, 'vfork-done'],
  [PTRACE_EVENT_EXIT, 'exit'],
  [PTRACE_EVENT_SECCOMP, 'seccomp'],
]);

export function decodeStatus(status: number): WaitStatus {
  const low = status & 0x7f;
  if (low === 0) return { kind: 'exited', code: (status >> 8) & 0xff };
  if (low !== 0x7f) return { kind: 'killed', signal: low };
  const signal = (status >> 8) & 0xff;
  const event = status >>> 16;
  if (event === PTRACE_EVENT_STOP)
    return { kind: 'stop', stop: signal === SIGTRAP ? { kind: 'interrupt' } : { kind: 'group-stop', signal } };
  const known = EVENTS.get(event);
  if (known !== undefined) return { kind: 'stop', stop: { kind: 'event', event: known } };
  if (signal === (SIGTRAP | SYSGOOD)) return { kind: 'stop', stop: { kind: 'syscall' } };
  return { kind: 'stop', stop: { kind: 'signal', signal } };
}

export function describeStop(stop: Stop): string {
  switch (stop.kind) {
    case 'signal':
      return `signal ${stop.signal}`;
    case 'group-stop':
      return `group stop ${stop.signal}`;
    case 'event':
      return `event ${stop.event}`;
    default:
      return stop.kind;
  }
}

/** Whether registers set and calls injected in this stop stay (ptrace(2): in the others the return of the system call follows). */
export function isSignalType(stop: Stop): boolean {
  return stop.kind === 'signal' || stop.kind === 'interrupt' || stop.kind === 'group-stop';
}
