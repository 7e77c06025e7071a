import { fixture, root } from '../support/cli-session';
import { launching, line, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const cpp = fixture('dap-cpp');
const cppSource = `${root}/test/fixtures/dap-cpp.cc`;

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = launching(() => place);

async function ends(run: DapRun): Promise<void> {
  await run.event('exited');
  await run.event('terminated');
  await place.finish(run);
}

async function go(run: DapRun, threadId: number): Promise<void> {
  await run.ask('continue', { threadId });
}

describe('breakpoints on lines', () => {
  it('stop only when their condition holds', async () => {
    const run = await launched({}, (one) => one.breakAt(source, [{ line: line('in loop'), condition: 'i == 3' }]));
    const { threadId, hitBreakpointIds } = await run.stopped('breakpoint');
    expect(hitBreakpointIds).toHaveLength(1);
    expect(await run.value('i', threadId)).toBe('3');
    await go(run, threadId);
    await ends(run);
  });

  it.each([
    ['3', ['2', '3', '4']],
    ['>= 4', ['3', '4']],
    ['== 2', ['1']],
    ['% 2', ['1', '3']],
    ['> 4', ['4']],
  ])('with the hit condition %s stop when it holds', async (hitCondition, values) => {
    const run = await launched({}, (one) => one.breakAt(source, [{ line: line('in loop'), hitCondition }]));
    for (const value of values) {
      const { threadId } = await run.stopped('breakpoint');
      expect(await run.value('i', threadId)).toBe(value);
      await go(run, threadId);
    }
    await ends(run);
  });

  it('with a message print and do not stop, and a step over them goes on', async () => {
    const run = await launched({}, (one) =>
      one.breakAt(source, [
        line('first stop'),
        { line: line('in add'), logMessage: 'adding {a} and {b}: {a + b}, \\{braces\\} {nonsense}' },
      ]),
    );
    const { threadId } = await run.stopped('breakpoint');
    await run.ask('next', { threadId });
    await run.stopped('step');
    expect((await run.top(threadId)).line).toBeGreaterThan(line('first stop'));
    await run.said(/adding 1 and 4: 5, \{braces\} <No symbol "nonsense" in current context\.>\n/);
    const output = await run.event('output', ({ output: text }) => text.startsWith('adding 1'));
    expect(output).toMatchObject({ category: 'console', source: { path: source }, line: line('in add') });
    await go(run, threadId);
    await ends(run);
    expect(run.console.match(/^adding/gm)).toHaveLength(6);
  });

  it('with a condition and a message print only then', async () => {
    const run = await launched({}, (one) =>
      one.breakAt(source, [{ line: line('in loop'), condition: 'i > 2', logMessage: 'i is {i}' }]),
    );
    await ends(run);
    expect(run.console.match(/i is \d/g)).toEqual(['i is 3', 'i is 4']);
  });

  it('set while the program runs take effect, and the client sees no stop for it', async () => {
    const run = await launched({ args: ['wait'] }, async () => {});
    await run.printed(/1 args/);
    const [breakpoint] = await run.breakAt(source, [line('waiting')]);
    expect(breakpoint).toMatchObject({ verified: true });
    const { threadId, hitBreakpointIds } = await run.stopped('breakpoint');
    expect(hitBreakpointIds).toEqual([breakpoint!.id]);
    await run.breakAt(source, []);
    await run.ask('evaluate', { expression: 'spinning = 0', context: 'repl' });
    await go(run, threadId);
    await ends(run);
  });

  it('that did not change keep their number; wrong ones say why', async () => {
    const run = await launched({}, (one) => one.breakAt(source, [line('first stop')]));
    await run.stopped('breakpoint');
    const first = await run.breakAt(source, [line('first stop'), { line: line('in loop'), condition: 'no_such_name' }]);
    expect(first[1]).toMatchObject({ verified: false, message: expect.stringMatching(/no_such_name/) });
    const second = await run.breakAt(source, [line('in add'), line('first stop')]);
    expect(second[1]!.id).toBe(first[0]!.id);
    const [far] = await run.breakAt('/nowhere/none.c', [3]);
    expect(far).toMatchObject({ verified: false, reason: 'pending' });
    expect(
      await run.refusal('setBreakpoints', { source: { path: source }, breakpoints: [{ line: 1, hitCondition: 'often' }] }),
    ).toMatch(/no hit condition/);
    await run.disconnect();
  });
});

describe('other breakpoints', () => {
  it('on functions', async () => {
    const run = await launched({}, (one) =>
      one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'deep', condition: 'n == 10' }] }),
    );
    const { threadId } = await run.stopped('function breakpoint');
    expect(await run.value('n', threadId)).toBe('10');
    await run.ask('setFunctionBreakpoints', { breakpoints: [] });
    await go(run, threadId);
    await ends(run);
  });

  it('on instructions', async () => {
    const run = await launched({}, (one) => one.breakAt(source, [line('first stop')]));
    const { threadId } = await run.stopped('breakpoint');
    const address = /0x[0-9a-f]+/.exec(await run.value('&add', threadId))![0];
    const { breakpoints } = await run.ask('setInstructionBreakpoints', { breakpoints: [{ instructionReference: address }] });
    expect(breakpoints[0]).toMatchObject({ verified: true, instructionReference: expect.stringContaining(address.slice(2)) });
    await go(run, threadId);
    await run.stopped('instruction breakpoint');
    expect((await run.top(threadId)).instructionPointerReference).toBe(address);
    await run.disconnect();
  });

  it('on data: what can be watched is told, and set', async () => {
    const run = await launched({}, (one) => one.breakAt(source, [line('first stop')]));
    const { threadId } = await run.stopped('breakpoint');
    const frame = await run.top(threadId);
    const { scopes } = await run.ask('scopes', { frameId: frame.id });
    const info = await run.ask('dataBreakpointInfo', { variablesReference: scopes[0].variablesReference, name: 'ratio' });
    expect(info).toMatchObject({
      dataId: expect.stringMatching(/^\*\(double \*\) 0x/),
      accessTypes: ['read', 'write', 'readWrite'],
    });
    const locals = await run.locals(frame.id);
    const field = await run.ask('dataBreakpointInfo', { variablesReference: locals['p']!.variablesReference, name: 'x' });
    expect(field.dataId).toMatch(/^\*\(int \*\) 0x/);
    expect((await run.ask('dataBreakpointInfo', { name: '1 + 1' })).dataId).toBeNull();
    const { breakpoints } = await run.ask('setDataBreakpoints', { breakpoints: [{ dataId: field.dataId, accessType: 'write' }] });
    expect(breakpoints[0]).toMatchObject({ verified: true });
    const { memoryReference } = await run.ask('evaluate', { expression: '&global_counter', context: 'watch', frameId: frame.id });
    const bytes = await run.ask('dataBreakpointInfo', { name: memoryReference, asAddress: true, bytes: 4 });
    expect((await run.ask('dataBreakpointInfo', { name: 'x', asAddress: true })).dataId).toBeNull();
    expect((await run.ask('dataBreakpointInfo', { name: memoryReference, asAddress: true, bytes: 0 })).dataId).toBeNull();
    await run.ask('setDataBreakpoints', { breakpoints: [{ dataId: bytes.dataId, accessType: 'write' }] });
    await go(run, threadId);
    const { text } = await run.stopped('data breakpoint');
    expect(text).toMatch(/7 → 12$/);
    const { breakpoints: none } = await run.ask('setDataBreakpoints', { breakpoints: [{ dataId: 'no such thing' }] });
    expect(none[0]).toMatchObject({ verified: false, message: expect.any(String) });
    await run.disconnect();
  });

  it('made and deleted in the debug console are told', async () => {
    const run = await launched({}, (one) => one.breakAt(source, [line('first stop')]));
    await run.stopped('breakpoint');
    await run.ask('evaluate', { expression: '-exec break deep', context: 'repl' });
    const { reason, breakpoint } = await run.event('breakpoint');
    expect([reason, breakpoint.verified]).toEqual(['new', true]);
    await run.ask('evaluate', { expression: `-exec delete ${breakpoint.id}`, context: 'repl' });
    expect(await run.event('breakpoint')).toMatchObject({ reason: 'removed', breakpoint: { id: breakpoint.id } });
    await run.disconnect();
  });
});

test('a vector, a map, a string, a unique_ptr, bases and private members can be read', async () => {
  const run = await launched({ program: cpp }, (one) => one.breakAt(cppSource, [lineOf(cppSource, 'first stop')]));
  const { threadId } = await run.stopped('breakpoint');
  const frame = await run.top(threadId);
  const locals = await run.locals(frame.id);
  expect(locals['text']).toMatchObject({ value: '"schön"' });
  expect(locals['numbers']!.value).toMatch(/std::vector of length 2500/);
  const numbers = await run.children(locals['numbers']!.variablesReference);
  expect(numbers['[999]']!.value).toBe('1998');
  const more = await run.children(numbers['[1000…]']!.variablesReference);
  expect(more['[1000]']!.value).toBe('2000');
  const ages = await run.children(locals['ages']!.variablesReference);
  expect(ages['["alan"]']!.value).toBe('41');
  const derived = await run.children(locals['derived']!.variablesReference);
  expect(derived['name']!.value).toBe('"derived"');
  expect(derived['hidden']!.value).toBe('2');
  expect(locals['owned']!.value).toMatch(/^std::unique_ptr<int> = \{get\(\) = 0x[0-9a-f]+\}$/);
  const owned = await run.children(locals['owned']!.variablesReference);
  expect(Object.keys(owned)).toEqual(['get()']);
  expect(await run.value('*owned', threadId)).toBe('5');
  const pointed = await run.children(owned['get()']!.variablesReference);
  expect(Object.values(pointed).map(({ value }) => value)).toEqual(['5']);
  expect(derived['Base']!.presentationHint).toMatchObject({ kind: 'baseClass' });
  await run.ask('setVariable', { variablesReference: locals['derived']!.variablesReference, name: 'hidden', value: '20' });
  expect(await run.value('look(derived)', threadId)).toBe('21');
  await run.disconnect();
});
