import { program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

async function session(state: 'stopped' | 'running'): Promise<DapRun> {
  const run = await place.start();
  await run.initialize();
  await run.launch({ program, args: ['wait'] }, () => run.breakAt(source, [lineOf(source, 'first stop')]));
  const { threadId } = await run.stopped('breakpoint');
  if (state === 'running') {
    await run.ask('continue', { threadId });
    await run.printed(/1 args/);
  }
  return run;
}

const states = ['stopped', 'running'] as const;
const LIMIT_MS = 2000;

async function within(what: Promise<unknown>): Promise<void> {
  const start = Date.now();
  await what;
  expect(Date.now() - start).toBeLessThan(LIMIT_MS);
}

describe.each(states)('a %s program', (state) => {
  it('ends by terminate, and its session with it', async () => {
    const run = await session(state);
    await run.ask('terminate');
    await within(run.event('terminated'));
    await run.disconnect();
    await place.expectNothingLeft();
  });

  it('ends when all its threads are to be terminated', async () => {
    const run = await session(state);
    const { threads } = await run.ask('threads');
    await run.ask('terminateThreads', { threadIds: threads.map(({ id }: { id: number }) => id) });
    await within(run.event('terminated'));
    await place.finish(run);
  });

  it('ends by disconnect', async () => {
    const run = await session(state);
    await within(run.disconnect());
    await place.expectNothingLeft();
  });

  it('runs on after a disconnect that wants that', async () => {
    const run = await session(state);
    const { pid } = await place.place.processes.find(`${program} wait`);
    await run.disconnect({ terminateDebuggee: false });
    expect(place.place.processes.list().map((one) => one.pid)).toContain(pid);
    process.kill(pid, 'SIGKILL');
    await place.expectNothingLeft();
  });

  it('stays suspended after a disconnect that wants that, and can go on', async () => {
    const run = await session(state);
    const { pid } = await place.place.processes.find(`${program} wait`);
    await run.disconnect({ terminateDebuggee: false, suspendDebuggee: true });
    const { processes } = place.place;
    await processes.stands(pid);
    process.kill(pid, 'SIGCONT');
    await processes.runs(pid);
    process.kill(pid, 'SIGKILL');
    await place.expectNothingLeft();
  });

  it('ends when the editor closes the wire', async () => {
    const run = await session(state);
    run.adapter.stdin?.end();
    await within(run.gone());
    await place.expectNothingLeft();
  });

  it('ends when the adapter is killed', async () => {
    const run = await session(state);
    run.adapter.kill('SIGKILL');
    await within(run.gone());
    await place.expectNothingLeft();
  });

  it('ends when gdb is killed, and the client is told', async () => {
    const run = await session(state);
    process.kill((await place.place.processes.find('savepoint-connect')).pid, 'SIGKILL');
    await within(run.event('terminated'));
    expect(run.console).toMatch(/The debugger has ended/);
    expect(await run.refusal('stackTrace', { threadId: 1 })).toBe('the debug session is over');
    await run.disconnect();
    await place.expectNothingLeft();
  });

  it('ends when the owner is killed, and the client is told', async () => {
    const run = await session(state);
    process.kill((await place.place.processes.find('savepoint.js owner')).pid, 'SIGKILL');
    // gdb notices a lost connection when it uses it.
    if (state === 'stopped') await run.refusal('readMemory', { memoryReference: '0x1000', count: 4 });
    await within(run.event('terminated'));
    expect(run.console).toMatch(/debug server|connection/i);
    await run.disconnect();
    await place.expectNothingLeft();
  });
});

it('a running program that is killed is told as ended by the signal', async () => {
  const run = await session('running');
  process.kill((await place.place.processes.find(`${program} wait`)).pid, 'SIGKILL');
  expect(await run.event('exited')).toEqual({ exitCode: 137 });
  await within(run.event('terminated'));
  await run.disconnect();
  await place.expectNothingLeft();
});

it('a program that is killed takes its checkpoints along: the session does not stay for them', async () => {
  const run = await session('stopped');
  await run.ask('checkpoint/take', { label: 'named' });
  await run.ask('continue', { threadId: 1 });
  await run.printed(/1 args/);
  process.kill((await place.place.processes.find(`${program} wait`)).pid, 'SIGKILL');
  expect(await run.event('exited')).toEqual({ exitCode: 137 });
  await run.event('checkpoint/changed', ({ reason }) => reason === 'lost');
  await within(run.event('terminated'));
  expect(run.console).not.toMatch(/can bring it back/);
  await place.finish(run);
});
