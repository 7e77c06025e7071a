/**
 * Progress of reading the symbols of libraries. gdb tells of all libraries that it has found, then reads one after another, and the script tells of
 * each that it has read. A program that runs stands meanwhile, and nobody has asked for that: the end of it is when gdb answers again.
 */

import { type GdbClient, SYMBOLS_MS } from '../gdb/client';
import { hearOut } from '../gdb/commands-exec';
import { baseName } from './breakpoints';
import type { Progress, Reporter } from './progress';

interface Batch {
  found: number;
  read: number;
  /** undefined: nobody is told. */
  reporter: Reporter | undefined;
}

export class SymbolReading {
  private batch: Batch | undefined;

  constructor(
    private readonly progress: Progress,
    private readonly gdb: () => GdbClient,
  ) {}

  /** What is read meanwhile belongs to `work`, whose progress is shown already. */
  async within<T>(reporter: Reporter, work: () => Promise<T>): Promise<T> {
    const batch = (this.batch = { found: 0, read: 0, reporter });
    try {
      return await work();
    } finally {
      if (this.batch === batch) this.batch = undefined;
    }
  }

  /** gdb has found a library. */
  onFound(): void {
    if (this.batch === undefined) this.begin();
    else this.batch.found++;
  }

  /** gdb has read a file's symbols, of a library or of the program. */
  onRead(file: string): void {
    const { batch } = this;
    if (batch === undefined || batch.read === batch.found) return;
    batch.read++;
    const message = `${baseName(file)} (${batch.read} of ${batch.found})`;
    batch.reporter?.update(message, Math.floor((100 * batch.read) / batch.found));
  }

  private begin(): void {
    const batch: Batch = (this.batch = { found: 1, read: 0, reporter: undefined });
    const work = async (reporter: Reporter): Promise<void> => {
      batch.reporter = reporter;
      await hearOut(this.gdb(), SYMBOLS_MS);
    };
    void this.progress
      .show(() => `Reading symbols of ${countLibraries(batch.found)}`, work)
      // gdb has ended: others tell.
      .catch(() => {})
      .finally(() => {
        if (this.batch === batch) this.batch = undefined;
      });
  }
}

const countLibraries = (count: number): string => (count === 1 ? 'a library' : `${count} libraries`);
