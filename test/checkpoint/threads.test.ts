/**
 * Threads that have exited come back as themselves, threads born since go away, and nobody notices: thread ids, thread-local data,
 * alternate stacks, names, and mutexes that know their owner.
 */

import { spawn } from 'node:child_process';
import { fixture, within } from '../support/debug-server';
import { captureMemory, compareMemory, listTasks } from '../support/proc-memory';
import { Debuggee, isArmed, ORDINARY_UID, withProgram } from '../support/owner-process';
import { scaled, withSeed } from '../support/random';
import { differences, observe } from '../support/witness';

const isRoot = process.getuid!() === 0;
const RIGHT = 'verdict: right ';

async function expectRightEnd(program: Debuggee, more = ''): Promise<void> {
  const { stop, output } = await program.finish();
  expect(output).toBe(`${RIGHT}${more}\n`);
  expect(stop.text).toBe('W00');
}

describe('threads that have exited since', () => {
  for (const count of [1, 8, 64, 256]) {
    for (const uid of isRoot ? [undefined, ORDINARY_UID] : [undefined]) {
      test(
        `${count} come back with their ids (${uid === undefined ? 'own user' : 'an ordinary user'})`,
        () =>
          withProgram(
            { program: 'threads-park', args: [String(count)], ...(uid === undefined ? {} : { uid }) },
            async (program) => {
              await program.resume('all_ready');
              const checkpoint = await program.take();
              const before = await observe(program);
              expect(before.registers.size).toBe(count + 1);
              for (let round = 1; round <= 3; round += 1) {
                expect((await program.resume('all_joined')).kind).toBe('stopped');
                expect(await program.threads()).toEqual([program.pid]);
                await program.restore(checkpoint);
                expect(differences(before, await observe(program))).toEqual([]);
                await program.writeInt('round_number', round);
              }
              await program.resume('all_joined');
              await expectRightEnd(program, 'round=3');
            },
          ),
        60_000,
      );
    }
  }
});

describe('without the exit filter, as where the kernel refuses it', () => {
  const env = { SAVEPOINT_EXIT_FILTER: 'off' };

  test('what lives goes back; a thread that has exited is refused by name, and the program goes on', () =>
    withProgram({ program: 'threads-park', args: ['4'], env }, async (program) => {
      await program.resume('all_ready');
      const checkpoint = await program.take();
      const before = await observe(program);
      await program.client.resume('vCont;s');
      await program.restore(checkpoint);
      expect(differences(before, await observe(program))).toEqual([]);
      await program.resume('all_joined');
      const joined = await observe(program);
      const { text, stop } = await program.tryRestore(checkpoint);
      expect(text).toMatch(/thread \d+: has exited and cannot be brought back: /);
      expect(stop).toBeUndefined();
      expect(differences(joined, await observe(program))).toEqual([]);
      await expectRightEnd(program, 'round=0');
    }));

  test('the end of the process is its end, and its checkpoints are gone', () =>
    withProgram({ program: 'exits', env }, async (program) => {
      await program.resume('deciding');
      const checkpoint = await program.take();
      expect((await program.resume()).text).toMatch(/^W/);
      const { text, stop } = await program.tryRestore(checkpoint);
      expect(text).toMatch(/checkpoints \(0, 1\) are gone/);
      expect(stop).toBeUndefined();
    }));
});

describe('threads born since', () => {
  test('are gone after a restore, and may be born again', () =>
    withProgram({ program: 'threads-park', args: ['12'] }, async (program) => {
      await program.resume('before_threads');
      const checkpoint = await program.take();
      for (let round = 1; round <= 5; round += 1) {
        await program.resume('all_ready');
        expect(await program.threads()).toHaveLength(13);
        await program.restore(checkpoint);
        expect(await program.threads()).toEqual([program.pid]);
      }
      await program.drop(checkpoint);
      await program.resume('all_ready');
      await expectRightEnd(program, 'round=0');
    }));

  test('are brought back by a later checkpoint, in whatever order', () =>
    withSeed(1, (random) =>
      withProgram({ program: 'threads-park', args: ['12'] }, async (program) => {
        const places = ['before_threads', 'all_ready', 'all_joined'];
        const checkpoints: number[] = [];
        const threads: number[][] = [];
        for (const place of places) {
          await program.resume(place);
          checkpoints.push(await program.take());
          threads.push(await program.threads());
        }
        for (let restores = 0; restores < scaled(30); restores += 1) {
          const which = random.below(3);
          await program.restore(checkpoints[which]);
          expect(await program.threads()).toEqual(threads[which]);
          if (which < 2 && random.chance(0.5)) await program.resume(places[which + 1]);
        }
        await program.restore(checkpoints[1]);
        await expectRightEnd(program, 'round=0');
      }),
    ));
});

describe('threads born and ending all the time', () => {
  for (const [index, uid] of (isRoot ? [undefined, ORDINARY_UID] : [undefined]).entries()) {
    test(
      `end with the right sums after many restores (${uid === undefined ? 'own user' : 'an ordinary user'})`,
      () =>
        withSeed(index, (random) =>
          withProgram({ program: 'threads-churn', args: ['6'], ...(uid === undefined ? {} : { uid }) }, async (program) => {
            const taken = new Map<number, number[]>();
            await program.runFor(20);
            for (let restores = 0; restores < scaled(110);) {
              const stop = random.chance(0.2) ? await program.resume('thread_ended') : await program.runFor(random.below(8));
              if (stop.kind !== 'stopped') throw new Error(`the program ended: ${stop.text}`);
              if (taken.size === 0 || random.chance(0.25)) {
                const checkpoint = await program.take();
                taken.set(checkpoint, await program.threads());
                const [oldest] = taken.keys();
                if (taken.size > 6 && taken.delete(oldest)) await program.drop(oldest);
              } else {
                const checkpoint = random.pick([...taken.keys()]);
                await program.restore(checkpoint);
                expect(await program.threads()).toEqual(taken.get(checkpoint));
                restores += 1;
              }
            }
            for (const checkpoint of taken.keys()) await program.drop(checkpoint);
            await program.writeInt('finish', 1);
            const { stop, output } = await program.finish();
            expect(output).toMatch(/^verdict: right born=\d+\n$/);
            expect(stop.text).toBe('W00');
          }),
        ),
      120_000,
    );
  }

  test('leave no held thread behind once no checkpoint wants it', () =>
    withProgram({ program: 'threads-park', args: ['32'] }, async (program) => {
      await program.resume('all_ready');
      const checkpoint = await program.take();
      await program.resume('all_joined');
      expect(listTasks(program.pid)).toHaveLength(33);
      await program.drop(checkpoint);
      await expectRightEnd(program, 'round=0');
    }));
});

describe('a thread that cannot be brought back', () => {
  test('because it exited with a robust mutex held: refused by its name, or brought back right', () =>
    withProgram({ program: 'threads-robust' }, async (program) => {
      await program.resume('holding');
      const threads = await program.threads();
      const late = threads.find((tid) => tid !== program.pid)!;
      const checkpoint = await program.take();
      await program.resume('inherited');
      const before = captureMemory(program.pid);
      const { text, stop } = await program.tryRestore(checkpoint);
      if (stop?.value === 0) {
        expect(await program.threads()).toEqual(threads);
        await program.resume('inherited');
      } else {
        expect(text).toContain(String(late));
        expect(compareMemory(before, captureMemory(program.pid))).toEqual([]);
      }
      await expectRightEnd(program);
    }));

  test('because the program was attached to: refused by its name, and the program goes on unharmed', async () => {
    const child = spawn(fixture('threads-park'), ['5'], {
      env: { ...process.env, HOLD: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const closed = new Promise<void>((resolve) => void child.stdout.once('close', () => resolve()));
    try {
      await withProgram({ program: 'threads-park', attach: child.pid! }, async (program) => {
        await program.writeInt('hold', 0);
        await program.resume('all_ready');
        const threads = await program.threads();
        const checkpoint = await program.take();
        await program.restore(checkpoint);
        await program.resume('all_joined');
        const before = captureMemory(child.pid!);
        const { text, stop } = await program.tryRestore(checkpoint);
        expect(stop?.value === 0 && isArmed(text)).toBe(false);
        expect(threads.some((tid) => tid !== child.pid && text.includes(String(tid)))).toBe(true);
        expect(compareMemory(before, captureMemory(child.pid!))).toEqual([]);
        expect((await program.resume()).text).toBe('W00');
      });
      expect(await within(ended, 10_000)).toBe(true);
      expect(await ended).toBe(0);
      await closed;
      expect(output).toBe(`${RIGHT}round=0\n`);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });
});
