/**
 * Signals on x86-64: numbers, names, and what they do to a program that did not ask.
 */

import { SIGINFO } from './structs';

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;

/** The kernel's first and last real-time signal. glibc keeps 32 and 33 for itself: its SIGRTMIN is 34. */
export const FIRST_REALTIME = 32;
export const LAST_SIGNAL = 64;

/** signal(7): what happens when a program has SIG_DFL. */
export type Disposition = 'terminate' | 'core' | 'ignore' | 'stop' | 'continue';

export interface SignalFact {
  readonly name: string;
  readonly number: number;
  readonly disposition: Disposition;
}

/** The 31 standard signals. */
export const SIGNALS: readonly SignalFact[] = [
  { name: 'SIGHUP', number: SIGHUP, disposition: 'terminate' },
  { name: 'SIGINT', number: SIGINT, disposition: 'terminate' },
  { name: 'SIGQUIT', number: SIGQUIT, disposition: 'core' },
  { name: 'SIGILL', number: SIGILL, disposition: 'core' },
  { name: 'SIGTRAP', number: SIGTRAP, disposition: 'core' },
  { name: 'SIGABRT', number: SIGABRT, disposition: 'core' },
  { name: 'SIGBUS', number: SIGBUS, disposition: 'core' },
  { name: 'SIGFPE', number: SIGFPE, disposition: 'core' },
  { name: 'SIGKILL', number: SIGKILL, disposition: 'terminate' },
  { name: 'SIGUSR1', number: SIGUSR1, disposition: 'terminate' },
  { name: 'SIGSEGV', number: SIGSEGV, disposition: 'core' },
  { name: 'SIGUSR2', number: SIGUSR2, disposition: 'terminate' },
  { name: 'SIGPIPE', number: SIGPIPE, disposition: 'terminate' },
  { name: 'SIGALRM', number: SIGALRM, disposition: 'terminate' },
  { name: 'SIGTERM', number: SIGTERM, disposition: 'terminate' },
  { name: 'SIGSTKFLT', number: SIGSTKFLT, disposition: 'terminate' },
  { name: 'SIGCHLD', number: SIGCHLD, disposition: 'ignore' },
  { name: 'SIGCONT', number: SIGCONT, disposition: 'continue' },
  { name: 'SIGSTOP', number: SIGSTOP, disposition: 'stop' },
  { name: 'SIGTSTP', number: SIGTSTP, disposition: 'stop' },
  { name: 'SIGTTIN', number: SIGTTIN, disposition: 'stop' },
  { name: 'SIGTTOU', number: SIGTTOU, disposition: 'stop' },
  { name: 'SIGURG', number: SIGURG, disposition: 'ignore' },
  { name: 'SIGXCPU', number: SIGXCPU, disposition: 'core' },
  { name: 'SIGXFSZ', number: SIGXFSZ, disposition: 'core' },
  { name: 'SIGVTALRM', number: SIGVTALRM, disposition: 'terminate' },
  { name: 'SIGPROF', number: SIGPROF, disposition: 'terminate' },
  { name: 'SIGWINCH', number: SIGWINCH, disposition: 'ignore' },
  { name: 'SIGIO', number: SIGIO, disposition: 'terminate' },
  { name: 'SIGPWR', number: SIGPWR, disposition: 'terminate' },
  { name: 'SIGSYS', number: SIGSYS, disposition: 'core' },
];

export function isRealtime(signal: number): boolean {
  return signal >= FIRST_REALTIME && signal <= LAST_SIGNAL;
}

/** Real-time signals terminate (signal(7)); so does a number that is no signal. */
export function defaultDisposition(signal: number): Disposition {
  return SIGNALS[signal - 1]?.disposition ?? 'terminate';
}

/** What the kernel itself raises for an instruction (SYNCHRONOUS_MASK of its kernel/signal.c). */
const OF_INSTRUCTIONS: ReadonlySet<number> = new Set([SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS]);

/** Of a siginfo_t (128 bytes): its signal. */
export const signalOf = (info: Buffer): number => info.readInt32LE(SIGINFO.si_signo);

/**
 * Of a siginfo_t: whether the kernel forced it on the thread for what the thread did; not sent by anybody (si_code of those is 0 or less). Such a signal is
 * delivered before all others, and one that is blocked or ignored is made neither first.
 */
export function isForced(info: Buffer): boolean {
  return info.readInt32LE(SIGINFO.si_code) > 0 && OF_INSTRUCTIONS.has(signalOf(info));
}

/** A forced one whose instruction has not been made: it is met again when the thread runs on. Traps and SIGSYS come after theirs. */
export function isFault(info: Buffer): boolean {
  return isForced(info) && signalOf(info) !== SIGTRAP && signalOf(info) !== SIGSYS;
}

/** Whether SIG_DFL ends the process. */
export function isFatalByDefault(signal: number): boolean {
  const disposition = defaultDisposition(signal);
  return disposition === 'terminate' || disposition === 'core';
}

/** `SIGINT`; `SIG34` for real-time signals, as gdb calls them; `signal 99` for a number that is no signal. */
export function signalName(signal: number): string {
  const known = SIGNALS[signal - 1]?.name;
  if (known !== undefined) return known;
  return isRealtime(signal) ? `SIG${signal}` : `signal ${signal}`;
}
