/**
 * Somebody dies by SIGKILL at a random moment of a session: the owner, gdb, or `savepoint gdb` itself. A program that was started here is
 * gone then; one that was attached to runs on and finds itself unharmed; no process is left.
 *
 * An attached program whose owner dies is beyond our help in three states, which are left out: a breakpoint of gdb's is inserted in it, it is
 * being single-stepped (the kernel leaves the trap flag set), or a checkpoint is just being taken or restored.
 */

import { Bystander } from '../support/debug-server';
import { CliPlace, fixture, quietGdb } from '../support/cli-session';
import { type Random, scaled, withSeed } from '../support/random';

let place: CliPlace;
beforeEach(() => {
  place = new CliPlace();
});
afterEach(() => place.close());

const victims = ['owner', 'gdb', 'front'] as const;
type Victim = (typeof victims)[number];

const harmless = [
  'info threads',
  'thread apply all backtrace 2',
  'x/4i $pc',
  'info registers rip',
  'print ending',
  'info sharedlibrary',
];
const more = [
  'stepi',
  'stepi 20',
  'next',
  'checkpoint',
  'break usleep',
  'continue',
  'restart 1',
  'delete',
  'call (int) getppid() > 0',
];
/** A kill comes up to so much after the commands were given; gdb works on them for about as long. */
const SPAN_MS = 400;

async function victimPid(victim: Victim, front: number): Promise<number> {
  if (victim === 'front') return front;
  return (await place.processes.find(victim === 'owner' ? 'savepoint.js owner' : 'gdb -ix')).pid;
}

function kill(pid: number, what: string, output: string): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    throw new Error(`${what} has ended by itself:\n${output}`);
  }
}

async function someMoment(random: Random): Promise<void> {
  const moment = random.below(SPAN_MS);
  await new Promise((resolve) => setTimeout(resolve, moment));
}

async function round(random: Random, attached: boolean): Promise<void> {
  const victim = random.pick(victims);
  const program = fixture('gdb-waiter');
  const beside = attached ? new Bystander(program, ['2']) : undefined;
  try {
    await beside?.until(/ready\n/);
    const run = place.start(['gdb', ...quietGdb, ...(beside === undefined ? ['--args', program, '2'] : ['-p', `${beside.pid}`])]);
    await run.expect(/\(gdb\) /);
    await run.ask('set confirm off');
    if (!attached) await run.ask('break usleep');
    if (!attached) await run.ask('run');
    const told: string[] = [];
    if (random.chance(0.5)) {
      told.push('checkpoint');
      await run.ask('checkpoint');
    }
    const words = attached && victim === 'owner' ? harmless : [...harmless, ...more];
    const later = Array.from({ length: random.below(5) }, () => random.pick(words));
    if (random.chance(0.5)) later.push('continue');
    told.push(...later);
    for (const line of later) run.say(line);
    const pid = await victimPid(victim, run.child.pid!);
    await someMoment(random);
    kill(pid, `${victim} after ${told.join(', ')}`, run.output);
    run.child.stdin?.end();
    await run.ended;
    if (beside !== undefined) {
      const output = await beside.finish();
      const { code, signal } = await beside.ended;
      const whole = `${victim} killed after ${told.join(', ')}; ${signal ?? code}: ${output}`;
      expect(whole).toMatch(/; 0: ready\nright after 0 ticks\n$/);
    }
    await place.expectNothingLeft();
  } finally {
    beside?.kill();
  }
}

describe('a death by SIGKILL at a random moment', () => {
  for (let i = 0; i < scaled(10); i++) {
    test(`leaves nothing of a program that was started here (${i})`, async () => {
      await withSeed(i, async (random) => await round(random, false));
    });

    test(`leaves an attached program running and unharmed (${i})`, async () => {
      await withSeed(1000 + i, async (random) => await round(random, true));
    });
  }
});
