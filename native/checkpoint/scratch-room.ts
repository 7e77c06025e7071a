/**
 * The scratch area as a notepad: places are handed out one after another, inputs written, results read back. Emptied by `clear`.
 *
 * It is mapped when it is first needed, and again when it is needed after `close`.
 */

import type { Addr } from '../base/brands';
import { bug } from '../base/errors';
import type { EngineInferior, EngineThread, RemoteCall, Scratch } from '../owner/engine-host';
import * as io from '../sys/io';
import { alive, ProcessGone } from './gone';
import type { Range } from './mappings';

const ALIGN = 16;

export class ScratchRoom {
  private used = 0;
  private opened: Scratch | undefined;

  constructor(
    private readonly inferior: EngineInferior,
    /** Where it must not lie. */
    private readonly avoid: readonly Range[],
  ) {}

  private get scratch(): Scratch {
    return (this.opened ??= alive(this.inferior.openScratch(this.avoid)));
  }

  /** Where it lies, while it is mapped. */
  get range(): Range | undefined {
    return this.opened;
  }

  close(): void {
    this.opened?.close();
    this.opened = undefined;
    this.clear();
  }

  clear(): void {
    this.used = 0;
  }

  place(length: number): Addr {
    const at = this.used;
    this.used += (length + ALIGN - 1) & ~(ALIGN - 1);
    if (this.used > this.scratch.dataLength) throw bug('the scratch area is too small', { length });
    return this.scratch.data + BigInt(at);
  }

  get left(): number {
    return this.scratch.dataLength - this.used;
  }

  put(data: Buffer): Addr {
    const at = this.place(data.length);
    this.write(at, data);
    return at;
  }

  write(at: Addr, data: Buffer): void {
    const n = io.pwrite(this.inferior.memFd, data, at);
    if (n !== data.length) throw this.failure(n, 'written');
  }

  read(at: Addr, length: number): Buffer {
    const data = Buffer.alloc(length);
    const n = io.pread(this.inferior.memFd, data, at);
    if (n !== length) throw this.failure(n, 'read');
    return data;
  }

  /** /proc/PID/mem transfers nothing once the process has no memory any more (mem_rw in fs/proc/base.c). */
  private failure(transferred: number, what: string): Error {
    return transferred === 0 ? new ProcessGone('no memory any more') : bug(`the scratch area cannot be ${what}`);
  }

  /** Runs calls in a thread; the raw results. */
  run(thread: EngineThread, calls: readonly RemoteCall[]): bigint[] {
    return calls.length === 0 ? [] : alive(this.scratch.batch(thread, calls));
  }
}
