/** What the debug adapter costs beyond gdb, and what its checkpoints cost a user who steps and a program that runs. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { root } from '../support/debug-server';
import { DapClient } from './dap-client';
import { median, ms } from './lines';
import { benchProgram, type Row, type Scope, type Settings } from './scope';

const program = benchProgram('adapter');
const source = path.join(root, 'test/bench/adapter.c');
const lineOf = (comment: string): number =>
  fs
    .readFileSync(source, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(`/* ${comment} */`)) + 1;

function ours(scope: Scope, env: NodeJS.ProcessEnv = {}): DapClient {
  const client = new DapClient(process.execPath, [path.join(root, 'bin/savepoint'), 'dap'], env);
  scope.atEnd(() => client.end());
  return client;
}

// --- the first stop ---

const RIVAL = 'cdt-gdb-adapter@1.7.0';

/** Installed when the row is run, in a folder of its own; its scripts are not run. */
async function installRival(scope: Scope): Promise<string> {
  const folder = path.join(root, 'dist/bench/rival');
  const entry = path.join(folder, 'node_modules/cdt-gdb-adapter/dist/debugTargetAdapter.js');
  if (fs.existsSync(entry)) return entry;
  fs.mkdirSync(folder, { recursive: true });
  await scope.run('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', RIVAL]);
  return entry;
}

async function firstStop(scope: Scope, { quick }: Settings): Promise<void> {
  const rounds = quick ? 3 : 7;
  const lines = [lineOf('first stop')];
  let entry: string | undefined;
  let why = '';
  try {
    entry = await installRival(scope);
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    const client = ours(scope);
    let start = performance.now();
    await client.launch('launch', { program, args: ['1'] }, source, lines);
    mine.push(performance.now() - start);
    await client.end();
    if (entry === undefined) continue;
    const rival = new DapClient(process.execPath, [entry]);
    scope.atEnd(() => rival.end());
    start = performance.now();
    const target = { server: 'gdbserver', serverParameters: ['--once', 'localhost:0', program, '1'] };
    await rival.launch('launch', { program, target }, source, lines);
    theirs.push(performance.now() - start);
    await rival.end();
  }
  const row = 'adapter: launch to the first breakpoint';
  if (theirs.length === 0) scope.report({ row, ours: ms(median(mine)), note: `no ${RIVAL} to compare with: ${why}` });
  else
    scope.report({
      row,
      ours: ms(median(mine)),
      other: { ...ms(median(theirs)), name: 'cdt, gdbserver' },
      bar: { atMost: 1 },
    });
}

// --- looking ---

/** What a client asks for at a stop. */
async function look(client: DapClient, threadId: number): Promise<number> {
  const { stackFrames } = await client.ask('stackTrace', { threadId, startFrame: 0, levels: 20 });
  const { scopes } = await client.ask('scopes', { frameId: stackFrames[0].id });
  await client.ask('variables', { variablesReference: scopes[0].variablesReference });
  return Number(scopes[0].variablesReference);
}

/** How long gdb worked on commands, in milliseconds, within the seconds from..to of the clock of the trace. */
function gdbTime(trace: string, from: number, to: number): number {
  let open = 0;
  let since = 0;
  let sum = 0;
  for (const [, seconds, direction, token] of trace.matchAll(/^(\d+\.\d+) mi ([<>]) (\d+)?/gm)) {
    const time = Number(seconds);
    if (token === undefined || time < from || time > to) continue;
    if (direction === '>') {
      if (open++ === 0) since = time;
    } else if (open > 0 && --open === 0) sum += time - since;
  }
  return sum * 1000;
}

const clock = (): number => Number(process.hrtime.bigint()) / 1e9;

async function looking(scope: Scope, { quick }: Settings): Promise<void> {
  const file = path.join(scope.folder, 'trace');
  const client = ours(scope, { SAVEPOINT_TRACE: 'mi', SAVEPOINT_TRACE_FILE: file });
  const threadId = await client.launch('launch', { program, args: ['1'], automaticCheckpoints: false }, source, [
    lineOf('first stop'),
  ]);
  await client.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
  const times: { from: number; to: number }[] = [];
  for (let i = 0; i < (quick ? 20 : 60); i++) {
    await client.ask('next', { threadId });
    await client.event('stopped');
    const from = clock();
    await look(client, threadId);
    times.push({ from, to: clock() });
  }
  const trace = fs.readFileSync(file, 'utf8');
  const beyond = times.map(({ from, to }) => (to - from) * 1000 - gdbTime(trace, from, to));
  const whole = times.map(({ from, to }) => (to - from) * 1000);
  scope.report({
    row: "adapter: stack, scopes, variables after a step, beyond gdb's own time",
    ours: ms(median(beyond)),
    other: { ...ms(15), name: 'allowed' },
    bar: { atMost: 1 },
    note: `${median(whole).toFixed(1)} ms in all`,
  });
  const expanded: number[] = [];
  for (let i = 0; i < (quick ? 5 : 15); i++) {
    await client.ask('next', { threadId });
    await client.event('stopped');
    const { variables } = await client.ask('variables', { variablesReference: await look(client, threadId) });
    const { variablesReference } = variables.find(({ name }: { name: string }) => name === 'numbers');
    const start = performance.now();
    const page = await client.ask('variables', { variablesReference, filter: 'indexed', start: 0, count: 1000 });
    expanded.push(performance.now() - start);
    if (page.variables.length !== 1000) throw new Error(`${page.variables.length} elements`);
  }
  scope.report({
    row: 'adapter: 1,000 elements of an array',
    ours: ms(median(expanded)),
    other: { ...ms(100), name: 'allowed' },
    bar: { atMost: 1 },
  });
  await client.end();
}

// --- checkpoints ---

async function stepTimes(scope: Scope, automaticCheckpoints: boolean, count: number): Promise<number[]> {
  const client = ours(scope);
  const threadId = await client.launch('launch', { program, args: ['200'], automaticCheckpoints }, source, [
    lineOf('first stop'),
  ]);
  await client.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
  // The first checkpoint saves all memory, once.
  await look(client, threadId);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await client.ask('next', { threadId });
    await client.event('stopped');
    await look(client, threadId);
    times.push(performance.now() - start);
  }
  await client.end();
  return times;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

async function stepping(scope: Scope, { quick }: Settings): Promise<void> {
  const [count, pairs] = quick ? [100, 2] : [200, 4];
  const [on, off]: [number[], number[]] = [[], []];
  for (let i = 0; i < pairs; i++) {
    off.push(mean(await stepTimes(scope, false, count)));
    on.push(mean(await stepTimes(scope, true, count)));
  }
  scope.report({
    row: `adapter: a step and a look around, 200 MiB, automatic checkpoints on`,
    ours: ms(median(on)),
    other: { ...ms(median(off)), name: 'off' },
    bar: { atMost: 1.15 },
    note: `means of ${count} steps without a pause between`,
  });
}

async function pausing(scope: Scope, { quick }: Settings): Promise<void> {
  const client = ours(scope);
  const args = { program, args: ['200', 'pause'], automaticCheckpoints: false };
  await client.launch('launch', args, source, []);
  await client.event('output', ({ output }) => String(output).includes('ready'));
  // The first one saves all memory.
  await client.ask('checkpoint/take', {});
  await client.event('output', ({ output }) => String(output).includes('gap'));
  const [gaps, own]: [number[], number[]] = [[], []];
  for (let i = 0; i < (quick ? 6 : 20); i++) {
    const { checkpoint } = await client.ask('checkpoint/take', {});
    // It stood still at least as long as the engine worked; shorter gaps are the scheduler's.
    const least = 0.9 * Number(checkpoint.durationMs);
    const longest = (body: { output?: unknown }): number =>
      Math.max(0, ...[...String(body.output).matchAll(/gap ([\d.]+)/g)].map(([, value]) => Number(value)));
    gaps.push(longest(await client.event('output', (body) => longest(body) >= least)));
    own.push(Number(checkpoint.durationMs));
  }
  scope.report({
    row: 'adapter: a checkpoint of a running program, 200 MiB, the program stands still',
    ours: ms(median(gaps)),
    other: { ...ms(median(own)), name: "the engine's own" },
    bar: { atMost: 2 },
  });
  await client.end();
}

export const adapterRows: readonly Row[] = [
  { name: 'adapter: first stop', run: firstStop },
  { name: 'adapter: looking', run: looking },
  { name: 'adapter: stepping', run: stepping },
  { name: 'adapter: pausing', run: pausing },
];
