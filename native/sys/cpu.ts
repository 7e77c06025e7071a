/**
 * What the CPU says about itself. Satisfies `Cpu` of native/arch/x86-64-xstate.ts, so this module itself is the argument of hostArch.
 */

import { bind } from './shim';

const cpuidRaw = bind<(leaf: number, sub: number, out: Buffer) => number>(
  'int sp_cpuid(uint32_t leaf, uint32_t sub, void *out4)',
);
const xgetbvRaw = bind<(index: number) => number | bigint>('uint64_t sp_xgetbv(uint32_t index)');

/** All zero for a leaf that the CPU does not have. */
export function cpuid(leaf: number, subleaf: number): { eax: number; ebx: number; ecx: number; edx: number } {
  const out = Buffer.alloc(16);
  cpuidRaw(leaf, subleaf, out);
  return { eax: out.readUInt32LE(0), ebx: out.readUInt32LE(4), ecx: out.readUInt32LE(8), edx: out.readUInt32LE(12) };
}

/** Extended control register; allowed only where CPUID leaf 1 says OSXSAVE. */
export function xgetbv(register: number): bigint {
  return BigInt(xgetbvRaw(register));
}
