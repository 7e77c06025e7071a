/**
 * The end of the process, however it comes, is not the end while a checkpoint exists: the same process goes back and may end otherwise. SIGKILL
 * is the exception, and is said to be.
 */

import { Debuggee, ORDINARY_UID, withProgram } from '../support/owner-process';
import { differences, observe } from '../support/witness';

const HOW = { exit: 0, abort: 1, segv: 2, kill: 3, exitFromThread: 4, return: 5 };
const isRoot = process.getuid!() === 0;
/** gdb's numbers. */
const SIGKILL = 9;

interface Ending {
  readonly name: string;
  readonly how: number;
  readonly code?: number;
  readonly reply: string;
  /** A fault or abort is a stop first (the debugger sees the signal), then the end. */
  readonly signal?: number;
}

const endings: readonly Ending[] = [
  { name: 'exit(3)', how: HOW.exit, code: 3, reply: 'W03' },
  { name: 'exit(0)', how: HOW.exit, code: 0, reply: 'W00' },
  { name: 'exit(77) from another thread', how: HOW.exitFromThread, code: 77, reply: 'W4d' },
  { name: 'return from main', how: HOW.return, reply: 'W00' },
  { name: 'abort()', how: HOW.abort, reply: 'X06', signal: 6 },
  { name: 'a segmentation fault', how: HOW.segv, reply: 'X0b', signal: 11 },
];

async function goTo(program: Debuggee, ending: Ending): Promise<void> {
  await program.writeInt('how', ending.how);
  await program.writeInt('code', ending.code ?? 0);
  let stop = await program.resume();
  if (ending.signal !== undefined) {
    expect(stop).toMatchObject({ kind: 'stopped', value: ending.signal });
    program.client.start(`vCont;C${ending.signal.toString(16).padStart(2, '0')}:${stop.tid.toString(16)};c`);
    stop = await program.awaitStop();
  }
  expect(stop.text.slice(0, 3)).toBe(ending.reply);
}

describe('a process that has ended', () => {
  for (const uid of isRoot ? [undefined, ORDINARY_UID] : [undefined]) {
    for (const ending of endings) {
      test(`by ${ending.name} goes back, with its id, to every other end (${uid === undefined ? 'own user' : 'an ordinary user'})`, () =>
        withProgram({ program: 'exits', ...(uid === undefined ? {} : { uid }) }, async (program) => {
          await program.resume('deciding');
          const checkpoint = await program.take();
          const before = await observe(program);
          for (const next of [ending, ...endings]) {
            await goTo(program, next);
            const stop = await program.restoreAfterExit(checkpoint);
            expect(stop.tid).toBe(program.pid);
            expect(differences(before, await observe(program))).toEqual([]);
          }
          await goTo(program, ending);
        }));
    }
  }

  test('by SIGKILL is gone: reported as such, and the restore is refused in a sentence', () =>
    withProgram({ program: 'exits' }, async (program) => {
      await program.resume('deciding');
      const checkpoint = await program.take();
      await goTo(program, { name: 'kill', how: HOW.kill, reply: `X0${SIGKILL}` });
      const text = await program.monitor(`restart ${checkpoint}`);
      expect(text).toMatch(/^The program is not being run\. \(The checkpoints \(0, 1\) are gone: process \d+ is gone\.\)$/m);
      expect(text).not.toMatch(/armed/);
      expect(await program.serverEnded()).toBe(false);
    }));

  test('by exit without any checkpoint really ends', () =>
    withProgram({ program: 'exits' }, async (program) => {
      await program.resume('deciding');
      await program.drop(await program.take());
      // The one of the program's start.
      await program.drop(0);
      await goTo(program, endings[0]);
      expect(() => process.kill(program.pid, 0)).toThrow('ESRCH');
    }));
});
