/**
 * Threads in every kind of blocking call while checkpoints are taken and restored over and over: the program never sees EINTR, sleeps
 * neither too short nor past an absolute deadline, and each wait ends with the event that was meant for it.
 */

import { Debuggee, withProgram } from '../support/owner-process';
import { type Random, scaled, withSeed } from '../support/random';

const TAKES = 40;
const RESTORES = 90;
const MOST_CHECKPOINTS = 8;
/** The absolute deadline of one thread, after the start of the program. */
const DEADLINE_MS = 6_000;
/** How late a thread may be woken on a busy machine. */
const GRACE_MS = 1_500;

/** When the last restore ended, in the clock that the program uses (CLOCK_MONOTONIC). */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

async function storm(program: Debuggee, random: Random): Promise<number> {
  const checkpoints: number[] = [];
  let takes = 0;
  let restores = 0;
  while (takes < scaled(TAKES) || restores < scaled(RESTORES)) {
    const stop = await program.runFor(random.below(25));
    if (stop.kind !== 'stopped') throw new Error(`the program ended: ${stop.text}`);
    if (checkpoints.length === 0 || random.chance(TAKES / (TAKES + RESTORES))) {
      if (checkpoints.length === MOST_CHECKPOINTS) await program.drop(checkpoints.splice(random.below(checkpoints.length), 1)[0]);
      checkpoints.push(await program.take());
      takes += 1;
    } else {
      await program.restore(random.pick(checkpoints));
      restores += 1;
    }
  }
  return monotonicMs();
}

async function readVerdict(program: Debuggee): Promise<{ lateMs: number; rounds: number }> {
  await program.writeInt('finish', 1);
  const { stop, output } = await program.finish();
  expect(output).toMatch(/^verdict: right /);
  expect(stop.text).toBe('W00');
  const [, lateMs, rounds] = /late_ms=(\d+) rounds=(\d+)/.exec(output) as unknown as [string, string, string];
  return { lateMs: Number(lateMs), rounds: Number(rounds) };
}

for (const [index, tier] of ['write-protect', 'compare'].entries()) {
  test(
    `no blocking call notices that checkpoints are taken and restored around it (${tier})`,
    () =>
      withSeed(index, async (random) => {
        const started = monotonicMs();
        const options = {
          program: 'blocking-calls',
          args: [String(DEADLINE_MS)],
          env: { SAVEPOINT_FORCE_TIER: tier },
          deadline: 40_000,
        };
        await withProgram(options, async (program) => {
          await program.resume('all_waiting');
          const lastRestore = await storm(program, random);
          const { lateMs, rounds } = await readVerdict(program);
          expect(rounds).toBeGreaterThan(0);
          // Gone back to before the deadline once it was past, the sleep ends at once, and is as late as that restore.
          const allowed = Math.max(0, lastRestore - (started + DEADLINE_MS)) + GRACE_MS;
          expect(lateMs).toBeLessThanOrEqual(allowed);
        });
      }),
    150_000,
  );
}

test(
  'a take alone, without any restore, leaves every call as it was',
  () =>
    withProgram({ program: 'blocking-calls', args: ['2000'], deadline: 40_000 }, async (program) => {
      await program.resume('all_waiting');
      for (let takes = 0; takes < 30; takes += 1) {
        await program.runFor(takes);
        await program.drop(await program.take());
      }
      const { lateMs } = await readVerdict(program);
      expect(lateMs).toBeLessThanOrEqual(GRACE_MS);
    }),
  60_000,
);

test(
  'a sleep that was interrupted before and goes on by restart_syscall comes back as itself',
  () =>
    withProgram({ program: 'sleep-again', deadline: 40_000 }, async (program) => {
      await program.client.send('QPassSignals:1e');
      for (let round = 0; round < 6; round += 1) {
        await program.resume('slept');
        // Interrupted twice in the same sleep: what the kernel goes on with by then is no call of the program's.
        for (let stops = 0; stops < 2; stops += 1) expect((await program.runFor(15)).kind).toBe('stopped');
        const checkpoint = await program.take();
        for (let again = 0; again < 2; again += 1) {
          // The handler behind the sleep makes the kernel forget it.
          await program.resume('slept');
          await program.restore(checkpoint);
        }
        await program.drop(checkpoint);
      }
      await program.writeInt('finish', 1);
      expect((await program.finish()).output).toBe('verdict: right \n');
    }),
  60_000,
);
