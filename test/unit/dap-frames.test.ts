/** The adapter's frame reader: what is whole is read however it is cut, what is broken is skipped and told once. */

import { type Framed, FrameReader } from '../../adapter/dap/frame-reader';
import { type Random, withSeed } from './support/random';

const frame = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
const first = frame('{"seq":1,"text":"ä€😀"}');
const last = frame('{"seq":2}');

/** Messages as their number, what was skipped as its reason. */
const shown = (all: readonly Framed[]): unknown[] =>
  all.map((one) => (one.kind === 'message' ? (one.value as { seq?: number }).seq : `${one.kind}: ${one.reason}`));

const read = (...chunks: readonly (string | Buffer)[]): unknown[] => {
  const reader = new FrameReader(10_000);
  return shown(chunks.flatMap((chunk) => reader.read(Buffer.from(chunk as string))));
};

const long = 'x'.repeat(4500);

const cases: readonly (readonly [what: string, stream: string, outcome: readonly unknown[]])[] = [
  ['two messages', first + last, [1, 2]],
  ['a message beyond ASCII', frame('{"seq":5,"a":"ü"}') + last, [5, 2]],
  ['other header lines', `Content-Type: json; charset=utf-8\r\ncontent-length:9\r\nX-A:\r\n\r\n{"seq":1}${last}`, [1, 2]],
  ['a header without a length', `${first}Content-Type: json\r\n\r\n{"seq":7}${last}`, [1, expect.stringMatching(/no valid/), 2]],
  ['a length that is no number', `Content-Length: many\r\n\r\n{"seq":7}${last}`, [expect.stringMatching(/no valid/), 2]],
  ['a negative length', `Content-Length: -9\r\n\r\n{"seq":7}${last}`, [expect.stringMatching(/no valid/), 2]],
  ['a length with a fraction', `Content-Length: 9.0\r\n\r\n{"seq":7}${last}`, [expect.stringMatching(/no valid/), 2]],
  ['a length that is too long', `Content-Length: 900\r\n\r\n{"seq":7}${last}`, [expect.stringMatching(/before its end/), 2]],
  ['a length that ends in the next header', `Content-Length: 12\r\n\r\n{"seq":7}${last}`, [expect.stringMatching(/JSON/), 2]],
  ['a length that is too short', `Content-Length: 4\r\n\r\n{"seq":7}${last}`, [expect.stringMatching(/JSON/), 2]],
  ['a length of nothing', `Content-Length: 0\r\n\r\n${last}`, [expect.stringMatching(/JSON/), 2]],
  [
    'a message cut in its middle',
    frame(`{"seq":7,"a":"${'y'.repeat(60)}"}`).slice(0, -30) + last,
    [expect.stringMatching(/before its end/), 2],
  ],
  ['a header cut in its middle', first.slice(0, 9) + last, [expect.stringMatching(/no message/), 2]],
  ['a header cut behind its number', first.slice(0, 17) + last, [expect.stringMatching(/no message/), 2]],
  ['no JSON', frame('{"seq":7') + last, [expect.stringMatching(/JSON/), 2]],
  ['noise', `${first}noise\n\r\n\r\r\n\r\n\0\xff${last}`, [1, expect.stringMatching(/no message/), 2]],
  ['empty lines', `\r\n\r\n\r\n\r\n${last}`, [expect.stringMatching(/no message/), 2]],
  ['line feeds alone', `Content-Length: 9\n\n{"seq":7}${last}`, [expect.stringMatching(/no message/), 2]],
  ['long noise', `${long}${last}`, [expect.stringMatching(/no message/), 2]],
  ['a long header', `X-A: ${long}\r\nContent-Length: 9\r\n\r\n{"seq":1}${last}`, [expect.stringMatching(/no message/), 1, 2]],
  ['a long broken message', frame(long) + last, [expect.stringMatching(/JSON/), 2]],
  ['empty lines inside a message', frame('{\r\n\r\n"seq":1\r\n\r\n}') + last, [1, 2]],
  ['what looks like a header in a text', frame('{"seq":1,"a":"Content-Length: 5\\r\\n\\r\\n"}') + last, [1, 2]],
];

describe('a stream', () => {
  test.each(cases)('%s', (_, stream, outcome) => expect(read(stream)).toEqual(outcome));

  test.each(cases)('%s: cut at every byte, and byte by byte', (_, stream) => {
    const bytes = Buffer.from(stream);
    const outcomes = new Set([JSON.stringify(read(bytes))]);
    for (let cut = 0; cut <= bytes.length; cut++) outcomes.add(JSON.stringify(read(bytes.subarray(0, cut), bytes.subarray(cut))));
    outcomes.add(JSON.stringify(read(...[...bytes].map((byte) => Buffer.of(byte)))));
    expect(outcomes.size).toBe(1);
  });
});

test('a header of just the longest length is read, however it is cut', () => {
  for (const length of [4094, 4095, 4096, 4097, 4098]) {
    const end = '\r\nContent-Length: 9\r\n\r\n';
    const stream = `X-A: ${'x'.repeat(length - end.length - 5)}${end}{"seq":1}`;
    const outcome = length <= 4096 ? [1] : [expect.stringMatching(/no message/), 1];
    expect(read(stream)).toEqual(outcome);
    for (let cut = length - 30; cut < length; cut++) expect(read(stream.slice(0, cut), stream.slice(cut))).toEqual(outcome);
  }
});

test.each(['10001', '99999999999999999999999', '1'.repeat(400)])('a length above the limit is the end: %s', (length) => {
  const stream = `${first}Content-Length: ${length}\r\n\r\n`;
  expect(read(stream, last, last)).toEqual([1, expect.stringMatching(/^over: a message may have at most 10000 bytes/)]);
});

test('a long message in many chunks is read in time', () => {
  const reader = new FrameReader();
  const bytes = Buffer.from(frame(JSON.stringify({ seq: 1, text: 'x'.repeat(32 << 20) })));
  const start = Date.now();
  let found: unknown[] = [];
  for (let at = 0; at < bytes.length; at += 8192) found = shown(reader.read(bytes.subarray(at, at + 8192)));
  expect(found).toEqual([1]);
  expect(Date.now() - start).toBeLessThan(5000);
});

const PIECES = [
  first,
  '\r\n',
  '\r\n\r\n',
  'Content-Length: ',
  'Content-Length: 12',
  ': 7',
  '{"seq":3}',
  '"',
  'Content-Type: x\r\n',
];

function garbage(random: Random): Buffer {
  const pieces = Array.from({ length: random.int(8) }, () =>
    random.int(3) === 0 ? random.bytes(random.int(30)) : Buffer.from(random.pick(PIECES)),
  );
  const bytes = Buffer.concat(pieces);
  if (bytes.length > 0 && random.int(2) === 0) bytes[random.int(bytes.length)] = random.int(256);
  return bytes;
}

test('after any garbage the next message is read, and the outcome does not depend on the chunks', () => {
  withSeed((random) => {
    for (let round = 0; round < 20_000; round++) {
      const stream = Buffer.concat([garbage(random), Buffer.from(last)]);
      const whole = read(stream);
      if (whole.at(-1) !== 2) throw new Error(`the last message is lost: ${JSON.stringify(stream.toString('latin1'))}`);
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length;) {
        const size = 1 + random.int(12);
        chunks.push(stream.subarray(at, at + size));
        at += size;
      }
      if (read(...chunks).join() !== whole.join()) expect(read(...chunks)).toEqual(whole);
    }
  });
});
