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

export const DEFAULT_LIMITS: AutomaticLimits = { most: 100, megabytes: 512, timeShare: 0.1 };

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
  const isOver = (most: number): boolean => kept.length > most || (kept.length > 1 && size() > limits.megabytes * 1024 * 1024);
  if (!isOver(limits.most)) return [];
  // Some at once: the server is not asked at every stop.
  const most = limits.most - Math.floor(limits.most / 20);
  while (isOver(most)) {
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

/** What taking may still cost now, in milliseconds, as it was at a time. */
export interface Budget {
  readonly at: number;
  readonly leftMs: number;
}

/** So much may be spent at once: a row of quick steps has a checkpoint each. */
const MOST_SAVED_UP_MS = 50;

export const FULL_BUDGET: Budget = { at: 0, leftMs: MOST_SAVED_UP_MS };

function at(now: number, budget: Budget, limits: AutomaticLimits): Budget {
  const earned = Math.max(0, now - budget.at) * limits.timeShare;
  return { at: now, leftMs: Math.min(MOST_SAVED_UP_MS, budget.leftMs + earned) };
}

/** Whether the next one may be taken. */
export function isDue(budget: Budget, now: number, limits: AutomaticLimits): boolean {
  return at(now, budget, limits).leftMs > 0;
}

/** After one was taken. `first`: all memory was saved; the next ones are not like that. */
export function spend(budget: Budget, now: number, durationMs: number, limits: AutomaticLimits, first: boolean): Budget {
  const { leftMs } = at(now, budget, limits);
  return { at: now, leftMs: leftMs - (first ? Math.min(durationMs, MOST_SAVED_UP_MS / 2) : durationMs) };
}
