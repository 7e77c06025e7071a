/**
 * Signal state and descriptors go back with the memory: the program checks its own view, the test compares the kernel's. What does not go
 * back by itself is named when a checkpoint is taken.
 */

import { makeFolder } from '../support/debug-server';
import { descriptors, signalState } from '../support/proc-memory';
import { Debuggee, ORDINARY_UID, withProgram } from '../support/owner-process';
import * as fs from 'node:fs';

/** SIGUSR1, SIGALRM and SIGWINCH in gdb's numbers: the program gets them without a stop. */
const PASSED = 'e;1e;1c';

const isRoot = process.getuid!() === 0;

interface KernelView {
  readonly descriptors: Record<string, string>;
  readonly signals: readonly (readonly string[])[];
}

/** Of the threads that the program has; those held for a checkpoint are none of its. */
async function kernelView(program: Debuggee): Promise<KernelView> {
  const threads = await program.threads();
  return { descriptors: descriptors(program.pid), signals: threads.map((tid) => signalState(program.pid, tid)) };
}

async function withFixture(uid: number | undefined, act: (program: Debuggee) => Promise<void>, ...more: string[]): Promise<void> {
  const folder = makeFolder();
  if (uid !== undefined) fs.chownSync(folder.path, uid, uid);
  try {
    await withProgram(
      { program: 'signals-files', args: [folder.path, ...more], ...(uid === undefined ? {} : { uid }) },
      async (program) => {
        await program.client.send(`QPassSignals:${PASSED}`);
        await act(program);
      },
    );
  } finally {
    folder.remove();
  }
}

describe('what the kernel holds for the process', () => {
  for (const uid of isRoot ? [undefined, ORDINARY_UID] : [undefined]) {
    test(`goes back: pending signals, handlers, masks, offsets, flags, descriptors (${uid === undefined ? 'own user' : 'an ordinary user'})`, () =>
      withFixture(uid, async (program) => {
        await program.resume('arranged');
        const before = await kernelView(program);
        const checkpoint = await program.take();
        expect(await kernelView(program)).toEqual(before);
        for (let round = 0; round < 4; round += 1) {
          expect((await program.resume('changed')).kind).toBe('stopped');
          expect(await kernelView(program)).not.toEqual(before);
          await program.restore(checkpoint);
          expect(await kernelView(program)).toEqual(before);
        }
        const { stop, output } = await program.finish();
        expect(output).toBe('verdict: right \n');
        expect(stop.text).toBe('W00');
      }));
  }

  test.each([
    ['', []],
    [', with a handler that is good for one time', ['once']],
  ])('goes back and forth between two checkpoints%s', (_title, more) =>
    withFixture(
      undefined,
      async (program) => {
        const views: KernelView[] = [];
        const checkpoints: number[] = [];
        for (const place of ['arranged', 'changed']) {
          await program.resume(place);
          checkpoints.push(await program.take());
          views.push(await kernelView(program));
        }
        for (const which of [0, 1, 1, 0, 0, 1, 0]) {
          await program.restore(checkpoints[which]);
          expect(await kernelView(program)).toEqual(views[which]);
        }
        const { output } = await program.finish();
        expect(output).toBe('verdict: right \n');
      },
      ...more,
    ),
  );

  test('is named where it does not go back: pipes, sockets, timers', () =>
    withFixture(undefined, async (program) => {
      await program.resume('arranged');
      const taken = await program.monitor('checkpoint');
      const [, checkpoint] = /Checkpoint (\d+)/.exec(taken) as unknown as [string, string];
      await program.resume('changed');
      const { text } = await program.tryRestore(Number(checkpoint));
      const said = `${taken}${text}`;
      for (const word of [/pipe/i, /socket/i, /timer/i]) expect(said).toMatch(word);
      expect(said).toMatch(/not (rolled|taken|gone|go|put|brought) back|stay|as (it|they) (is|are)/i);
    }));

  test('a child process is named while it has not been waited for', () =>
    withProgram({ program: 'gdb-children', args: ['fork'] }, async (program) => {
      await program.resume('by_fork');
      expect(await program.monitor('checkpoint')).not.toMatch(/child process/);
      await program.resume('in_parent');
      expect(await program.monitor('checkpoint')).toMatch(/^Not rolled back: child process \d+ \(gdb-children\): it runs on/m);
      expect(await program.monitor('savepoint-preflight-json')).toMatch(/child process \d+ \(gdb-children\)/);
      await program.resume('marked');
      expect(await program.monitor('checkpoint')).not.toMatch(/child process/);
    }));

  test('is told to a client that asks for the outcome of its restart, and told once', () =>
    withFixture(undefined, async (program) => {
      await program.resume('arranged');
      const notes: string[][] = [];
      for (let round = 0; round < 2; round += 1) {
        await program.monitor('restart 0 quietly');
        let stop = await program.resume();
        if (stop.text.startsWith('T05library:')) stop = await program.resume();
        expect(stop.value).toBe(0);
        notes.push((JSON.parse(await program.monitor('restored-json')) as { notes: string[] }).notes);
      }
      expect(notes[0]!.join('\n')).toMatch(/Not rolled back: fd 0 \(socket/);
      expect(notes[1]).toEqual([]);
    }));
});
