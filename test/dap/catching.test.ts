/** Catchpoints that are typed in the debug console. */

import { fixture } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const children = fixture('gdb-children');

async function atMain(program: string, args: readonly string[]): Promise<{ run: DapRun; thread: number }> {
  const run = await place.launched({ program, args, automaticCheckpoints: false }, (one) =>
    one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] }),
  );
  const { threadId } = await run.stopped('function breakpoint');
  await run.ask('setFunctionBreakpoints', { breakpoints: [] });
  return { run, thread: threadId };
}

async function typed(run: DapRun, command: string): Promise<string> {
  return (await run.ask('evaluate', { expression: `-exec ${command}`, context: 'repl' })).result;
}

async function stepOutTo(run: DapRun, thread: number, name: string): Promise<void> {
  for (let i = 0; i < 6 && (await run.top(thread)).name !== name; i++) {
    await run.ask('stepOut', { threadId: thread });
    await run.stopped('step');
  }
  expect((await run.top(thread)).name).toBe(name);
}

async function ends(run: DapRun, thread: number, text: RegExp): Promise<void> {
  await run.ask('continue', { threadId: thread });
  expect(await run.event('exited')).toEqual({ exitCode: 0 });
  await run.event('terminated');
  expect(run.output).toMatch(text);
  await place.finish(run);
}

it('catch fork stops there; steps go on in the parent, and both run to their ends', async () => {
  const { run, thread } = await atMain(children, ['fork']);
  expect(await typed(run, 'catch fork')).toMatch(/^Catchpoint \d+ \(fork\)/);
  await run.ask('continue', { threadId: thread });
  expect(await run.stopped('fork')).toMatchObject({ description: 'Paused at fork', threadId: thread });
  await run.ask('next', { threadId: thread });
  await run.stopped('step');
  await stepOutTo(run, thread, 'by_fork');
  await ends(run, thread, /^fork 1 of 1 text whole\n$/);
});

it('catch vfork stops there, and steps go on in the parent', async () => {
  const { run, thread } = await atMain(children, ['vfork']);
  await typed(run, 'catch vfork');
  await run.ask('continue', { threadId: thread });
  expect(await run.stopped('vfork')).toMatchObject({ description: 'Paused at vfork', threadId: thread });
  await run.ask('next', { threadId: thread });
  await run.stopped('step');
  await stepOutTo(run, thread, 'by_vfork');
  await ends(run, thread, /^vfork 1 of 1 text whole\n$/);
});

it('catch exec stops in the new image, which is stepped and runs to its breakpoint', async () => {
  const { run, thread } = await atMain(children, ['exec', '1']);
  await typed(run, 'catch exec');
  await run.ask('continue', { threadId: thread });
  expect(await run.stopped('exec')).toMatchObject({ description: 'Paused at exec', threadId: thread });
  await run.ask('next', { threadId: thread, granularity: 'instruction' });
  await run.stopped('step');
  await run.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'marked' }] });
  await run.ask('continue', { threadId: thread });
  await run.stopped('function breakpoint');
  await run.ask('stepOut', { threadId: thread });
  await run.stopped('step');
  expect((await run.top(thread)).name).toBe('main');
  await run.ask('next', { threadId: thread });
  await run.stopped('step');
  await ends(run, thread, /^last image\n$/);
});

it.each(['catch syscall write', 'tcatch syscall', 'cat sys 1'])(
  '%s is refused: the server has no such stops',
  async (command) => {
    const { run, thread } = await atMain(fixture('dap-basic'), []);
    const sentence = /cannot stop the program at system calls.*break write/;
    expect(await run.refusal('evaluate', { expression: `-exec ${command}`, context: 'repl' })).toMatch(sentence);
    expect(await run.refusal('evaluate', { expression: command, context: 'repl' })).toMatch(sentence);
    expect(await typed(run, 'info breakpoints')).not.toMatch(/catchpoint/);
    await ends(run, thread, /0 args\n$/);
  },
);
