import { PacketDecoder, type WireEvent } from '../../native/rsp/framing';
import { PacketWriter } from '../../native/rsp/writer';
import { frame } from './support/dialogue';
import { makeRandom, withSeed } from './support/random';

function words(event: WireEvent): string {
  switch (event.kind) {
    case 'packet':
      return `packet ${event.payload.toString('latin1')}`;
    case 'bad':
      return `bad ${event.reason}`;
    default:
      return event.kind;
  }
}

function decode(pieces: readonly Buffer[], limit = 4096): string[] {
  const decoder = new PacketDecoder(limit);
  const events: string[] = [];
  for (const piece of pieces) decoder.feed(piece, (event) => events.push(words(event)));
  return events;
}

function one(text: string, limit?: number): string[] {
  return decode([Buffer.from(text, 'latin1')], limit);
}

test('packets, acknowledgements and ^C come out in order, noise between them does not', () => {
  expect(one('+$m0,4#fd-\x03xyz$?#3f')).toEqual(['ack', 'packet m0,4', 'nack', 'interrupt', 'packet ?']);
});

test('an empty packet is a packet', () => {
  expect(one('$#00')).toEqual(['packet ']);
});

test('^C, + and - inside a packet are data', () => {
  expect(decode([frame('X0,3:\x03+-')])).toEqual(['packet X0,3:\x03+-']);
});

test('escapes and repeats are undone', () => {
  expect(decode([frame('a}\x03b}\x5dc')])).toEqual(['packet a#b}c']);
  expect(decode([frame('0* 1')])).toEqual(['packet 00001']);
});

test('a repeat of nothing, a repeat of no count and an escape at the end are malformed', () => {
  expect(decode([frame('* '), frame('a*'), frame('a*\x1c'), frame('a}')])).toEqual(Array(4).fill('bad malformed'));
});

test('a wrong checksum is reported, also one that is no number', () => {
  expect(one('$g#68$g#zz')).toEqual(['bad checksum', 'bad checksum']);
});

test('checksum digits may be upper case', () => {
  expect(one('$m0,4#FD')).toEqual(['packet m0,4']);
});

test('a dollar in a packet starts it anew', () => {
  expect(one('$half$?#3f')).toEqual(['packet ?']);
  expect(one('$half#$?#3f')).toEqual(['bad malformed', 'packet ?']);
});

test('a packet that is too long is skipped to its end and costs no memory', () => {
  const long = frame('x'.repeat(1000));
  const pieces = Array.from(long, (byte) => Buffer.from([byte]));
  expect(decode([...pieces, frame('?')], 100)).toEqual(['bad too-long', 'packet ?']);
  expect(decode([long, frame('?')], 100)).toEqual(['bad too-long', 'packet ?']);
});

test('a repeat cannot make a packet longer than the limit', () => {
  expect(decode([frame(`0${'*~'.repeat(20)}`)], 100)).toEqual(['bad malformed']);
});

test('a stream gives the same events however it is cut in two', () => {
  const stream = Buffer.concat([
    Buffer.from('+\x03'),
    frame('vCont;s:p1.1'),
    frame('X0,4:}\x03a*!'),
    Buffer.from('$bad#00-'),
    frame(''),
  ]);
  const whole = decode([stream]);
  expect(whole).toHaveLength(7);
  for (let cut = 0; cut <= stream.length; cut += 1) {
    expect(decode([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole);
  }
  expect(decode(Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(whole);
});

test('any payload comes back from writer to decoder', () => {
  withSeed((random) => {
    const out = new PacketWriter();
    for (let round = 0; round < 2000; round += 1) {
      const payload = random.bytes(random.int(round < 1900 ? 80 : 3000));
      out.begin();
      out.binary(payload);
      expect(decode([Buffer.from(out.finish())], 1 << 16)).toEqual([`packet ${payload.toString('latin1')}`]);
    }
  });
});

test('the checksum of long packets of all bytes is right', () => {
  for (const length of [0, 1, 2, 3, 4, 5, 6, 7, 255, 256, 257, 258, 259, 260, 1023, 70_001]) {
    const out = new PacketWriter();
    out.begin();
    out.hexBytes(Buffer.alloc(length, 0xff));
    const written = Buffer.from(out.finish());
    expect(written.equals(frame('f'.repeat(2 * length)))).toBe(true);
  }
});

test('binary data stops before the limit and says how much it took', () => {
  const out = new PacketWriter();
  out.begin();
  out.text('m');
  expect(out.binary(Buffer.from('ab#cd'), 4)).toBe(2);
  expect(out.payload().toString()).toBe('mab');
  out.begin();
  expect(out.binary(Buffer.from('ab#cd'), 4)).toBe(3);
});

test('100,000 random pieces neither throw nor pile up', () => {
  const alphabet = Buffer.from('$$##++--}*\x03m0,4gfd3?', 'latin1');
  withSeed((random) => {
    const decoder = new PacketDecoder(64);
    let longest = 0;
    for (let round = 0; round < 100_000; round += 1) {
      const length = random.int(24);
      const piece = Buffer.allocUnsafe(length);
      for (let at = 0; at < length; at += 1)
        piece[at] = random.int(4) === 0 ? random.int(256) : alphabet[random.int(alphabet.length)];
      decoder.feed(piece, (event) => {
        if (event.kind === 'packet') longest = Math.max(longest, event.payload.length);
      });
    }
    expect(longest).toBeLessThanOrEqual(64);
    // Whatever state it is in, two packets later it is back in step.
    const events: string[] = [];
    for (const piece of [frame('?'), frame('?')]) decoder.feed(piece, (event) => events.push(words(event)));
    expect(events.at(-1)).toBe('packet ?');
  });
});

test('a seed gives the same numbers again', () => {
  expect(makeRandom(7).bytes(20)).toEqual(makeRandom(7).bytes(20));
});
