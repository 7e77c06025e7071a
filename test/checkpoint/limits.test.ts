/**
 * What cannot be kept is refused in a sentence, and the program goes on as if nothing had been asked.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { fixture, makeFolder } from '../support/debug-server';
import { withProgram } from '../support/owner-process';
import { differences, observe } from '../support/witness';

test('a checkpoint larger than the page store is refused, and what was kept before can still be gone back to', () =>
  withProgram({ program: 'threads-park', args: ['256'], env: { SAVEPOINT_STORE_LIMIT: '2M' } }, async (program) => {
    await program.resume('before_threads');
    const early = await program.take();
    await program.resume('all_ready');
    const before = await observe(program);
    for (let round = 0; round < 3; round += 1) {
      expect(await program.monitor('checkpoint')).toMatch(/page store: its limit is reached.*SAVEPOINT_STORE_LIMIT/);
      expect(differences(before, await observe(program))).toEqual([]);
    }
    // Going back needs room for the present, too.
    const { text, stop } = await program.tryRestore(early);
    if (stop === undefined || /limit is reached/.test(text)) expect(differences(before, await observe(program))).toEqual([]);
    else expect(await program.threads()).toEqual([program.pid]);
    const { output } = await program.finish();
    expect(output).toMatch(/^verdict: right /);
  }));

test.each([
  ['checkpoint number that does not exist', 'restart 7', /^No checkpoint number 7\./],
  ['checkpoint number that is none', 'restart x', /restart: "x" is not a checkpoint number/],
  ['missing checkpoint number', 'delete checkpoint', /which checkpoint/],
  ['word that is not known', 'chekpoint', /^Unknown monitor command "chekpoint"\. There are:\n.*checkpoint \[LABEL\]/],
  ['very long number', `restart ${'9'.repeat(40)}`, /is not a checkpoint number/],
])('a %s is answered by what to do', (_name, line, answer) =>
  withProgram({ program: 'exits' }, async (program) => {
    expect(await program.monitor(line)).toMatch(answer);
    expect((await program.resume('deciding')).kind).toBe('stopped');
  }),
);

test('a setting that is none ends the server with a sentence', async () => {
  await expect(withProgram({ program: 'exits', env: { SAVEPOINT_FORCE_TIER: 'magic' } }, async () => undefined)).rejects.toThrow(
    /SAVEPOINT_FORCE_TIER=magic: there are write-protect and compare/,
  );
  await expect(withProgram({ program: 'exits', env: { SAVEPOINT_EXIT_FILTER: 'maybe' } }, async () => undefined)).rejects.toThrow(
    /SAVEPOINT_EXIT_FILTER=maybe: there are on and off/,
  );
  await expect(withProgram({ program: 'exits', env: { SAVEPOINT_STORE_LIMIT: 'much' } }, async () => undefined)).rejects.toThrow(
    /SAVEPOINT_STORE_LIMIT=much is not a size/,
  );
});

test('checkpoints of a program that has executed another one since are gone, and it is said why', () =>
  withProgram({ program: 'gdb-children', args: ['exec', '1'] }, async (program) => {
    await program.resume('main');
    const checkpoint = await program.take();
    expect((await program.resume()).text).toBe('W00');
    const { text, stop } = await program.tryRestore(checkpoint);
    expect(text).toMatch(/The checkpoints \(0, 1\) are gone: process \d+ has executed another program/);
    expect(stop).toBeUndefined();
  }));

test('a file that was mapped and is not there any more keeps a checkpoint from coming back; the program goes on', async () => {
  const folder = makeFolder();
  try {
    const library = path.join(folder.path, 'plugin.so');
    fs.copyFileSync(fixture('gdb-plugin'), library);
    await withProgram({ program: 'gdb-loader', args: [library] }, async (program) => {
      await program.resume('loaded');
      const checkpoint = await program.take();
      await program.resume('unloaded');
      const aside = `${library}.aside`;
      fs.renameSync(library, aside);
      fs.copyFileSync(aside, library);
      const maps = (): string => fs.readFileSync(`/proc/${program.pid}/maps`, 'utf8');
      const before = maps();
      const { text, stop } = await program.tryRestore(checkpoint);
      expect(text).toMatch(/plugin\.so: is not the file any more that was mapped, so it cannot be mapped again/);
      expect(stop).toBeUndefined();
      expect(maps()).toBe(before);
      fs.renameSync(aside, library);
      await program.restore(checkpoint);
      await program.resume('unloaded');
    });
  } finally {
    folder.remove();
  }
});
