/**
 * Debug registers: four addresses (DR0 to DR3), what to stop for (DR7), what happened (DR6). Intel SDM volume 3, 18.2. Pure.
 *
 * The kernel refuses what the hardware could not do: a length that is not 1, 2, 4 or 8, an address not aligned to it, an address
 * of its own (arch/x86/kernel/ptrace.c, hw_breakpoint.c). An unaligned or longer point is cut into aligned pieces, as gdb does.
 */

import { USER } from '../abi/structs';
import type { DebugRegisterPlan, HardwarePoint } from './arch';

const SLOTS = 4;
const DR6 = 6;
const DR7 = 7;
const WORD = 8;
/** Where user addresses end (four-level page tables; the kernel takes no debug address beyond). */
const USER_END = 0x7ffffffff000n;

/** R/W bits of DR7. There is no "read only": access means read or write. */
const WHEN = { execute: 0n, write: 1n, access: 3n } as const;
/** LEN bits of DR7. */
const LENGTH = new Map([
  [1, 0n],
  [2, 1n],
  [4, 3n],
  [8, 2n],
]);

export const debugOffset = (n: number): number => USER.u_debugreg + WORD * n;
export const debugStatusOffset = debugOffset(DR6);

/** Aligned pieces, largest first that fits at each place. An instruction is watched by its first byte. */
function split(point: HardwarePoint): HardwarePoint[] {
  if (point.kind === 'execute') return [{ ...point, length: 1 }];
  const pieces: HardwarePoint[] = [];
  let { addr, length: left } = point;
  while (left > 0 && pieces.length <= SLOTS) {
    const size = [8, 4, 2, 1].find((n) => n <= left && addr % BigInt(n) === 0n) ?? 1;
    pieces.push({ kind: point.kind, addr, length: size });
    addr += BigInt(size);
    left -= size;
  }
  return pieces;
}

/**
 * Writes in this order: everything off, the addresses, the new DR7. (The kernel checks an address against the length that its
 * slot has at that moment, and a length against the address.) undefined: more than four pieces, or no user address.
 */
export function planDebugRegisters(points: readonly HardwarePoint[]): DebugRegisterPlan | undefined {
  const pieces = new Map<string, HardwarePoint>();
  for (const point of points) {
    if (point.length <= 0 || point.addr < 0n || point.addr + BigInt(point.length) > USER_END) return undefined;
    // Equal pieces share a register.
    for (const piece of split(point)) pieces.set(`${piece.kind} ${piece.addr} ${piece.length}`, piece);
  }
  if (pieces.size > SLOTS) return undefined;
  let control = 0n;
  const addresses = [...pieces.values()].map((piece, n) => {
    const bits = ((LENGTH.get(piece.length) ?? 0n) << 2n) | WHEN[piece.kind];
    control |= (1n << BigInt(2 * n)) | (bits << BigInt(16 + 4 * n));
    return { offset: debugOffset(n), value: piece.addr };
  });
  const off = { offset: debugOffset(DR7), value: 0n };
  return { slots: [off, ...addresses, ...(control === 0n ? [] : [{ ...off, value: control }])] };
}

/** The lowest debug register that DR6 says was hit. Its other bits (single step, task switch) are not ours. */
export function hitPoint(status: bigint): number | undefined {
  for (let n = 0; n < SLOTS; n++) {
    if ((status & (1n << BigInt(n))) !== 0n) return n;
  }
  return undefined;
}
