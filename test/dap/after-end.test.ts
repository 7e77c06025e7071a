/** Ways back from where nothing can be run any more: the program has ended, or has got a signal that will end it. */

import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

/** However long one takes on a busy machine. */
const always = { timeShare: 1e9 };

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

interface Ended {
  readonly run: DapRun;
  readonly thread: number;
}

/** A named checkpoint at the first stop, a stop at the print, and then the end. */
async function beforeEnd(how: string): Promise<Ended> {
  const run = await place.launched({ program, args: [how], automaticCheckpoints: always }, (one) =>
    one.breakAt(source, [line('first stop'), line('print')]),
  );
  const { threadId } = await run.stopped('breakpoint');
  await run.ask('checkpoint/take', { label: 'named' });
  await run.ask('continue', { threadId });
  await run.stopped('breakpoint');
  await run.ask('continue', { threadId });
  return { run, thread: threadId };
}

const states: Readonly<Record<string, () => Promise<Ended>>> = {
  'the end': async () => {
    const { run } = await beforeEnd('exit3');
    await run.event('exited');
    return { run, thread: (await run.stopped('exit')).threadId };
  },
  'a crash': async () => {
    const { run, thread } = await beforeEnd('crash');
    expect((await run.stopped('exception')).description).toBe('SIGSEGV');
    return { run, thread };
  },
  'the end by a crash': async () => {
    const { run, thread } = await beforeEnd('crash');
    await run.stopped('exception');
    await run.ask('continue', { threadId: thread });
    expect(await run.event('exited')).toEqual({ exitCode: 139 });
    return { run, thread: (await run.stopped('exit')).threadId };
  },
};

describe.each(Object.keys(states))('after %s', (state) => {
  const reach = states[state]!;

  it('Step Back leads to the stop before, and the program runs to its end again', async () => {
    const { run, thread } = await reach();
    await run.ask('stepBack', { threadId: thread });
    const back = await run.stopped('goto');
    if (state === 'the end by a crash') {
      expect((await run.top(back.threadId)).line).toBe(line('crash'));
      await run.ask('stepBack', { threadId: back.threadId });
      await run.stopped('goto');
    }
    expect((await run.top(back.threadId)).line).toBe(line('print'));
    expect(await run.value('global_counter', back.threadId)).toBe('42');
    await run.ask('continue', { threadId: back.threadId });
    if (state === 'the end') {
      expect(await run.event('exited')).toEqual({ exitCode: 3 });
      await run.stopped('exit');
    } else expect((await run.stopped('exception')).description).toBe('SIGSEGV');
    await run.disconnect();
    await place.expectNothingLeft();
  });

  it('Reverse leads to the named checkpoint', async () => {
    const { run, thread } = await reach();
    await run.ask('reverseContinue', { threadId: thread });
    const back = await run.stopped('goto');
    expect(back.description).toMatch(/"named"/);
    expect((await run.top(back.threadId)).line).toBe(line('first stop'));
    expect(await run.value('global_counter', back.threadId)).toBe('7');
    await place.finish(run);
  });

  it('Restart runs the same process from its beginning', async () => {
    const { run } = await reach();
    await run.event('process');
    await run.ask('restart');
    await run.event('continued');
    const { threadId } = await run.stopped('breakpoint');
    expect((await run.top(threadId)).line).toBe(line('first stop'));
    expect(await run.value('global_counter', threadId)).toBe('7');
    expect(run.events().filter(({ event }) => event === 'process')).toEqual([]);
    await place.finish(run);
  });
});

it('Restart of a running program runs it from its beginning', async () => {
  const run = await place.launched({ program, args: ['wait'], automaticCheckpoints: false }, (one) =>
    one.breakAt(source, [line('first stop')]),
  );
  const { threadId } = await run.stopped('breakpoint');
  await run.event('process');
  await run.ask('continue', { threadId });
  await run.printed(/1 args/);
  await run.ask('restart');
  await run.event('continued');
  const again = await run.stopped('breakpoint');
  expect((await run.top(again.threadId)).line).toBe(line('first stop'));
  expect(await run.value('global_counter', again.threadId)).toBe('7');
  expect(run.events().filter(({ event }) => event === 'process')).toEqual([]);
  await place.finish(run);
});
