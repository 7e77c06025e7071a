/**
 * Software breakpoints of one inferior: which bytes of memory are ours, and what belongs there.
 *
 * Everybody else sees memory without them: gdb's reads are patched, the engine lifts them for the length of a take or restore, a forked
 * child gets them removed.
 */

import type { Addr } from '../base/brands';
import * as io from '../sys/io';

/** Who wants our instruction at an address: Z0, or a Z1 for which there is no debug register. */
export type BreakpointOwner = 'software' | 'hardware';

export class Breakpoints {
  /** Address → the program's own bytes under our instruction. */
  private readonly inserted = new Map<Addr, Buffer>();
  private readonly owners = new Map<Addr, Set<BreakpointOwner>>();

  constructor(private readonly instruction: Buffer) {}

  get size(): number {
    return this.inserted.size;
  }

  has(addr: Addr): boolean {
    return this.inserted.has(addr);
  }

  /** What a hit there is to be called. */
  nameOf(addr: Addr): 'swbreak' | 'hwbreak' {
    return this.owners.get(addr)?.has('software') === false ? 'hwbreak' : 'swbreak';
  }

  /** false: the address cannot be written. Inserting twice is as good as once (gdb manual, "Packets": Z is idempotent). */
  insert(memFd: number, addr: Addr, owner: BreakpointOwner = 'software'): boolean {
    if (!this.write(memFd, addr)) return false;
    this.owners.set(addr, (this.owners.get(addr) ?? new Set()).add(owner));
    return true;
  }

  /** Our byte may be gone: a library was unloaded, for which gdb sends no z, and another one (or the same) stands there now. */
  private write(memFd: number, addr: Addr): boolean {
    if (this.inserted.has(addr) && this.isThere(memFd, addr)) return true;
    this.inserted.delete(addr);
    const original = Buffer.alloc(this.instruction.length);
    if (io.pread(memFd, original, addr) !== original.length) return false;
    if (io.pwrite(memFd, this.instruction, addr) !== this.instruction.length) return false;
    this.inserted.set(addr, original);
    return true;
  }

  /** false: the program has unmapped or overwritten the place since; what stands there now is its own. */
  private isThere(memFd: number, addr: Addr): boolean {
    const present = Buffer.alloc(this.instruction.length);
    return io.pread(memFd, present, addr) === present.length && present.equals(this.instruction);
  }

  /** true also when memory is gone: then so is our byte. */
  remove(memFd: number, addr: Addr, owner: BreakpointOwner = 'software'): boolean {
    const original = this.inserted.get(addr);
    const owners = this.owners.get(addr);
    if (original === undefined || owners?.delete(owner) !== true || owners.size > 0) return true;
    if (this.isThere(memFd, addr)) io.pwrite(memFd, original, addr);
    this.inserted.delete(addr);
    this.owners.delete(addr);
    return true;
  }

  removeAll(memFd: number): void {
    this.writeOriginals(memFd);
    this.forgetAll();
  }

  /** After an exec: the image that held them is gone. */
  forgetAll(): void {
    this.inserted.clear();
    this.owners.clear();
  }

  /** Writes the program's own bytes back (through any memory file that shows the same addresses: a forked child's, too). */
  writeOriginals(memFd: number): void {
    for (const [addr, original] of this.inserted) if (this.isThere(memFd, addr)) io.pwrite(memFd, original, addr);
  }

  liftOne(memFd: number, addr: Addr): () => void {
    const original = this.inserted.get(addr);
    if (original === undefined) return () => undefined;
    io.pwrite(memFd, original, addr);
    return () => {
      if (this.inserted.has(addr)) io.pwrite(memFd, this.instruction, addr);
    };
  }

  /** Takes all out; the result puts them in again, re-reading what belongs there (a restore may have changed it). */
  liftAll(memFd: number): () => void {
    for (const addr of [...this.inserted.keys()]) {
      if (this.isThere(memFd, addr)) continue;
      this.inserted.delete(addr);
      this.owners.delete(addr);
    }
    this.writeOriginals(memFd);
    return () => {
      const addresses = [...this.inserted.keys()];
      this.inserted.clear();
      for (const addr of addresses) if (!this.write(memFd, addr)) this.owners.delete(addr);
    };
  }

  /** Replaces our bytes in what was read from memory at `addr`. */
  hideIn(data: Buffer, addr: Addr): void {
    if (this.inserted.size === 0) return;
    const end = addr + BigInt(data.length);
    for (const [at, original] of this.inserted) {
      for (let i = 0; i < original.length; i++) {
        const place = at + BigInt(i);
        if (place >= addr && place < end) data[Number(place - addr)] = original[i] ?? 0;
      }
    }
  }

  /** What may be written at `addr` so that our instructions stay; remembers the rest as the program's own bytes. */
  mergeInto(data: Buffer, addr: Addr): Buffer {
    if (this.inserted.size === 0) return data;
    const end = addr + BigInt(data.length);
    const merged = Buffer.from(data);
    for (const [at, original] of this.inserted) {
      for (let i = 0; i < original.length; i++) {
        const place = at + BigInt(i);
        if (place < addr || place >= end) continue;
        original[i] = data[Number(place - addr)] ?? 0;
        merged[Number(place - addr)] = this.instruction[i] ?? 0;
      }
    }
    return merged;
  }
}
