/**
 * Whatever a peer sends, the session neither throws nor hangs nor stops answering; RSP_SEED repeats a run.
 */

import { Dialogue, frame } from './support/dialogue';
import { PID, stopped } from './support/fake-target';
import { withSeed, type Random } from './support/random';

/** A conversation with every family of packets in it, harmless to the machine. */
const VALID = [
  'qSupported:multiprocess+;swbreak+',
  '?',
  'Hgp1061.1061',
  'qC',
  'g',
  'p10',
  'P10=0000000000000000',
  'm555555554000,40',
  'M555555554000,2:0102',
  'X555555554000,2:}\x03a',
  'x555555554000,40',
  'Z0,5555555551e1,1',
  'z2,5555555551e1,8',
  'vCont?',
  'vCont;c:p1061.-1',
  'vCont;s:p1061.1061;c',
  'vCont;r401000,401020:p1061.1061',
  'C06',
  's',
  'qXfer:threads:read::0,1000',
  'qXfer:siginfo:write::0:abcd',
  'qXfer:libraries-svr4:read:start=1;prev=2:0,ff',
  'qSearch:memory:555555554000;100;needle',
  'qCRC:555555554000,100',
  'QPassSignals:e;10;14',
  'qRcmd,68656c70',
  'qGetTLSAddr:p1061.1061,10,1000',
  'qfThreadInfo',
  'qAttached:1061',
  'vFile:pread:5,100,0',
  'vFile:fstat:5',
  'vCtrlC',
  'QEnvironmentHexEncoded:413d31',
  'QNonStop:0',
].map((text) => frame(text));

/** Commands that change files are kept out of what mutation may make. */
const DANGEROUS = /vFile:(open|unlink|pwrite)/;

function mutate(random: Random, bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  for (let times = random.int(3); times >= 0; times -= 1) {
    const at = random.int(changed.length);
    switch (random.int(4)) {
      case 0:
        changed[at] = random.int(256);
        break;
      case 1:
        changed.copyWithin(at, random.int(changed.length));
        break;
      case 2:
        return changed.subarray(0, at);
      default:
        changed[at] ^= 1 << random.int(8);
    }
  }
  if (random.int(2) === 0) return changed;
  // Half of them with a right checksum, so that they get past the framing.
  return frame(
    Buffer.from(changed.subarray(1, Math.max(1, changed.length - 3)).filter((byte) => byte !== 0x24 && byte !== 0x23)),
  );
}

/** Brings a session back into step and shows that it still answers. */
function expectAlive(dialogue: Dialogue): void {
  dialogue.raw(frame('qC'));
  dialogue.raw(frame('qC'));
  for (let rounds = 0; dialogue.session.phase === 'running'; rounds += 1) {
    expect(rounds).toBeLessThan(200);
    dialogue.stop(stopped());
  }
  expect(dialogue.session.phase).toBe('idle');
  dialogue.target.live = [{ pid: PID, tid: PID, serial: 1, name: 'main', core: 0 }];
  dialogue.ask('Hgp1061.1061');
  expect(dialogue.ask('qC').at(-1)).toMatch(/^QC/);
}

function expectNoBugs(dialogue: Dialogue): void {
  expect(dialogue.logged.filter((line) => /TypeError|RangeError|internal/.test(line))).toEqual([]);
}

test('random bytes', () => {
  withSeed((random) => {
    const dialogue = Dialogue.ready();
    for (let round = 0; round < 20_000; round += 1) dialogue.raw(random.bytes(random.int(40)));
    expectNoBugs(dialogue);
    expectAlive(dialogue);
  });
});

test('mutated packets', () => {
  withSeed((random) => {
    const dialogue = Dialogue.ready();
    for (let round = 0; round < 30_000; round += 1) {
      const bytes = mutate(random, random.pick(VALID));
      if (DANGEROUS.test(bytes.toString('latin1'))) continue;
      dialogue.raw(bytes);
      if (dialogue.session.phase === 'running' && random.int(3) === 0) dialogue.session.onStop(stopped());
      if (round % 1000 === 0) {
        expectNoBugs(dialogue);
        expectAlive(dialogue);
      }
    }
    expectNoBugs(dialogue);
    expectAlive(dialogue);
  });
});

test('a conversation gives the same output however its bytes are cut', () => {
  const stream = Buffer.concat(VALID.filter((bytes) => !/vCont;|\$s|\$C/.test(bytes.toString('latin1'))));
  const whole = Dialogue.ready();
  whole.raw(stream);
  const expected = whole.output();
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const dialogue = Dialogue.ready();
    dialogue.raw(stream.subarray(0, cut));
    dialogue.raw(stream.subarray(cut));
    expect(dialogue.output()).toBe(expected);
  }
});

test('packets without end while running are dropped, not kept', () => {
  const dialogue = Dialogue.ready();
  dialogue.ask('vCont;c');
  for (let count = 0; count < 10_000; count += 1) dialogue.raw(frame('qC'));
  const replies = dialogue.stop(stopped());
  expect(replies.length).toBeLessThan(100);
  expectAlive(dialogue);
});
