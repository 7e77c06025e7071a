/**
 * The registers of x86-64 in gdb's order, and their passage between the kernel's raw files and gdb's `g` block. Pure.
 *
 * The order and the sizes are those of gdbserver 13 (gdb/features/i386/64bit-*.xml); test/gdb/registers.test.ts compares. A
 * component in its initial state reads as zeros (FCW 0x37f, MXCSR 0x1f80) and becomes live when one of its registers is written.
 */

import { USER_REGS } from '../abi/structs';
import type { RegisterFile } from './arch';
import * as xstate from './x86-64-xstate';
import type { XsaveLayout } from './x86-64-xstate';
import { abridgeTags, expandTags } from './x86-64-x87';

/** gdb's features, in the order in which they appear. */
export type Feature = 'core' | 'sse' | 'linux' | 'segments' | 'avx' | 'avx512' | 'pkeys';

/** Where a register's bytes lie, and what is between them and gdb's. */
interface Place {
  readonly file: 'gp' | 'fp';
  readonly offset: number;
  /** Bytes in the file when gdb's register is wider (the rest is 0). */
  readonly stored?: number;
  /** Bits that count, when fewer than stored. */
  readonly mask?: number;
  /** XSAVE component; none in gp. */
  readonly component?: number;
  readonly special?: 'ftag' | 'mxcsr';
}

export interface Register {
  readonly name: string;
  readonly feature: Feature;
  readonly bits: number;
  readonly type: string;
  readonly group?: 'float' | 'vector';
  readonly place: Place;
}

function gp(feature: Feature, name: keyof typeof USER_REGS, bits: number, type: string): Register {
  return { name, feature, bits, type, place: { file: 'gp', offset: USER_REGS[name] } };
}

function x87Control(name: string, offset: number, stored: number, more: Partial<Place> = {}): Register {
  const place: Place = { file: 'fp', offset, stored, component: xstate.X87, ...more };
  return { name, feature: 'core', bits: 32, type: 'int', group: 'float', place };
}

/** A row of registers of one XSAVE component. */
interface Row {
  readonly feature: Feature;
  readonly name: (i: number) => string;
  readonly count: number;
  readonly bits: number;
  readonly type: string;
  readonly component: number;
  readonly offset: number;
  readonly stride: number;
}

function row({ feature, name, count, bits, type, component, offset, stride }: Row): Register[] {
  return Array.from({ length: count }, (_unused, i) => ({
    name: name(i),
    feature,
    bits,
    type,
    place: { file: 'fp', offset: offset + i * stride, component },
  }));
}

function coreRegisters(): Register[] {
  const words = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi'] as const;
  const numbered = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
  const segments = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const;
  return [
    ...words.map((name) => gp('core', name, 64, 'int64')),
    gp('core', 'rbp', 64, 'data_ptr'),
    gp('core', 'rsp', 64, 'data_ptr'),
    ...numbered.map((name) => gp('core', name, 64, 'int64')),
    gp('core', 'rip', 64, 'code_ptr'),
    gp('core', 'eflags', 32, 'i386_eflags'),
    ...segments.map((name) => gp('core', name, 32, 'int32')),
    ...row({
      feature: 'core',
      name: (i) => `st${i}`,
      count: 8,
      bits: 80,
      type: 'i387_ext',
      component: xstate.X87,
      offset: xstate.ST,
      stride: 16,
    }),
    x87Control('fctrl', xstate.FCW, 2),
    x87Control('fstat', xstate.FSW, 2),
    x87Control('ftag', xstate.FTW, 2, { special: 'ftag' }),
    x87Control('fiseg', xstate.FCS, 2),
    x87Control('fioff', xstate.FIP, 4),
    x87Control('foseg', xstate.FDS, 2),
    x87Control('fooff', xstate.FDP, 4),
    x87Control('fop', xstate.FOP, 2, { mask: 0x7ff }),
  ];
}

function sseRegisters(): Register[] {
  const mxcsr: Place = { file: 'fp', offset: xstate.MXCSR, component: xstate.SSE, special: 'mxcsr' };
  return [
    ...row({
      feature: 'sse',
      name: (i) => `xmm${i}`,
      count: 16,
      bits: 128,
      type: 'vec128',
      component: xstate.SSE,
      offset: xstate.XMM,
      stride: 16,
    }),
    { name: 'mxcsr', feature: 'sse', bits: 32, type: 'i386_mxcsr', group: 'vector', place: mxcsr },
  ];
}

function avxRegisters(layout: XsaveLayout): Register[] {
  if (!xstate.has(layout, xstate.AVX)) return [];
  const offset = xstate.componentOffset(layout, xstate.AVX);
  return row({
    feature: 'avx',
    name: (i) => `ymm${i}h`,
    count: 16,
    bits: 128,
    type: 'uint128',
    component: xstate.AVX,
    offset,
    stride: 16,
  });
}

/** XMM16 to ZMM31 lie whole in one component, 64 bytes each: gdb's xmm, ymmh and zmmh are its parts. */
function avx512Registers(layout: XsaveLayout): Register[] {
  if (![xstate.OPMASK, xstate.ZMM_HI256, xstate.HI16_ZMM].every((component) => xstate.has(layout, component))) return [];
  const feature = 'avx512';
  const [masks, low, high] = [xstate.OPMASK, xstate.ZMM_HI256, xstate.HI16_ZMM].map((c) => xstate.componentOffset(layout, c));
  const upper = { feature, count: 16, component: xstate.HI16_ZMM, stride: 64 } as const;
  return [
    ...row({ ...upper, name: (i) => `xmm${i + 16}`, bits: 128, type: 'vec128', offset: high }),
    ...row({ ...upper, name: (i) => `ymm${i + 16}h`, bits: 128, type: 'uint128', offset: high + 16 }),
    ...row({
      feature,
      name: (i) => `k${i}`,
      count: 8,
      bits: 64,
      type: 'uint64',
      component: xstate.OPMASK,
      offset: masks,
      stride: 8,
    }),
    ...row({
      feature,
      name: (i) => `zmm${i}h`,
      count: 16,
      bits: 256,
      type: 'v2ui128',
      component: xstate.ZMM_HI256,
      offset: low,
      stride: 32,
    }),
    ...row({ ...upper, name: (i) => `zmm${i + 16}h`, bits: 256, type: 'v2ui128', offset: high + 32 }),
  ];
}

function pkeysRegisters(layout: XsaveLayout): Register[] {
  if (!xstate.has(layout, xstate.PKRU)) return [];
  const place: Place = { file: 'fp', offset: xstate.componentOffset(layout, xstate.PKRU), component: xstate.PKRU };
  return [{ name: 'pkru', feature: 'pkeys', bits: 32, type: 'uint32', place }];
}

/** All registers of a CPU with this layout; the index is gdb's number. */
export function listRegisters(layout: XsaveLayout): Register[] {
  return [
    ...coreRegisters(),
    ...sseRegisters(),
    gp('linux', 'orig_rax', 64, 'int'),
    gp('segments', 'fs_base', 64, 'int'),
    gp('segments', 'gs_base', 64, 'int'),
    ...avxRegisters(layout),
    ...avx512Registers(layout),
    ...pkeysRegisters(layout),
  ];
}

function isLive(regs: RegisterFile, { component, special }: Place): boolean {
  if (component === undefined) return true;
  return special === 'mxcsr' ? xstate.isMxcsrLive(regs.fp) : xstate.isLive(regs.fp, component);
}

/** Puts a register's bytes, as gdb knows them, into `into` at `at`, which is zero there. */
export function encodeRegister(regs: RegisterFile, register: Register, into: Buffer, at: number): void {
  const { place, bits } = register;
  if (isLive(regs, place)) copyBytes(regs[place.file], place.offset, place.stored ?? bits / 8, into, at);
  else xstate.writeInitialBytes(place.offset, into, at);
  if (place.mask !== undefined) into.writeUInt16LE(into.readUInt16LE(at) & place.mask, at);
  if (place.special === 'ftag')
    into.writeUInt16LE(
      expandTags(into.readUInt8(at), statusWord(regs), (i) => stackRegister(regs, i)),
      at,
    );
}

/** Registers are small: a native copy of each costs more than it copies. */
function copyBytes(from: Buffer, start: number, length: number, into: Buffer, at: number): void {
  for (let i = 0; i < length; i += 1) into[at + i] = from[start + i];
}

function statusWord(regs: RegisterFile): number {
  return xstate.isLive(regs.fp, xstate.X87) ? regs.fp.readUInt16LE(xstate.FSW) : 0;
}

function stackRegister(regs: RegisterFile, i: number): Buffer {
  return regs.fp.subarray(xstate.ST + 16 * i, xstate.ST + 16 * i + 10);
}

/** Writes a register from gdb's bytes; bits that gdb's register does not have stay as they are. */
export function decodeRegister(regs: RegisterFile, layout: XsaveLayout, register: Register, value: Buffer): void {
  const { place, bits } = register;
  if (place.component !== undefined) xstate.makeLive(regs.fp, layout, place.component);
  const file = regs[place.file];
  if (place.special === 'ftag') {
    file.writeUInt8(abridgeTags(value.readUInt16LE(0)), place.offset);
  } else if (place.mask !== undefined) {
    const kept = file.readUInt16LE(place.offset) & ~place.mask;
    file.writeUInt16LE(kept | (value.readUInt16LE(0) & place.mask), place.offset);
  } else {
    value.copy(file, place.offset, 0, place.stored ?? bits / 8);
  }
}
