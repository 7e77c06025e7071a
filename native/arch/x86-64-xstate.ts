/**
 * The XSAVE area as PTRACE_GETREGSET(NT_X86_XSTATE) gives it: which components this CPU has, where they lie, and what a
 * component in its initial state means. Pure: CPUID comes in as a function.
 *
 * Sources: Intel SDM volume 1 chapter 13 (standard format, offsets by CPUID leaf 0xD), the kernel's copy_xstate_to_uabi_buf().
 * The offsets differ between makers (AMD has no MPX gap), so they are never assumed.
 */

import type { FpRegs } from './arch';

/** Component numbers: bits of XCR0 and of xstate_bv. */
export const X87 = 0;
export const SSE = 1;
export const AVX = 2;
export const OPMASK = 5;
export const ZMM_HI256 = 6;
export const HI16_ZMM = 7;
export const PKRU = 9;

export interface XsaveLayout {
  /** XCR0's low half: the components that the system has switched on; 0 on a CPU without XSAVE. */
  readonly features: number;
  /** Byte offset of each component above SSE in the standard format. */
  readonly offsets: Readonly<Record<number, number>>;
}

/** What every x86-64 has: FXSAVE, no XSAVE. */
export const FXSAVE_LAYOUT: XsaveLayout = { features: 0, offsets: {} };

/** CPUID and XGETBV, as native/sys/cpu.ts gives them. */
export interface Cpu {
  cpuid(
    leaf: number,
    subleaf: number,
  ): { readonly eax: number; readonly ebx: number; readonly ecx: number; readonly edx: number };
  xgetbv(register: number): bigint;
}

const OSXSAVE = 1 << 27;
const XSAVE_LEAF = 0xd;

export function readXsaveLayout(cpu: Cpu): XsaveLayout {
  if ((cpu.cpuid(1, 0).ecx & OSXSAVE) === 0) return FXSAVE_LAYOUT;
  const features = Number(cpu.xgetbv(0) & 0xffffffffn);
  const offsets: Record<number, number> = {};
  for (const component of [AVX, OPMASK, ZMM_HI256, HI16_ZMM, PKRU]) {
    if (has({ features, offsets }, component)) offsets[component] = cpu.cpuid(XSAVE_LEAF, component).ebx;
  }
  return { features, offsets };
}

export function has(layout: XsaveLayout, component: number): boolean {
  return (layout.features & (1 << component)) !== 0;
}

/** Where a component begins. x87 and SSE lie in the FXSAVE part. */
export function componentOffset(layout: XsaveLayout, component: number): number {
  return component <= SSE ? 0 : layout.offsets[component];
}

/* The FXSAVE part */
export const FCW = 0;
export const FSW = 2;
export const FTW = 4;
export const FOP = 6;
export const FIP = 8;
export const FCS = 12;
export const FDP = 16;
export const FDS = 20;
export const MXCSR = 24;
export const ST = 32;
export const XMM = 160;
const XMM_END = 416;
/** Of the header that follows it: xstate_bv. A regset shorter than header and FXSAVE part (NT_PRFPREG) has no header. */
const XSTATE_BV = 512;
const HEADER_END = 576;

const FCW_INITIAL = 0x37f;
const MXCSR_INITIAL = 0x1f80;

/** Bytes of a component that registers lie in. */
const SIZES: Readonly<Record<number, number>> = { [AVX]: 256, [OPMASK]: 64, [ZMM_HI256]: 512, [HI16_ZMM]: 1024, [PKRU]: 8 };

function hasHeader(fp: FpRegs): boolean {
  return fp.length >= HEADER_END;
}

/**
 * Whether a component holds what its bytes say. PKRU always does: the kernel keeps it outside the XSAVE area and fills the bytes
 * in whatever the bit says (arch/x86/kernel/fpu/xstate.c, __copy_xstate_to_uabi_buf).
 */
export function isLive(fp: FpRegs, component: number): boolean {
  if (component === PKRU || !hasHeader(fp)) return true;
  return (fp.readUInt32LE(XSTATE_BV) & (1 << component)) !== 0;
}

/** MXCSR belongs to SSE and AVX: it is initial when both are. */
export function isMxcsrLive(fp: FpRegs): boolean {
  return isLive(fp, SSE) || isLive(fp, AVX);
}

/** A component's initial bytes as a register at `offset` of the area sees them; `into` is zero at `at`. */
export function writeInitialBytes(offset: number, into: Buffer, at: number): void {
  if (offset === FCW) into.writeUInt16LE(FCW_INITIAL, at);
  if (offset === MXCSR) into.writeUInt32LE(MXCSR_INITIAL, at);
}

/**
 * Makes a component's bytes count: sets its bit, after having written out the initial state that they stood for. PKRU's bit goes
 * along when its value is not 0: PTRACE_SETREGSET would take a cleared bit for "reset to 0".
 */
export function makeLive(fp: FpRegs, layout: XsaveLayout, component: number): void {
  if (!hasHeader(fp)) return;
  const mxcsrWasLive = isMxcsrLive(fp);
  if (!isLive(fp, component)) writeInitial(fp, layout, component);
  if (component === SSE && !mxcsrWasLive) fp.writeUInt32LE(MXCSR_INITIAL, MXCSR);
  let bits = fp.readUInt32LE(XSTATE_BV) | (1 << component);
  const pkru = layout.offsets[PKRU];
  if (pkru !== undefined && fp.readUInt32LE(pkru) !== 0) bits |= 1 << PKRU;
  fp.writeUInt32LE(bits >>> 0, XSTATE_BV);
}

function writeInitial(fp: FpRegs, layout: XsaveLayout, component: number): void {
  if (component === X87) {
    fp.fill(0, FCW, MXCSR);
    fp.writeUInt16LE(FCW_INITIAL, FCW);
    fp.fill(0, ST, XMM);
  } else if (component === SSE) {
    fp.fill(0, XMM, XMM_END);
  } else {
    const start = componentOffset(layout, component);
    fp.fill(0, start, start + SIZES[component]);
    if (component === AVX && !isMxcsrLive(fp)) fp.writeUInt32LE(MXCSR_INITIAL, MXCSR);
  }
}
