/**
 * The Checkpoints view's rows, made from the list of checkpoints. Pure: no `vscode`.
 *
 * A line of checkpoints is a flat list of rows, oldest first. Where something went on from a checkpoint a second time, that is a branch: a row
 * below the checkpoint, with a line of its own. Automatic checkpoints that follow one another are one folded row; those that matter (the
 * present, the beginning of a branch, the way back) stand by themselves.
 */

import type { CheckpointRecord } from '../../native/control/schema';
import type { SessionState } from './session-state';

export type Row =
  | {
      readonly kind: 'checkpoint';
      readonly record: CheckpointRecord;
      /** `here`: the program stands at it; `since`: it came from it and ran on; `undo`: where it was before the restore. */
      readonly mark?: 'here' | 'since' | 'undo';
      readonly inPast: boolean;
      readonly children: readonly Row[];
    }
  | { readonly kind: 'automatic'; readonly id: string; readonly count: number; readonly children: readonly Row[] }
  | {
      readonly kind: 'branch';
      readonly id: string;
      readonly fromId: number;
      readonly count: number;
      readonly children: readonly Row[];
    };

/** One alone is not folded. */
const FOLD_FROM = 2;

export function makeRows(state: SessionState): readonly Row[] {
  const { checkpoints } = state.list;
  const known = new Set(checkpoints.map(({ id }) => id));
  const children = new Map<number | undefined, CheckpointRecord[]>();
  for (const record of [...checkpoints].sort((a, b) => a.id - b.id)) {
    const parent = record.parentId !== undefined && known.has(record.parentId) ? record.parentId : undefined;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [record]);
    else siblings.push(record);
  }
  const lines = (children.get(undefined) ?? []).map((first) => makeLine(first, children, state));
  return lines.flat();
}

function makeLine(
  first: CheckpointRecord,
  children: ReadonlyMap<number | undefined, readonly CheckpointRecord[]>,
  state: SessionState,
): readonly Row[] {
  const rows: Row[] = [];
  for (let record: CheckpointRecord | undefined = first; record !== undefined;) {
    const [next, ...others]: readonly CheckpointRecord[] = children.get(record.id) ?? [];
    const { id: fromId } = record;
    const branches = others.map((one): Row => {
      const line = makeLine(one, children, state);
      return { kind: 'branch', id: `branch ${fromId} ${one.id}`, fromId, count: recordsIn(line).length, children: line };
    });
    const mark = markOf(record.id, state);
    rows.push({
      kind: 'checkpoint',
      record,
      ...(mark === undefined ? {} : { mark }),
      inPast: mark === 'here' && state.inPast,
      children: branches,
    });
    record = next;
  }
  return fold(rows);
}

function markOf(id: number, state: SessionState): 'here' | 'since' | 'undo' | undefined {
  if (id === state.presentId) return 'here';
  if (id === state.list.currentId && state.presentId === undefined) return 'since';
  return state.inPast && id === state.arrival?.from ? 'undo' : undefined;
}

/** The beginning is where Restart goes. */
export const ENTRY_ID = 0;

const isFoldable = (row: Row): boolean =>
  row.kind === 'checkpoint' &&
  row.record.id !== ENTRY_ID &&
  row.record.automatic &&
  row.mark === undefined &&
  row.children.length === 0;

function fold(rows: readonly Row[]): readonly Row[] {
  const folded: Row[] = [];
  for (let start = 0; start < rows.length;) {
    let end = start;
    while (end < rows.length && isFoldable(rows[end]!)) end++;
    const run = rows.slice(start, end);
    const first = run[0];
    if (first?.kind === 'checkpoint' && run.length >= FOLD_FROM) {
      folded.push({ kind: 'automatic', id: `automatic ${first.record.id}`, count: run.length, children: run });
    } else folded.push(...run);
    if (end < rows.length) folded.push(rows[end]!);
    start = end + 1;
  }
  return folded;
}

/** Those of the rows, and of all below them. */
export function recordsIn(rows: readonly Row[]): readonly CheckpointRecord[] {
  return rows.flatMap((row) => [...(row.kind === 'checkpoint' ? [row.record] : []), ...recordsIn(row.children)]);
}
