import { fixture, root } from '../support/cli-session';
import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

/** However long one takes on a busy machine. */
const always = { timeShare: 1e9 };

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

async function atFirstStop(
  more: Record<string, unknown> = {},
  lines: readonly string[] = ['first stop'],
  strict: readonly string[] = [],
): Promise<{ run: DapRun; thread: number }> {
  const run = await place.start({ strict });
  await run.initialize();
  await run.launch({ program, automaticCheckpoints: false, ...more }, () =>
    run.breakAt(
      source,
      lines.map((comment) => line(comment)),
    ),
  );
  const { threadId } = await run.stopped('breakpoint');
  return { run, thread: threadId };
}

async function step(run: DapRun, thread: number, command = 'next'): Promise<void> {
  await run.ask(command, { threadId: thread });
  await run.stopped('step');
}

describe('taking and going back', () => {
  it('restores a variable, in the same process, with one stop that says so', async () => {
    const { run, thread } = await atFirstStop({}, ['first stop'], ['checkpoint/changed', 'process', 'thread']);
    await run.event('process');
    await run.event('thread');
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'before adding' });
    expect(checkpoint).toMatchObject({
      label: 'before adding',
      automatic: false,
      threads: 1,
      stop: { reason: 'breakpoint', threadId: thread, source, line: line('first stop'), function: 'main' },
    });
    expect(await run.event('checkpoint/changed')).toEqual({ reason: 'taken', id: checkpoint.id, currentId: checkpoint.id });
    await step(run, thread);
    expect(await run.value('p.x', thread)).toBe('5');
    expect(await run.value('global_counter', thread)).toBe('12');
    const restored = await run.ask('checkpoint/restore', { id: checkpoint.id });
    expect(await run.event('continued')).toEqual({ threadId: thread, allThreadsContinued: true });
    expect(await run.event('stopped')).toEqual({
      reason: 'goto',
      description: `Restored to checkpoint ${checkpoint.id} "before adding"`,
      threadId: thread,
      allThreadsStopped: true,
    });
    expect(await run.event('checkpoint/changed')).toMatchObject({ reason: 'taken', id: restored.savedId });
    expect(await run.event('checkpoint/changed')).toEqual({
      reason: 'restored',
      id: checkpoint.id,
      currentId: checkpoint.id,
      fromId: restored.savedId,
    });
    expect((await run.top(thread)).line).toBe(line('first stop'));
    expect(await run.value('p.x', thread)).toBe('1');
    expect(await run.value('global_counter', thread)).toBe('7');
    const { checkpoints, currentId } = await run.ask('checkpoint/list');
    expect(currentId).toBe(checkpoint.id);
    expect(checkpoints.map((one: { label: string }) => one.label)).toEqual([
      'entry',
      'before adding',
      `before going back to ${checkpoint.id}`,
    ]);
    await place.finish(run);
  });

  it('can itself be undone', async () => {
    const { run, thread } = await atFirstStop();
    const { checkpoint } = await run.ask('checkpoint/take');
    await step(run, thread);
    const { savedId } = await run.ask('checkpoint/restore', { id: checkpoint.id });
    await run.restored();
    await run.ask('checkpoint/restore', { id: savedId });
    await run.restored();
    expect(await run.value('p.x', thread)).toBe('5');
    await place.finish(run);
  });

  it('does not keep the present when that is not wanted, or when it is kept already', async () => {
    const { run, thread } = await atFirstStop();
    const { checkpoint } = await run.ask('checkpoint/take');
    expect((await run.ask('checkpoint/restore', { id: checkpoint.id })).savedId).toBeUndefined();
    await run.restored();
    await step(run, thread);
    expect((await run.ask('checkpoint/restore', { id: checkpoint.id, saveCurrent: false })).savedId).toBeUndefined();
    await run.restored();
    await place.finish(run);
  });

  it('makes all references void', async () => {
    const { run, thread } = await atFirstStop();
    const { checkpoint } = await run.ask('checkpoint/take');
    const frame = await run.top(thread);
    const { scopes } = await run.ask('scopes', { frameId: frame.id });
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    await run.restored();
    expect(await run.refusal('scopes', { frameId: frame.id })).toMatch(/no frame/);
    expect(await run.refusal('variables', { variablesReference: scopes[0].variablesReference })).toMatch(/no variable/);
    await place.finish(run);
  });

  it('takes while the program runs, which it then does by itself, and goes back from running', async () => {
    const { run, thread } = await atFirstStop({ args: ['wait'] });
    await run.ask('continue', { threadId: thread });
    await run.printed(/1 args/);
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'waiting' });
    expect(checkpoint.stop).toBeUndefined();
    expect(await run.refusal('stackTrace', { threadId: thread })).toBe('notStopped');
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    expect((await run.stopped('goto')).description).toBe(`Restored to checkpoint ${checkpoint.id} "waiting"`);
    expect(await run.value('global_counter', thread)).toBe('42');
    await place.finish(run);
  });

  it('drops what was taken for a request that was cancelled meanwhile', async () => {
    const { run } = await atFirstStop();
    const requestId = (run.client as unknown as { sequence: number }).sequence;
    const answer = run.refusal('checkpoint/take', { label: 'unwanted' });
    await run.ask('cancel', { requestId });
    expect(await answer).toBe('cancelled');
    expect((await run.ask('checkpoint/list')).checkpoints.map((one: { label: string }) => one.label)).toEqual(['entry']);
    await place.finish(run);
  });

  it('refuses unknown numbers and words that are none', async () => {
    const { run } = await atFirstStop();
    for (const id of [77, -1, 'x', undefined]) {
      expect(await run.refusal('checkpoint/restore', { id })).toMatch(
        /no checkpoint 77|is not the number|"id" (is missing|must be a whole number)/,
      );
      expect(await run.refusal('checkpoint/drop', { id })).toMatch(
        /No checkpoint number 77|is not the number|"id" (is missing|must be a whole number)/,
      );
    }
    await place.finish(run);
  });

  it('does one of two restores after the other', async () => {
    const { run, thread } = await atFirstStop();
    const { checkpoint: a } = await run.ask('checkpoint/take');
    await step(run, thread);
    const { checkpoint: b } = await run.ask('checkpoint/take');
    const both = [run.ask('checkpoint/restore', { id: a.id }), run.ask('checkpoint/restore', { id: b.id })];
    await Promise.all(both);
    await run.restored();
    await run.restored();
    expect(await run.value('p.x', thread)).toBe('5');
    await place.finish(run);
  });

  it('renames, drops and looks ahead', async () => {
    const { run } = await atFirstStop({}, ['first stop'], ['checkpoint/changed']);
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'a' });
    await run.event('checkpoint/changed');
    await run.ask('checkpoint/rename', { id: checkpoint.id, label: 'another name' });
    expect(await run.event('checkpoint/changed')).toMatchObject({ reason: 'renamed', id: checkpoint.id });
    expect((await run.ask('checkpoint/list')).checkpoints[1].label).toBe('another name');
    expect(await run.ask('checkpoint/preflight')).toMatchObject({ possible: true });
    await run.ask('checkpoint/drop', { id: checkpoint.id });
    expect(await run.event('checkpoint/changed')).toMatchObject({ reason: 'dropped', id: checkpoint.id });
    expect((await run.ask('checkpoint/list')).checkpoints).toHaveLength(1);
    await place.finish(run);
  });
});

describe('automatic checkpoints', () => {
  it('make Step Back the previous stop, exactly', async () => {
    const { run, thread } = await atFirstStop({ automaticCheckpoints: always });
    const seen: [number, string][] = [];
    for (let i = 0; i < 4; i++) {
      seen.push([(await run.top(thread)).line, await run.value('global_counter', thread)]);
      await step(run, thread, 'stepIn');
    }
    for (const [number, value] of [...seen].reverse()) {
      await run.ask('stepBack', { threadId: thread });
      await run.stopped('goto');
      expect([(await run.top(thread)).line, await run.value('global_counter', thread)]).toEqual([number, value]);
    }
    await run.ask('stepBack', { threadId: thread });
    await run.stopped('goto');
    expect(await run.refusal('stepBack', { threadId: thread })).toMatch(/no earlier stop/);
    await place.finish(run);
  });

  it('branch: after going back, the next stop has the one gone back to before it', async () => {
    const { run, thread } = await atFirstStop({ automaticCheckpoints: always });
    await step(run, thread);
    await step(run, thread);
    await run.ask('stepBack', { threadId: thread });
    await run.stopped('goto');
    const back = (await run.top(thread)).line;
    await step(run, thread);
    await run.ask('stepBack', { threadId: thread });
    await run.stopped('goto');
    expect((await run.top(thread)).line).toBe(back);
    await place.finish(run);
  });

  it('make Reverse the previous checkpoint that somebody took, or the entry', async () => {
    const { run, thread } = await atFirstStop({ automaticCheckpoints: always });
    await run.ask('checkpoint/take', { label: 'named' });
    await step(run, thread);
    await step(run, thread);
    await run.ask('reverseContinue', { threadId: thread });
    expect((await run.stopped('goto')).description).toMatch(/"named"/);
    await run.ask('reverseContinue', { threadId: thread });
    expect((await run.stopped('goto')).description).toMatch(/"entry"/);
    await place.finish(run);
  });

  it('go past stops that have none when they had to be few, and say so', async () => {
    // What may be spent at once is spent after some steps, and nothing is earned.
    const { run, thread } = await atFirstStop({ automaticCheckpoints: { timeShare: 1e-9 } });
    const newest = async (): Promise<number> => {
      const { checkpoints } = await run.ask('checkpoint/list');
      return Number(/^stop (\d+)$/.exec(checkpoints.at(-1).label)![1]);
    };
    let stops = 1;
    for (; (await newest()) === stops; stops++) await step(run, thread, 'stepIn');
    const last = await newest();
    expect(last).toBe(stops - 1);
    await step(run, thread, 'stepIn');
    await step(run, thread, 'stepIn');
    await run.ask('stepBack', { threadId: thread });
    expect((await run.stopped('goto')).description).toMatch(`"stop ${last}"`);
    await run.said(/The 2 stops before have no checkpoint/);
    const passed = run.groups().groups.find(({ heading }) => heading.startsWith('The 2 stops before'))!;
    expect(passed.folded).toBe(true);
    expect(passed.lines).toEqual([0, 1].map(() => expect.stringMatching(/^dap-basic\.c:\d+, \w+ \(step\)$/)));
    await run.ask('stepBack', { threadId: thread });
    expect((await run.stopped('goto')).description).toMatch(`"stop ${last - 1}"`);
    expect(run.console.match(/no checkpoint/g)).toHaveLength(1);
    await place.finish(run);
  });

  it('stay within their number', async () => {
    const { run, thread } = await atFirstStop({ automaticCheckpoints: { ...always, most: 3 } });
    for (let i = 0; i < 8; i++) await step(run, thread);
    const { checkpoints } = await run.ask('checkpoint/list');
    expect(checkpoints.filter((one: { label: string }) => one.label.startsWith('stop')).length).toBe(3);
    expect(checkpoints.at(-1).label).toBe('stop 9');
    await place.finish(run);
  });

  it('are not taken when they are switched off', async () => {
    const { run, thread } = await atFirstStop();
    await step(run, thread);
    expect((await run.ask('checkpoint/list')).checkpoints).toHaveLength(1);
    await place.finish(run);
  });
});

describe('after the end of the program', () => {
  it.each([
    ['exit3', 3, /status 3/],
    ['abort', 134, /SIGABRT/],
  ])('%s: the session stays while there is a checkpoint, and goes back', async (how, code, words) => {
    const { run, thread } = await atFirstStop({ args: [how] }, ['first stop'], ['process']);
    await run.event('process');
    const { checkpoint } = await run.ask('checkpoint/take');
    await run.ask('continue', { threadId: thread });
    if (how === 'abort') {
      expect((await run.stopped('exception')).description).toBe('SIGABRT');
      await run.ask('continue', { threadId: thread });
    }
    expect(await run.event('exited')).toEqual({ exitCode: code });
    const stop = await run.stopped('exit');
    expect(stop.description).toMatch(words);
    expect((await run.ask('threads')).threads).toEqual([{ id: stop.threadId, name: 'ended' }]);
    expect((await run.ask('stackTrace', { threadId: stop.threadId })).stackFrames).toEqual([]);
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    const back = await run.restored();
    expect(await run.value('p.x', back.threadId)).toBe('1');
    await place.finish(run);
  });

  it('a continue then ends the session', async () => {
    const { run, thread } = await atFirstStop();
    await run.ask('checkpoint/take');
    await run.ask('continue', { threadId: thread });
    await run.event('exited');
    const { threadId } = await run.stopped('exit');
    await run.ask('continue', { threadId });
    await run.event('terminated');
    await place.finish(run);
  });
});

describe('restart', () => {
  it('is the entry checkpoint: the same process runs again', async () => {
    const { run } = await atFirstStop({}, ['first stop'], ['process']);
    const { systemProcessId } = await run.event('process');
    await run.ask('restart');
    await run.event('continued');
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.value('global_counter', threadId)).toBe('7');
    expect(systemProcessId).toBeGreaterThan(0);
    await place.finish(run);
  });

  it('with other arguments is another process', async () => {
    const { run, thread } = await atFirstStop({}, ['print'], ['process']);
    const { systemProcessId } = await run.event('process');
    await run.ask('restart', { arguments: { program, args: ['a', 'b c'], automaticCheckpoints: false } });
    await run.event('continued');
    await run.stopped('breakpoint');
    expect((await run.event('process')).systemProcessId).not.toBe(systemProcessId);
    await run.ask('continue', { threadId: thread });
    await run.event('exited');
    await run.event('terminated');
    expect(run.output).toMatch(/2 args \[a\] \[b c\]/);
    await place.finish(run);
  });
});

describe("gdb's own commands in the debug console", () => {
  it('work on the same tree', async () => {
    const { run, thread } = await atFirstStop({}, ['first stop'], ['checkpoint/changed']);
    const typed = async (expression: string): Promise<string> =>
      (await run.ask('evaluate', { expression, context: 'repl' })).result;
    expect(await typed('checkpoint by hand')).toMatch(/Checkpoint 1: process/);
    expect(await run.event('checkpoint/changed')).toEqual({ reason: 'taken', id: 1, currentId: 1 });
    await step(run, thread);
    await typed('-exec restart 1');
    expect((await run.stopped('goto')).description).toBe('Restored to checkpoint 1 "by hand"');
    expect(await run.event('checkpoint/changed')).toMatchObject({ reason: 'restored', id: 1 });
    expect(await run.value('p.x', thread)).toBe('1');
    await typed('>delete checkpoint 1');
    expect(await run.event('checkpoint/changed')).toMatchObject({ reason: 'dropped', id: 1 });
    await run.event('continued');
    await place.finish(run);
  });
});

describe('another client of the same session', () => {
  const control = async (...words: string[]): Promise<string> => {
    const { code, output } = await place.place.run(words);
    expect([code, output]).toEqual([0, expect.any(String)]);
    return output;
  };

  it('takes, renames and drops; the editor hears of it, whether the program stands or runs', async () => {
    const { run, thread } = await atFirstStop({ args: ['wait'] }, ['first stop'], ['checkpoint/changed']);
    await control('checkpoint', '--label', 'from outside');
    expect(await run.event('checkpoint/changed')).toEqual({ reason: 'taken', id: 1, currentId: 1 });
    await run.ask('continue', { threadId: thread });
    await run.printed(/1 args/);
    await control('checkpoint', '--label', 'while it runs');
    expect(await run.event('checkpoint/changed')).toEqual({ reason: 'taken', id: 2, currentId: 2 });
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'by the editor' });
    expect(await run.event('checkpoint/changed')).toMatchObject({ reason: 'taken', id: checkpoint.id });
    expect(await control('list')).toMatch(/from outside[^]*while it runs[^]*by the editor/);
    await control('drop', '1');
    expect(await run.event('checkpoint/changed')).toMatchObject({ reason: 'dropped', id: 1 });
    const { checkpoints } = await run.ask('checkpoint/list');
    expect(checkpoints.map((one: { label: string }) => one.label)).toEqual(['entry', 'while it runs', 'by the editor']);
    expect(await run.refusal('stackTrace', { threadId: thread })).toBe('notStopped');
    await place.finish(run);
  });

  it.each(['stands', 'runs'])('goes back while the program %s: one ordinary stop', async (how) => {
    const { run, thread } = await atFirstStop({ args: ['wait'] });
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'goal' });
    if (how === 'runs') {
      await run.ask('continue', { threadId: thread });
      await run.printed(/1 args/);
    } else await step(run, thread);
    await control('restore', String(checkpoint.id));
    const stop = await run.stopped('goto');
    expect(stop.description).toBe(`Restored to checkpoint ${checkpoint.id} "goal"`);
    if (how === 'stands') await run.event('continued');
    // The state that was left is kept, by whoever restores.
    for (const [reason, id] of [
      ['taken', 1],
      ['taken', 2],
      ['restored', 1],
    ])
      expect(await run.event('checkpoint/changed')).toMatchObject({ reason, id });
    expect(await run.value('p.x', stop.threadId)).toBe('1');
    await place.finish(run);
  });
});

describe('a take of much memory', () => {
  const big = fixture('dap-big');
  const bigSource = `${root}/test/fixtures/dap-big.c`;

  it('is shown as progress, and cancelled by it: nothing of it stays, and the program is unharmed', async () => {
    const run = await place.start();
    await run.initialize({ supportsProgressReporting: true });
    await run.launch({ program: big, args: ['1024', '5'], automaticCheckpoints: false }, () =>
      run.breakAt(bigSource, [lineOf(bigSource, 'full')]),
    );
    const { threadId } = await run.stopped('breakpoint');
    const answer = run.refusal('checkpoint/take', { label: 'too large' });
    const { progressId, title, cancellable } = await run.event('progressStart');
    expect({ title, cancellable }).toEqual({ title: 'Taking a checkpoint', cancellable: true });
    await run.ask('cancel', { progressId });
    expect(await answer).toBe('cancelled');
    await run.event('progressEnd', (body) => body.progressId === progressId);
    expect((await run.ask('checkpoint/list')).checkpoints.map((one: { label: string }) => one.label)).toEqual(['entry']);
    await run.ask('continue', { threadId });
    await run.printed(/sound after 5 rounds/);
    await run.event('exited');
    await run.event('terminated');
    await place.finish(run);
  });
});
