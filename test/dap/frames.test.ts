/** Frames that are entered again, functions that are chosen to step into, code without sources. */

import { execFileSync } from 'node:child_process';
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

const launched = (args: Record<string, unknown>, set: (run: DapRun) => Promise<unknown>): Promise<DapRun> =>
  place.launched({ program, ...args }, set);

describe('Restart Frame', () => {
  it('is the state when that very call began, also of many that look alike', async () => {
    const run = await launched({ automaticCheckpoints: always }, (one) =>
      one.breakAt(source, [line('first stop'), { line: line('end of add'), condition: 'b == 3' }]),
    );
    const { threadId } = await run.stopped('breakpoint');
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    expect(await run.value('sum', threadId)).toBe('8');
    const frame = await run.top(threadId);
    await run.ask('restartFrame', { frameId: frame.id });
    const again = await run.stopped('restart');
    expect(again.description).toBe('At the beginning of add again');
    await run.ask('next', { threadId });
    await run.stopped('step');
    // The fourth call of add in the loop, and nothing of it has happened yet.
    expect(await run.value('b', threadId)).toBe('3');
    expect(await run.value('global_counter', threadId)).toBe('22');
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    expect(await run.value('global_counter', threadId)).toBe('30');
    await place.finish(run);
  });

  it('of an outer frame leaves the inner ones, and can itself be undone by Step Back', async () => {
    const run = await launched({ automaticCheckpoints: always }, (one) =>
      one.breakAt(source, [line('first stop'), line('deepest')]),
    );
    const { threadId } = await run.stopped('breakpoint');
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    const { stackFrames } = await run.ask('stackTrace', { threadId, startFrame: 30, levels: 1 });
    const n = (await run.ask('evaluate', { expression: 'n', frameId: stackFrames[0].id, context: 'watch' })).result;
    await run.ask('restartFrame', { frameId: stackFrames[0].id });
    await run.stopped('restart');
    expect((await run.ask('stackTrace', { threadId })).totalFrames).toBe(52 - 30);
    await run.ask('next', { threadId });
    await run.stopped('step');
    expect(await run.value('n', threadId)).toBe(n);
    await place.finish(run);
  });

  it('of a function that was called before there were checkpoints, or that nobody called, is refused and changes nothing', async () => {
    const run = await launched({ automaticCheckpoints: false }, (one) => one.breakAt(source, [line('in add')]));
    const { threadId } = await run.stopped('breakpoint');
    await run.ask('checkpoint/take', { label: 'inside' });
    await run.ask('checkpoint/drop', { id: 0 });
    const frame = await run.top(threadId);
    expect(await run.refusal('restartFrame', { frameId: frame.id })).toMatch(/no checkpoint from before add was entered/);
    expect(await run.refusal('restartFrame', { frameId: 987_654 })).toMatch(/no frame 987654/);
    expect(await run.value('a', threadId)).toBe('1');
    await place.finish(run);
  });

  it('that fails on its way puts the present back', async () => {
    // What it reads is read already: the second time, the call does not come.
    const run = await launched({ args: ['echo'] }, (one) =>
      one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'deep', condition: 'n == 0' }] }),
    );
    const { threadId } = await run.stopped('function breakpoint');
    await run.ask('setFunctionBreakpoints', { breakpoints: [] });
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'inside deep' });
    const frame = await run.top(threadId);
    // The caller's part of the stack and its registers are made others, so no call is this one.
    await run.ask('evaluate', { expression: '$rbx = 12345', context: 'repl' });
    const before = await run.value('$rsp', threadId);
    const moved = run.refusal('restartFrame', { frameId: frame.id });
    // It waits for input again; whoever does not want to wait for it pauses.
    await run.printed(/name\? $/);
    await run.ask('pause', { threadId });
    expect(await moved).toMatch(/did not come to this call of deep again/);
    expect((await run.stopped('goto')).description).toBe('Back where it was');
    expect(await run.value('$rsp', threadId)).toBe(before);
    expect(await run.value('$rbx', threadId)).toBe('12345');
    expect(checkpoint.label).toBe('inside deep');
    await place.finish(run);
  });
});

describe('Step Into Target', () => {
  it('offers what the line calls, and goes into that only', async () => {
    const text = fixture('dap-calls');
    const file = `${root}/test/fixtures/dap-calls.c`;
    const run = await launched({ program: text, automaticCheckpoints: false }, (one) =>
      one.breakAt(file, [lineOf(file, 'many calls'), lineOf(file, 'skipped call')]),
    );
    const { threadId } = await run.stopped('breakpoint');
    const frame = await run.top(threadId);
    const { targets } = await run.ask('stepInTargets', { frameId: frame.id });
    expect(targets.map((one: { label: string }) => one.label)).toEqual(['inner', 'twice', 'outer']);
    const id = (label: string): number => targets.find((one: { label: string }) => one.label === label).id;
    await run.ask('stepIn', { threadId, targetId: id('outer') });
    await run.stopped('step');
    expect((await run.top(threadId)).name).toBe('outer');
    expect(await run.value('a', threadId)).toBe('6');
    expect(await run.refusal('stepIn', { threadId, targetId: id('outer') })).toMatch(/no step-in target/);
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    // Not called this time: the step ends behind the line.
    const { targets: others } = await run.ask('stepInTargets', { frameId: (await run.top(threadId)).id });
    expect(others.map((one: { label: string }) => one.label)).toEqual(['outer']);
    await run.ask('stepIn', { threadId, targetId: others[0].id });
    await run.stopped('step');
    expect((await run.top(threadId)).name).toBe('main');
    await place.finish(run);
  });
});

describe('code without a source file', () => {
  it('is shown as machine code, with breakpoints on its lines', async () => {
    const stripped = `${place.place.directory}/stripped`;
    execFileSync('strip', ['-g', '-o', stripped, program]);
    const run = await launched({ program: stripped, automaticCheckpoints: false }, (one) =>
      one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'add' }] }),
    );
    expect(run.console).toMatch(/stripped has no debug information: .*compile it with -g/i);
    const { threadId } = await run.stopped('function breakpoint');
    const { stackFrames } = await run.ask('stackTrace', { threadId });
    const [top] = stackFrames;
    expect(top.source).toMatchObject({ presentationHint: 'deemphasize', sourceReference: expect.any(Number) });
    expect(top.source.path).toBeUndefined();
    const { content, mimeType } = await run.ask('source', { source: top.source, sourceReference: top.source.sourceReference });
    expect(mimeType).toBe('text/x-asm');
    const lines = content.split('\n');
    expect(BigInt(lines[top.line - 1].split(' ')[0])).toBe(BigInt(top.instructionPointerReference));
    expect(stackFrames.map((one: { name: string }) => one.name)).toEqual(expect.arrayContaining(['add', 'main']));
    await run.ask('setFunctionBreakpoints', { breakpoints: [] });
    const { breakpoints: places } = await run.ask('breakpointLocations', { source: top.source, line: 1, endLine: 3 });
    expect(places).toEqual([{ line: 1 }, { line: 2 }, { line: 3 }]);
    const next = top.line + 1;
    const { breakpoints } = await run.ask('setBreakpoints', { source: top.source, breakpoints: [{ line: next }] });
    expect(breakpoints[0]).toMatchObject({ verified: true });
    await run.ask('continue', { threadId });
    await run.stopped('instruction breakpoint');
    const now = await run.top(threadId);
    expect([now.line, now.source!.sourceReference]).toEqual([next, top.source.sourceReference]);
    expect(await run.refusal('source', { sourceReference: 9999 })).toMatch(/no source of number 9999/);
    expect(await run.refusal('setBreakpoints', { source: {}, breakpoints: [] })).toMatch(/no path/);
    await run.disconnect();
  });
});

test('lines with code are told for a file', async () => {
  const run = await launched({ automaticCheckpoints: false }, (one) => one.breakAt(source, [line('first stop')]));
  await run.stopped('breakpoint');
  const ask = async (from: number, to?: number): Promise<number[]> =>
    (
      await run.ask('breakpointLocations', { source: { path: source }, line: from, ...(to === undefined ? {} : { endLine: to }) })
    ).breakpoints.map((one: { line: number }) => one.line);
  expect(await ask(line('in add') - 1, line('end of add') + 1)).toEqual(
    [0, 1, 2, 3, 4].map((i) => line('in add') - 1 + i).filter((one) => one <= line('end of add') + 1),
  );
  expect(await ask(line('first stop'))).toEqual([line('first stop')]);
  expect(await ask(1, 5)).toEqual([]);
  expect((await run.ask('breakpointLocations', { source: { path: '/nowhere.c' }, line: 1 })).breakpoints).toEqual([]);
  await place.finish(run);
});
