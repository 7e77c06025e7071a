/**
 * The proof of these tables: C programs of nothing but _Static_asserts, which compile only when every number here is the one in the
 * headers of this machine. Pure; test/unit/abi.test.ts runs the compiler.
 *
 * There are two programs, because the kernel's own headers and the C library's cannot be included together.
 */

import * as elf from './elf';
import { ERRNO } from './errno';
import * as flags from './flags';
import * as ptrace from './ptrace';
import * as signals from './signals';
import * as structs from './structs';
import { SYS } from './syscalls-x86-64';

export interface VerifyProgram {
  readonly name: 'libc' | 'kernel';
  readonly source: string;
}

/** A number and how C spells it. */
interface Claim {
  readonly program: VerifyProgram['name'];
  readonly expression: string;
  readonly value: number;
  /** Newer than the oldest headers that we build with: asserted only where this macro is defined. */
  readonly onlyIfDefined?: string;
}

const INCLUDES: Record<VerifyProgram['name'], readonly string[]> = {
  // prettier-ignore
  libc: [
    'elf.h', 'errno.h', 'fcntl.h', 'link.h', 'poll.h', 'sched.h', 'signal.h', 'stddef.h', 'sys/auxv.h', 'sys/mman.h',
    'sys/personality.h', 'sys/prctl.h', 'sys/procfs.h', 'sys/ptrace.h', 'sys/resource.h', 'sys/socket.h', 'sys/syscall.h',
    'sys/time.h', 'sys/timerfd.h', 'sys/uio.h', 'sys/user.h', 'sys/wait.h', 'time.h', 'unistd.h', 'asm/prctl.h',
    'linux/close_range.h', 'linux/futex.h', 'linux/kcmp.h', 'linux/rseq.h', 'linux/seccomp.h',
  ],
  kernel: ['stddef.h', 'linux/signal.h', 'linux/mman.h', 'linux/prctl.h', 'linux/ptrace.h'],
};

/** Spelled otherwise, or missing, in the C library's headers. */
const KERNEL_ONLY: ReadonlySet<string> = new Set([
  'SA_RESTORER',
  'SS_AUTODISARM',
  'MADV_COLLAPSE',
  'PTRACE_EVENTMSG_SYSCALL_ENTRY',
  'PTRACE_EVENTMSG_SYSCALL_EXIT',
]);
const NEWER: ReadonlySet<string> = new Set(['NT_X86_SHSTK', 'MADV_COLLAPSE']);
/** Not the kernel's words but ours. */
const OUR_WORDS: ReadonlySet<string> = new Set(['FIRST_REALTIME', 'LAST_SIGNAL', 'SYSGOOD']);
/** From here on system calls are newer than Debian 12's headers. */
const FIRST_NEWER_SYSCALL = 451;

/** The C type of each structure; kernel: its header is only in the kernel program. */
const TYPES: Record<keyof typeof structs, { readonly type: string; readonly kernel?: true }> = {
  SIGINFO: { type: 'siginfo_t' },
  USER_REGS: { type: 'struct user_regs_struct' },
  USER: { type: 'struct user' },
  USER_FPREGS: { type: 'struct user_fpregs_struct' },
  KERNEL_SIGACTION: { type: 'struct sigaction', kernel: true },
  KERNEL_SIGSET: { type: 'sigset_t', kernel: true },
  STACK_T: { type: 'stack_t' },
  TIMESPEC: { type: 'struct timespec' },
  TIMEVAL: { type: 'struct timeval' },
  ITIMERVAL: { type: 'struct itimerval' },
  ITIMERSPEC: { type: 'struct itimerspec' },
  RLIMIT: { type: 'struct rlimit' },
  POLLFD: { type: 'struct pollfd' },
  IOVEC: { type: 'struct iovec' },
  MSGHDR: { type: 'struct msghdr' },
  CMSGHDR: { type: 'struct cmsghdr' },
  PTRACE_PEEKSIGINFO_ARGS: { type: 'struct ptrace_peeksiginfo_args', kernel: true },
  PTRACE_RSEQ_CONFIGURATION: { type: 'struct ptrace_rseq_configuration', kernel: true },
  ROBUST_LIST_HEAD: { type: 'struct robust_list_head' },
  RSEQ: { type: 'struct rseq' },
  PRCTL_MM_MAP: { type: 'struct prctl_mm_map', kernel: true },
  ELF64_EHDR: { type: 'Elf64_Ehdr' },
  ELF64_PHDR: { type: 'Elf64_Phdr' },
  ELF64_SHDR: { type: 'Elf64_Shdr' },
  ELF64_SYM: { type: 'Elf64_Sym' },
  ELF64_DYN: { type: 'Elf64_Dyn' },
  ELF64_NHDR: { type: 'Elf64_Nhdr' },
  ELF64_AUXV: { type: 'Elf64_auxv_t' },
  R_DEBUG: { type: 'struct r_debug_extended' },
  LINK_MAP: { type: 'struct link_map' },
};

/** Fields that C reaches by another path than their name. */
const PATHS: Readonly<Record<string, string>> = {
  'R_DEBUG.r_version': 'base.r_version',
  'R_DEBUG.r_map': 'base.r_map',
  'R_DEBUG.r_brk': 'base.r_brk',
  'R_DEBUG.r_state': 'base.r_state',
  'R_DEBUG.r_ldbase': 'base.r_ldbase',
};

function constantClaims(table: object): Claim[] {
  return Object.entries(table)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number' && !OUR_WORDS.has(entry[0]))
    .map(([name, value]) => ({
      program: KERNEL_ONLY.has(name) ? 'kernel' : 'libc',
      expression: name,
      value,
      onlyIfDefined: NEWER.has(name) ? name : undefined,
    }));
}

function syscallClaims(): Claim[] {
  return Object.entries(SYS).map(([name, value]) => ({
    program: 'libc',
    expression: `__NR_${name}`,
    value,
    onlyIfDefined: value >= FIRST_NEWER_SYSCALL ? `__NR_${name}` : undefined,
  }));
}

function structClaims(): Claim[] {
  return Object.entries(structs).flatMap(([table, fields]) => {
    const { type, kernel } = TYPES[table as keyof typeof structs];
    const program = kernel === true ? 'kernel' : 'libc';
    return Object.entries(fields).map(([field, value]: [string, number]) => ({
      program,
      expression: field === 'size' ? `sizeof(${type})` : `offsetof(${type}, ${PATHS[`${table}.${field}`] ?? field})`,
      value,
    }));
  });
}

function claims(): Claim[] {
  return [...[ERRNO, signals, ptrace, flags, elf].flatMap(constantClaims), ...syscallClaims(), ...structClaims()];
}

function assertion({ expression, value, onlyIfDefined }: Claim): string {
  const name = expression.replaceAll('"', '');
  const line = `_Static_assert((long long)(${expression}) == ${value}LL, "${name} is not ${value}");`;
  return onlyIfDefined === undefined ? line : `#ifdef ${onlyIfDefined}\n${line}\n#endif`;
}

/** The programs. `wrong` replaces values by the C expression's name, to show that a wrong one is caught. */
export function verifyPrograms(wrong: Readonly<Record<string, number>> = {}): VerifyProgram[] {
  const all = claims().map((claim) => ({ ...claim, value: wrong[claim.expression] ?? claim.value }));
  return (['libc', 'kernel'] as const).map((name) => ({
    name,
    source: [
      '#define _GNU_SOURCE',
      ...INCLUDES[name].map((header) => `#include <${header}>`),
      ...all.filter((claim) => claim.program === name).map(assertion),
      '',
    ].join('\n'),
  }));
}

/** How many numbers are claimed, newer ones included. */
export function countClaims(): number {
  return claims().length;
}
