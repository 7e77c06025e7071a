import { fixture } from '../support/cli-session';
import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = (args: Record<string, unknown>, lines: readonly string[] = []): Promise<DapRun> =>
  place.launched({ program, automaticCheckpoints: false, ...args }, (run) =>
    run.breakAt(
      source,
      lines.map((comment) => line(comment)),
    ),
  );

it('stops at main when that is asked for, and runs to the end', async () => {
  const run = await launched({ stopAtEntry: true });
  const { threadId } = await run.stopped('entry');
  expect((await run.top(threadId)).name).toBe('main');
  await run.ask('continue', { threadId });
  expect(await run.event('exited')).toEqual({ exitCode: 0 });
  await run.event('terminated');
  await place.finish(run);
});

it('pauses a running program and continues it', async () => {
  const run = await launched({ args: ['spin'] });
  await run.printed(/1 args/);
  await run.ask('pause', { threadId: 1 });
  const { threadId } = await run.stopped('pause');
  expect((await run.top(threadId)).name).toBe('end');
  await run.ask('continue', { threadId });
  await run.ask('pause', { threadId });
  await run.stopped('pause');
  await place.finish(run);
});

it('steps by instruction', async () => {
  const run = await launched({}, ['first stop']);
  const { threadId } = await run.stopped('breakpoint');
  const before = (await run.top(threadId)).instructionPointerReference!;
  await run.ask('next', { threadId, granularity: 'instruction' });
  await run.stopped('step');
  const after = (await run.top(threadId)).instructionPointerReference!;
  expect(Number(BigInt(after) - BigInt(before))).toBeGreaterThan(0);
  expect(Number(BigInt(after) - BigInt(before))).toBeLessThan(16);
  await run.ask('stepIn', { threadId, granularity: 'instruction' });
  await run.stopped('step');
  await place.finish(run);
});

it('steps by statement as by line', async () => {
  const run = await launched({}, ['first stop']);
  const { threadId } = await run.stopped('breakpoint');
  await run.ask('stepIn', { threadId, granularity: 'statement' });
  await run.stopped('step');
  expect((await run.top(threadId)).line).toBe(line('in add'));
  await run.ask('next', { threadId, granularity: 'statement' });
  await run.stopped('step');
  expect((await run.top(threadId)).line).toBe(line('in add') + 1);
  await run.ask('stepOut', { threadId, granularity: 'statement' });
  await run.stopped('step');
  expect(await run.top(threadId)).toMatchObject({ name: 'main', line: line('first stop') });
  await place.finish(run);
});

it('pages a deep stack', async () => {
  const run = await launched({}, ['deepest']);
  const { threadId } = await run.stopped('breakpoint');
  const page = await run.ask('stackTrace', { threadId, startFrame: 40, levels: 5 });
  expect(page.stackFrames.map((frame: { name: string }) => frame.name)).toEqual(['deep', 'deep', 'deep', 'deep', 'deep']);
  expect(page.totalFrames).toBe(52);
  const all = await run.ask('stackTrace', { threadId, format: { parameters: true } });
  expect(all.stackFrames).toHaveLength(52);
  expect(all.stackFrames[1].name).toBe('deep(n=1)');
  expect((await run.ask('stackTrace', { threadId, startFrame: 60, levels: 5 })).stackFrames).toEqual([]);
  await place.finish(run);
});

it('pages a stack of ten thousand frames, in reasonable time', async () => {
  const run = await place.launched({ program, automaticCheckpoints: false }, (one) =>
    one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'deep', condition: 'n == 50' }] }),
  );
  const { threadId } = await run.stopped('function breakpoint');
  await run.ask('evaluate', { expression: 'n = 10000', context: 'repl' });
  await run.ask('setFunctionBreakpoints', { breakpoints: [] });
  await run.breakAt(source, [line('deepest')]);
  await run.ask('continue', { threadId });
  await run.stopped('breakpoint');
  const total = 10_000 + 2;
  for (const startFrame of [0, 5000, 9990]) {
    const began = performance.now();
    const { stackFrames, totalFrames } = await run.ask('stackTrace', { threadId, startFrame, levels: 20 });
    expect(performance.now() - began).toBeLessThan(5000);
    const names = stackFrames.map((frame: { name: string }) => frame.name);
    const left = Math.min(20, total - startFrame);
    const isEnd = startFrame + 20 >= total;
    expect(names).toEqual(Array.from({ length: left }, (_, i) => (isEnd && i === left - 1 ? 'main' : 'deep')));
    // What is not known yet may only be told as "there is more".
    if (isEnd) expect(totalFrames).toBe(total);
    else expect(totalFrames).toBeGreaterThan(startFrame + 20);
    expect(totalFrames).toBeLessThanOrEqual(total);
    const n = (await run.ask('evaluate', { expression: 'n', frameId: stackFrames[1].id, context: 'watch' })).result;
    expect(n).toBe(String(startFrame + 1));
  }
  await place.finish(run);
});

it('jumps to a line of the same function, and not to another', async () => {
  const run = await launched({}, ['first stop']);
  const { threadId } = await run.stopped('breakpoint');
  const targets = async (comment: string): Promise<any[]> =>
    (await run.ask('gotoTargets', { source: { path: source }, line: line(comment) })).targets;
  const [here] = await targets('print');
  expect(here.line).toBe(line('print'));
  await run.ask('goto', { threadId, targetId: here.id });
  await run.stopped('goto');
  expect((await run.top(threadId)).line).toBe(line('print'));
  expect(await run.value('p.x', threadId)).toBe('1');
  const [there] = await targets('in add');
  expect(await run.refusal('goto', { threadId, targetId: there.id })).toMatch(/the program is in main/);
  expect(await run.ask('gotoTargets', { source: { path: '/nowhere.c' }, line: 3 })).toEqual({ targets: [] });
  await place.finish(run);
});

it('a command typed in the console that runs the program is seen', async () => {
  const run = await launched({}, ['first stop']);
  await run.stopped('breakpoint');
  await run.ask('evaluate', { expression: '-exec next', context: 'repl' });
  await run.event('continued');
  await run.stopped('step');
  await place.finish(run);
});

it('counts lines from 0 and writes paths as URIs when the client does', async () => {
  const run = await place.start();
  await run.initialize({ linesStartAt1: false, columnsStartAt1: false, pathFormat: 'uri' });
  await run.launch({ program }, async () => {
    const breakpoints = await run.breakAt(`file://${source}`, [line('first stop') - 1]);
    expect(breakpoints[0]).toMatchObject({ verified: true, line: line('first stop') - 1 });
  });
  const { threadId } = await run.stopped('breakpoint');
  const { line: at, column, source: file } = await run.top(threadId);
  expect([at, column, file!.path]).toEqual([line('first stop') - 1, 0, `file://${source}`]);
  await place.finish(run);
});

describe('many threads', () => {
  it('are told, named, listed, and each has its stack', async () => {
    const run = await place.start({ strict: ['thread'] });
    await run.initialize();
    const threads = fixture('gdb-threads');
    await run.launch({ program: threads, args: ['4', '2'] }, () =>
      run.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'all_started' }] }),
    );
    const { threadId } = await run.stopped('function breakpoint');
    for (let i = 0; i < 5; i++) await run.event('thread', ({ reason }) => reason === 'started');
    const { threads: list } = await run.ask('threads');
    expect(list.map((one: { name: string }) => one.name).filter((name: string) => /^worker-\d \(\d+\)$/.test(name))).toHaveLength(
      4,
    );
    for (const { id } of list) expect((await run.ask('stackTrace', { threadId: id })).stackFrames.length).toBeGreaterThan(1);
    await run.ask('setFunctionBreakpoints', { breakpoints: [] });
    await run.ask('continue', { threadId });
    for (let i = 0; i < 5; i++) await run.event('thread', ({ reason }) => reason === 'exited');
    await run.event('exited');
    await run.event('terminated');
    await place.finish(run);
  });

  it('come back with a checkpoint, with thread events before the stop', async () => {
    const run = await place.start();
    await run.initialize();
    await run.launch({ program: fixture('gdb-threads'), args: ['3', '2'], automaticCheckpoints: false }, () =>
      run.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'all_started' }] }),
    );
    const { threadId } = await run.stopped('function breakpoint');
    const { checkpoint } = await run.ask('checkpoint/take');
    expect(checkpoint.threads).toBe(4);
    await run.ask('continue', { threadId });
    await run.event('exited');
    await run.stopped('exit');
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    await run.restored();
    expect((await run.ask('threads')).threads).toHaveLength(4);
    await place.finish(run);
  });
});
