/**
 * What checkpoints cost a program that runs on: a loop over 100 MiB, under us with checkpoints held, against the same alone.
 *
 * The first pass after a take pays for each page that is written for the first time; the rest is what "running on" means.
 */

import { runTo } from './checkpoints';
import { median, ms } from './lines';
import { benchProgram, numbersOf, readNumbers, type Row, type Scope, type Settings } from './scope';

const HELD = 3;

async function runUnderUs(scope: Scope, passes: number, rounds: number): Promise<Map<string, number[]>> {
  const { debuggee, release } = await scope.debuggee({
    program: benchProgram('compute'),
    args: [String(passes), String(rounds + HELD - 1)],
  });
  for (let i = 0; i < HELD; i++) {
    await runTo(debuggee, 'at_stop');
    await debuggee.take();
  }
  const { output } = await debuggee.finish();
  await release();
  return readNumbers(output);
}

async function run(scope: Scope, { quick }: Settings): Promise<void> {
  const [passes, pairs] = quick ? [15, 2] : [40, 4];
  const rounds = 2;
  const ours = { first: [] as number[], cpu: [] as number[], wall: [] as number[] };
  const alone = { first: [] as number[], cpu: [] as number[], wall: [] as number[] };
  for (let i = 0; i < pairs; i++) {
    for (const [into, numbers] of [
      [alone, readNumbers(await scope.run(benchProgram('compute'), [String(passes), String(rounds)]))],
      [ours, await runUnderUs(scope, passes, rounds)],
    ] as const) {
      // The line right after the last take, under us; the ones before it are of earlier takes.
      into.first.push(numbersOf(numbers, 'first').at(-rounds)!);
      into.cpu.push(...numbersOf(numbers, 'cpu').slice(-rounds));
      into.wall.push(...numbersOf(numbers, 'wall').slice(-rounds));
    }
  }
  const of = (values: readonly number[]): number => median(values) / 1000;
  scope.report({
    row: `running on, ${HELD} checkpoints held, ${passes} passes over 100 MiB`,
    ours: ms(of(ours.cpu)),
    other: { ...ms(of(alone.cpu)), name: 'alone' },
    bar: { atMost: 1.03 },
    note: `CPU time; by the clock ${of(ours.wall).toFixed(0)} ms against ${of(alone.wall).toFixed(0)} ms`,
  });
  scope.report({
    row: 'its first pass after a take, sequential',
    ours: ms(of(ours.first)),
    other: { ...ms(of(alone.first)), name: 'alone' },
  });
}

export const runningRow: Row = { name: 'running on', run };
