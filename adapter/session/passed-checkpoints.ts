/**
 * Which checkpoints were taken as the program passed (a log point with `{checkpoint}`, an exception filter), and which of them stay. A line that
 * is passed a thousand times must not fill the machine's memory, so they are thinned as the automatic ones are, within limits of their own of
 * the same size. One that the user has given a name is his.
 */

import { type AutomaticLimits, type AutomaticRecord, DEFAULT_LIMITS, chooseDrops } from './thinning';

export class PassedCheckpoints {
  private readonly ids = new Set<number>();
  private told = false;

  /** Returns those that are to go now, which are none of ours any more. `limits` undefined: automatic ones are switched off. */
  add(id: number, known: readonly AutomaticRecord[], limits: AutomaticLimits = DEFAULT_LIMITS): readonly number[] {
    this.ids.add(id);
    const own = known.filter((record) => this.ids.has(record.id)).sort((a, b) => a.id - b.id);
    const drops = chooseDrops(own, limits, new Set([id]));
    for (const one of drops) this.ids.delete(one);
    return drops;
  }

  /** Once. */
  shallTell(drops: readonly number[]): boolean {
    const shall = drops.length > 0 && !this.told;
    this.told ||= shall;
    return shall;
  }

  describe({ most, megabytes }: AutomaticLimits = DEFAULT_LIMITS): string {
    return `Of the checkpoints that are taken in passing, ${most} and ${megabytes} MiB are kept ("automaticCheckpoints"); older ones are thinned out from now on. One that you rename stays.`;
  }

  keep(id: number): void {
    this.ids.delete(id);
  }

  clear(): void {
    this.ids.clear();
    this.told = false;
  }
}
