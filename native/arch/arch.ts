/**
 * What an architecture gives to the owner, the RSP server and the engine. Nothing outside native/arch (and the shim's
 * inject file) knows a register name, an instruction byte or a restart rule.
 *
 * `GpRegs` is the raw `struct user_regs_struct` of PTRACE_GETREGS; `FpRegs` the raw NT_X86_XSTATE (or NT_PRFPREG) bytes.
 */

import type { Addr } from '../base/brands';

export type GpRegs = Buffer;
export type FpRegs = Buffer;

/** A thread's whole user-visible register state. */
export interface RegisterFile {
  gp: GpRegs;
  fp: FpRegs;
}

/** What happened to a system call that the kernel was in when the thread stopped (see `restart` below). */
export type RestartVerdict = 'none' | 'kernel-restarts' | 'restart-block' | 'final-eintr';

export interface DebugRegisterPlan {
  /** Values for DR0..DR3 and DR7 (or the like), written by `writeDebugRegisters` through PTRACE_POKEUSER. */
  readonly slots: readonly { readonly offset: number; readonly value: bigint }[];
}

export interface HardwarePoint {
  readonly kind: 'execute' | 'write' | 'access';
  readonly addr: Addr;
  readonly length: number;
}

export interface Arch {
  readonly name: 'x86-64';
  /** The breakpoint instruction, and how far behind it the pc stands when it has trapped (1 on x86, 0 elsewhere). */
  readonly breakpointInstruction: Buffer;
  readonly breakpointPcAdjust: number;
  /** The system call instruction's bytes, to look for in the vdso. */
  readonly syscallInstruction: Buffer;
  /** Position-independent code that runs a table of system calls and ends in the breakpoint instruction (see shim/inject-x86-64.c). */
  readonly batchCode: Buffer;
  /** Bytes in a `GpRegs`. */
  readonly gpSize: number;
  /** The regset for `FpRegs` (NT_X86_XSTATE 0x202, or NT_PRFPREG 2 where there is none). */
  readonly fpRegset: number;

  /** target.xml for this very CPU (CPUID/XCR0 decide what is in). Includes <architecture>, <osabi>. */
  targetXml(): string;
  /** Number of registers in target.xml; numbers run from 0 in target.xml's order. */
  readonly registerCount: number;
  /** The `g` block: all registers in order, little endian. */
  encodeAll(regs: RegisterFile): Buffer;
  /** The inverse; returns new register files, unknown bits (e.g. orig_rax when absent) kept from `old`. */
  decodeAll(block: Buffer, old: RegisterFile): RegisterFile;
  /** One register for `p`/expedited; undefined when there is no such number. */
  encodeOne(regs: RegisterFile, regno: number): Buffer | undefined;
  /** Writes one register in place; false when there is no such number or the length is wrong. Says which file changed. */
  decodeOne(regs: RegisterFile, regno: number, value: Buffer): 'gp' | 'fp' | false;
  /** Whether `encodeOne(regno)` needs the fp file (so that a `p` of rip does not fetch xstate). */
  needsFp(regno: number): boolean;
  /** rbp, rsp, rip: sent with every stop reply. */
  readonly expedited: readonly number[];

  pc(gp: GpRegs): Addr;
  setPc(gp: GpRegs, pc: Addr): void;
  sp(gp: GpRegs): Addr;
  /** The thread pointer (fs_base). */
  threadPointer(gp: GpRegs): Addr;
  /** The number of the system call the thread is in, or undefined (orig_rax < 0). */
  syscallNumber(gp: GpRegs): number | undefined;
  /** Argument n (0..5) of the system call the thread is in. */
  syscallArgument(gp: GpRegs, n: number): bigint;
  /** rax as signed. */
  syscallResult(gp: GpRegs): bigint;
  /** orig_rax = -1: the kernel will neither restart nor run a call. */
  forgetSyscall(gp: GpRegs): void;
  /** At a seccomp stop: makes the saved state one that issues the call again (pc back on the instruction, rax = number). */
  reissueSyscall(gp: GpRegs): void;
  /** Registers that, when resumed, run `syscall(nr, ...args)` at `syscallInstructionAt`. */
  prepareSyscall(gp: GpRegs, syscallInstructionAt: Addr, nr: number, args: readonly bigint[]): void;
  /**
   * Classifies an interrupted system call in a signal-type stop. `final-eintr`: rax is -EINTR of a call that the kernel does not
   * restart by itself (epoll_wait, sigtimedwait …) and that may be re-issued (never close).
   */
  restart(gp: GpRegs): RestartVerdict;
  /** The number of the call that the thread is in becomes `nr`. */
  setSyscallNumber(gp: GpRegs, nr: number): void;
  /** Writes -ERESTARTNOHAND: the call is issued again on resume, or gives EINTR when a handler really runs. */
  markRestartNoHand(gp: GpRegs): void;

  /** Debug-register values for these points, or undefined when they do not fit (count, alignment, length). */
  planDebugRegisters(points: readonly HardwarePoint[]): DebugRegisterPlan | undefined;
  /** Offset in `struct user` of the status register (DR6), and the index of the point that it says was hit. */
  readonly debugStatusOffset: number;
  hitPoint(status: bigint): number | undefined;
  /** Offset in `struct user` of debug register n (0..7). */
  debugOffset(n: number): number;
}
