/** How arguments are read. Whether the table is DAP's: test/dap/argument-table. */

import { argumentTable } from '../../adapter/dap/argument-table';
import { readArguments } from '../../adapter/dap/arguments';
import { errorReply } from '../../adapter/dap/errors';
import { withSeed } from './support/random';

function refusal(command: string, sent: unknown): string {
  try {
    readArguments(command, sent);
  } catch (error) {
    return errorReply(error).message;
  }
  return 'accepted';
}

test.each<[string, unknown, string]>([
  ['setBreakpoints', {}, 'setBreakpoints: the argument "source" is missing'],
  ['setBreakpoints', undefined, 'setBreakpoints: the argument "source" is missing'],
  ['setBreakpoints', null, 'setBreakpoints: the argument "source" is missing'],
  ['setBreakpoints', [], 'setBreakpoints: the arguments must be an object'],
  ['threads', 'all', 'threads: the arguments must be an object'],
  ['setBreakpoints', { source: null }, 'setBreakpoints: the argument "source" must be an object'],
  ['setBreakpoints', { source: [] }, 'setBreakpoints: the argument "source" must be an object'],
  ['setBreakpoints', { source: { path: 7 } }, 'setBreakpoints: the argument "source.path" must be a text'],
  ['setBreakpoints', { source: {}, breakpoints: {} }, 'setBreakpoints: the argument "breakpoints" must be a list'],
  [
    'setBreakpoints',
    { source: {}, breakpoints: [{ line: 1 }, {}] },
    'setBreakpoints: the argument "breakpoints[1].line" is missing',
  ],
  ['setBreakpoints', { source: {}, breakpoints: [null] }, 'setBreakpoints: the argument "breakpoints[0]" must be an object'],
  ['setBreakpoints', { source: {}, lines: [1, 1.5] }, 'setBreakpoints: the argument "lines[1]" must be a whole number'],
  ['scopes', { frameId: '1' }, 'scopes: the argument "frameId" must be a whole number'],
  ['next', { threadId: 1, singleThread: 'yes' }, 'next: the argument "singleThread" must be true or false'],
  ['evaluate', Object.create({ expression: '1' }), 'evaluate: the argument "expression" is missing'],
])('%s %j is refused', (command, sent, sentence) => expect(refusal(command, sent)).toBe(sentence));

test('the reply has a code and names the request and the argument', () => {
  try {
    readArguments('scopes', {});
  } catch (error) {
    expect(errorReply(error).body.error).toMatchObject({
      id: 4000,
      showUser: false,
      variables: { code: 'bad-arguments', request: 'scopes', argument: 'frameId' },
    });
  }
  expect.assertions(1);
});

test('what is not named stays, and null counts as missing where that may be', () => {
  const sent = { threadId: 1, levels: null, format: { hex: null, own: null }, own: { a: [1] }, other: null };
  expect(readArguments('stackTrace', sent)).toEqual({ threadId: 1, format: { own: null }, own: { a: [1] }, other: null });
  expect(readArguments('threads', null)).toEqual({});
  expect(readArguments('unknown', { a: 1 })).toEqual({ a: 1 });
  expect(readArguments('toString', {})).toEqual({});
});

test('no value makes the reading itself fail', () => {
  withSeed((random) => {
    const names = ['source', 'breakpoints', 'line', 'threadId', 'path', 'filters', 'names', 'expression', '__proto__'];
    const value = (depth: number): unknown => {
      const leaf = random.pick<unknown>([null, 0, 1.5, '', 'x', true, [], {}]);
      if (depth === 0 || random.int(3) === 0) return leaf;
      if (random.int(2) === 0) return Array.from({ length: random.int(3) }, () => value(depth - 1));
      return Object.fromEntries(Array.from({ length: random.int(5) }, () => [random.pick(names), value(depth - 1)]));
    };
    for (let round = 0; round < 20_000; round++) {
      const command = random.pick(Object.keys(argumentTable));
      const said = refusal(command, value(4));
      if (said !== 'accepted' && !said.startsWith(`${command}: the argument`)) throw new Error(said);
    }
  });
});
