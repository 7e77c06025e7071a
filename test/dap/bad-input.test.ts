/** What no editor should send: it is answered, and the session goes on. The reader by itself: test/unit/dap-frames. */

import { argumentTable } from '../../adapter/dap/argument-table';
import { program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

let place: DapPlace;
let run: DapRun;
let thread: number;
beforeEach(async () => {
  place = new DapPlace();
  run = await place.launched({ program, automaticCheckpoints: false }, (one) =>
    one.breakAt(source, [lineOf(source, 'first stop')]),
  );
  thread = (await run.stopped('breakpoint')).threadId;
});
afterEach(() => place.close());

const write = (text: string | Buffer): void => void run.adapter.stdin?.write(text);
const frame = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

/** The debugger answers, and it is still the same stop. */
async function expectAlive(): Promise<void> {
  expect(await run.value('p.x', thread)).toBe('1');
  await place.finish(run);
}

const UNREADABLE: readonly (readonly [text: string | Buffer, said: RegExp])[] = [
  ['Content-Type: json\r\n\r\n{"seq":1}', /no valid Content-Length/],
  ['Content-Length: abc\r\n\r\n{"seq":1}', /no valid Content-Length/],
  ['Content-Length: 5000000\r\n\r\n{"seq":1}', /begins before its end/],
  ['Content-Length: 3\r\n\r\n{"seq":1}', /no JSON/],
  [Buffer.from([0, 255, 13, 10, 13, 10, 1, 2, 3]), /belong to no message/],
  [frame('{"seq":1,'), /no JSON/],
  [frame('17'), /no JSON object/],
  [frame('[{"seq":1}]'), /no JSON object/],
  [frame('{"seq":1}'), /its "type" is neither/],
  [frame('{"type":"request","command":"threads"}'), /no number/],
];

it('a message that is not readable is told in the console once, and the next request is answered', async () => {
  for (const [text, said] of UNREADABLE) {
    run.console = '';
    write(text);
    expect(await run.value('p.x', thread)).toBe('1');
    await run.said(said);
    expect(run.console.match(/not readable/g)).toHaveLength(1);
  }
  await expectAlive();
});

it('a request without a command has an error reply', async () => {
  write(frame('{"seq":77,"type":"request"}'));
  await run.answered(1);
  expect(run.traffic.at(-1)).toMatch(/"request_seq":77,.*the request 77 has no \\"command\\"/);
  await expectAlive();
});

it('arguments that are nested by the thousand have an error reply', async () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  write(frame(`{"seq":78,"type":"request","command":"evaluate","arguments":{"expression":${deep}}}`));
  await run.answered(1);
  expect(run.traffic.at(-1)).toMatch(/"request_seq":78,.*evaluate: the arguments are nested too deeply/);
  await expectAlive();
});

it('a length above the limit ends the session and says why', async () => {
  write('Content-Length: 99999999999\r\n\r\n{');
  await run.said(/at most 67108864 bytes, and this one has 99999999999; the session ends/);
  await run.event('terminated');
  await run.gone();
  await place.expectNothingLeft();
});

describe('arguments that break the protocol', () => {
  it.each([
    ['setBreakpoints', 'source'],
    ['setFunctionBreakpoints', 'breakpoints'],
  ])('%s without any: the reply names the request and the argument', async (command, argument) => {
    const { id, showUser, variables } = await run.refused(command, {});
    const text = `${command}: the argument "${argument}" is missing`;
    expect({ id, showUser, variables }).toEqual({
      id: 4000,
      showUser: false,
      variables: { code: 'bad-arguments', request: command, argument, text },
    });
    await expectAlive();
  });

  it('of every request have an error reply without a stack, or are enough', async () => {
    for (const command of Object.keys(argumentTable)) {
      if (['disconnect', 'terminate', 'restart', 'initialize', 'launch', 'attach'].includes(command)) continue;
      for (const args of [[], 'x', { source: 1, breakpoints: [1], threadId: {}, frameId: [], id: '', variablesReference: true }])
        expect(await run.refusal(command, args)).not.toMatch(/\n\s+at |Error/);
    }
    await expectAlive();
  });

  it('null counts as missing where that may be, and more than the protocol names is allowed', async () => {
    const line = lineOf(source, 'in add');
    const breakpoints = [{ line, column: null, condition: null, logMessage: null, own: {} }];
    const answer = await run.ask('setBreakpoints', { source: { path: source, name: null }, breakpoints, own: 1 });
    expect(answer.breakpoints).toEqual([expect.objectContaining({ verified: true, line })]);
    await expectAlive();
  });
});
