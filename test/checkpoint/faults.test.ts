/**
 * A take or restore that fails, wherever it breaks off, leaves the program exactly as it was: memory, mappings, registers, descriptors,
 * signals. One fault for each stage, before it has done anything and after it has.
 */

import { STAGES } from '../../native/checkpoint/stages';
import { makeFolder } from '../support/debug-server';
import { type Debuggee, withProgram } from '../support/owner-process';
import { descriptors, signalState } from '../support/proc-memory';
import { scaled, withSeed } from '../support/random';
import { differences, observe, type Witness } from '../support/witness';

const FAULT = /a fault asked for by a test/;
const faults = STAGES.flatMap((stage) => [stage, `${stage}:done`]);
const env = { SAVEPOINT_TEST_FAULTS: '1' };
const LIMIT_MS = 120_000;

interface Whole {
  readonly witness: Witness;
  readonly kernel: unknown;
}

async function look(program: Debuggee): Promise<Whole> {
  const kernel = {
    files: descriptors(program.pid),
    signals: (await program.threads()).map((tid) => signalState(program.pid, tid)),
  };
  return { witness: await observe(program), kernel };
}

async function expectSame(before: Whole, program: Debuggee): Promise<void> {
  const after = await look(program);
  expect(differences(before.witness, after.witness)).toEqual([]);
  expect(after.kernel).toEqual(before.kernel);
}

/** Every fault once in a take and once in a restore; how many takes met theirs (not every stage is one of a take). */
async function sweep(program: Debuggee, checkpoint: number): Promise<number> {
  let takes = 0;
  const before = await look(program);
  for (const fault of faults) {
    await program.monitor(`fail-at ${fault}`);
    const taken = await program.monitor('checkpoint');
    if (FAULT.test(taken)) takes += 1;
    else await program.drop(Number(/^Checkpoint (\d+)/.exec(taken)![1]));
    await expectSame(before, program);

    await program.monitor(`fail-at ${fault}`);
    const { text } = await program.tryRestore(checkpoint);
    expect(`${fault}: ${text}`).toMatch(FAULT);
    await expectSame(before, program);
  }
  return takes;
}

describe('a fault at every stage harms nothing', () => {
  test.each(['write-protect', 'compare'])(
    'of memory and threads, those born since and those that have exited (%s)',
    (tier) =>
      withProgram({ program: 'threads-park', args: ['6'], env: { ...env, SAVEPOINT_FORCE_TIER: tier } }, async (program) => {
        await program.resume('before_threads');
        const early = await program.take();
        await program.resume('all_ready');
        const ready = await program.take();
        await sweep(program, early);
        await program.restore(ready);
        await program.resume('all_joined');
        expect(await sweep(program, ready)).toBeGreaterThan(8);
        await program.restore(ready);
        const { stop, output } = await program.finish();
        expect(output).toMatch(/^verdict: right /);
        expect(stop.text).toBe('W00');
      }),
    LIMIT_MS,
  );

  test(
    'of signals, descriptors and positions',
    async () => {
      const folder = makeFolder();
      try {
        await withProgram({ program: 'signals-files', args: [folder.path], env }, async (program) => {
          await program.client.send('QPassSignals:e;1e');
          await program.resume('arranged');
          const arranged = await program.take();
          await program.resume('changed');
          await sweep(program, arranged);
          await program.restore(arranged);
          expect((await program.finish()).output).toBe('verdict: right \n');
        });
      } finally {
        folder.remove();
      }
    },
    LIMIT_MS,
  );

  test(
    'in the middle of random runs',
    () =>
      withSeed(3, (random) =>
        withProgram({ program: 'threads-churn', args: ['4'], env }, async (program) => {
          await program.runFor(20);
          const checkpoints = [await program.take()];
          for (let round = 0; round < scaled(60); round += 1) {
            await program.runFor(random.below(8));
            await program.monitor(`fail-at ${random.pick(faults)}`);
            const taken = /^Checkpoint (\d+)/.exec(await program.monitor('checkpoint'));
            if (taken !== null) checkpoints.push(Number(taken[1]));
            const { text, stop } = await program.tryRestore(random.pick(checkpoints));
            if (stop === undefined) expect(text).toMatch(FAULT);
            else expect(stop.value).toBe(0);
          }
          await program.monitor('fail-at none');
          await program.writeInt('finish', 1);
          expect((await program.finish()).output).toMatch(/^verdict: right born=\d+\n$/);
        }),
      ),
    LIMIT_MS,
  );
});
