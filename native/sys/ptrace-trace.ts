/**
 * The trace of what passes between us and the kernel about tracees: requests that start, stop, take or let go of one, wait statuses, calls injected.
 * Off, it is one look at a variable: `told?.(…)` does not make the line.
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
import { SIGTRAP, signalName } from '../abi/signals';

/** Takes a line; undefined: nobody wants them. */
export let told: ((line: string) => void) | undefined;

/** Of this process. */
export function tellPtrace(to: ((line: string) => void) | undefined): void {
  told = to;
}

const EVENTS: Readonly<Record<number, string>> = {
  [PTRACE_EVENT_FORK]: 'FORK',
  [PTRACE_EVENT_VFORK]: 'VFORK',
  [PTRACE_EVENT_CLONE]: 'CLONE',
  [PTRACE_EVENT_EXEC]: 'EXEC',
  [PTRACE_EVENT_VFORK_DONE]: 'VFORK_DONE',
  [PTRACE_EVENT_EXIT]: 'EXIT',
  [PTRACE_EVENT_SECCOMP]: 'SECCOMP',
  [PTRACE_EVENT_STOP]: 'STOP',
};

/** As waitpid(2) gives it, in the kernel's words. */
export function describeStatus(status: number): string {
  const low = status & 0x7f;
  if (low === 0) return `exited ${(status >> 8) & 0xff}`;
  if (low !== 0x7f) return `killed ${signalName(low)}`;
  const signal = (status >> 8) & 0xff;
  const event = status >>> 16;
  if (event !== 0) return `PTRACE_EVENT_${EVENTS[event] ?? event}${event === PTRACE_EVENT_STOP ? ` ${signalName(signal)}` : ''}`;
  return signal === (SIGTRAP | SYSGOOD) ? 'stopped at a system call' : `stopped ${signalName(signal)}`;
}
