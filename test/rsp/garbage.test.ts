/**
 * Garbage on the wire of a real server: it goes on answering, the program that it holds is not harmed, and a checkpoint brings
 * everything back whatever the garbage did to the program.
 */

import { Debuggee, ORDINARY_UID, withProgram } from '../support/owner-process';
import { encodeFrame } from '../support/rsp-client';
import { type Random, scaled, withSeed } from '../support/random';
import { differences, observe } from '../support/witness';

/** What a debugger asks of a stopped program. */
const QUESTIONS = [
  'qSupported:swbreak+;hwbreak+',
  '?',
  'qC',
  'g',
  'p10',
  'm400000,40',
  'x400000,40',
  'vCont?',
  'qXfer:threads:read::0,1000',
  'qXfer:features:read:target.xml:0,1000',
  'qXfer:libraries-svr4:read:start=1;prev=2:0,ff',
  'qXfer:auxv:read::0,1000',
  'qSearch:memory:400000;100;needle',
  'qCRC:400000,100',
  'qGetTLSAddr:1061,10,1000',
  'qfThreadInfo',
  'qsThreadInfo',
  'qAttached:1061',
  'vFile:fstat:5',
  'qThreadExtraInfo,1061',
];
/** What changes it, or lets it run. */
const ORDERS = [
  'vCont;c',
  'vCont;s',
  'vCont;r401000,401020',
  'C0a',
  's',
  'c',
  'Z0,401130,1',
  'z0,401130,1',
  'Z2,404040,8',
  'z2,404040,8',
  'P10=0000000000000000',
  'M404040,2:0102',
  'QPassSignals:e;10;14',
  'QNonStop:0',
  'QCatchSyscalls:1',
  `qRcmd,${Buffer.from('checkpoint here').toString('hex')}`,
  `qRcmd,${Buffer.from('info checkpoints').toString('hex')}`,
];
/** Ends the program or the connection, starts another, or touches files: none of these may come out of a mutation. */
const FORBIDDEN = /^(k|D|R|vKill|vAttach|vRun|vFile:(open|unlink|pwrite|setfs)|QStart|!)/;
/** What may come out of a mutation when the program must stay as it is. */
const HARMLESS = /^(\?|g|p|m|x|q(?!Rcmd)|vCont\?|vFile:fstat|H)/;

function mutate(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const at = random.below(bytes.length);
    const way = random.below(4);
    if (way === 0) bytes[at] = random.below(256);
    else if (way === 1) bytes.copyWithin(at, random.below(bytes.length));
    else if (way === 2) return bytes.subarray(0, at);
    else bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  }
  return bytes;
}

/** Breakpoints stay over a restore: only those that the test can take out again. */
const isSurvivable = (payload: string): boolean =>
  !FORBIDDEN.test(payload) && (!payload.startsWith('Z') || ORDERS.includes(payload));

const BEGIN_PACKET = 0x24;
const INTERRUPT = 3;

/** What stands between packets: any byte, but none that begins one, nor ^C, which stops a program that runs. */
function noise(random: Random): Buffer {
  const bytes = Array.from({ length: random.below(20) }, () => random.below(256));
  return Buffer.from(bytes.filter((byte) => byte !== BEGIN_PACKET && byte !== INTERRUPT));
}

/** In one piece, or cut at each byte. */
function send(program: Debuggee, data: Buffer, byBytes: boolean): void {
  if (!byBytes) program.client.sendRaw(data);
  else for (let at = 0; at < data.length; at += 1) program.client.sendRaw(data.subarray(at, at + 1));
}

/** Frames, some of them broken, some torn. */
function garbage(random: Random, from: readonly string[], allowed: (payload: string) => boolean): Buffer {
  const pieces: Buffer[] = [];
  while (pieces.length < 40) {
    const payload = mutate(random, random.pick(from));
    if (!allowed(payload.toString('latin1'))) continue;
    const frame = encodeFrame(payload);
    pieces.push(random.chance(0.2) ? frame.subarray(0, random.below(frame.length)) : frame);
    if (random.chance(0.3)) pieces.push(noise(random));
  }
  return Buffer.concat(pieces);
}

/** A question that is answered whether or not there is a process, and whose answer cannot be mistaken for another's. */
const MARK = `qRcmd,${Buffer.from('help').toString('hex')}`;
const isMark = (reply: string): boolean => Buffer.from(reply, 'hex').includes('info checkpoints');

/** Stops the program if it runs, and reads until the server has answered a last question. Whether the program's end was told on the way. */
async function bringBack(program: Debuggee): Promise<boolean> {
  let ended = false;
  for (let tries = 0; tries < 10; tries += 1) {
    // A torn packet swallows what follows it up to the next '#'.
    program.client.sendRaw(Buffer.from('#00'));
    program.client.interrupt();
    program.client.sendRaw(encodeFrame(Buffer.from(MARK)));
    for (;;) {
      const reply = await program.client.receive(1000).catch(() => undefined);
      if (reply === undefined) break;
      if (/^[WX]/.test(reply)) ended = true;
      if (isMark(reply)) return ended;
    }
  }
  throw new Error('the server does not answer any more');
}

/** Reads what is still on its way, so that the next request gets its own answer, and chooses again what a session begins with. */
async function drain(program: Debuggee): Promise<void> {
  while ((await program.client.receive(300).catch(() => undefined)) !== undefined) continue;
  // What the garbage may have chosen.
  await program.client.send('Hg0');
  await program.client.send('qSupported:swbreak+;hwbreak+;vContSupported+');
}

const users = process.getuid!() === 0 ? [undefined, ORDINARY_UID] : [undefined];
for (const [index, uid] of users.entries()) {
  test(`questions that are broken leave the program as it is (${uid === undefined ? 'own user' : 'an ordinary user'})`, () =>
    withSeed(index, (random) =>
      withProgram({ program: 'threads-park', args: ['4'], ...(uid === undefined ? {} : { uid }) }, async (program) => {
        await program.resume('all_ready');
        const before = await observe(program);
        for (let round = 0; round < scaled(60); round += 1) {
          send(
            program,
            garbage(random, QUESTIONS, (payload) => HARMLESS.test(payload)),
            round % 4 === 3,
          );
          await bringBack(program);
        }
        await drain(program);
        expect(differences(before, await observe(program))).toEqual([]);
        const { output, stop } = await program.finish();
        expect(output).toMatch(/^verdict: right/);
        expect(stop.text).toBe('W00');
      }),
    ));
}

test(
  'whatever broken orders do to the program, a checkpoint brings it back',
  () =>
    withSeed(9, (random) =>
      withProgram({ program: 'threads-park', args: ['4'] }, async (program) => {
        await program.resume('all_ready');
        const checkpoint = await program.take();
        const before = await observe(program);
        for (let round = 0; round < scaled(12); round += 1) {
          let ended = false;
          for (let burst = 0; burst < 3; burst += 1) {
            send(program, garbage(random, [...ORDERS, ...QUESTIONS], isSurvivable), burst === 2);
            ended = (await bringBack(program)) || ended;
          }
          await drain(program);
          for (const point of ORDERS.filter((order) => order.startsWith('z'))) await program.client.send(point);
          await (ended ? program.restoreAfterExit(checkpoint) : program.restore(checkpoint));
          expect(differences(before, await observe(program))).toEqual([]);
        }
        const { output } = await program.finish();
        expect(output).toMatch(/^verdict: right/);
      }),
    ),
  120_000,
);
