/**
 * Watchpoints by bare packets: the right thread is blamed, nothing is missed, and everything else goes on as always. In both ways of
 * finding them: debug registers (where they fire), and stepping.
 */

import { debugRegistersFire, warnOfMissingRegisters } from '../support/debug-registers';
import { type Debuggee, type Stop, withProgram } from '../support/owner-process';

type Mode = 'step' | 'registers';

const fire = debugRegistersFire();
if (!fire) warnOfMissingRegisters('watchpoints are tested by stepping only');
const modes: readonly Mode[] = fire ? ['step', 'registers'] : ['step'];

const hex = (value: number): string => value.toString(16);

async function point(program: Debuggee, verb: 'Z' | 'z', kind: number, address: number, length: number): Promise<void> {
  expect(await program.client.send(`${verb}${kind},${hex(address)},${hex(length)}`)).toBe('OK');
}

/** As gdb does: inserted for the resume, removed at the stop. */
async function resumeWatching(
  program: Debuggee,
  ranges: readonly (readonly [number, number])[],
  ...functions: string[]
): Promise<Stop> {
  for (const [address, length] of ranges) await point(program, 'Z', 2, address, length);
  const stop = await program.resume(...functions);
  if (stop.kind === 'stopped') for (const [address, length] of ranges) await point(program, 'z', 2, address, length);
  return stop;
}

function watchedAddress(stop: Stop): number {
  const match = /watch:([0-9a-f]+);/.exec(stop.text);
  if (match === null) throw new Error(`not a watchpoint: ${stop.text}`);
  return parseInt(match[1] as string, 16);
}

const isWatch = (stop: Stop): boolean => / *watch:/.test(stop.text);

async function author(program: Debuggee): Promise<number> {
  const number = await program.readInt('author');
  return (await program.readMemory(program.symbol('authors') + 4 * number, 4)).readInt32LE();
}

describe.each(modes)('watchpoints by %s', (mode) => {
  const env = { SAVEPOINT_FORCE_WATCH: mode };
  const start = (args: readonly string[], act: (program: Debuggee) => Promise<void>): Promise<void> =>
    withProgram({ program: 'watched', args, env, deadline: 40_000 }, async (program) => {
      await program.resume('ready');
      await act(program);
    });

  it('blame the thread that wrote, sixty times, while four run', () =>
    start(['turns', '4', '60'], async (program) => {
      const word = program.symbol('word');
      const blamed = new Set<number>();
      for (let i = 1; i <= 60; i++) {
        const stop = await resumeWatching(program, [[word, 4]]);
        expect(watchedAddress(stop)).toBe(word);
        expect(await program.readInt('word')).toBe(i);
        expect(stop.tid).toBe(await author(program));
        blamed.add(stop.tid);
      }
      expect(blamed.size).toBeGreaterThan(2);
      expect((await program.finish()).output).toMatch(/done, word 60/);
    }));

  it('see five words at once', () =>
    start(['five'], async (program) => {
      const words = Array.from({ length: 5 }, (_, i) => program.symbol('five') + 28 * i);
      for (const word of words) {
        const stop = await resumeWatching(
          program,
          words.map((address) => [address, 4] as const),
        );
        expect(watchedAddress(stop)).toBe(word);
      }
      expect((await resumeWatching(program, [[words[0]!, 4]])).kind).toBe('exited');
    }));

  it('see every field of a structure longer than four registers', () =>
    start(['record'], async (program) => {
      const record = program.symbol('record');
      for (const offset of [0, 8, 12, 31, 32 + 6]) {
        const stop = await resumeWatching(program, [[record, 40]]);
        expect(watchedAddress(stop)).toBeGreaterThanOrEqual(record + (offset & ~7));
        expect(watchedAddress(stop)).toBeLessThanOrEqual(record + offset);
      }
      expect((await resumeWatching(program, [[record, 40]])).kind).toBe('exited');
    }));

  it('go together with breakpoints that other threads hit', () =>
    start(['turns', '3', '12'], async (program) => {
      const word = program.symbol('word');
      let [writes, hits] = [0, 0];
      for (;;) {
        const stop = await resumeWatching(program, [[word, 4]], ...(hits < 100 ? ['busy'] : []));
        if (stop.kind === 'exited') break;
        if (!isWatch(stop)) {
          expect(stop.text).toMatch(/swbreak/);
          hits++;
          continue;
        }
        writes++;
        expect(stop.tid).toBe(await author(program));
      }
      expect(writes).toBe(12);
      expect(hits).toBeGreaterThan(20);
    }));

  it('follow threads that are born and end', () =>
    start(['births', '6'], async (program) => {
      for (let i = 1; i <= 6; i++) {
        const stop = await resumeWatching(program, [[program.symbol('word'), 4]]);
        expect(isWatch(stop)).toBe(true);
        expect(stop.tid).toBe(await author(program));
        expect(await program.readInt('word')).toBe(i);
      }
      expect((await resumeWatching(program, [[program.symbol('word'), 4]])).kind).toBe('exited');
    }));

  it('leave signals and their handlers alone', () =>
    start(['signals', '5'], async (program) => {
      // SIGALRM and SIGUSR1 pass without a stop, by gdb's numbers.
      expect(await program.client.send('QPassSignals:e;1e')).toBe('OK');
      for (let i = 1; i <= 5; i++) {
        const stop = await resumeWatching(program, [[program.symbol('word'), 4]]);
        expect([stop.value, isWatch(stop)]).toEqual([5, true]);
        expect(await program.readInt('handled')).toBeGreaterThanOrEqual(3 * i);
      }
      expect((await resumeWatching(program, [[program.symbol('word'), 4]])).kind).toBe('exited');
    }));

  it('are not triggered by a forked child', () =>
    start(['fork'], async (program) => {
      const word = program.symbol('word');
      // SIGCHLD passes, by gdb's number.
      expect(await program.client.send('QPassSignals:14')).toBe('OK');
      expect(isWatch(await resumeWatching(program, [[word, 4]]))).toBe(true);
      expect(await program.readInt('word')).toBe(1);
      expect((await resumeWatching(program, [[word, 4]])).kind).toBe('exited');
    }));

  it('end with the image that exec replaces', () =>
    start(['exec'], async (program) => {
      const stop = await resumeWatching(program, [[program.symbol('record'), 40]]);
      expect(stop.kind).toBe('exited');
    }));

  it('stop a program by ^C, single-step and kill it while they are set', () =>
    start(['spin'], async (program) => {
      const word = program.symbol('word');
      await point(program, 'Z', 2, word, 4);
      expect(await program.runFor(30)).toMatchObject({ kind: 'stopped', value: 2 });
      for (let i = 0; i < 20; i++) {
        const { stop } = await program.client.resume('vCont;s');
        expect(stop).toMatch(/^T05/);
        expect(stop).not.toMatch(/watch/);
      }
      expect(await program.runFor(10)).toMatchObject({ kind: 'stopped', value: 2 });
      expect(await program.client.send(`vKill;${hex(program.pid)}`)).toBe('OK');
    }));

  it('are not triggered by what the debugger writes', () =>
    start(['turns', '2', '3'], async (program) => {
      const word = program.symbol('word');
      await point(program, 'Z', 2, word, 4);
      await program.writeInt('word', 40);
      const stop = await program.resume();
      expect(isWatch(stop)).toBe(true);
      expect(await program.readInt('word')).toBe(41);
    }));

  it('tell changes against the restored value after a restart', () =>
    start(['turns', '3', '20'], async (program) => {
      const word = program.symbol('word');
      for (let i = 0; i < 3; i++) await resumeWatching(program, [[word, 4]]);
      const checkpoint = await program.take();
      for (let i = 0; i < 4; i++) await resumeWatching(program, [[word, 4]]);
      expect(await program.readInt('word')).toBe(7);
      await program.restore(checkpoint);
      expect(await program.readInt('word')).toBe(3);
      const stop = await resumeWatching(program, [[word, 4]]);
      expect([await program.readInt('word'), stop.tid]).toEqual([4, await author(program)]);
      expect((await program.finish()).output).toMatch(/done, word 20/);
    }));

  it('detach leaves a program that runs on', () =>
    start(['turns', '3', '30'], async (program) => {
      const word = program.symbol('word');
      for (let i = 0; i < 5; i++) await resumeWatching(program, [[word, 4]]);
      await point(program, 'Z', 2, word, 4);
      expect(await program.client.send(`D;${hex(program.pid)}`)).toBe('OK');
      await program.server.until('output', /done, word 30/);
    }));

  it('report a hardware breakpoint as one, and a software breakpoint at the same address as that', () =>
    start(['turns', '2', '3'], async (program) => {
      const busy = program.symbol('busy');
      await point(program, 'Z', 1, busy, 1);
      expect((await program.resume()).text).toMatch(/hwbreak/);
      expect((await program.resume()).text).toMatch(/hwbreak/);
      await point(program, 'Z', 0, busy, 1);
      if (mode === 'step') expect((await program.resume()).text).toMatch(/swbreak/);
      await point(program, 'z', 0, busy, 1);
      expect((await program.resume()).text).toMatch(/hwbreak/);
      await point(program, 'z', 1, busy, 1);
      expect((await program.finish()).output).toMatch(/done, word 3/);
    }));
});

describe('what only stepping sees', () => {
  const env = { SAVEPOINT_FORCE_WATCH: 'step' };

  it('is the kernel writing a buffer for a thread that sleeps in read', () =>
    withProgram({ program: 'watched', args: ['kernel', '8'], env, deadline: 40_000 }, async (program) => {
      await program.resume('ready');
      const buffer = program.symbol('buffer');
      for (let i = 0; i < 8; i++) {
        const stop = await resumeWatching(program, [[buffer, 64]]);
        expect(isWatch(stop)).toBe(true);
        expect((await program.readMemory(buffer, 16)).toString('latin1')).toMatch(new RegExp(`^message ${i}\\0`));
        expect(stop.tid).toBe((await program.readMemory(program.symbol('authors'), 4)).readInt32LE());
      }
      expect((await resumeWatching(program, [[buffer, 64]])).kind).toBe('exited');
    }));

  it('does not include reads: they are refused', () =>
    withProgram({ program: 'watched', args: ['five'], env }, async (program) => {
      const five = hex(program.symbol('five'));
      expect(await program.client.send(`Z3,${five},4`)).toBe('');
      expect(await program.client.send(`Z4,${five},4`)).toBe('');
    }));
});

it('steps that are broken off inside system calls leave no signal behind, and no call ends', () =>
  withProgram({ program: 'watched', args: ['asleep'], env: { SAVEPOINT_FORCE_WATCH: 'step' } }, async (program) => {
    const word = program.symbol('word');
    const interrupted = { kind: 'stopped', value: 2 };
    // All threads have been started when the main thread comes there.
    await program.resume('busy');
    await point(program, 'Z', 2, word, 4);
    for (let i = 0; i < 6; i++) expect(await program.runFor(50)).toMatchObject(interrupted);
    expect(await program.threads()).toHaveLength(4);
    await point(program, 'z', 2, word, 4);
    const checkpoint = await program.take();
    // A SIGTRAP of a step would come now, as the program's own.
    for (let i = 0; i < 3; i++) expect(await program.runFor(20)).toMatchObject(interrupted);
    await program.restore(checkpoint);
    for (let i = 0; i < 3; i++) expect(await program.runFor(20)).toMatchObject(interrupted);
    expect(program.server.output).toBe('');
  }));
