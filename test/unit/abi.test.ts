/**
 * The kernel's tables against the headers of this machine, and gdb's signal numbers against signals.def.
 */

import { spawnSync } from 'node:child_process';
import { ERRNO, KERNEL_ERRNO, errnoName } from '../../native/abi/errno';
import { GDB_SIGNAL_UNKNOWN, fromGdbSignal, toGdbSignal } from '../../native/abi/gdb-signals';
import { SIGNALS, defaultDisposition, isFatalByDefault, isRealtime, signalName } from '../../native/abi/signals';
import { SYS, syscallName } from '../../native/abi/syscalls-x86-64';
import { countClaims, verifyPrograms } from '../../native/abi/verify';

/** What the compiler says; empty: nothing. */
function compile(source: string): string {
  const cc = spawnSync(process.env.CC ?? 'cc', ['-std=gnu11', '-fsyntax-only', '-x', 'c', '-'], {
    input: source,
    encoding: 'utf8',
  });
  return cc.error === undefined ? cc.stderr : String(cc.error);
}

const [libc, kernel] = verifyPrograms();

test.each([libc, kernel])('every number is the one in the headers ($name)', ({ source }) => {
  expect(compile(source)).toBe('');
});

test('the programs claim every table', () => {
  const asserted = [libc, kernel].map(({ source }) => source.split('_Static_assert').length - 1);
  expect(asserted[0] + asserted[1]).toBe(countClaims());
  expect(countClaims()).toBeGreaterThan(900);
});

test.each([
  ['libc', '__NR_epoll_pwait2', 440],
  ['libc', 'EOWNERDEAD', 131],
  ['libc', 'SIGSTKFLT', 17],
  ['libc', 'PTRACE_O_EXITKILL', 0x200000],
  ['libc', 'MADV_DONTFORK', 11],
  ['libc', 'offsetof(struct user, u_debugreg)', 856],
  ['libc', 'offsetof(struct r_debug_extended, base.r_map)', 4],
  ['kernel', 'sizeof(struct sigaction)', 152],
  ['kernel', 'offsetof(struct ptrace_peeksiginfo_args, nr)', 8],
])('a wrong value fails (%s: %s)', (name, expression, value) => {
  const program = verifyPrograms({ [expression]: value }).find((p) => p.name === name);
  expect(compile(program?.source ?? '')).toContain(`${expression} is not ${value}`);
});

test('numbers have names', () => {
  expect(errnoName(ERRNO.ENOENT)).toBe('ENOENT');
  expect(errnoName(KERNEL_ERRNO.ERESTART_RESTARTBLOCK)).toBe('ERESTART_RESTARTBLOCK');
  expect(errnoName(4000)).toBe('errno 4000');
  expect(syscallName(SYS.epoll_pwait2)).toBe('epoll_pwait2');
  expect(syscallName(9000)).toBe('system call 9000');
  expect(signalName(9)).toBe('SIGKILL');
  expect(signalName(34)).toBe('SIG34');
  expect(signalName(65)).toBe('signal 65');
});

test('the signal table is in order, complete, and has the dispositions of signal(7)', () => {
  expect(SIGNALS.map(({ number }) => number)).toEqual(Array.from({ length: 31 }, (_unused, i) => i + 1));
  const of = (wanted: string): string[] => SIGNALS.filter(({ disposition }) => disposition === wanted).map(({ name }) => name);
  expect(of('ignore')).toEqual(['SIGCHLD', 'SIGURG', 'SIGWINCH']);
  expect(of('stop')).toEqual(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);
  expect(of('continue')).toEqual(['SIGCONT']);
  expect(of('core')).toEqual('QUIT ILL TRAP ABRT BUS FPE SEGV XCPU XFSZ SYS'.split(' ').map((name) => `SIG${name}`));
  expect(defaultDisposition(40)).toBe('terminate');
  expect(isFatalByDefault(17)).toBe(false);
  expect(isFatalByDefault(11)).toBe(true);
  expect([0, 31, 32, 64, 65].map(isRealtime)).toEqual([false, false, true, true, false]);
});

/** What `gdbserver` 13.1 reports for a program that sends itself each signal in turn (test/gdb/gdb-signals.test.ts measures it). */
// prettier-ignore
const MEASURED = [
  1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, 143, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28, 23, 32, 12,
  77, ...Array.from({ length: 31 }, (_unused, i) => 45 + i), 78,
];

test('gdb numbers are those that gdbserver sends', () => {
  expect(Array.from({ length: 64 }, (_unused, i) => toGdbSignal(i + 1))).toEqual(MEASURED);
});

test('gdb numbers lead back', () => {
  for (let signal = 0; signal <= 64; signal++) {
    const gdb = toGdbSignal(signal);
    expect(fromGdbSignal(gdb)).toBe(gdb === GDB_SIGNAL_UNKNOWN ? undefined : signal);
  }
  expect(fromGdbSignal(33)).toBe(29); // SIGPOLL
  expect(fromGdbSignal(7)).toBeUndefined(); // SIGEMT
  expect(fromGdbSignal(GDB_SIGNAL_UNKNOWN)).toBeUndefined();
  expect(toGdbSignal(65)).toBe(GDB_SIGNAL_UNKNOWN);
});
