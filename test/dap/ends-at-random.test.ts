/**
 * Each of those who take part is killed (or goes) at a random moment: the others end within two seconds, say why, and leave nothing. SAVEPOINT_SEED repeats
 * a run, SAVEPOINT_SCALE makes it longer.
 */

import * as net from 'node:net';
import { program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { type Random, scaled, withSeed } from '../support/random';
import { lineOf } from '../support/source-lines';

const LIMIT_MS = 2000;

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

/** What an editor could be asking for; sent, and not waited for. */
const requests: readonly (readonly [string, object])[] = [
  ['threads', {}],
  ['stackTrace', { threadId: 1 }],
  ['setBreakpoints', { source: { path: source }, breakpoints: [{ line: lineOf(source, 'in add') }] }],
  ['setFunctionBreakpoints', { breakpoints: [{ name: 'deep' }] }],
  ['checkpoint/take', { label: 'x' }],
  ['checkpoint/list', {}],
  ['checkpoint/restore', { id: 0 }],
  ['checkpoint/compare', { id: 0 }],
  ['evaluate', { expression: 'info threads', context: 'repl' }],
  ['evaluate', { expression: 'add(1, 2)', context: 'repl' }],
  ['pause', { threadId: 1 }],
  ['continue', { threadId: 1 }],
  ['next', { threadId: 1 }],
  ['loadedSources', {}],
  ['restart', {}],
];

const send = (run: DapRun, command: string, args: object = { threadId: 1 }): void => void run.reply(command, args);

/**
 * A program that is killed where it stood at a breakpoint dies in gdb's step over that; gdb 13 never clears what it knows of the step, and does not resume
 * the next program that it runs (with gdbserver, too).
 */
const mayRestart = (victim: string): boolean => victim !== 'the program';

type Moment = (run: DapRun, random: Random, victim: string) => Promise<void>;

/** What goes on when it happens. */
const moments: Readonly<Record<string, Moment>> = {
  'at a stop': async () => {},
  'while the program runs': async (run) => {
    await run.ask('continue', { threadId: 1 });
    await run.printed(/1 args/);
  },
  'in a step': async (run, random) => send(run, random.pick(['next', 'stepIn', 'stepOut'])),
  'in a take': async (run) => send(run, 'checkpoint/take', { label: 'x' }),
  'in a restore': async (run) => send(run, 'checkpoint/restore', { id: 0 }),
  'in a way back': async (run, random, victim) =>
    send(run, random.pick(['stepBack', 'reverseContinue', ...(mayRestart(victim) ? ['restart'] : [])])),
  'in many requests': async (run, random, victim) => {
    const count = 1 + random.below(12);
    const possible = requests.filter(([command]) => command !== 'restart' || mayRestart(victim));
    for (let i = 0; i < count; i++) send(run, ...random.pick(possible));
    await run.answered(1 + random.below(count));
  },
};

async function start(random: Random, how: 'own' | 'server'): Promise<DapRun> {
  let run: DapRun;
  if (how === 'own') run = await place.start();
  else {
    const socket = `${place.place.directory}/dap.sock`;
    await place.place.start(['dap', '--socket', socket]).expect(/\{"socket".*\n/);
    run = await place.connect(net.connect(socket));
  }
  await run.initialize();
  const automaticCheckpoints = random.chance(0.5) ? false : { timeShare: 1e9 };
  await run.launch({ program, args: ['wait'], automaticCheckpoints }, () => run.breakAt(source, [lineOf(source, 'first stop')]));
  await run.stopped('breakpoint');
  if (random.chance(0.3)) await run.ask('checkpoint/take', { label: 'named' });
  // What the requests cause depends on who is quicker.
  run.mayGet('stopped', 'continued', 'breakpoint', 'checkpoint/changed', 'exited');
  return run;
}

const kill = async (part: string): Promise<void> => void process.kill((await place.place.processes.find(part)).pid, 'SIGKILL');

/** The session ends by itself, says why, and answers everything. */
async function ends(run: DapRun, why: RegExp): Promise<void> {
  await run.event('terminated');
  expect(run.console).toMatch(why);
  await run.disconnect();
  expect(run.unanswered()).toEqual([]);
}

interface Victim {
  readonly how: 'own' | 'server';
  readonly go: (run: DapRun) => Promise<void>;
  /** How the others end. */
  readonly others: (run: DapRun) => Promise<void>;
}

const victims: Readonly<Record<string, Victim>> = {
  gdb: {
    how: 'own',
    go: () => kill('savepoint-connect'),
    others: (run) => ends(run, /^The debugger has ended: gdb ended by SIGKILL$/m),
  },
  'the owner': {
    how: 'own',
    go: () => kill('savepoint.js owner'),
    others: (run) => ends(run, /^The debugger has ended: the debug server ended unexpectedly \(SIGKILL\)\.$/m),
  },
  'the program': {
    how: 'own',
    go: () => kill(`${program} wait`),
    // One that stands is seen to be gone when it is to go on.
    others: async (run) => {
      await toItsEnd(run);
      await ends(run, /(terminated with signal SIGKILL, Killed|program was ended by SIGKILL)\.$/m);
    },
  },
  'the adapter': { how: 'own', go: async (run) => void run.adapter.kill('SIGKILL'), others: (run) => run.gone() },
  'the editor': { how: 'own', go: async (run) => run.closeWire(), others: (run) => run.gone() },
  'the connection': { how: 'server', go: async (run) => run.closeWire(), others: (run) => run.gone() },
};

/** Until that is told: on from whatever stop was under way. */
async function toItsEnd(run: DapRun): Promise<void> {
  const end = Date.now() + 2 * LIMIT_MS;
  while (!run.events().some(({ event }) => event === 'terminated')) {
    if (Date.now() > end) throw new Error(`no end:\n${run.traffic.slice(-40).join('\n').slice(-8000)}`);
    await run.reply('continue', { threadId: 1 });
  }
  expect(await run.event('exited')).toEqual({ exitCode: 137 });
}

describe.each(Object.entries(victims))('%s goes', (victim, { how, go, others }) => {
  it.each(Object.entries(moments))(
    '%s',
    async (__, reach) => {
      for (let round = 0; round < scaled(1); round++) {
        await withSeed(round, async (random) => {
          const run = await start(random, how);
          await reach(run, random, victim);
          // Not to wait for something: this is what is random.
          await new Promise((resolve) => setTimeout(resolve, random.below(12)));
          const begin = Date.now();
          await go(run);
          await others(run);
          if (how === 'own') await place.expectNothingLeft();
          else await place.place.processes.allEndedBut('bin/savepoint dap');
          expect(Date.now() - begin).toBeLessThan(LIMIT_MS);
          await place.close();
        });
        place = new DapPlace();
      }
    },
    60_000 * scaled(1),
  );
});
