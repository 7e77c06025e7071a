/**
 * Faults that the program handles itself, and traps of its own, while it is stopped at any moment, taken and restored: the kernel may
 * have forced such a signal on a thread when our interrupt stops it.
 */

import { Debuggee, withProgram } from '../support/owner-process';
import { scaled, withSeed } from '../support/random';

/** SIGILL, SIGTRAP, SIGFPE and SIGSEGV in gdb's numbers: the program gets them without a stop. */
const PASSED = '4;5;8;b';

async function expectRightEnd(program: Debuggee): Promise<void> {
  await program.writeInt('finish', 1);
  const { stop, output } = await program.finish();
  expect(output).toBe('verdict: right \n');
  expect(stop.text).toBe('W00');
}

test(
  'every fault is handled once, and the handlers stay, whatever is taken and restored meanwhile',
  () =>
    withSeed(7, (random) =>
      withProgram({ program: 'faults-handled', deadline: 40_000 }, async (program) => {
        await program.client.send(`QPassSignals:${PASSED}`);
        await program.resume('faulting');
        const checkpoints = [await program.take()];
        for (let round = 0; round < scaled(80); round += 1) {
          const stop = await program.runFor(random.below(6));
          expect([stop.text, round]).toEqual([expect.stringMatching(/^T/), round]);
          if (random.chance(0.4)) checkpoints.push(await program.take());
          else await program.restore(random.pick(checkpoints));
        }
        await expectRightEnd(program);
      }),
    ),
  120_000,
);

test('a fault that gdb is told of is met again after a restore', () =>
  withProgram({ program: 'faults-handled' }, async (program) => {
    await program.client.send('QPassSignals:5');
    await program.resume('faulting');
    const stop = await program.resume();
    expect(stop.kind).toBe('stopped');
    const checkpoint = await program.take();
    for (let round = 0; round < 5; round += 1) {
      expect((await program.resume()).kind).toBe('stopped');
      await program.restore(checkpoint);
    }
    await program.client.send(`QPassSignals:${PASSED}`);
    await program.runFor(20);
    await expectRightEnd(program);
  }));
