import {
  type Abilities,
  abilities,
  advance,
  describePast,
  initialState,
  isSettled,
  lastCheckpoint,
} from '../../extension/src/session-state';
import type { Happening, SessionState } from '../../extension/src/session-state';
import { makeRows, recordsIn, type Row } from '../../extension/src/tree-rows';
import type { CheckpointRecord } from '../../native/control/schema';

function record(id: number, parentId?: number, more: Partial<CheckpointRecord> = {}): CheckpointRecord {
  const parent = parentId === undefined ? {} : { parentId };
  return {
    id,
    ...parent,
    label: `c${id}`,
    automatic: false,
    createdAt: 0,
    pid: 1,
    threads: 1,
    pc: '0x0',
    bytes: 0,
    ownBytes: 0,
    durationMs: 1,
    fidelity: [],
    ...more,
  };
}

const auto = (id: number, parentId?: number): CheckpointRecord => record(id, parentId, { automatic: true });

function play(...happenings: readonly Happening[]): SessionState {
  return happenings.reduce(advance, initialState);
}

const stopped: Happening = { kind: 'stopped', reason: 'breakpoint', threadId: 1 };
const listed = (...checkpoints: CheckpointRecord[]): Happening => ({ kind: 'listed', list: { checkpoints } });
const taken = (id: number): Happening => ({ kind: 'changed', change: { reason: 'taken', id, currentId: id } });
const restored = (id: number, fromId?: number): Happening => ({
  kind: 'changed',
  change: { reason: 'restored', id, currentId: id, ...(fromId === undefined ? {} : { fromId }) },
});

describe('what works', () => {
  const able = (...names: readonly (keyof Abilities)[]): Abilities => {
    const all = ['take', 'restore', 'undo', 'compareNow', 'compareTwo', 'runTo'] as const;
    return Object.fromEntries(all.map((name) => [name, names.includes(name)])) as unknown as Abilities;
  };

  test.each([
    ['nothing, before the program runs', play(), able()],
    ['taking, while it runs and nothing was taken', play({ kind: 'started' }), able('take')],
    ['not comparing, while it runs', play({ kind: 'started' }, listed(record(1), record(2, 1))), able('take', 'restore')],
    [
      'all but undoing, at a stop',
      play({ kind: 'started' }, stopped, listed(record(1))),
      able('take', 'restore', 'compareNow', 'runTo'),
    ],
    [
      'going back, after the end',
      play({ kind: 'started' }, listed(record(1)), { kind: 'stopped', reason: 'exit' }),
      able('restore'),
    ],
    [
      'comparing two, after the end',
      play({ kind: 'started' }, listed(record(1), record(2, 1)), { kind: 'stopped', reason: 'exit' }),
      able('restore', 'compareTwo'),
    ],
    [
      'undoing, after a restore',
      play({ kind: 'started' }, stopped, listed(record(1), record(2, 1)), restored(1, 2), stopped),
      able('take', 'restore', 'undo', 'compareNow', 'compareTwo', 'runTo'),
    ],
    [
      'nothing, while one of it is under way',
      play({ kind: 'started' }, stopped, listed(record(1)), { kind: 'busy', busy: true }),
      able(),
    ],
    ['nothing, after the session', play({ kind: 'started' }, listed(record(1)), { kind: 'ended' }, stopped), able()],
  ])('%s', (_, state, expected) => expect(abilities(state)).toEqual(expected));

  test('an undo goes only to what is still there', () => {
    const state = play({ kind: 'started' }, stopped, listed(record(1), record(2, 1)), restored(1, 2), stopped);
    expect(abilities(advance(state, { kind: 'changed', change: { reason: 'dropped', id: 2, currentId: 1 } })).undo).toBe(false);
  });
});

test('what is taken while the program runs is not where it is', () => {
  expect(play({ kind: 'started' }, taken(3)).presentId).toBeUndefined();
  expect(play({ kind: 'started' }, stopped, taken(3)).presentId).toBe(3);
});

describe('what is shown only when it is known', () => {
  const before = [{ kind: 'started' }, stopped, listed(record(1))] as const;

  test('a checkpoint that was told of by number: with the answer to its take', () => {
    const told = play(...before, taken(2));
    expect(isSettled(told)).toBe(false);
    const known = advance(told, { kind: 'recorded', record: record(2, 1) });
    expect(isSettled(known)).toBe(true);
    expect(known.list).toEqual({ checkpoints: [record(1), record(2, 1)], currentId: 2 });
  });

  test('the answer ends the command, too', () =>
    expect(isSettled(play(...before, { kind: 'busy', busy: true }, taken(2), { kind: 'recorded', record: record(2, 1) }))).toBe(
      true,
    ));

  test('or with the list', () => expect(isSettled(play(...before, taken(2), listed(record(1), record(2, 1))))).toBe(true));

  test('one answer does not stand for another checkpoint', () =>
    expect(isSettled(play(...before, taken(2), taken(3), { kind: 'recorded', record: record(2, 1) }))).toBe(false));

  test('nothing, while a command is under way', () =>
    expect(isSettled(play(...before, { kind: 'busy', busy: true }))).toBe(false));

  test('that all are lost, at once', () =>
    expect(isSettled(play(...before, taken(2), { kind: 'changed', change: { reason: 'lost' } }))).toBe(true));
});

describe('the past', () => {
  const back = play({ kind: 'started' }, stopped, listed(record(3), record(5, 3)), restored(3, 5), stopped);

  test('is told with where one came from', () => expect(describePast(back)).toBe('in snapshot 3 ← 5'));
  test('is told without it, when that was not kept', () =>
    expect(describePast(play({ kind: 'started' }, restored(3)))).toBe('in snapshot 3'));
  test('ends when the program runs on', () => expect(describePast(advance(back, { kind: 'resumed' }))).toBeUndefined());
  test('does not end by another checkpoint there', () => expect(describePast(advance(back, taken(6)))).toBe('in snapshot 3 ← 5'));
  test('is gone with the program', () =>
    expect(describePast(advance(back, { kind: 'changed', change: { reason: 'lost' } }))).toBeUndefined());
});

test('Restore means the newest that was asked for, and not the one where the program stands', () => {
  const list = listed(auto(0), record(1, 0), record(2, 1), auto(3, 2));
  expect(lastCheckpoint(play(stopped, list, taken(2)))?.id).toBe(1);
  expect(lastCheckpoint(play(stopped, list, taken(3)))?.id).toBe(2);
  expect(lastCheckpoint(play(stopped, listed(auto(0), auto(1, 0)), taken(1)))?.id).toBe(0);
  expect(lastCheckpoint(play(stopped))).toBeUndefined();
});

test('children of a dropped checkpoint hang below its parent', () => {
  const state = play(listed(record(1), record(2, 1), record(3, 2)), { kind: 'changed', change: { reason: 'dropped', id: 2 } });
  expect(state.list.checkpoints.map(({ id, parentId }) => [id, parentId])).toEqual([
    [1, undefined],
    [3, 1],
  ]);
});

/** `1 (2 3)`: 2 and 3 below 1; `*` the mark. */
function draw(rows: readonly Row[]): string {
  return rows
    .map((row) => {
      const name = row.kind === 'checkpoint' ? `${row.record.id}${row.mark === undefined ? '' : `*${row.mark}`}` : row.kind;
      return row.children.length === 0 ? name : `${name} (${draw(row.children)})`;
    })
    .join(' ');
}

describe('rows', () => {
  const rows = (...happenings: Happening[]): string => draw(makeRows(play({ kind: 'started' }, ...happenings)));

  test('a line is flat, oldest first', () =>
    expect(rows(listed(record(1), record(3, 1), record(2, 1)))).toBe('1 (branch (3)) 2'));
  test('automatic ones that follow one another are folded, the entry is not', () =>
    expect(rows(listed(auto(0), auto(1, 0), auto(2, 1), record(3, 2), auto(4, 3)))).toBe('0 automatic (1 2) 3 4'));
  test('the present is never folded', () =>
    expect(rows(stopped, listed(auto(1), auto(2, 1), auto(3, 2)), taken(2))).toBe('1 2*here 3'));
  test('where a branch begins is never folded', () =>
    expect(rows(listed(auto(1), auto(2, 1), record(3, 2), record(4, 2)))).toBe('1 2 (branch (4)) 3'));
  test('what the program went on from is marked', () => {
    const list = { checkpoints: [record(1), record(2, 1)], currentId: 1 };
    expect(rows({ kind: 'listed', list })).toBe('1*since 2');
  });
  test('after a restore the way back is marked', () =>
    expect(rows(listed(record(1), auto(2, 1), auto(3, 2)), restored(1, 3), stopped)).toBe('1*here 2 3*undo'));
  test('parents that are gone leave lines of their own', () => expect(rows(listed(record(5, 4), record(6, 4)))).toBe('5 6'));

  test('all records are found in them', () => {
    const all = makeRows(play(listed(auto(0), auto(1, 0), auto(2, 1), record(3, 0), record(4, 3), record(5, 3))));
    const ids = (some: readonly Row[]): number[] => recordsIn(some).map(({ id }) => id);
    expect(ids(all)).toEqual([0, 3, 5, 4, 1, 2]);
    const branch = all[0]!.children[0]!;
    expect(branch).toMatchObject({ kind: 'branch', count: 3 });
    expect(ids(branch.children)).toEqual([3, 5, 4]);
  });
});
