/** Small questions on checkpoint records. Pure. */

import type { CheckpointChanged, CheckpointList, CheckpointRecord } from '../../native/control/schema';

export function reparent(record: CheckpointRecord, parentId: number | undefined): CheckpointRecord {
  const changed: { parentId?: number } & CheckpointRecord = { ...record };
  if (parentId === undefined) delete changed.parentId;
  else changed.parentId = parentId;
  return changed;
}

/** Whether the server's word of a change is no news; a restore's stop comes by itself. */
export function isKnownChange({ reason, id }: CheckpointChanged, { checkpoints }: CheckpointList): boolean {
  const has = checkpoints.some((one) => one.id === id);
  switch (reason) {
    case 'taken':
      return has;
    case 'dropped':
      return !has;
    case 'lost':
      return checkpoints.length === 0;
    case 'renamed':
      return false;
    case 'restored':
      return true;
  }
}
