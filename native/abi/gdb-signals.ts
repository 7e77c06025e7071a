/**
 * gdb's own signal numbers (include/gdb/signals.def, `enum gdb_signal`): what stands in `T`, `S`, `X`, `C`, `vCont;C` and
 * `QPassSignals`. They are part of the remote protocol and equal on every system. Imports nothing.
 */

/** GDB_SIGNAL_UNKNOWN: a signal gdb has no number for (SIGSTKFLT). */
export const GDB_SIGNAL_UNKNOWN = 143;

/** Index: the kernel's number on x86-64, 0 to 31. */
// prettier-ignore
const STANDARD: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, // none, HUP, INT, QUIT, ILL, TRAP, ABRT
  10, 8, 9, 30, 11, 31, 13, 14, 15, GDB_SIGNAL_UNKNOWN, // BUS, FPE, KILL, USR1, SEGV, USR2, PIPE, ALRM, TERM, STKFLT
  20, 19, 17, 18, 21, 22, 16, // CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG
  24, 25, 26, 27, 28, 23, 32, 12, // XCPU, XFSZ, VTALRM, PROF, WINCH, IO, PWR, SYS
];

/** SIG33 to SIG63 are a row; SIG32 and SIG64 came later and stand elsewhere. */
const REALTIME_33 = 45;
const REALTIME_32 = 77;
const REALTIME_64 = 78;
/** SIGPOLL is another name of SIGIO on Linux, but has a number of its own in gdb. */
const GDB_SIGNAL_POLL = 33;

/** gdb's number of a kernel signal; 143 (unknown) where gdb has none. */
export function toGdbSignal(signal: number): number {
  if (signal === 32) return REALTIME_32;
  if (signal === 64) return REALTIME_64;
  if (signal >= 33 && signal <= 63) return REALTIME_33 + signal - 33;
  return STANDARD[signal] ?? GDB_SIGNAL_UNKNOWN;
}

const kernelNumbers: ReadonlyMap<number, number> = new Map([
  ...Array.from({ length: 65 }, (_unused, signal): [number, number] => [toGdbSignal(signal), signal]).filter(
    ([gdb]) => gdb !== GDB_SIGNAL_UNKNOWN,
  ),
  [GDB_SIGNAL_POLL, 29],
]);

/** The kernel's number of one of gdb's signals; undefined when this system has no such signal. */
export function fromGdbSignal(gdbSignal: number): number | undefined {
  return kernelNumbers.get(gdbSignal);
}
