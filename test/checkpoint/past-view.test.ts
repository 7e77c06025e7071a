/**
 * Looking into checkpoints without going back: what is read is what was, bit for bit, held against the test's own observations; the program is as it
 * was before the look; and nobody can change it meanwhile.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { BareClient } from '../support/control-session';
import { makeFolder } from '../support/debug-server';
import { Debuggee, parseStop, withProgram } from '../support/owner-process';
import { captureMemory, compareMemory, type Mapping, mask } from '../support/proc-memory';
import { type Random, scaled, withSeed } from '../support/random';
import { RspClient } from '../support/rsp-client';
import { differences, observe, rseqAreas, type Witness } from '../support/witness';

const PAGE = 4096;
const CHUNK = 16 * PAGE;

async function view(program: Debuggee, checkpoint: number, tid = program.pid): Promise<void> {
  expect(await program.monitor(`savepoint-view ${checkpoint} ${tid}`)).toBe(
    `Looking at checkpoint ${checkpoint}, thread ${tid}.\n`,
  );
}

async function leave(program: Debuggee): Promise<void> {
  expect(await program.monitor('savepoint-view off')).toBe('Looking at the present.\n');
}

/** All that was not zero, and some of what was; unreadable is zero, as in what it is compared with. */
async function readMapping(program: Debuggee, random: Random, { start }: Mapping, was: Buffer): Promise<Buffer> {
  const is = Buffer.alloc(was.length);
  for (let at = 0; at < was.length; at += CHUNK) {
    const length = Math.min(CHUNK, was.length - at);
    if (was.subarray(at, at + length).every((byte) => byte === 0) && !random.chance(0.02)) continue;
    for (let done = 0; done < length;) {
      const reply = await program.client.send(`m${(start + at + done).toString(16)},${(length - done).toString(16)}`);
      const got = reply === 'E01' ? 0 : Buffer.from(reply, 'hex').copy(is, at + done);
      done += got === 0 ? PAGE : got;
    }
  }
  return is;
}

/** What is seen in a checkpoint, in the same terms as what was observed. */
async function observePast(program: Debuggee, random: Random, checkpoint: number, then: Witness): Promise<Witness> {
  const registers = new Map<number, string>();
  for (const tid of then.registers.keys()) {
    await view(program, checkpoint, tid);
    registers.set(tid, await program.client.send('g'));
  }
  const contents: (Buffer | undefined)[] = [];
  for (const [index, was] of then.memory.contents.entries())
    contents.push(was === undefined ? undefined : await readMapping(program, random, then.memory.table[index]!, was));
  const areas = await rseqAreas(program, registers);
  await leave(program);
  return { memory: mask({ table: then.memory.table, contents }, areas), registers };
}

describe('a look into checkpoints of a random walk', () => {
  let folder: ReturnType<typeof makeFolder>;
  beforeAll(() => {
    folder = makeFolder();
    const file = Buffer.alloc(32 * PAGE);
    for (let page = 0; page < 32; page += 1) file.writeBigUInt64LE(0xf11e000000000000n + BigInt(page), page * PAGE);
    fs.writeFileSync(path.join(folder.path, 'file'), file);
  });
  afterAll(() => folder.remove());

  for (const [index, tier] of ['write-protect', 'compare'].entries()) {
    test(
      `shows what was there, of every thread, and changes nothing (${tier})`,
      () =>
        withSeed(40 + index, async (random) => {
          const args = [String(1 + random.below(1_000_000)), '4', path.join(folder.path, 'file')];
          await withProgram({ program: 'tree-walk', args, env: { SAVEPOINT_FORCE_TIER: tier } }, async (program) => {
            await program.resume('step_done');
            const taken = new Map<number, Witness>();
            for (let round = 0; round < scaled(6); round += 1) {
              for (let more = 0; more < 3; more += 1) {
                taken.set(await program.take(), await observe(program));
                if ((await program.runFor(random.below(8), 'step_done')).kind !== 'stopped') throw new Error('it ended');
              }
              if (random.chance(0.5)) await program.restore(random.pick([...taken.keys()]));
              for (let looks = 0; looks < 3; looks += 1) {
                const checkpoint = random.pick([...taken.keys()]);
                const then = taken.get(checkpoint)!;
                const now = await observe(program);
                expect(differences(then, await observePast(program, random, checkpoint, then))).toEqual([]);
                expect(differences(now, await observe(program))).toEqual([]);
              }
            }
            await program.writeInt('finish', 1);
            expect((await program.finish()).output).toBe('verdict: right \n');
          });
        }),
      120_000 * Math.max(1, scaled(1)),
    );
  }

  test('shows threads that have exited since, with their own thread-local data', () =>
    withProgram({ program: 'threads-park', args: ['5'] }, async (program) => {
      await program.resume('all_ready');
      const checkpoint = await program.take();
      const then = await observe(program);
      await program.resume('all_joined');
      expect(await program.threads()).toEqual([program.pid]);
      await withSeed(1, async (random) => {
        expect(differences(then, await observePast(program, random, checkpoint, then))).toEqual([]);
      });
      expect(await program.monitor(`savepoint-view ${checkpoint} 1`)).toBe(`Checkpoint ${checkpoint} has no thread 1.\n`);
      expect(await program.monitor(`savepoint-view 99 ${program.pid}`)).toBe('No checkpoint number 99.\n');
      expect((await program.finish()).output).toBe('verdict: right round=0\n');
    }));
});

describe('while somebody looks', () => {
  const REFUSED = /checkpoint 1 is being looked at, so the program cannot be changed just now/;

  test('nothing can be changed or resumed, and afterwards everything can', () =>
    withProgram({ program: 'threads-park', args: ['2'] }, async (program) => {
      await program.resume('all_ready');
      const checkpoint = await program.take();
      await program.writeInt('round_number', 7);
      const address = program.symbol('round_number').toString(16);
      const point = `0,${program.symbol('all_joined').toString(16)},1`;
      const block = await program.client.send('g');
      const before = captureMemory(program.pid);
      await view(program, checkpoint);
      expect(await program.readInt('round_number')).toBe(0);
      for (const packet of [
        `M${address},4:01000000`,
        `X${address},4:abcd`,
        `G${block}`,
        `P0=0000000000000000`,
        `Z${point}`,
        `z${point}`,
      ])
        expect([packet.slice(0, 20), await program.client.send(packet)]).toEqual([packet.slice(0, 20), 'E01']);
      for (const line of ['checkpoint', `restart ${checkpoint}`, `delete checkpoint ${checkpoint}`])
        expect(await program.monitor(line)).toMatch(REFUSED);
      for (const packet of ['vCont;c', 'vCont;s', 'c', 's']) {
        program.client.start(packet);
        const { stop, console } = await program.client.waitStop();
        expect(parseStop(stop)).toMatchObject({ kind: 'stopped', value: 0 });
        expect(console).toMatch(REFUSED);
      }
      expect(compareMemory(before, captureMemory(program.pid))).toEqual([]);
      await leave(program);
      await leave(program);
      expect([await program.readInt('round_number'), await program.client.send('g')]).toEqual([7, block]);
      await program.writeInt('round_number', 3);
      await program.restore(checkpoint);
      await program.resume('all_joined');
      expect((await program.finish()).output).toBe('verdict: right round=0\n');
    }));

  test('other clients are told to wait, and may look at the list', () =>
    withProgram({ program: 'threads-park', args: ['2'] }, async (program) => {
      await program.resume('all_ready');
      const checkpoint = await program.take();
      const { control } = JSON.parse(await program.monitor('savepoint-bell')) as { control: string };
      const other = await BareClient.unix(control);
      await view(program, checkpoint);
      for (const [method, params] of [
        ['checkpoint/take', {}],
        ['checkpoint/restore', { id: checkpoint }],
        ['checkpoint/drop', { id: checkpoint }],
      ] as const)
        expect(JSON.stringify(await other.ask(method, params))).toMatch(REFUSED);
      expect(JSON.stringify(await other.ask('checkpoint/list', {}))).toMatch(/"checkpoints":\[/);
      await leave(program);
      expect(JSON.stringify(await other.ask('checkpoint/drop', { id: checkpoint }))).not.toMatch(/error/);
      await other.close();
    }));

  test('a debugger that goes away ends the look: the next one sees the present', () =>
    withProgram({ program: 'threads-park', args: ['2'] }, async (program) => {
      await program.resume('all_ready');
      const checkpoint = await program.take();
      await program.writeInt('round_number', 7);
      await view(program, checkpoint);
      expect(await program.readInt('round_number')).toBe(0);
      await program.client.close();
      const next = await RspClient.connect(path.join(program.workFolder, 'socket'));
      await next.noack();
      await next.send('?');
      const address = program.symbol('round_number').toString(16);
      expect([await next.send(`m${address},4`), await next.send(`M${address},4:00000000`)]).toEqual(['07000000', 'OK']);
      await next.close();
    }));

  test('a program that is killed from outside shows nothing any more, not its present for its past, and its end is told', () =>
    withProgram({ program: 'threads-park', args: ['2'] }, async (program) => {
      await program.resume('all_ready');
      await view(program, await program.take());
      expect(await program.readInt('round_number')).toBe(0);
      process.kill(program.pid, 'SIGKILL');
      // Its death comes to the server by itself, a moment later.
      const address = program.symbol('round_number').toString(16);
      const end = Date.now() + 5_000;
      while ((await program.client.send(`m${address},4`)) !== 'E01' && Date.now() < end);
      expect([await program.client.send(`m${address},4`), await program.client.send('g')]).toEqual(['E01', 'E01']);
      expect((await program.resume()).text).toBe('X09');
    }));

  test('a kill is a kill', () =>
    withProgram({ program: 'threads-park', args: ['2'] }, async (program) => {
      await program.resume('all_ready');
      await view(program, await program.take());
      expect(await program.client.send(`vKill;${program.pid.toString(16)}`)).toBe('OK');
      expect(await program.monitor('info checkpoints')).toBe('No checkpoints.\n');
    }));
});
