/**
 * Which automatic checkpoints stay: the newest ones all, older ones the sparser the older they are, within a number and a size. And when the
 * next one is due. Pure.
 */

export interface AutomaticLimits {
  /** How many. */
  readonly most: number;
  /** Memory that they hold together. */
  readonly megabytes: number;
  /** Of the time that passes, the part that taking them may cost. */
  readonly timeShare: number;
}

export const DEFAULT_LIMITS: AutomaticLimits = { most: 100, megabytes: 512, timeShare: 0.2 };

export interface AutomaticRecord {
  readonly id: number;
  readonly ownBytes: number;
}

/** The newest are never dropped for their age. */
const KEPT_WHOLE = 20;

/** Those to drop, of `records` in the order they were taken; never the newest, never `needed`. */
export function chooseDrops(
  records: readonly AutomaticRecord[],
  limits: AutomaticLimits,
  needed: ReadonlySet<number> = new Set(),
): readonly number[] {
  const kept = [...records];
  const dropped: number[] = [];
  const size = (): number => kept.reduce((sum, record) => sum + record.ownBytes, 0);
  while (kept.length > limits.most || (kept.length > 1 && size() > limits.megabytes * 1024 * 1024)) {
    const index = nextToDrop(kept, needed);
    if (index === undefined) break;
    dropped.push(...kept.splice(index, 1).map(({ id }) => id));
  }
  return dropped;
}

/**
 * The one whose loss is felt least: where the gap that it leaves is smallest compared with its age. Gaps and ages are
 * counted in checkpoints by their ids.
 */
function nextToDrop(kept: readonly AutomaticRecord[], needed: ReadonlySet<number>): number | undefined {
  const newest = kept.at(-1)?.id ?? 0;
  const end = kept.length > KEPT_WHOLE + 1 ? kept.length - KEPT_WHOLE : kept.length - 1;
  let best: { index: number; cost: number } | undefined;
  for (let index = 0; index < end; index++) {
    const { id } = kept[index]!;
    if (needed.has(id)) continue;
    const gap = kept[index + 1]!.id - (kept[index - 1]?.id ?? 0);
    const cost = gap / (newest - id + 1);
    if (best === undefined || cost < best.cost) best = { index, cost };
  }
  return best?.index;
}

export interface Taken {
  /** When it was done, and how long it took, in milliseconds. */
  readonly at: number;
  readonly durationMs: number;
}

/** Whether the last one was cheap enough, for the time since then, that the next one may be taken. */
export function isDue(last: Taken | undefined, now: number, limits: AutomaticLimits): boolean {
  if (last === undefined || last.durationMs <= CHEAP_MS) return true;
  return last.durationMs <= (now - last.at) * limits.timeShare;
}

/** Nobody feels this. */
const CHEAP_MS = 8;
