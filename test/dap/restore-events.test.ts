/** What a restore tells besides its stop: threads and libraries that come and go with it. */

import { fixture } from '../support/cli-session';
import { type DapEvent, DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

async function stoppedAtMain(program: string, args: readonly string[], functions: readonly string[]) {
  const run = await place.start({ strict: ['process'] });
  await run.initialize();
  await run.launch({ program, args, automaticCheckpoints: false }, () =>
    run.ask('setFunctionBreakpoints', { breakpoints: ['main', ...functions].map((name) => ({ name })) }),
  );
  await run.event('process');
  await run.stopped('function breakpoint');
  return run;
}

async function go(run: DapRun): Promise<void> {
  await run.ask('continue', { threadId: 1 });
  await run.stopped('function breakpoint');
}

const take = async (run: DapRun): Promise<number> => (await run.ask('checkpoint/take')).checkpoint.id;

/** A restore, and the events of threads, libraries and stops that it brings, in their order. */
async function restore(run: DapRun, id: number): Promise<string[]> {
  const from = run.traffic.length;
  await run.ask('checkpoint/restore', { id });
  const stop = await run.restored();
  expect(stop.description).toBe(`Restored to checkpoint ${id}`);
  // Whatever comes late is here with the reply after it.
  const { threads } = await run.ask('threads');
  expect(threads.map((one: { id: number }) => one.id)).toContain(stop.threadId);
  return run.traffic.slice(from).flatMap((text) => nameOf(JSON.parse(text) as DapEvent));
}

function nameOf({ event, body }: DapEvent): string[] {
  const module = body?.['module'] as { name: string } | undefined;
  if (event === 'thread') return [`thread ${body?.['reason'] as string} ${body?.['threadId'] as number}`];
  if (event === 'module') return [`module ${body?.['reason'] as string} ${module?.name}`];
  return event === 'stopped' || event === 'process' ? [event] : [];
}

const ids = async (run: DapRun): Promise<number[]> =>
  (await run.ask('threads')).threads.map((one: { id: number }) => one.id).sort((a: number, b: number) => a - b);

it('threads that are born between two checkpoints end with the way back, and are born with the way forward, before the stop', async () => {
  const run = await stoppedAtMain(fixture('gdb-threads'), ['3', '2'], ['all_started']);
  const one = await take(run);
  await go(run);
  const four = await take(run);
  const born = (await ids(run)).slice(1);
  expect(born).toHaveLength(3);
  const back = await restore(run, one);
  expect(back.slice(0, -1).sort()).toEqual(born.map((id) => `thread exited ${id}`).sort());
  expect(back.at(-1)).toBe('stopped');
  expect(await ids(run)).toEqual([1]);
  const forward = await restore(run, four);
  const again = (await ids(run)).slice(1);
  expect(again).toHaveLength(3);
  expect(forward.slice(0, -1).sort()).toEqual(again.map((id) => `thread started ${id}`).sort());
  expect(forward.at(-1)).toBe('stopped');
  await place.finish(run);
});

it('a library that is loaded between two checkpoints goes and comes as a module, before the stop', async () => {
  const run = await stoppedAtMain(fixture('gdb-loader'), [fixture('gdb-plugin')], ['loaded']);
  const without = await take(run);
  await go(run);
  expect((await run.event('module', ({ module }) => module.name === 'gdb-plugin')).reason).toBe('new');
  const withIt = await take(run);
  const names = async (): Promise<string[]> => (await run.ask('modules')).modules.map((one: { name: string }) => one.name);
  expect(await restore(run, without)).toEqual(['module removed gdb-plugin', 'stopped']);
  expect(await names()).not.toContain('gdb-plugin');
  expect(await restore(run, withIt)).toEqual(['module new gdb-plugin', 'stopped']);
  expect(await names()).toContain('gdb-plugin');
  await place.finish(run);
});
