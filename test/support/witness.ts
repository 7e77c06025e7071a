/**
 * Everything about a stopped program that a restore must bring back, observed by the test itself, and what differs between two
 * observations, in words. Programs that use fixtures/proof.h only: the place of the rseq areas comes from there.
 */

import type { Debuggee } from './owner-process';
import { captureMemory, compareMemory, type MemoryImage, type Range } from './proc-memory';

export interface Witness {
  readonly memory: MemoryImage;
  readonly registers: ReadonlyMap<number, string>;
}

const RSEQ_SIZE = 32;
/** Offset of fs_base in the `g` block of x86-64 Linux, in bytes: after the core, x87 and SSE registers and orig_rax. */
const FS_BASE = 544;

export async function observe(program: Debuggee): Promise<Witness> {
  const registers = await program.registers();
  return { memory: captureMemory(program.pid, await rseqAreas(program, registers)), registers };
}

/** The kernel writes the cpu number into a thread's rseq area whenever it pleases. */
export async function rseqAreas(program: Debuggee, registers: ReadonlyMap<number, string>): Promise<Range[]> {
  const offset = Number(await program.readLong('rseq_offset'));
  return [...registers.values()].map((block) => {
    const start = Number(Buffer.from(block.slice(2 * FS_BASE, 2 * FS_BASE + 16), 'hex').readBigUInt64LE()) + offset;
    return { start, end: start + RSEQ_SIZE };
  });
}

/**
 * In a system call to be restarted rax holds which of the kernel's restart codes it is (-512 to -516); a restored call may be restarted by
 * another code than the interrupted one was, to the same effect.
 */
function normalise(block: string): string {
  return block.replace(/^(00fe|fffd|fefd|fdfd|fcfd)ffffffffffff/, 'restart code    ');
}

/** Empty: everything is as it was. */
export function differences(before: Witness, after: Witness): string[] {
  const found = compareMemory(before.memory, after.memory);
  const [were, are] = [before, after].map(({ registers }) => [...registers.keys()].join());
  if (were !== are) found.push(`threads: were ${were}, are ${are}`);
  for (const [tid, block] of before.registers) {
    const now = after.registers.get(tid);
    if (now !== undefined && normalise(now) !== normalise(block)) found.push(`registers of ${tid}: ${describe(block, now)}`);
  }
  return found;
}

function describe(was: string, is: string): string {
  for (let at = 0; at < was.length; at += 16) {
    const [a, b] = [was, is].map((block) => block.slice(at, at + 16));
    if (a !== b) return `byte ${at / 2}: was ${a}, is ${b}`;
  }
  return `${was.length} digits, then ${is.length}`;
}
