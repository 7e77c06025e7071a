/** The control commands, as a user or a script calls them, beside a real gdb. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import type { CheckpointList, CompareResult } from '../../native/control/schema';
import { CliPlace, type CliRun, root } from '../support/cli-session';
import { controlSocket, startGdb } from '../support/control-session';
import { ORDINARY_UID } from '../support/owner-process';
import { lineOf } from '../support/source-lines';

jest.setTimeout(90_000);

let place: CliPlace;

beforeEach(() => {
  place = new CliPlace();
});

afterEach(() => place.close());

async function stoppedAt(program = 'counting-threads'): Promise<CliRun> {
  const gdb = await startGdb(place, { program });
  for (const line of ['break add_up', 'run']) gdb.say(line);
  await gdb.expect(/add_up \(i=1\)[^]*\(gdb\) /);
  return gdb;
}

async function quit(...runs: readonly CliRun[]): Promise<void> {
  for (const gdb of runs) for (const line of ['kill', 'quit']) gdb.say(line);
  await Promise.all(runs.map((gdb) => gdb.ended));
}

const json = async <T>(args: readonly string[]): Promise<T> => JSON.parse((await place.run([...args, '--json'])).output) as T;

test('without a session each says so, and what starts one', async () => {
  expect(await place.run(['list-sessions'])).toMatchObject({
    code: 0,
    output: expect.stringContaining('savepoint gdb PROGRAM') as string,
  });
  const ended = await place.run(['list']);
  expect(ended.code).toBe(2);
  expect(ended.output).toMatch(/no debug session is running/);
  expect((await place.run(['restore'])).output).toMatch(/number of a checkpoint is wanted/);
  expect((await place.run(['restore', 'x'])).code).toBe(2);
  expect((await place.run(['list', '--jsn'])).output).toMatch(/did you mean --json/);
  for (const command of ['list-sessions', 'checkpoint', 'list', 'restore', 'drop', 'rename', 'compare', 'preflight', 'watch'])
    expect(await place.run([command, '--help'])).toMatchObject({
      code: 0,
      output: expect.stringContaining(`savepoint ${command}`) as string,
    });
});

test('one session: it is taken, listed, renamed, gone back to, dropped; watch shows it all', async () => {
  const gdb = await stoppedAt();
  const watch = place.start(['watch']);
  await watch.expect(/\(entry\)/);
  const taken = await place.run(['checkpoint', '--label', 'before  the\nloop']);
  expect(taken.output).toMatch(/^Checkpoint 1 "before the loop": process \d+, 2 threads/);
  await watch.expect(/checkpoint 1 taken/);
  expect((await place.run(['list'])).output).toMatch(/^\* +1 +0 .*before the loop$/m);
  expect((await place.run(['rename', '1', 'loop'])).output).toMatch(/is now "loop"/);
  await watch.expect(/checkpoint 1 renamed/);
  expect(await place.run(['preflight'])).toMatchObject({ code: 0 });
  await gdb.ask('continue');
  expect((await place.run(['restore', '1', '--discard'])).output).toMatch(/^Restored checkpoint 1: process \d+$/m);
  await gdb.expect(/add_up \(i=1\)[^]*Switching to checkpoint 1[^]*\(gdb\) /);
  await watch.expect(/checkpoint 1 restored/);
  expect(await gdb.ask('print counter')).toMatch(/= 0/);
  expect(await gdb.ask('info checkpoints')).toMatch(/^\* 1 .*loop/m);
  expect((await place.run(['drop', '1', '0'])).output).toMatch(/Checkpoint 1 deleted.\nCheckpoint 0 deleted./);
  await watch.expect(/checkpoint 0 dropped/);
  expect(await json(['list'])).toEqual({ checkpoints: [] });
  const unknown = await place.run(['drop', '7']);
  expect(unknown).toMatchObject({ code: 2, output: 'savepoint: No checkpoint number 7.\n' });
  await quit(gdb);
  await watch.expect(/The session has ended/);
  expect((await watch.ended).code).toBe(0);
  await place.expectNothingLeft();
});

test('one session, for programs: each command answers in JSON, watch a line for each change', async () => {
  const gdb = await stoppedAt();
  const watch = place.start(['watch', '--json']);
  await watch.expect(/"id":0\b.*\n/);
  const taken = await json<{ checkpoint: { id: number; label: string; pid: number } }>(['checkpoint', '--label', 'one']);
  expect(taken.checkpoint).toMatchObject({ id: 1, label: 'one' });
  await watch.expect(/"reason":"taken".*\n/);
  expect(await json(['rename', '1', 'loop'])).toMatchObject({ checkpoint: { id: 1, label: 'loop' } });
  await watch.expect(/"reason":"renamed".*\n/);
  expect(await json(['preflight'])).toMatchObject({ possible: true, tier: expect.stringMatching(/^(write-protect|compare)$/) });
  await gdb.ask('continue');
  expect(await json(['restore', '1', '--discard'])).toMatchObject({ checkpoint: { id: 1, pid: taken.checkpoint.pid } });
  await watch.expect(/"reason":"restored".*\n/);
  expect(await json(['drop', '1'])).toEqual({ dropped: [1] });
  const refused = await place.run(['drop', '7', '--json']);
  expect(refused.code).toBe(2);
  expect(refused.output).toMatch(/No checkpoint number 7/);
  await quit(gdb);
  expect((await watch.ended).code).toBe(0);
  await place.expectNothingLeft();
});

test('a checkpoint is compared with the present and with another one', async () => {
  const gdb = await startGdb(place, { program: 'compare' });
  const at = (comment: string): string => `break ${lineOf(`${root}/test/fixtures/compare.c`, comment)}`;
  await gdb.ask(at('first stop'));
  await gdb.ask(at('second stop'));
  await gdb.ask('run');
  await place.run(['checkpoint']);
  const same = await place.run(['compare', '1']);
  expect(same.output).toMatch(/^ +THREADS +DESCRIPTORS +MAPPED +CONTENT\ncheckpoint 1 +2 threads +4 .*\nnow +2 threads +4 /);
  expect(same.output).toMatch(
    /Threads: no difference\n\nDescriptors: no difference\n\nMemory \(0 pages with another content\): no difference\n/,
  );
  await gdb.ask('continue');
  await place.run(['checkpoint']);
  const { output } = await place.run(['compare', '1']);
  expect(output).toMatch(/^ {2}\d+ +compare +moved +compare\+0x\w+ -> compare\+0x\w+$/m);
  expect(output).toMatch(/^ {2}\d+ +compare +gone +libc\.so\.6\+0x\w+$/m);
  expect(output).toMatch(/^ {2}\d+ +compare +new +libc\.so\.6\+0x\w+$/m);
  expect(output).toMatch(/^ {2}3 +moved +\/tmp\/savepoint-compare-\w+ \(deleted\) {2}0 -> 5$/m);
  expect(output).toMatch(/^ {2}4 +opened +\/dev\/null$/m);
  expect(output).toMatch(/^ {2}0x\w+-0x\w+ +changed +\d+ pages? +\[stack\]$/m);
  const back = await json<CompareResult>(['compare', '2', '1']);
  expect([back.id, back.with, back.descriptors.map(({ change }) => change), back.scopes]).toEqual([
    2,
    1,
    ['moved', 'closed'],
    undefined,
  ]);
  expect((await json<CheckpointList>(['list'])).checkpoints.map(({ id }) => id)).toEqual([0, 1, 2]);
  expect((await place.run(['compare'])).output).toMatch(/number of a checkpoint is wanted, or two/);
  expect(await place.run(['compare', '7'])).toMatchObject({ code: 2, output: 'savepoint: No checkpoint number 7.\n' });
  await quit(gdb);
  await place.expectNothingLeft();
});

test('several sessions: one must be chosen, by the number of the owner or of the program', async () => {
  const runs = [await stoppedAt(), await stoppedAt()];
  const { sessions } = await json<{ sessions: { pid: number; path: string; status: { programs: { pid: number }[] } }[] }>([
    'list-sessions',
  ]);
  expect(sessions).toHaveLength(2);
  const ambiguous = await place.run(['checkpoint']);
  expect(ambiguous.code).toBe(2);
  expect(ambiguous.output).toMatch(/--session NUMBER/);
  const [first, second] = sessions as [(typeof sessions)[0], (typeof sessions)[0]];
  const program = second.status.programs[0]!.pid;
  for (const session of [String(second.pid), String(program), second.path])
    expect((await place.run(['checkpoint', '--session', session])).output).toContain(`process ${program}`);
  expect((await json<{ checkpoints: object[] }>(['list', `--session=${first.pid}`])).checkpoints).toHaveLength(1);
  expect((await place.run(['list', '--session', '1'])).output).toMatch(/there is no debug session 1/);
  await quit(...runs);
  await place.expectNothingLeft();
});

test('an owner that is killed leaves a socket that nobody takes for a session', async () => {
  const rsp = path.join(place.directory, 'rsp');
  const server = place.start(['gdbserver', '--multi', rsp]);
  await server.expect(/Listening on/);
  const socket = controlSocket(place);
  server.child.kill('SIGKILL');
  await server.ended;
  expect(fs.existsSync(socket)).toBe(true);
  expect(await json(['list-sessions'])).toEqual({ sessions: [] });
  expect(fs.existsSync(socket)).toBe(false);
  expect((await place.run(['list', '--session', socket])).output).toMatch(/no session answers at/);
});

test('a directory that others can enter is not believed', async () => {
  const open = path.join(place.runtime, 'savepoint');
  fs.mkdirSync(open, { mode: 0o777 });
  fs.chmodSync(open, 0o777);
  const temporary = path.join(place.directory, 'tmp');
  fs.mkdirSync(temporary);
  const env = { TMPDIR: temporary, SAVEPOINT_CONTROL_DIRECTORY: '' };
  const server = place.start(['gdbserver', '--multi', path.join(place.directory, 'rsp')], { env });
  await server.expect(/Listening on/);
  expect(fs.readdirSync(open)).toEqual([]);
  const [made] = fs.readdirSync(temporary);
  expect(fs.statSync(path.join(temporary, made!)).mode & 0o777).toBe(0o700);
  server.child.kill('SIGKILL');
  await server.ended;
});

test('TCP: by the address and the token that the server has told', async () => {
  const server = place.start(['gdbserver', '--listen', '127.0.0.1:0', '--multi', path.join(place.directory, 'rsp')]);
  const told = await server.expect(/control: listening on \S+, token in \S+\n/);
  await server.expect(/Listening on/);
  const [, at, file] = /listening on (\S+), token in (\S+)/.exec(told)!;
  expect(JSON.parse((await place.run(['list', '--connect', at!, '--token-file', file!, '--json'])).output)).toEqual({
    checkpoints: [],
  });
  expect((await place.run(['list', '--connect', at!])).output).toMatch(/--token-file/);
  expect((await place.run(['list', '--connect', at!], { env: { SAVEPOINT_TOKEN: 'wrong' } })).output).toMatch(/token is wrong/);
  server.child.kill('SIGTERM');
  await server.ended;
});

test('an ordinary user has sessions of his own', async () => {
  for (const folder of [place.directory, place.runtime]) fs.chownSync(folder, ORDINARY_UID, ORDINARY_UID);
  const rsp = path.join(place.directory, 'rsp');
  const program = path.join(__dirname, '../fixtures/build/counting-threads');
  const server = place.start(['gdbserver', rsp, program], { uid: ORDINARY_UID, env: { HOME: place.directory } });
  await server.expect(/Listening on/);
  const taken = await place.run(['checkpoint', '--label', 'his'], { uid: ORDINARY_UID });
  expect(taken.output).toMatch(/^Checkpoint 1 "his"/);
  // Root looks into his own place only: this one belongs to somebody else.
  expect((await place.run(['list-sessions'])).output).toMatch(/No debug session/);
  server.child.kill('SIGTERM');
  await server.ended;
});
