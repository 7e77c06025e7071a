/** Which checkpoint "the one before" is. Pure. */

import { userError } from '../../native/base/errors';
import type { CheckpointList, CheckpointRecord } from '../../native/control/schema';

/** The entry checkpoint's id. */
export const ENTRY_ID = 0;

/** A client's number of a checkpoint. Throws for what cannot be one. */
export function checkpointId(id: unknown): number {
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0)
    throw userError('checkpoint-id', `${JSON.stringify(id)} is not the number of a checkpoint`);
  return id;
}

export interface Present {
  /** A checkpoint that is equal to the present state; undefined: the program has gone on from `currentId`. */
  readonly savedAs: number | undefined;
  /** Stops are numbered; checkpoints of one stop are the same moment. */
  momentOf(id: number): number | undefined;
}

/** The present's checkpoint and its ancestors, nearest first, of another moment than the present. */
export function earlierMoments({ checkpoints, currentId }: CheckpointList, present: Present): CheckpointRecord[] {
  const byId = new Map(checkpoints.map((record) => [record.id, record]));
  const here = present.savedAs === undefined ? undefined : present.momentOf(present.savedAs);
  const found: CheckpointRecord[] = [];
  const start = present.savedAs ?? currentId;
  for (let at = start === undefined ? undefined : byId.get(start); at !== undefined;) {
    const isPresent = at.id === present.savedAs || (here !== undefined && present.momentOf(at.id) === here);
    if (!isPresent) found.push(at);
    at = at.parentId === undefined ? undefined : byId.get(at.parentId);
  }
  return found;
}

/** The state of the stop before the present one. */
export function previousStop(list: CheckpointList, present: Present): CheckpointRecord | undefined {
  return earlierMoments(list, present)[0];
}

/** The nearest checkpoint before that somebody asked for; without one, the entry. */
export function previousNamed(list: CheckpointList, present: Present): CheckpointRecord | undefined {
  const all = earlierMoments(list, present);
  return all.find(({ automatic }) => !automatic) ?? all.find(({ id }) => id === ENTRY_ID);
}
