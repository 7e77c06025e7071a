/** Programs of other compilers than C's: what a debug session must be able to show and do in them. C++: breakpoints.test.ts. */

import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { root } from '../support/cli-session';
import { DapPlace } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

test('a Go program: breakpoints in a goroutine, steps beside the signals of its runtime, variables, and back', async () => {
  const source = path.join(root, 'test/fixtures/dap-go.go');
  const line = (comment: string): number => lineOf(source, comment);
  const program = path.join(place.place.directory, 'dap-go');
  execFileSync('go', ['build', '-gcflags=-N -l', '-o', program, source], {
    env: { ...process.env, GOCACHE: path.join(place.place.directory, 'cache'), GO111MODULE: 'off', GOFLAGS: '' },
  });
  const run = await place.start();
  await run.initialize();
  await run.launch({ program, automaticCheckpoints: false }, () => run.breakAt(source, [line('in add'), line('end of add')]));
  const { threadId } = await run.stopped('breakpoint');
  const frame = await run.top(threadId);
  expect([frame.name, frame.line]).toEqual(['main.add', line('in add')]);
  const { checkpoint } = await run.ask('checkpoint/take');
  const lines: number[] = [];
  for (let i = 0; i < 4; i++) {
    await run.ask('next', { threadId });
    await run.stopped('step');
    lines.push((await run.top(threadId)).line);
  }
  expect(lines).toEqual([line('loop') - 1, line('loop'), line('loop') - 1, line('loop')]);
  await run.ask('continue', { threadId });
  await run.stopped('breakpoint');
  const look = async (): Promise<string[]> => {
    const values = [];
    for (const expression of ['sum', 'p.x', 'p.y', 'more.array[2]', 'p.name']) values.push(await run.value(expression, threadId));
    return values;
  };
  expect(await look()).toEqual(['13', '1', '13', '5', expect.stringMatching(/"héllo"$/)]);
  const { p, more } = await run.locals((await run.top(threadId)).id);
  expect((await run.children(more!.variablesReference))['len']!.value).toBe('3');
  expect((await run.children(p!.variablesReference))['name']!.value).toMatch(/"héllo"$/);
  await run.ask('checkpoint/restore', { id: checkpoint.id });
  const back = await run.restored();
  expect([await run.value('p.y', back.threadId), (await run.top(back.threadId)).line]).toEqual(['2', line('in add')]);
  await run.breakAt(source, [line('print')]);
  await run.ask('continue', { threadId: back.threadId });
  const end = await run.stopped('breakpoint');
  const main = await run.locals((await run.top(end.threadId)).id);
  expect(main['numbers']!.value).toMatch(/^\{array = 0xc0\w+, len = 3, cap = 3\}$/);
  expect((await run.children(main['ages']!.variablesReference))['count']!.value).toBe('1');
  // It outlives its function, and gdb has no expression for it: shown, and not opened.
  expect(main['&p']).toMatchObject({ value: expect.stringMatching(/^0xc0/), variablesReference: 0 });
  await run.ask('continue', { threadId: end.threadId });
  expect(await run.event('exited')).toEqual({ exitCode: 0 });
  await run.stopped('exit');
  expect(run.output).toMatch(/^héllo 13 13 1 \[3 4 5\]\n$/);
  await run.disconnect();
  await place.expectNothingLeft();
});

test("a Rust program: readable variables by Rust's own printers, elements that are changed, and back", async () => {
  const source = path.join(root, 'test/fixtures/dap-rust.rs');
  const line = (comment: string): number => lineOf(source, comment);
  const program = path.join(place.place.directory, 'dap-rust');
  execFileSync('rustc', ['-g', '-o', program, source]);
  const run = await place.start();
  await run.initialize();
  await run.launch({ program, automaticCheckpoints: false }, () => run.breakAt(source, [line('in add'), line('print')]));
  const { threadId } = await run.stopped('breakpoint');
  expect((await run.top(threadId)).line).toBe(line('in add'));
  expect(await run.value('*point', threadId)).toMatch(/Point {x: 1, y: 2, name: "héllo"}$/);
  const { checkpoint } = await run.ask('checkpoint/take');
  await run.ask('next', { threadId });
  await run.stopped('step');
  await run.ask('continue', { threadId });
  await run.stopped('breakpoint');
  const locals = await run.locals((await run.top(threadId)).id);
  const shown = Object.fromEntries(Object.entries(locals).map(([name, { value }]) => [name, value]));
  expect(shown).toMatchObject({
    sum: '13',
    numbers: 'Vec(size=3) = {3, 4, 5}',
    text: '"slice"',
    array: '[10, 20, 30]',
    some: expect.stringMatching(/Some\(7\)$/),
    none: expect.stringMatching(/None$/),
    shapes: expect.stringMatching(/Circle{radius: 6}.*Square\(8\).*Nothing/),
    map: 'BTreeMap(size=1) = {["one"] = 1}',
    ages: 'HashMap(size=1) = {["ada"] = Vec(size=2) = {36, 37}}',
    failed: expect.stringMatching(/Err\("no"\)$/),
  });
  const inside = async (name: string): Promise<string[]> =>
    Object.entries(await run.children(locals[name]!.variablesReference)).map(([child, { value }]) => `${child}=${value}`);
  expect(await inside('numbers')).toEqual(['[0]=3', '[1]=4', '[2]=5']);
  expect(await inside('array')).toEqual(['[0]=10', '[1]=20', '[2]=30']);
  expect(await inside('point')).toEqual(['x=1', 'y=13', 'name="héllo"']);
  // A map's value that is a container again, and an enum's variant by its name.
  expect(await inside('ages')).toEqual(['["ada"]={36, 37}']);
  expect(await inside('some')).toEqual(['Some={__0 = 7}']);
  expect(await inside('none')).toEqual(['None={}']);
  expect(await inside('failed')).toEqual(['Err={__0 = "no"}']);
  expect(await inside('shapes')).toEqual(['[0]={Circle = {...}}', '[1]={Square = {...}}', '[2]={Nothing = {...}}']);
  await run.ask('setVariable', { variablesReference: locals['array']!.variablesReference, name: '[1]', value: '21' });
  expect(await run.value('array', threadId)).toBe('[10, 21, 30]');
  await run.ask('checkpoint/restore', { id: checkpoint.id });
  const back = await run.restored();
  expect([await run.value('point.y', back.threadId), (await run.top(back.threadId)).line]).toEqual(['2', line('in add')]);
  await run.breakAt(source, []);
  await run.ask('continue', { threadId: back.threadId });
  expect(await run.event('exited')).toEqual({ exitCode: 0 });
  await run.stopped('exit');
  expect(run.output).toMatch(/^héllo 13 13\nSome\(7\) None 9 slice \[10, 20, 30\]/);
  await run.disconnect();
  await place.expectNothingLeft();
});
