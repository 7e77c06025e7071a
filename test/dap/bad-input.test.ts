/** What no editor should send: it is answered, and the session goes on. The reader by itself: test/unit/dap-frames. */

import { fixture, root } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const program = fixture('dap-basic');
const source = `${root}/test/fixtures/dap-basic.c`;

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

describe('a message that is not readable is told in the console, and the next request is answered', () => {
  it.each([
    ['a header without a length, and its body', 'Content-Type: json\r\n\r\n{"seq":1}', /no valid Content-Length/],
    ['a length that is no number', 'Content-Length: abc\r\n\r\n{"seq":1}', /no valid Content-Length/],
    ['a length that is too long', 'Content-Length: 5000000\r\n\r\n{"seq":1}', /begins before its end/],
    ['a length that is too short', 'Content-Length: 3\r\n\r\n{"seq":1}', /no JSON/],
    ['noise', Buffer.from([0, 255, 13, 10, 13, 10, 1, 2, 3]), /belong to no message/],
    ['JSON that is cut', frame('{"seq":1,'), /no JSON/],
    ['a number', frame('17'), /no JSON object/],
    ['a list', frame('[{"seq":1}]'), /no JSON object/],
    ['a message without a type', frame('{"seq":1}'), /its "type" is neither/],
    ['a request without a number', frame('{"type":"request","command":"threads"}'), /no number/],
  ])('%s', async (_, text, said) => {
    write(text);
    const answered = expectAlive();
    await run.said(said);
    await answered;
    expect(run.console.match(/not readable/g)).toHaveLength(1);
  });
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
  run.expectNoOther();
  await place.expectNothingLeft();
});
