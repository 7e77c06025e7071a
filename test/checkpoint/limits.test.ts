/**
 * What cannot be kept is refused in a sentence, and the program goes on as if nothing had been asked.
 */

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
  await expect(withProgram({ program: 'exits', env: { SAVEPOINT_STORE_LIMIT: 'much' } }, async () => undefined)).rejects.toThrow(
    /SAVEPOINT_STORE_LIMIT=much is not a size/,
  );
});
