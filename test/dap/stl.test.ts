/** C++'s own containers, pointers and texts: a summary that can be read, children that can be opened as deep as they go, and values that can be set. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { fixture, root } from '../support/cli-session';
import { launching } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const source = `${root}/test/fixtures/dap-stl.cc`;

let place: DapPlace;
let run: DapRun;
let thread: number;
let locals: Record<string, DebugProtocol.Variable>;

/** One program for those that only look; what is set is printed by it at its end. */
beforeAll(async () => {
  place = new DapPlace();
  run = await launching(() => place)({ program: fixture('dap-stl') }, (one) =>
    one.breakAt(source, [lineOf(source, 'first stop')]),
  );
  thread = (await run.stopped('breakpoint')).threadId;
  locals = await run.locals((await run.top(thread)).id);
});
afterAll(() => place.close());

async function at(...path: readonly string[]): Promise<Record<string, DebugProtocol.Variable>> {
  let here = locals;
  for (const name of path) {
    if (here[name] === undefined) throw new Error(`no ${name} in ${Object.keys(here).join()}`);
    expect([name, here[name].variablesReference]).not.toEqual([name, 0]);
    here = await run.children(here[name].variablesReference);
  }
  return here;
}

const shown = (variables: Record<string, DebugProtocol.Variable>): string[] =>
  Object.values(variables).map(({ name, value }) => `${name}=${value}`);

it.each<[string, RegExp, readonly (string | RegExp)[]]>([
  ['list', /list = \{\[0\] = 1, \[1\] = 2, \[2\] = 3\}$/, ['[0]=1', '[1]=2', '[2]=3']],
  ['deque', /deque with 3 elements = \{4, 5, 6\}$/, ['[0]=4', '[1]=5', '[2]=6']],
  ['set', /set with 2 elements = \{\[0\] = "a", \[1\] = "b"\}$/, ['[0]="a"', '[1]="b"']],
  ['multimap', /\{\[1\] = 100, \[1\] = 101, \[2\] = 200\}$/, ['[1]=100', '[1] (2)=101', '[2]=200']],
  ['unordered_map', /unordered_map with 1 element = \{\["key"\] = 7\}$/, ['["key"]=7']],
  ['unordered_set', /unordered_set with 1 element = \{\[0\] = 8\}$/, ['[0]=8']],
  ['some', /optional<int> = \{\[contained value\] = 9\}$/, ['[contained value]=9']],
  ['none', /optional<int> \[no contained value\]$/, []],
  ['variant', /variant<int, .*> \[index 1\] = \{"text"\}$/, ['[contained value]="text"']],
  ['tuple', /tuple containing = \{\[1\] = 1, \[2\] = 99 'c', \[3\] = "three"\}$/, ['[1]=1', "[2]=99 'c'", '[3]="three"']],
  ['shared', /shared_ptr<Point> \(use count 1, weak count 1\) = \{get\(\) = 0x\w+\}$/, [/^get\(\)=0x/]],
  ['weak', /weak_ptr<Point> \(use count 1, weak count 1\)/, [/^get\(\)=0x/]],
  ['unique', /unique_ptr<Point> = \{get\(\) = 0x\w+\}$/, [/^get\(\)=0x/]],
  ['array', /\{14, 15, 16\}\}$/, ['_M_elems={14, 15, 16}']],
  ['bits', /bitset = \{\[0\] = 1, \[2\] = 1, \[5\] = 1, \[7\] = 1\}$/, ['[0]=1', '[2]=1', '[5]=1', '[7]=1']],
  ['flags', /vector<bool> of length 3.* = \{true, false, true\}$/, ['[0]=true', '[1]=false', '[2]=true']],
  ['text', /^"héllo"$/, []],
  ['view', /^"éllo"$/, []],
  ['wide', /^L"wïde"$/, []],
  ['u16', /^u"sixtéen"$/, []],
  ['u32', /^U"thirty😀"$/, []],
  ['texts', /\{"grüße", "€"\}$/, ['[0]="grüße"', '[1]="€"']],
  ['empty', /vector of length 0/, []],
  ['pair', /\{first = 17, second = "eighteen"\}$/, ['first=17', 'second="eighteen"']],
])('%s', async (name, summary, children) => {
  expect(locals[name]!.value).toMatch(summary);
  const found = locals[name]!.variablesReference === 0 ? [] : shown(await at(name));
  expect(found).toEqual(children.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))));
});

it('containers in containers open, and say what is in them', async () => {
  expect(shown(await at('nested'))).toEqual(['[0]={{...}}', '[1]={{...}, {...}}']);
  expect(shown(await at('nested', '[1]'))).toEqual(['[0]={x = 3, y = 4}', '[1]={x = 5, y = 6}']);
  expect(shown(await at('nested', '[1]', '[0]'))).toEqual(['x=3', 'y=4']);
  const lists = await at('lists');
  expect(shown(lists)).toEqual(['["none"]={}', '["some"]={1, 2, 3, 4, 5, 6, …}']);
  expect(lists['["none"]']!.variablesReference).toBe(0);
  expect(shown(await at('lists', '["some"]'))).toHaveLength(8);
  expect(shown(await at('shared', 'get()'))).toEqual(['x=10', 'y=11']);
});

it('a large map opens piece by piece, to its last entry', async () => {
  const seen: string[] = [];
  for (let piece = await at('big'); ;) {
    const entries = Object.values(piece);
    const more = entries.at(-1)!.name === `[${seen.length + entries.length - 1}…]` ? entries.pop() : undefined;
    seen.push(...entries.map(({ name, value }) => `${name}=${value}`));
    if (more === undefined) break;
    piece = await run.children(more.variablesReference);
  }
  // Of each piece, the first hundred say what is in them.
  expect(seen).toEqual(
    Array.from({ length: 2500 }, (_, i) => `[${i * 10}]=${i % 500 < 100 ? `{x = ${i}, y = ${-i}}` : '{...}'}`),
  );
  expect(shown(await at('big', '[4990]'))).toEqual(['x=499', 'y=-499']);
});

describe('values', () => {
  async function set(path: readonly string[], value: string): Promise<string> {
    const [last, ...before] = [...path].reverse();
    const [parent, ...above] = before;
    const { variablesReference } = (await at(...above.reverse()))[parent!]!;
    return (await run.ask('setVariable', { variablesReference, name: last, value })).value;
  }

  it('are set wherever they are, and the program has them', async () => {
    const wanted: readonly (readonly [readonly string[], string])[] = [
      [['list', '[0]'], '21'],
      [['deque', '[1]'], '22'],
      [['big', '[10]', 'y'], '23'],
      [['shared', 'get()', 'x'], '24'],
      [['array', '_M_elems', '[1]'], '25'],
      [['nested', '[1]', '[0]', 'x'], '26'],
      [['multimap', '[1] (2)'], '27'],
      [['unordered_map', '["key"]'], '28'],
      [['some', '[contained value]'], '29'],
      [['tuple', '[1]'], '30'],
    ];
    for (const [path, value] of wanted) expect([path, await set(path, value)]).toEqual([path, value]);
    expect(await run.value('some', thread)).toMatch(/= 29\}$/);
    expect(await run.value('unordered_map', thread)).toMatch(/= 28\}$/);
    expect(await run.value('tuple', thread)).toMatch(/\[1\] = 30,/);
    await run.ask('continue', { threadId: thread });
    await run.event('exited');
    await run.event('terminated');
    expect(run.output).toMatch(/^21 22 -1500 24 25 26 27$/m);
    await place.finish(run);
  });

  it('that are no place in memory are refused: a key of a set, a bit', async () => {
    const other = await launching(() => place)({ program: fixture('dap-stl') }, (one) =>
      one.breakAt(source, [lineOf(source, 'first stop')]),
    );
    const { threadId } = await other.stopped('breakpoint');
    const there = await other.locals((await other.top(threadId)).id);
    for (const name of ['set', 'flags']) {
      const { variablesReference } = there[name]!;
      expect(await other.refusal('setVariable', { variablesReference, name: '[1]', value: '1' })).toMatch(/not editable/);
    }
    await place.finish(other);
  });
});
