/**
 * Takes and restores of one single-threaded program, against a bare fork() and memcpy made inside the same program, and against
 * gdb's own `checkpoint` and `restart`.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { root } from '../support/debug-server';
import type { Debuggee } from '../support/owner-process';
import { median, ms } from './lines';
import { benchProgram, numbersOf, readNumbers, type Row, type Scope, type Settings } from './scope';

/** Writing every page anew can take much longer than rolling it back: a page fault each. */
const ALL_ROUNDS = 3;

interface Floors {
  readonly forkMs: number;
  readonly memcpyMs: number;
  /** 1 % of the pages written with a forked child alive. */
  readonly cowMs: number;
}

interface Timings {
  readonly first: number;
  readonly take: number;
  readonly restore: number;
  readonly restoreAll: number;
  /** 1 % of the pages written for the first time since a take. */
  readonly dirty: number;
  /** As the client sees it, packets included. */
  readonly takeRoundTrip: number;
  readonly restoreRoundTrip: number;
}

interface Listed {
  readonly checkpoints: readonly { readonly id: number; readonly durationMs: number; readonly ownBytes: number }[];
}

export async function listCheckpoints(debuggee: Debuggee): Promise<Listed['checkpoints']> {
  return (JSON.parse(await debuggee.monitor('info checkpoints-json')) as Listed).checkpoints;
}

export async function takeMs(debuggee: Debuggee, id: number): Promise<number> {
  const found = (await listCheckpoints(debuggee)).find((checkpoint) => checkpoint.id === id);
  if (found === undefined) throw new Error(`checkpoint ${id} is not listed`);
  return found.durationMs;
}

export async function restoreMs(debuggee: Debuggee): Promise<number> {
  const outcome = JSON.parse(await debuggee.monitor('restored-json')) as { milliseconds?: string; error?: string };
  if (outcome.milliseconds === undefined) throw new Error(`not restored: ${outcome.error ?? 'nothing was armed'}`);
  return parseFloat(outcome.milliseconds);
}

/** To the next time that it gets there: a restored program stands at the breakpoint already, and is to leave it first. */
export async function runTo(debuggee: Debuggee, name: string): Promise<void> {
  await debuggee.client.resume('vCont;s');
  const stop = await debuggee.resume(name);
  if (stop.kind !== 'stopped' || stop.value !== 5) throw new Error(`no stop at ${name}: ${stop.text}`);
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

async function measureFloors(scope: Scope, size: number, rounds: number): Promise<Map<string, number[]>> {
  return readNumbers(await scope.run(benchProgram('pages'), ['floor', String(size), String(rounds)]));
}

async function measureOurs(scope: Scope, size: number, rounds: number, more: NodeJS.ProcessEnv = {}): Promise<Timings> {
  const { debuggee, release } = await scope.debuggee({
    program: benchProgram('pages'),
    args: ['run', String(size)],
    env: more,
  });
  await runTo(debuggee, 'at_stop');
  const first = await takeMs(debuggee, await debuggee.take('first'));
  const takes: number[] = [];
  const takeTrips: number[] = [];
  const dirties: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await runTo(debuggee, 'at_stop');
    dirties.push((await debuggee.readMemory(debuggee.symbol('dirty_us'), 8)).readDoubleLE() / 1000);
    let id = 0;
    takeTrips.push(await timed(async () => (id = await debuggee.take())));
    takes.push(await takeMs(debuggee, id));
  }
  const restoreAfter = async (permille: number, count: number, trips: number[]): Promise<number> => {
    await debuggee.writeInt('dirty_permille', permille);
    const id = await debuggee.take();
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      await runTo(debuggee, 'at_stop');
      trips.push(await timed(() => debuggee.restore(id)));
      times.push(await restoreMs(debuggee));
    }
    return median(times);
  };
  const restoreTrips: number[] = [];
  const restore = await restoreAfter(10, rounds, restoreTrips);
  const restoreAll = await restoreAfter(1000, ALL_ROUNDS, []);
  await release();
  return {
    first,
    take: median(takes),
    dirty: median(dirties),
    restore,
    restoreAll,
    takeRoundTrip: median(takeTrips),
    restoreRoundTrip: median(restoreTrips),
  };
}

/** Milliseconds of gdb's own commands, or why it could not. */
export interface NativeTimings {
  readonly checkpoint: readonly number[];
  readonly restart: readonly number[];
  readonly problems: readonly string[];
}

async function measureNative(scope: Scope, size: number, rounds: number): Promise<NativeTimings> {
  const result = path.join(scope.folder, `native-${size}.json`);
  await scope.run(
    'gdb',
    [
      '-nx',
      '-q',
      '-batch',
      '-x',
      path.join(root, 'test/bench/native-checkpoints.py'),
      '--args',
      benchProgram('pages'),
      'run',
      String(size),
    ],
    { BENCH_RESULT: result, BENCH_ROUNDS: String(rounds) },
  );
  return JSON.parse(fs.readFileSync(result, 'utf8')) as NativeTimings;
}

function reportOurs(scope: Scope, label: string, ours: Timings, floors: Floors, judged: boolean): void {
  const fork = { ...ms(floors.forkMs), name: 'fork()' };
  const bar = <T>(value: T): { bar: T } | Record<string, never> => (judged ? { bar: value } : {});
  scope.report({ row: `take, ${label}, all new (first)`, ours: ms(ours.first), other: fork, ...bar({ atMost: 1.3 }) });
  scope.report({
    row: `take, ${label}, 1 % dirty`,
    ours: ms(ours.take),
    other: fork,
    ...bar({ atMost: 0.25 }),
    note: `the client waits ${ours.takeRoundTrip.toFixed(1)} ms for the packet's reply`,
  });
  scope.report({
    row: `restore, ${label}, 1 % dirty`,
    ours: ms(ours.restore),
    other: fork,
    ...bar({ atMost: 0.4 }),
    note: `the client waits ${ours.restoreRoundTrip.toFixed(1)} ms from arming to the stop reply`,
  });
  scope.report({
    row: `restore, ${label}, 100 % dirty`,
    ours: ms(ours.restoreAll),
    other: { ...ms(floors.memcpyMs), name: 'memcpy' },
    ...bar({ atMost: 2 }),
  });
}

function reportDirtying(scope: Scope, label: string, ours: Timings, floors: Floors): void {
  scope.report({
    row: `writing 1 % of ${label} for the first time after it`,
    ours: ms(ours.dirty),
    other: { ...ms(floors.cowMs), name: 'after fork()' },
    note: 'the program itself pays this: a page fault each, with a copy after fork()',
  });
}

function reportNative(scope: Scope, label: string, ours: Timings, native: NativeTimings, judged: boolean): void {
  const problems = native.problems.length === 0 ? {} : { note: `native gdb: ${native.problems.join('; ')}` };
  const bar = judged ? { bar: { atLeast: 5 } } : {};
  for (const [row, value, theirs] of [
    ['take', ours.take, native.checkpoint],
    ['restore', ours.restore, native.restart],
  ] as const) {
    const name = `gdb ${row === 'take' ? 'checkpoint' : 'restart'}`;
    const other = theirs.length === 0 ? {} : { other: { ...ms(median(theirs)), name }, ...bar };
    scope.report({ row: `${row}, ${label}, 1 % dirty`, ours: ms(value), ...other, ...problems });
  }
}

/** `size` in MiB. Floors before and after ours, so that a machine that changes its mood shows on both sides. */
async function runSize(scope: Scope, { quick }: Settings, size: number): Promise<void> {
  const judged = size >= 256;
  const rounds = quick ? 5 : 15;
  const label = size >= 1024 ? `${size / 1024} GiB` : `${size} MiB`;
  const before = await measureFloors(scope, size, rounds);
  const ours = await measureOurs(scope, size, rounds);
  const after = await measureFloors(scope, size, rounds);
  const both = (name: string): number => median([...numbersOf(before, name), ...numbersOf(after, name)]) / 1000;
  const floors = { forkMs: both('fork'), memcpyMs: both('memcpy'), cowMs: both('cow') };
  reportOurs(scope, label, ours, floors, judged);
  reportDirtying(scope, label, ours, floors);
  reportNative(scope, label, ours, await measureNative(scope, size, Math.min(rounds, 5)), judged);
}

export const checkpointRows: readonly Row[] = [
  { name: 'checkpoints, small', run: (scope, settings) => runSize(scope, settings, 10) },
  { name: 'checkpoints, middle', run: (scope, settings) => (settings.quick ? Promise.resolve() : runSize(scope, settings, 100)) },
  { name: 'checkpoints, large', run: (scope, settings) => runSize(scope, settings, settings.quick ? 256 : 1024) },
];
