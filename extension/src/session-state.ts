/**
 * What the extension knows of one debug session, as a value, and how each message of the adapter changes it. Pure: no `vscode`.
 *
 * `presentId`: a checkpoint that is equal to the present; gone as soon as the program runs on.
 */

import type { CheckpointChanged, CheckpointList, CheckpointRecord } from '../../native/control/schema';

export type Phase = 'starting' | 'running' | 'stopped' | 'exited' | 'ended';

/** The way into the past: to `at`, from `from` (missing: the present was not kept). */
export interface Arrival {
  readonly at: number;
  readonly from?: number;
}

export interface SessionState {
  readonly phase: Phase;
  readonly list: CheckpointList;
  readonly presentId?: number;
  /** The last restore; `undone` by going to its `from`. */
  readonly arrival?: Arrival;
  /** Nothing has run since the last restore. */
  readonly inPast: boolean;
  /** As the adapter described the stop. */
  readonly stop?: { readonly reason: string; readonly threadId?: number };
  /** A command of ours is under way. */
  readonly busy: boolean;
  /** Checkpoints that were told of by number, and whose records in `list` are missing or outdated. */
  readonly awaited: readonly number[];
}

export const initialState: SessionState = {
  phase: 'starting',
  list: { checkpoints: [] },
  inPast: false,
  busy: false,
  awaited: [],
};

export type Happening =
  | { readonly kind: 'started' }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'stopped'; readonly reason: string; readonly threadId?: number }
  | { readonly kind: 'ended' }
  | { readonly kind: 'changed'; readonly change: CheckpointChanged }
  | { readonly kind: 'recorded'; readonly record: CheckpointRecord }
  | { readonly kind: 'listed'; readonly list: CheckpointList }
  | { readonly kind: 'busy'; readonly busy: boolean };

export function advance(state: SessionState, happening: Happening): SessionState {
  if (state.phase === 'ended') return state;
  switch (happening.kind) {
    case 'started':
      return state.phase === 'starting' ? { ...state, phase: 'running' } : state;
    case 'resumed':
      return without({ ...state, phase: 'running', inPast: false }, 'presentId', 'stop');
    case 'stopped': {
      const { reason, threadId } = happening;
      const stop = { reason, ...(threadId === undefined ? {} : { threadId }) };
      return { ...state, phase: reason === 'exit' ? 'exited' : 'stopped', stop };
    }
    case 'ended':
      return { ...initialState, phase: 'ended' };
    case 'changed':
      return applyChange(awaiting(state, happening.change), happening.change);
    case 'recorded':
      return addRecord(state, happening.record);
    case 'listed':
      return { ...state, list: happening.list, awaited: [] };
    case 'busy':
      return { ...state, busy: happening.busy };
  }
}

function awaiting(state: SessionState, { reason, id }: CheckpointChanged): SessionState {
  if (reason === 'lost') return { ...state, awaited: [] };
  return id === undefined || state.awaited.includes(id) ? state : { ...state, awaited: [...state.awaited, id] };
}

/** The answer to a take ends it, and has all of its record: nothing need be asked before it is shown. */
function addRecord(state: SessionState, record: CheckpointRecord): SessionState {
  const others = state.list.checkpoints.filter(({ id }) => id !== record.id);
  return {
    ...state,
    list: { ...state.list, checkpoints: [...others, record] },
    awaited: state.awaited.filter((id) => id !== record.id),
    busy: false,
  };
}

/** What is shown of it now stays, until something else happens. */
export function isSettled({ busy, awaited }: SessionState): boolean {
  return !busy && awaited.length === 0;
}

function applyChange(state: SessionState, { reason, id, currentId, fromId }: CheckpointChanged): SessionState {
  const list: CheckpointList = withCurrent(state.list.checkpoints, currentId);
  switch (reason) {
    case 'taken':
      if (id === undefined) return state;
      // The present is still where it was: in the past, when it was there. A program that runs has left it.
      return state.phase === 'running' ? { ...state, list } : { ...state, list, presentId: id };
    case 'restored': {
      if (id === undefined) return state;
      const arrival = { at: id, ...(fromId === undefined ? {} : { from: fromId }) };
      return { ...state, list, presentId: id, inPast: true, arrival };
    }
    case 'dropped': {
      const left = { ...state, list: withCurrent(withoutRecord(list.checkpoints, id), currentId) };
      return state.presentId === id ? without(left, 'presentId') : left;
    }
    case 'renamed':
      return { ...state, list };
    case 'lost':
      return without({ ...state, list: { checkpoints: [] }, inPast: false }, 'presentId', 'arrival');
  }
}

function withCurrent(checkpoints: readonly CheckpointRecord[], currentId: number | undefined): CheckpointList {
  return { checkpoints, ...(currentId === undefined ? {} : { currentId }) };
}

/** Its children hang below its parent from now on. */
function withoutRecord(checkpoints: readonly CheckpointRecord[], id: number | undefined): readonly CheckpointRecord[] {
  const gone = checkpoints.find((record) => record.id === id);
  if (gone === undefined) return checkpoints;
  return checkpoints
    .filter((record) => record !== gone)
    .map((record) => {
      if (record.parentId !== gone.id) return record;
      const { parentId: _, ...rest } = record;
      return gone.parentId === undefined ? rest : { ...rest, parentId: gone.parentId };
    });
}

function without<K extends 'presentId' | 'arrival' | 'stop'>(state: SessionState, ...names: readonly K[]): SessionState {
  const copy: { -readonly [P in keyof SessionState]: SessionState[P] } = { ...state };
  for (const name of names) delete copy[name];
  return copy;
}

// --- what works now ---

export function findRecord(state: SessionState, id: number | undefined): CheckpointRecord | undefined {
  return state.list.checkpoints.find((record) => record.id === id);
}

export interface Abilities {
  /** Checkpoint Here. */
  readonly take: boolean;
  /** There are checkpoints: to go back to, to rename, to delete. */
  readonly restore: boolean;
  readonly undo: boolean;
  /** Compare with Now, Compare with Another. */
  readonly compareNow: boolean;
  readonly compareTwo: boolean;
  readonly runTo: boolean;
}

const NONE: Abilities = {
  take: false,
  restore: false,
  undo: false,
  compareNow: false,
  compareTwo: false,
  runTo: false,
};

export function abilities(state: SessionState | undefined): Abilities {
  if (state === undefined || state.busy) return NONE;
  const alive = state.phase === 'running' || state.phase === 'stopped';
  const known = (alive || state.phase === 'exited') && state.list.checkpoints.length > 0;
  const undoTo = state.arrival?.from;
  return {
    take: alive,
    restore: known,
    undo: known && findRecord(state, undoTo) !== undefined && undoTo !== state.presentId,
    compareNow: known && state.phase === 'stopped',
    compareTwo: known && state.phase !== 'running' && state.list.checkpoints.length > 1,
    runTo: state.phase === 'stopped',
  };
}

/** What Restore without a choice means: the newest that somebody asked for and that is not the present; else the newest. */
export function lastCheckpoint(state: SessionState): CheckpointRecord | undefined {
  const others = state.list.checkpoints.filter(({ id }) => id !== state.presentId).sort((a, b) => b.id - a.id);
  return others.find(({ automatic }) => !automatic) ?? others[0];
}

/** For the status bar; undefined: the program is not in the past. */
export function describePast(state: SessionState): string | undefined {
  if (!state.inPast || state.arrival === undefined) return undefined;
  const { at, from } = state.arrival;
  return from === undefined || from === at ? `in snapshot ${at}` : `in snapshot ${at} ← ${from}`;
}
