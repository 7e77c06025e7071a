/**
 * x86-64 Linux: the general registers, system calls, and the rest of `Arch` put together from the files beside this one. Pure.
 */

import { NT_PRFPREG, NT_X86_XSTATE } from '../abi/ptrace';
import { KERNEL_ERRNO } from '../abi/errno';
import { USER_REGS } from '../abi/structs';
import type { Addr } from '../base/brands';
import type { Arch, GpRegs, RegisterFile } from './arch';
import { debugOffset, debugStatusOffset, hitPoint, planDebugRegisters } from './x86-64-debug';
import { decodeRegister, encodeRegister, listRegisters, type Register } from './x86-64-registers';
import { classifyRestart } from './x86-64-restart';
import { formatTargetXml } from './x86-64-target-xml';
import { FXSAVE_LAYOUT, type XsaveLayout } from './x86-64-xstate';

const SYSCALL = Buffer.from([0x0f, 0x05]);
const INT3 = Buffer.from([0xcc]);
const TRAP_FLAG = 0x100n;
/** rbp, rsp, rip. */
const EXPEDITED = [6, 7, 16] as const;
const ARGUMENTS = [USER_REGS.rdi, USER_REGS.rsi, USER_REGS.rdx, USER_REGS.r10, USER_REGS.r8, USER_REGS.r9] as const;

/**
 * rbx: the table (native/shim/shim.h, struct sp_call), r12: how many entries. The kernel keeps both; a system call changes only
 * rax, rcx and r11.
 */
// prettier-ignore
const BATCH_CODE = Buffer.from([
  0x48, 0x8b, 0x03,       // 1: mov (%rbx), %rax
  0x48, 0x8b, 0x7b, 0x08, //    mov 8(%rbx), %rdi
  0x48, 0x8b, 0x73, 0x10, //    mov 16(%rbx), %rsi
  0x48, 0x8b, 0x53, 0x18, //    mov 24(%rbx), %rdx
  0x4c, 0x8b, 0x53, 0x20, //    mov 32(%rbx), %r10
  0x4c, 0x8b, 0x43, 0x28, //    mov 40(%rbx), %r8
  0x4c, 0x8b, 0x4b, 0x30, //    mov 48(%rbx), %r9
  0x0f, 0x05,             //    syscall
  0x48, 0x89, 0x43, 0x38, //    mov %rax, 56(%rbx)
  0x48, 0x83, 0xc3, 0x40, //    add $64, %rbx
  0x49, 0xff, 0xcc,       //    dec %r12
  0x75, 0xd6,             //    jnz 1b
  0xcc,                   //    int3
]);

const word = (gp: GpRegs, offset: number): bigint => gp.readBigUInt64LE(offset);
const setWord = (gp: GpRegs, offset: number, value: bigint): void => {
  gp.writeBigUInt64LE(BigInt.asUintN(64, value), offset);
};

function syscallNumber(gp: GpRegs): number | undefined {
  const nr = gp.readBigInt64LE(USER_REGS.orig_rax);
  return nr < 0n ? undefined : Number(nr);
}

const syscallResult = (gp: GpRegs): bigint => gp.readBigInt64LE(USER_REGS.rax);

function prepareSyscall(gp: GpRegs, at: Addr, nr: number, args: readonly bigint[]): void {
  setWord(gp, USER_REGS.rip, at);
  setWord(gp, USER_REGS.rax, BigInt(nr));
  setWord(gp, USER_REGS.orig_rax, -1n);
  ARGUMENTS.forEach((offset, i) => setWord(gp, offset, args[i] ?? 0n));
  setWord(gp, USER_REGS.eflags, word(gp, USER_REGS.eflags) & ~TRAP_FLAG);
}

/** At a seccomp stop pc stands behind the instruction, orig_rax has the number, and rax is -ENOSYS. */
function reissueSyscall(gp: GpRegs): void {
  setWord(gp, USER_REGS.rax, word(gp, USER_REGS.orig_rax));
  setWord(gp, USER_REGS.orig_rax, -1n);
  setWord(gp, USER_REGS.rip, word(gp, USER_REGS.rip) - BigInt(SYSCALL.length));
}

/** The two directions of the `g` block and of single registers. */
function registerCodec(registers: readonly Register[], layout: XsaveLayout) {
  const lengths = registers.map(({ bits }) => bits / 8);
  let total = 0;
  const starts = lengths.map((length) => (total += length) - length);

  function encodeAll(regs: RegisterFile): Buffer {
    const block = Buffer.alloc(total);
    registers.forEach((register, n) => encodeRegister(regs, register, block, starts[n]));
    return block;
  }

  return {
    encodeAll,
    /** Writes only what differs, so that a component that gdb left alone stays in its initial state. */
    decodeAll(block: Buffer, old: RegisterFile): RegisterFile {
      const regs = { gp: Buffer.from(old.gp), fp: Buffer.from(old.fp) };
      const before = encodeAll(old);
      registers.forEach((register, n) => {
        const value = block.subarray(starts[n], starts[n] + lengths[n]);
        if (value.length !== lengths[n] || before.compare(value, 0, lengths[n], starts[n], starts[n] + lengths[n]) === 0) return;
        decodeRegister(regs, layout, register, value);
      });
      return regs;
    },
    encodeOne(regs: RegisterFile, regno: number): Buffer | undefined {
      if (registers[regno] === undefined) return undefined;
      const value = Buffer.alloc(lengths[regno]);
      encodeRegister(regs, registers[regno], value, 0);
      return value;
    },
    decodeOne(regs: RegisterFile, regno: number, value: Buffer): 'gp' | 'fp' | false {
      const register = registers[regno];
      if (register === undefined || value.length !== lengths[regno]) return false;
      decodeRegister(regs, layout, register, value);
      return register.place.file;
    },
    needsFp: (regno: number): boolean => registers[regno]?.place.file === 'fp',
  };
}

/** `layout`: the XSAVE area of the CPU that the tracees run on; without it, what every x86-64 has. */
export function createX86_64(layout: XsaveLayout = FXSAVE_LAYOUT): Arch {
  const registers = listRegisters(layout);
  const xml = formatTargetXml(registers);
  return {
    name: 'x86-64',
    breakpointInstruction: INT3,
    breakpointPcAdjust: INT3.length,
    syscallInstruction: SYSCALL,
    batchCode: BATCH_CODE,
    gpSize: USER_REGS.size,
    fpRegset: layout.features === 0 ? NT_PRFPREG : NT_X86_XSTATE,

    targetXml: () => xml,
    registerCount: registers.length,
    ...registerCodec(registers, layout),
    expedited: EXPEDITED,

    pc: (gp) => word(gp, USER_REGS.rip),
    setPc: (gp, pc) => setWord(gp, USER_REGS.rip, pc),
    sp: (gp) => word(gp, USER_REGS.rsp),
    threadPointer: (gp) => word(gp, USER_REGS.fs_base),
    syscallNumber,
    syscallArgument: (gp, index) => word(gp, ARGUMENTS[index]),
    syscallResult,
    forgetSyscall: (gp) => setWord(gp, USER_REGS.orig_rax, -1n),
    reissueSyscall,
    prepareSyscall,
    restart: (gp) => classifyRestart(syscallNumber(gp), syscallResult(gp)),
    setSyscallNumber: (gp, nr) => setWord(gp, USER_REGS.orig_rax, BigInt(nr)),
    markRestartNoHand: (gp) => setWord(gp, USER_REGS.rax, BigInt(-KERNEL_ERRNO.ERESTARTNOHAND)),

    planDebugRegisters,
    debugStatusOffset,
    hitPoint,
    debugOffset,
  };
}
