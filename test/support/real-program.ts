/**
 * Takes a program of which we know nothing but its right output through checkpoints at arbitrary moments and restores in random
 * order, also after its end, and compares what it prints at last with what it prints without us.
 */

import { execFileSync } from 'node:child_process';
import { Debuggee, type Stop, withProgram } from './owner-process';
import type { Random } from './random';
import { scaled } from './random';

export interface RealProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

const MOMENTS = 12;
const RESTORES = 14;
/**
 * Signals (gdb's numbers) that runtimes send themselves, given to the program without a stop: SIGSEGV, SIGALRM, SIGURG, SIGCHLD, SIGUSR1,
 * SIGUSR2, SIGPWR, and a few real-time ones.
 */
const PASS = 'b;e;10;14;1e;1f;20;2d;2e;2f';

export async function proveRestores(real: RealProgram, random: Random): Promise<void> {
  const began = Date.now();
  const env = { ...process.env, ...real.env };
  const right = execFileSync(real.program, real.args, { env, encoding: 'latin1' });
  const naturalMs = Date.now() - began;
  const options = {
    program: real.program,
    args: real.args,
    deadline: 60_000,
    ...(real.env === undefined ? {} : { env: real.env }),
  };
  await withProgram(options, async (program) => {
    await program.client.send(`QPassSignals:${PASS}`);
    const checkpoints = await takeMany(program, random, naturalMs);
    await restoreMany(program, random, checkpoints, naturalMs);
    const { stop, output } = await program.finish();
    expect(stop.text).toBe('W00');
    expect(output).toBe(right);
  });
}

/** Checkpoints over most of the program's life; when it ends too early, the rest is taken from restored states. */
async function takeMany(program: Debuggee, random: Random, naturalMs: number): Promise<number[]> {
  const checkpoints: number[] = [];
  while (checkpoints.length < scaled(MOMENTS)) {
    const stop = await program.runFor(1 + random.below((1.2 * naturalMs) / MOMENTS));
    if (stop.kind === 'stopped') checkpoints.push(await program.take(`moment ${checkpoints.length}`));
    else await goBack(program, stop, random.pick(checkpoints));
  }
  return checkpoints;
}

async function restoreMany(program: Debuggee, random: Random, checkpoints: readonly number[], naturalMs: number): Promise<void> {
  let ended: Stop | undefined;
  for (let restores = 0; restores < scaled(RESTORES); restores += 1) {
    await goBack(program, ended, random.pick(checkpoints));
    // Every so often to the very end, which is gone back from as well.
    const stop = random.chance(0.15) ? await program.resume() : await program.runFor(random.below(naturalMs / 8));
    ended = stop.kind === 'stopped' ? undefined : stop;
    if (ended !== undefined) expect(ended.text).toBe('W00');
  }
  await goBack(program, ended, random.pick(checkpoints));
}

async function goBack(program: Debuggee, ended: Stop | undefined, checkpoint: number): Promise<void> {
  if (ended === undefined || ended.kind === 'stopped') await program.restore(checkpoint);
  else await program.restoreAfterExit(checkpoint);
}
