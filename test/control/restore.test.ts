/** A restore that another client asks for while the program stands: through the debugger that is attached, or without one. */

import * as path from 'node:path';
import type { RestoreResult, StatusResult, TakeResult } from '../../native/control/schema';
import { CliPlace, fixture, quietGdb, root } from '../support/cli-session';
import { BareClient, controlSocket, startGdb } from '../support/control-session';

jest.setTimeout(90_000);

let place: CliPlace;

beforeEach(() => {
  place = new CliPlace();
});

afterEach(() => place.close());

describe('gdb at its prompt', () => {
  test.each([
    ['command line', false, []],
    ['MI', true, []],
    ['MI with mi-async', true, ['-gdb-set mi-async on']],
  ])(
    '%s: it goes there by itself and shows the place; thread, watchpoint and values are those of the checkpoint',
    async (_, mi, first) => {
      const gdb = await startGdb(place, { program: 'counting-threads', mi });
      const say = (line: string): void => gdb.say(mi && !line.startsWith('-') ? `-interpreter-exec console "${line}"` : line);
      for (const line of first) gdb.say(line);
      for (const line of ['break add_up', 'run']) say(line);
      const at = async (i: number): Promise<void> =>
        void (await gdb.expect(mi ? new RegExp(`name="i",value="${i}".*\\n`) : new RegExp(`add_up \\(i=${i}\\)[^]*\\(gdb\\) `)));
      await at(1);
      const client = await BareClient.unix(controlSocket(place));
      expect((await client.must<StatusResult>('status')).debugger).toBe('idle');
      const taken = await client.must<TakeResult>('checkpoint/take', { label: 'at one' });
      say('watch counter');
      say('delete 1');
      for (let hit = 0; hit < 2; hit++) {
        say('continue');
        await gdb.expect(mi ? /watchpoint-trigger.*\n/ : /New value = \d+[^]*\(gdb\) /);
      }

      const { checkpoint, savedId, armed } = await client.must<RestoreResult>('checkpoint/restore', { id: taken.checkpoint.id });
      expect(checkpoint).toEqual(taken.checkpoint);
      expect(armed).toBeUndefined();
      expect(savedId).toBeGreaterThan(taken.checkpoint.id);
      if (mi)
        expect(await gdb.expect(/\*stopped,.*\n/)).toMatch(
          /signal-name="0".*func="add_up".*name="i",value="1".*stopped-threads="all"/,
        );
      else await gdb.expect(/add_up \(i=1\)[^]*Switching to checkpoint 1 \(process \d+\)[^]*\(gdb\) /);
      say('print counter');
      expect(await gdb.expect(/\$\d+ = -?\d+/)).toMatch(/= 0$/);
      // The watchpoint has not fired for a change that the program never made, and knows the restored value.
      say('continue');
      expect(await gdb.expect(mi ? /watchpoint-trigger.*\n/ : /New value = \d+/)).toMatch(
        mi ? /old="0",new="1"/ : /Old value = 0\nNew value = 1/,
      );
      say('print $_checkpoint');
      expect(await gdb.expect(/\$\d+ = -?\d+/)).toMatch(/= 1$/);
      gdb.say(mi ? '-gdb-exit' : 'kill');
      if (!mi) gdb.say('quit');
      await gdb.ended;
      await place.expectNothingLeft();
    },
  );

  test('a gdb that never comes to its prompt is told of nothing, and ends as it should', async () => {
    const savepoint = `${process.execPath} ${path.join(root, 'bin/savepoint')}`;
    const commands = ['break add_up', 'run', 'checkpoint', 'next', `shell ${savepoint} restore 1`, 'kill', 'quit 7'];
    const { code, signal, output } = await place.run([
      'gdb',
      ...quietGdb,
      ...commands.flatMap((command) => ['-ex', command]),
      fixture('counting-threads'),
    ]);
    expect(output).toMatch(/the debugger did not go there in time/);
    expect(output).not.toMatch(/Fatal signal/);
    expect({ code, signal }).toEqual({ code: 7, signal: null });
    await place.expectNothingLeft();
  });

  test('a program that has exited is back, with its process', async () => {
    const gdb = await startGdb(place, { program: 'counting-threads', mi: true });
    for (const line of ['-break-insert add_up', '-exec-run']) gdb.say(line);
    await gdb.expect(/\*stopped,reason="breakpoint-hit".*\n/);
    const client = await BareClient.unix(controlSocket(place));
    await client.must('checkpoint/take');
    for (const line of ['-break-delete', '-exec-continue']) gdb.say(line);
    await gdb.expect(/\*stopped,reason="exited".*\n/);
    const { programs } = await client.must<StatusResult>('status');
    expect(programs).toMatchObject([{ state: 'ended' }]);
    expect((await client.ask('checkpoint/take')).error?.data).toMatchObject({ family: 'user', code: 'ended' });
    const { checkpoint, savedId } = await client.must<RestoreResult>('checkpoint/restore', { id: 1 });
    expect(savedId).toBeUndefined();
    expect(checkpoint.pid).toBe(programs[0]!.pid);
    expect(await gdb.expect(/\*stopped,.*\n/)).toMatch(/func="add_up".*name="i",value="1"/);
    gdb.say('-data-evaluate-expression counter');
    expect(await gdb.expect(/\^done,value="\d+"/)).toMatch(/"0"/);
    gdb.say('-gdb-exit');
    await gdb.ended;
    await place.expectNothingLeft();
  });

  test('a gdb that is too busy to hear the bell: the client is told, nothing happens later', async () => {
    const gdb = await startGdb(place, { program: 'counting-threads' });
    for (const line of ['break add_up', 'run']) gdb.say(line);
    await gdb.expect(/add_up \(i=1\)[^]*\(gdb\) /);
    const client = await BareClient.unix(controlSocket(place));
    await client.must('checkpoint/take');
    await gdb.ask('continue');
    gdb.say('shell echo busy; read line');
    await gdb.expect(/busy/);
    const { error } = await client.ask('checkpoint/restore', { id: 1 });
    expect(error).toMatchObject({ code: -32000, data: { family: 'user', code: 'debugger-busy' } });
    gdb.say('');
    expect(await gdb.ask('print counter')).not.toMatch(/Switching/);
    await gdb.ask('continue');
    gdb.say('print i');
    await gdb.expect(/= 3/);
    gdb.say('kill');
    gdb.say('quit');
    await gdb.ended;
    await place.expectNothingLeft();
  });
});

describe('savepoint gdbserver', () => {
  const socket = (): string => path.join(place.directory, 'rsp');

  test('a plain gdb at its prompt cannot be told: the restore is armed, and happens when it resumes, by whatever command', async () => {
    const server = place.start(['gdbserver', socket(), fixture('counting-threads')]);
    await server.expect(/Listening on/);
    const gdb = await plainGdb(socket());
    for (const line of ['break add_up', 'continue']) gdb.say(line);
    await gdb.expect(/add_up \(i=1\)[^]*\(gdb\) /);
    const client = await BareClient.unix(controlSocket(place));
    await client.must('checkpoint/take');
    await gdb.ask('continue');
    expect(await client.must<RestoreResult>('checkpoint/restore', { id: 1 })).toMatchObject({
      armed: true,
      checkpoint: { id: 1 },
    });
    gdb.say('next');
    const seen = await gdb.expect(/add_up \(i=1\)[^]*\(gdb\) /);
    expect(seen).toMatch(/Restored checkpoint 1/);
    expect(await gdb.ask('print counter')).toMatch(/= 0/);
    gdb.say('kill');
    gdb.say('quit');
    await Promise.all([gdb.ended, server.ended]);
    await place.expectNothingLeft();
  });

  test('without a debugger it is done at once, and the next debugger finds the program so', async () => {
    const server = place.start(['gdbserver', '--multi', socket(), fixture('counting-threads')]);
    await server.expect(/Listening on/);
    const client = await BareClient.unix(controlSocket(place));
    const status = await client.must<StatusResult>('status');
    expect(status).toMatchObject({ debugger: 'none', programs: [{ state: 'stopped', threads: 1 }], checkpoints: 1 });
    const first = await plainGdb(socket());
    for (const line of ['break add_up', 'continue']) first.say(line);
    await first.expect(/add_up \(i=1\)[^]*\(gdb\) /);
    await client.must('checkpoint/take');
    await first.ask('continue');
    first.say('disconnect');
    first.say('quit');
    await first.ended;
    await server.expect(/kept stopped/);
    const { checkpoint } = await client.must<RestoreResult>('checkpoint/restore', { id: 1 });
    expect(checkpoint.id).toBe(1);
    const second = await plainGdb(socket());
    expect(await second.ask('print counter')).toMatch(/= 0/);
    expect(await second.ask('info threads')).toMatch(/2 .*Thread/);
    expect(await second.ask('backtrace 1')).toMatch(/add_up \(i=1\)/);
    second.say('kill');
    second.say('quit');
    await second.ended;
    server.child.kill('SIGTERM');
    await server.ended;
  });

  /** gdb itself, which knows nothing of us. */
  async function plainGdb(address: string): Promise<ReturnType<CliPlace['start']>> {
    const gdb = place.startProgram('gdb', [
      ...quietGdb,
      '-iex',
      'set sysroot /',
      '-ex',
      `target extended-remote ${address}`,
      fixture('counting-threads'),
    ]);
    await gdb.expect(/\(gdb\) /);
    return gdb;
  }
});
