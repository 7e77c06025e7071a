/**
 * The program is killed outright at random moments while checkpoints are taken and restored: whatever the engine is in the middle of, the
 * server answers, says that the process is gone, and starts the next program.
 */

import { type Debuggee, withProgram } from '../support/owner-process';
import { type Random, scaled, withSeed } from '../support/random';

/** Kills the program a random while from now; resolves when it has been done. */
function killSoon(pid: number, random: Random): Promise<void> {
  const microseconds = random.below(12_000);
  return new Promise((resolve) => {
    const until = process.hrtime.bigint() + BigInt(microseconds) * 1000n;
    const look = (): void => {
      if (process.hrtime.bigint() < until) return void setImmediate(look);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended with the round before.
      }
      resolve();
    };
    look();
  });
}

const GONE = /was killed|is gone|are gone|not being run/i;

/** Takes and restores until the death shows; what was said of it. */
async function useUntilDead(program: Debuggee, checkpoint: number, random: Random): Promise<string> {
  for (;;) {
    if (random.chance(0.5)) {
      const text = await program.monitor('checkpoint');
      if (GONE.test(text)) return text;
    } else {
      const { text, stop } = await program.tryRestore(checkpoint);
      if (GONE.test(text) || (stop !== undefined && stop.kind !== 'stopped')) return stop?.text ?? text;
    }
    const stop = await program.runFor(random.below(3));
    if (stop.kind !== 'stopped') return stop.text;
  }
}

test(
  'a program killed in the middle of a take or restore is reported gone, and the next one runs',
  () =>
    withSeed(1, (random) =>
      withProgram({ program: 'threads-churn', args: ['4'] }, async (program) => {
        let { pid } = program;
        for (let round = 0; round < scaled(25); round += 1) {
          await program.runFor(10);
          const checkpoint = await program.take();
          const killed = killSoon(pid, random);
          expect(await useUntilDead(program, checkpoint, random)).toMatch(/gone|killed|not being run|^X09/i);
          await killed;
          // A client that has not been told of the end yet lets go of the process, as gdb does before it runs the program again.
          await program.client.send(`vKill;${pid.toString(16)}`);
          const words = [program.file, '4'].map((word) => Buffer.from(word).toString('hex')).join(';');
          program.client.start(`vRun;${words}`);
          const stop = await program.awaitStop();
          expect(stop.kind).toBe('stopped');
          pid = stop.tid;
        }
        await program.runFor(5);
        await program.writeInt('finish', 1);
        expect((await program.finish()).output).toMatch(/verdict: right/);
      }),
    ),
  120_000,
);
