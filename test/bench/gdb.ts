/** The same gdb over ours (with savepoint.py, as `savepoint gdb` has it), over gdbserver, and natively. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { DebugServer, root } from '../support/debug-server';
import { median, mibPerSecond, ms, perSecond, type Bar, type Quantity } from './lines';
import { benchProgram, type Row, type Scope, type Settings } from './scope';

const KINDS = ['savepoint', 'gdbserver', 'native'] as const;
type Kind = (typeof KINDS)[number];
type Numbers = Record<string, number>;

interface Part {
  readonly what: 'steps' | 'threads';
  readonly program: string;
  readonly args: readonly string[];
}

/** No further round is begun after this, so that a slow machine gives fewer of them and not none. */
const ROUNDS_LIMIT_MS = 70_000;

interface Counts {
  readonly [name: string]: number;
}

const quickCounts: Counts = { stepi: 800, next: 1, calls: 80, dump: 16 << 20, false: 2000, hits: 150, threads: 3 };
const fullCounts: Counts = { stepi: 2500, next: 3, calls: 200, dump: 32 << 20, false: 4000, hits: 400, threads: 5 };

async function connectCommand(
  scope: Scope,
  kind: Kind,
  part: Part,
): Promise<{ readonly command: string; readonly end: () => Promise<void> }> {
  if (kind === 'native') return { command: 'starti', end: () => Promise.resolve() };
  const where = kind === 'savepoint' ? path.join(scope.folder, 'socket') : 'localhost:0';
  fs.rmSync(path.join(scope.folder, 'socket'), { force: true });
  const server = new DebugServer(kind, { args: ['--once', where, benchProgram(part.program), ...part.args] });
  scope.atEnd(() => server.end());
  await server.until('errors', /Listening on/);
  const address = kind === 'savepoint' ? where : `localhost:${await server.port()}`;
  return { command: `target remote ${address}`, end: () => server.end() };
}

async function measure(scope: Scope, kind: Kind, part: Part, counts: Counts): Promise<Numbers> {
  const { command, end } = await connectCommand(scope, kind, part);
  const result = path.join(scope.folder, 'result.json');
  const script = kind === 'savepoint' ? ['-ix', path.join(root, 'dist/savepoint.py')] : [];
  await scope.run(
    'gdb',
    [
      ...['-nx', '-q', '-batch', ...script, '-x', path.join(root, 'test/bench/gdb-measures.py')],
      ...['--args', benchProgram(part.program), ...part.args],
    ],
    {
      BENCH_CONNECT: command,
      BENCH_COUNTS: JSON.stringify(counts),
      BENCH_FOLDER: scope.folder,
      BENCH_RESULT: result,
      BENCH_WHAT: part.what,
    },
  );
  await end();
  return JSON.parse(fs.readFileSync(result, 'utf8')) as Numbers;
}

interface Wanted {
  readonly row: string;
  readonly name: string;
  readonly unit: (value: number) => Quantity;
  readonly overGdbserver?: Bar;
  readonly overNative?: Bar;
}

const better: Bar = { atLeast: 1.5 };
const noWorse: Bar = { atLeast: 1 };

const stepRows: readonly Wanted[] = [
  { row: 'connect to first stop', name: 'connect_ms', unit: ms, overGdbserver: noWorse },
  { row: 'stepi', name: 'stepi', unit: perSecond, overGdbserver: better, overNative: noWorse },
  { row: 'next over a 1,000-iteration loop', name: 'next_ms', unit: ms, overGdbserver: better, overNative: noWorse },
  { row: 'breakpoint hit + continue', name: 'hits', unit: perSecond, overGdbserver: better, overNative: noWorse },
  { row: 'inferior calls', name: 'calls', unit: perSecond, overGdbserver: better, overNative: noWorse },
  { row: 'conditional breakpoint, false hits', name: 'false_hits', unit: perSecond, overGdbserver: { atLeast: 3 } },
  { row: 'memory dump', name: 'dump', unit: mibPerSecond, overGdbserver: noWorse },
];

const threadRows: readonly Wanted[] = [
  { row: 'info threads of 200, first', name: 'threads_first_ms', unit: ms, overGdbserver: noWorse },
  { row: 'info threads of 200, registers read anew', name: 'threads_ms', unit: ms, overGdbserver: noWorse },
];

async function compare(scope: Scope, part: Part, wanted: readonly Wanted[], counts: Counts, rounds: number): Promise<void> {
  const all = new Map<Kind, Numbers[]>(KINDS.map((kind) => [kind, []]));
  const problems = new Map<Kind, string>();
  const start = performance.now();
  for (let i = 0; i < rounds && performance.now() - start < ROUNDS_LIMIT_MS; i++) {
    for (const kind of KINDS) {
      try {
        all.get(kind)!.push(await measure(scope, kind, part, counts));
      } catch (error) {
        if (kind === 'savepoint') throw error;
        problems.set(kind, error instanceof Error ? error.message : String(error));
      }
    }
  }
  const of = (kind: Kind, name: string): number | undefined => {
    const values = all.get(kind)!.map((numbers) => numbers[name]!);
    return values.length === 0 ? undefined : median(values);
  };
  for (const { row, name, unit, overGdbserver, overNative } of wanted) {
    for (const [kind, bar] of [
      ['gdbserver', overGdbserver],
      ['native', overNative],
    ] as const) {
      const theirs = of(kind, name);
      if (bar === undefined && theirs === undefined) continue;
      const ours = unit(of('savepoint', name)!);
      if (theirs === undefined) scope.report({ row, ours, note: `${kind} gave nothing: ${problems.get(kind)}` });
      else scope.report({ row, ours, other: { ...unit(theirs), name: kind }, ...(bar === undefined ? {} : { bar }) });
    }
  }
}

const settingsOf = ({ quick }: Settings): [Counts, number] => (quick ? [quickCounts, 1] : [fullCounts, 3]);

export const gdbRows: readonly Row[] = [
  {
    name: 'gdb: steps, breakpoints, calls',
    run: (scope, settings) => compare(scope, { what: 'steps', program: 'steps', args: [] }, stepRows, ...settingsOf(settings)),
  },
  {
    name: 'gdb: 200 threads',
    run: (scope, settings) =>
      compare(scope, { what: 'threads', program: 'threads', args: ['200', 'blocked'] }, threadRows, ...settingsOf(settings)),
  },
];
