/** What is shown of an array's elements: the same whether gdb makes a variable object for each or our script reads them together. */

import { fixture, root } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const source = `${root}/test/fixtures/dap-arrays.c`;

let place: DapPlace;
let run: DapRun;
let thread: number;
let locals: Awaited<ReturnType<DapRun['locals']>>;

beforeAll(async () => {
  place = new DapPlace();
  run = await place.start();
  await run.initialize();
  await run.launch({ program: fixture('dap-arrays'), automaticCheckpoints: false }, () =>
    run.breakAt(source, [lineOf(source, 'filled')]),
  );
  thread = (await run.stopped('breakpoint')).threadId;
  locals = await run.locals((await run.top(thread)).id);
});
afterAll(async () => {
  await run.disconnect();
  await place.expectNothingLeft();
  await place.close();
});

const elements = async (name: string, more: object = {}): Promise<ReturnType<DapRun['children']>> =>
  await run.children(locals[name]!.variablesReference, { ...more });

it.each<[string, string, (string | RegExp)[]]>([
  ['points', 'struct point', ['{x = 1, y = 2}', '{x = 3, y = 4}']],
  ['pointers', 'struct point *', [/^0x7f/, '0x0']],
  ['opaques', 'struct opaque *', [/^0x7f/, '0x0']],
  ['functions', 'int (*)(int)', [/^0x\w+ <twice>$/, '0x0']],
  ['texts', 'const char *', [/^0x\w+ "x"$/, /^0x\w+ "é\\n"$/, '0x0']],
  ['names', 'char [6]', [String.raw`"ab\000\000\000"`, String.raw`"cd\000\000\000"`]],
  ['grid', 'int [3]', ['[3]', '[3]']],
  ['hues', 'hue', ['GREEN', 'RED']],
  ['flags', '_Bool', ['true', 'false']],
  ['reals', 'double', ['1.5', '-2', '1.0000000000000001e+300']],
  ['bytes', 'unsigned char', ["65 'A'", "200 '\\310'"]],
  ['longs', 'const long long', ['-1', '1']],
  ['variable', 'int', ['0', '1', '2', '3']],
])('%s: type, values, and what can be opened', async (name, type, values) => {
  const shown = await elements(name);
  expect(Object.keys(shown)).toEqual(values.map((_, i) => `[${i}]`));
  for (const [i, value] of values.entries()) {
    const element = shown[`[${i}]`]!;
    const expected = typeof value === 'string' ? value : expect.stringMatching(value);
    expect(element).toMatchObject({ type, value: expected });
    const opens = ['points', 'names', 'grid'].includes(name) || (/^(pointers|texts)$/.test(name) && value !== '0x0');
    expect([name, i, element.variablesReference > 0]).toEqual([name, i, opens]);
    expect(element.memoryReference).toEqual(/\*|\(\*\)/.test(type) ? element.value.split(' ')[0] : undefined);
    expect(element.indexedVariables).toBe({ names: 6, grid: 3 }[name]);
  }
});

it('elements are opened: rows of a grid, what pointers point to, structures', async () => {
  const grid = await elements('grid');
  const row = await run.children(grid['[1]']!.variablesReference);
  expect(Object.values(row).map(({ value }) => value)).toEqual(['4', '5', '6']);
  const pointers = await elements('pointers');
  expect((await run.children(pointers['[0]']!.variablesReference))['y']!.value).toBe('2');
  const points = await elements('points');
  expect((await run.children(points['[1]']!.variablesReference))['x']!.value).toBe('3');
});

it('an array in a structure, and one that is reached by an expression, are read together, too', async () => {
  const frameId = (await run.top(thread)).id;
  const holder = await run.ask('evaluate', { expression: 'holder', frameId, context: 'watch' });
  const { data, points } = await run.children(holder.variablesReference);
  // A short one says what is in it; of a long one that would cost an object of gdb's for each element.
  expect([data!.value, points!.value]).toEqual(['[1000]', expect.stringMatching(/^\{0x\w+, 0x0\}$/)]);
  expect(Object.values(await run.children(data!.variablesReference)).at(-1)).toMatchObject({ name: '[999]', value: '998001' });
  const first = (await run.children(points!.variablesReference))['[0]']!;
  expect((await run.children(first.variablesReference))['x']!.value).toBe('3');
});

it('hexadecimal: numbers and pointers', async () => {
  const format = { hex: true };
  expect(Object.values(await elements('variable', { format })).map(({ value }) => value)).toEqual(['0x0', '0x1', '0x2', '0x3']);
  expect((await elements('longs', { format }))['[0]']!.value).toBe('0xffffffffffffffff');
});

it('a page of a million costs a page', async () => {
  const frameId = (await run.top(thread)).id;
  const many = await run.ask('evaluate', { expression: 'many', frameId, context: 'watch' });
  expect(many).toMatchObject({ type: 'float [1000000]', indexedVariables: 1_000_000 });
  const page = await run.children(many.variablesReference, { filter: 'indexed', start: 999_000, count: 3 });
  expect(Object.entries(page).map(([name, { value }]) => [name, value])).toEqual([
    ['[999000]', '999'],
    ['[999001]', '0'],
    ['[999002]', '0'],
  ]);
});

it('elements are set, in rows as well, and watched', async () => {
  const grid = await elements('grid');
  const row = grid['[0]']!.variablesReference;
  expect((await run.ask('setVariable', { variablesReference: row, name: '[1]', value: '20 + 1' })).value).toBe('21');
  expect(await run.value('grid[0][1]', thread)).toBe('21');
  // Of a list that the client has not asked for since.
  const reals = locals['reals']!.variablesReference;
  expect((await run.ask('setVariable', { variablesReference: reals, name: '[2]', value: '0.5' })).value).toBe('0.5');
  const info = await run.ask('dataBreakpointInfo', { variablesReference: reals, name: '[1]' });
  expect(info).toMatchObject({
    dataId: expect.stringMatching(/^\*\(double \*\) 0x/),
    accessTypes: expect.arrayContaining(['write']),
  });
});
