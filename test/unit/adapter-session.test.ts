/** The pure files of adapter/session, and what the monitor words of the adapter mean. */

import type { CheckpointRecord, CheckpointStop } from '../../native/control/schema';
import { parseMonitor } from '../../native/server/monitor-words';
import { errorReply } from '../../adapter/dap/errors';
import { previousNamed, previousStop } from '../../adapter/session/checkpoint-tree';
import { mayChange } from '../../adapter/session/expressions';
import { readHitCondition } from '../../adapter/session/hit-condition';
import { groupRegisters } from '../../adapter/session/register-groups';
import { type Phase, transition } from '../../adapter/session/state';
import { type Stop, isInterrupt, isQuietStop, readStop, reportStop } from '../../adapter/session/stops';
import { DEFAULT_LIMITS, FULL_BUDGET, chooseDrops, isDue, spend } from '../../adapter/session/thinning';
import { Moments, describePassed } from '../../adapter/session/moments';
import { declaredLength, isAggregate, isCharArray, pointerOf, pointerTo } from '../../adapter/session/types';
import { SavepointError, bug, refused, userError } from '../../native/base/errors';

describe('phases', () => {
  const running: Phase = { kind: 'running', by: 'continue', pauseAsked: false };

  test('a program that has ended can only be brought back, and a session that is over stays over', () => {
    expect(transition({ kind: 'exited' }, { kind: 'borrowed', tell: true }).kind).toBe('borrowed');
    expect(transition({ kind: 'ended' }, running)).toEqual({ kind: 'ended' });
  });

  test('a program that is not there cannot end', () => {
    expect(() => transition({ kind: 'idle' }, { kind: 'exited' })).toThrow(/cannot go from idle to exited/);
  });
});

describe('stops', () => {
  const facts = { pauseAsked: false, kindOf: () => 'source' as const, exceptionOf: () => '' };
  const report = (fields: Record<string, any>, more: object = {}) => {
    const stop = readStop(fields);
    if (stop.kind !== 'stop') throw new Error('an exit');
    return reportStop(stop, { ...facts, ...more });
  };

  test.each<[Record<string, any>, Partial<Stop>]>([
    [{ reason: 'exited-normally' }, { kind: 'exit', code: 0 }],
    [
      { reason: 'exited', 'exit-code': '013' },
      { kind: 'exit', code: 11 },
    ],
    [
      { reason: 'exited-signalled', 'signal-name': 'SIGABRT' },
      { kind: 'exit', code: 134, signal: 'SIGABRT' },
    ],
  ])('%j is the end', (fields, stop) => expect(readStop(fields)).toMatchObject(stop));

  test.each<[Record<string, any>, string]>([
    [{ reason: 'breakpoint-hit', bkptno: '2' }, 'breakpoint'],
    [{ reason: 'breakpoint-hit', bkptno: '2', disp: 'del', frame: { func: 'main' } }, 'entry'],
    [{ reason: 'breakpoint-hit', bkptno: '2', disp: 'del', frame: { func: 'other' } }, 'breakpoint'],
    [{ reason: 'watchpoint-trigger', wpt: { number: '3', exp: 'x' }, value: { old: '1', new: '2' } }, 'data breakpoint'],
    [{ reason: 'access-watchpoint-trigger', 'hw-awpt': { number: '3', exp: 'x' }, value: { value: '1' } }, 'data breakpoint'],
    [{ reason: 'watchpoint-scope', wpnum: '3' }, 'data breakpoint'],
    [{ reason: 'end-stepping-range' }, 'step'],
    [{ reason: 'function-finished', 'return-value': '5' }, 'step'],
    [{ reason: 'signal-received', 'signal-name': 'SIGSEGV' }, 'exception'],
    [{ reason: 'signal-received', 'signal-name': 'SIGINT' }, 'exception'],
    [{ reason: 'fork' }, 'fork'],
    [{ reason: 'exec' }, 'exec'],
    [{ reason: 'syscall-entry' }, 'syscall'],
    [{ reason: 'solib-event' }, 'library'],
    [{}, 'pause'],
  ])('%j is %s', (fields, reason) => expect(report(fields).reason).toBe(reason));

  test('an interrupt is a pause when one was asked for', () => {
    const fields = { reason: 'signal-received', 'signal-name': 'SIGINT' };
    expect(report(fields, { pauseAsked: true }).reason).toBe('pause');
    expect([isInterrupt(readStop(fields)), isQuietStop(readStop(fields))]).toEqual([true, false]);
  });

  test('a watched value is told, and the breakpoint that was hit', () => {
    const fields = { reason: 'watchpoint-trigger', wpt: { number: '3', exp: 'x' }, value: { old: '1', new: '2' } };
    expect(report(fields)).toMatchObject({ text: 'x: 1 → 2', hitBreakpointIds: [3] });
  });
});

describe('automatic checkpoints', () => {
  const records = (n: number, ownBytes = 0) => Array.from({ length: n }, (_, i) => ({ id: i + 1, ownBytes }));

  test('are kept whole when they are few, and the oldest gaps grow first', () => {
    expect(chooseDrops(records(100), DEFAULT_LIMITS)).toEqual([]);
    let kept = records(100);
    for (let id = 101; id <= 1000; id++) {
      kept.push({ id, ownBytes: 0 });
      const drops = new Set(chooseDrops(kept, DEFAULT_LIMITS));
      kept = kept.filter((record) => !drops.has(record.id));
    }
    const ids = kept.map(({ id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(95);
    expect(ids.length).toBeLessThanOrEqual(100);
    expect(ids.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => 981 + i));
    const gaps = ids.slice(1).map((id, i) => id - ids[i]!);
    expect(Math.max(...gaps.slice(0, 20))).toBeGreaterThan(Math.max(...gaps.slice(-30)));
    expect(ids[0]).toBeLessThan(200);
  });

  test('are dropped for their size, but never the newest or one that is needed', () => {
    const big = records(10, 100 << 20);
    const drops = chooseDrops(big, DEFAULT_LIMITS, new Set([1]));
    expect(drops).toHaveLength(5);
    expect(drops).not.toContain(10);
    expect(drops).not.toContain(1);
    expect(chooseDrops(records(1, 1 << 40), DEFAULT_LIMITS)).toEqual([]);
  });

  test('wait when the last one was dear', () => {
    expect(isDue(FULL_BUDGET, 0, DEFAULT_LIMITS)).toBe(true);
    const dear = spend(FULL_BUDGET, 0, 80, DEFAULT_LIMITS, false);
    expect(isDue(dear, 100, DEFAULT_LIMITS)).toBe(false);
    expect(isDue(dear, 400, DEFAULT_LIMITS)).toBe(true);
  });

  test('do not wait because the first one was dear: it saved all memory', () => {
    expect(isDue(spend(FULL_BUDGET, 0, 5000, DEFAULT_LIMITS, true), 1, DEFAULT_LIMITS)).toBe(true);
  });

  test('cost no more than their share of the time, but for a row of quick ones at first', () => {
    let budget = FULL_BUDGET;
    let now = 0;
    let taken = 0;
    for (let i = 0; i < 1000; i++) {
      now += 9;
      if (!isDue(budget, now, DEFAULT_LIMITS)) continue;
      now += 5;
      taken++;
      budget = spend(budget, now, 5, DEFAULT_LIMITS, false);
    }
    expect((taken * 5) / now).toBeLessThan(DEFAULT_LIMITS.timeShare + 55 / now);
    expect(taken).toBeGreaterThan(100);
  });
});

describe('the checkpoint before', () => {
  const record = (id: number, parentId?: number, automatic = true): CheckpointRecord => ({
    id,
    ...(parentId === undefined ? {} : { parentId }),
    label: '',
    automatic,
    createdAt: 0,
    pid: 1,
    threads: 1,
    pc: '0x0',
    bytes: 0,
    ownBytes: 0,
    durationMs: 0,
    fidelity: [],
  });
  const checkpoints = [record(0), record(1, 0), record(2, 1, false), record(3, 2), record(4, 3)];
  const moments = new Map([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
  ]);
  const momentOf = (id: number): number | undefined => moments.get(id);

  test('is the present one itself when the program has gone on', () => {
    expect(previousStop({ checkpoints, currentId: 4 }, { savedAs: undefined, momentOf })?.id).toBe(4);
  });

  test('is of another stop, however many were taken at this one', () => {
    expect(previousStop({ checkpoints, currentId: 4 }, { savedAs: 4, momentOf })?.id).toBe(3);
    expect(previousStop({ checkpoints, currentId: 2 }, { savedAs: 2, momentOf })?.id).toBe(0);
    expect(previousStop({ checkpoints, currentId: 0 }, { savedAs: 0, momentOf })).toBeUndefined();
  });

  test('by Reverse is one that was asked for, else the entry', () => {
    expect(previousNamed({ checkpoints, currentId: 4 }, { savedAs: 4, momentOf })?.id).toBe(2);
    expect(previousNamed({ checkpoints, currentId: 2 }, { savedAs: 2, momentOf })?.id).toBe(0);
    expect(previousNamed({ checkpoints, currentId: 0 }, { savedAs: 0, momentOf })).toBeUndefined();
  });
});

test.each([
  ['5', { compare: '>=', count: 5, ignore: 4 }],
  ['>3', { compare: '>', count: 3, ignore: 3 }],
  ['= 2', { compare: '==', count: 2, ignore: undefined }],
  ['% 10', { compare: '%', count: 10, ignore: undefined }],
])('the hit condition %s', (text, condition) => expect(readHitCondition(text)).toEqual(condition));

test.each(['', 'x', '% 0', '5 5', '!= 3'])('%j is no hit condition', (text) => {
  expect(() => readHitCondition(text)).toThrow(SavepointError);
});

test('types tell what has children', () => {
  expect(['struct point', 'const struct point', 'int [3]', 'Derived &', 'int', 'struct point *'].map(isAggregate)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(['int *', 'void *', 'const void *', 'int (*)(int)', 'int', 'char **'].map(pointerOf)).toEqual([
    'opens',
    'address',
    'address',
    'address',
    'none',
    'opens',
  ]);
  expect(['int [300]', 'int [2][3]', 'int (*)[3]', 'int', '[i32; 3]', '&[i32]', 'int (*[2])(int)'].map(declaredLength)).toEqual([
    300,
    2,
    undefined,
    undefined,
    3,
    undefined,
    2,
  ]);
  expect(['char [8]', 'const unsigned char [2]', 'char *[8]'].map(isCharArray)).toEqual([true, true, false]);
  expect(['int', 'int [3]', 'int (*)(int)', 'int &'].map(pointerTo)).toEqual(['int *', 'int (*)[3]', 'int (**)(int)', 'int *']);
});

test('registers are grouped, and parts of others are left out', () => {
  const groups = groupRegisters([
    'rax',
    'rip',
    'r15',
    'eflags',
    'cs',
    'fs_base',
    'st0',
    'mxcsr',
    'xmm0',
    'ymm0h',
    '',
    'eax',
    'al',
    'pkru',
  ]);
  expect(groups).toEqual({ general: [0, 1, 2, 3], segments: [4, 5], 'floating point': [6, 7], vector: [8], other: [13] });
});

test('lines that may change the program are told from those that only look', () => {
  expect(['x = 1', 'i++', 'f(1)', '-exec set var x=1', 'call g'].map(mayChange)).toEqual([true, true, true, true, true]);
  expect(['x == 1', 'a->b', 'p.x', 'x <= 3', '-exec info threads'].map(mayChange)).toEqual([false, false, false, false, false]);
});

test('errors become replies by their family', () => {
  expect(errorReply(userError('x', 'do this {really}')).body).toEqual({
    error: { id: 1000, format: '{text}', variables: { text: 'do this {really}', code: 'x' }, showUser: true },
  });
  expect(errorReply(refused('a', 'fd 7', 'is odd')).message).toBe('fd 7: is odd');
  expect(errorReply(userError('not-stopped', 'it runs')).message).toBe('notStopped');
  for (const code of ['not-stopped', 'stale']) expect(errorReply(userError(code, 'too late')).body.error?.showUser).toBe(false);
  expect(errorReply(new SavepointError('cancelled', 'cancelled', 'x')).message).toBe('cancelled');
  expect(errorReply(bug('broken')).message).toMatch(/internal error: broken/);
});

test('monitor words of the adapter', () => {
  expect(parseMonitor('savepoint-take-json automatic stop 12')).toEqual({ kind: 'take-json', label: 'stop 12', automatic: true });
  expect(parseMonitor('checkpoint automatic')).toEqual({ kind: 'take', label: 'automatic', automatic: false });
  expect(parseMonitor('savepoint-compare-json 3')).toEqual({ kind: 'compare-json', id: 3, other: undefined });
  expect(parseMonitor('savepoint-compare-json 3 0')).toEqual({ kind: 'compare-json', id: 3, other: 0 });
  expect(parseMonitor('savepoint-view 3 4711')).toEqual({ kind: 'view', id: 3, tid: 4711 });
  expect(parseMonitor('savepoint-view off')).toEqual({ kind: 'view-off' });
  expect(parseMonitor('savepoint-rename 3 a new name')).toEqual({ kind: 'rename', id: 3, label: 'a new name' });
  expect(parseMonitor('savepoint-rename 3')).toEqual({ kind: 'rename', id: 3, label: '' });
  expect(parseMonitor('savepoint-preflight-json')).toEqual({ kind: 'preflight-json' });
  expect(() => parseMonitor('savepoint-rename')).toThrow(/which checkpoint/);
});

test('stops that a way back passes are counted along the branch that led here', () => {
  const moments = new Moments();
  const stop = { reason: 'step' };
  const since = (id: number, ended = false): number => moments.stopsSince(id, ended).count;
  moments.keep(1, moments.arrive(stop));
  moments.arrive(stop);
  moments.arrive(stop);
  expect([since(1), since(1, true), since(0)]).toEqual([1, 2, 2]);
  // A checkpoint that was taken on the way is no stop.
  moments.keep(2, moments.passing());
  moments.arrive(stop);
  expect(since(2)).toBe(0);
  moments.returnTo(1);
  moments.arrive(stop);
  expect([since(1), moments.now.depth]).toEqual([0, 2]);
  moments.returnTo(0);
  expect(moments.arrive(stop).depth).toBe(1);
});

test('stops that are passed are named, as far back as they are kept', () => {
  const at = (line: number): CheckpointStop => ({ reason: 'step', source: '/a/b.c', line, function: 'f' });
  const moments = new Moments();
  moments.keep(1, moments.arrive(at(1)));
  for (let line = 2; line < 5; line++) moments.arrive(at(line));
  // What was passed on the way is no stop.
  moments.keep(2, moments.passing(at(99)));
  moments.arrive({ reason: 'pause' });
  const [heading, lines] = describePassed(moments.stopsSince(1, true));
  expect(heading).toMatch(/^The 4 stops before have no checkpoint/);
  expect(lines).toEqual(['somewhere (pause)', 'b.c:4, f (step)', 'b.c:3, f (step)', 'b.c:2, f (step)']);
  moments.returnTo(2);
  expect(moments.stopsSince(1, false)).toEqual({ count: 2, stops: [at(4), at(3)] });
  for (let line = 100; line < 1000; line++) moments.arrive(at(line));
  const long = describePassed(moments.stopsSince(1, false));
  expect(long[0]).toMatch(/^The 902 stops before have no/);
  expect([long[1].length, long[1][0], long[1].at(-1)]).toEqual([21, 'b.c:998, f (step)', 'and 882 before']);
  expect(describePassed({ count: 1, stops: [] })).toEqual([expect.stringMatching(/^The stop before has no/), []]);
});
