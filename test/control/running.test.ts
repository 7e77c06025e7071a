/** Other clients beside the debugger, while the program runs. gdb speaks MI here: every record that it gives is looked at. */

import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import type { CheckpointList, CompareResult, RestoreResult, StatusResult, TakeResult } from '../../native/control/schema';
import { CliPlace, type CliRun } from '../support/cli-session';
import { BareClient, controlSocket, InputPipe, startGdb } from '../support/control-session';

jest.setTimeout(90_000);

let place: CliPlace;
let input: InputPipe;

beforeEach(() => {
  place = new CliPlace();
  input = new InputPipe(path.join(place.directory, 'input'), (file) => void execFileSync('mkfifo', [file]));
});

afterEach(() => {
  input.close();
  place.close();
});

/** control-steady under gdb/MI; `stops` at a breakpoint when `more` sets one. */
async function running(more: readonly string[] = [], until = /ready\r?\n/): Promise<{ gdb: CliRun; client: BareClient }> {
  const gdb = await startGdb(place, { program: 'control-steady', mi: true });
  for (const line of [...more, `-exec-arguments < ${input.file}`, '-exec-run']) gdb.say(line);
  await gdb.expect(/\*running,thread-id="all"/);
  await gdb.expect(until);
  return { gdb, client: await BareClient.unix(controlSocket(place)) };
}

async function quit(gdb: CliRun): Promise<void> {
  gdb.say('-gdb-exit');
  await gdb.ended;
  await place.expectNothingLeft();
}

const ticksOf = (text: string): number => Number(/ticks (\d+)/.exec(text)?.[1]);

test('takes of a running program go unnoticed by gdb and by the program, and can be gone back to', async () => {
  const { gdb, client } = await running();
  const ids: number[] = [];
  for (let n = 0; n < 20; n++) ids.push((await client.must<TakeResult>('checkpoint/take', { label: `at ${n}` })).checkpoint.id);
  expect(await client.must<StatusResult>('status')).toMatchObject({
    programs: [{ state: 'running', threads: 4 }],
    debugger: 'waiting',
    checkpoints: 21,
  });
  input.write('a');
  const between = await gdb.expect(/ticks \d+\r?\n/);
  expect(between).not.toMatch(/^[*^=~]/m);
  const then = ticksOf(between);
  const { threads, changedPages, scopes } = await client.must<CompareResult>('checkpoint/compare', { id: ids[0] });
  expect([threads.every(({ change }) => change === 'moved'), changedPages > 0, scopes]).toEqual([true, true, undefined]);

  // Back to the last one, from outside and while it runs: gdb gets the stop that it waits for.
  const { checkpoint, savedId } = await client.must<RestoreResult>('checkpoint/restore', { id: ids.at(-1) });
  expect(checkpoint.label).toBe('at 19');
  expect(savedId).toBeGreaterThan(ids.at(-1)!);
  const stop = await gdb.expect(/\*stopped,.*\n/);
  expect(stop).toMatch(/signal-name="0".*frame=\{addr="0x[0-9a-f]+".*stopped-threads="all"/);
  gdb.say('-data-evaluate-expression ticks');
  expect(Number(/value="(\d+)"/.exec(await gdb.expect(/\^done,value="\d+"/))?.[1])).toBeLessThan(then);
  gdb.say('-thread-info');
  expect((await gdb.expect(/\^done,threads=.*\n/)).match(/target-id=/g)).toHaveLength(4);

  // It goes on from there; no call of it has seen EINTR (status 0, not 9).
  gdb.say('-exec-continue');
  await gdb.expect(/\*running/);
  input.write('ax');
  const end = await gdb.expect(/\*stopped,reason="exited.*\n/);
  expect(end).toMatch(/ticks \d+/);
  expect(end).toMatch(/exited-normally/);
  await quit(gdb);
});

test('a take does not wait for a step that sleeps in a system call', async () => {
  const { gdb, client } = await running(
    ['-gdb-set scheduler-locking step', '-break-insert -t wait_for_byte'],
    /\*stopped,reason="breakpoint-hit".*\n/,
  );
  // Over the line with read(2), which sleeps until there is a byte; the step goes through libc an instruction at a time.
  gdb.say('-exec-next');
  await gdb.expect(/\*stopped,reason="end-stepping-range".*\n/);
  gdb.say('-exec-next');
  await gdb.expect(/\*running/);
  const { checkpoint } = await client.must<TakeResult>('checkpoint/take', {});
  expect(checkpoint.threads).toBe(4);
  input.write('a');
  expect(await gdb.expect(/\*stopped,.*\n/)).toMatch(/reason="end-stepping-range"/);
  await quit(gdb);
});

test('several clients take at once while gdb interrupts and continues; all are answered, and the list has them all', async () => {
  const { gdb, client } = await running(['-gdb-set mi-async on']);
  const clients = [client, ...(await Promise.all([1, 2, 3].map(() => BareClient.unix(controlSocket(place)))))];
  const work = clients.map(async (one, n) => {
    const ids: number[] = [];
    for (let k = 0; k < 8; k++) ids.push((await one.must<TakeResult>('checkpoint/take', { label: `${n}.${k}` })).checkpoint.id);
    return ids;
  });
  for (let n = 0; n < 5; n++) {
    gdb.say('-exec-interrupt --all');
    expect(await gdb.expect(/\*stopped,.*\n/)).toMatch(/signal-name="SIGINT"/);
    gdb.say('-exec-continue --all');
    await gdb.expect(/\*running/);
  }
  const ids = (await Promise.all(work)).flat();
  expect(new Set(ids).size).toBe(32);
  const list = await client.must<CheckpointList>('checkpoint/list');
  expect(list.checkpoints.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  input.write('x');
  expect(await gdb.expect(/\*stopped,reason="exited.*\n/)).toMatch(/exited-normally/);
  await quit(gdb);
});

test('a restore that fails leaves the running program running', async () => {
  const { gdb, client } = await running();
  const { error } = await client.ask('checkpoint/restore', { id: 99 });
  expect(error).toMatchObject({ code: -32000, data: { family: 'user', code: 'no-checkpoint' } });
  input.write('ax');
  const text = await gdb.expect(/\*stopped,reason="exited.*\n/);
  expect(text).toMatch(/ticks \d+/);
  expect(text.match(/\*stopped/g)).toHaveLength(1);
  await quit(gdb);
});

test('subscribers hear of every change, whoever makes it', async () => {
  const { gdb, client } = await running();
  const other = await BareClient.unix(controlSocket(place));
  const before = await other.must<CheckpointList>('subscribe');
  expect(before.checkpoints.map(({ id }) => id)).toEqual([0]);
  await client.must('checkpoint/take', { label: 'one' });
  await client.must('checkpoint/rename', { id: 1, label: 'two' });
  await client.must('checkpoint/restore', { id: 1, saveCurrent: false });
  await gdb.expect(/\*stopped/);
  for (const command of ['checkpoint three', 'delete checkpoint 1', 'kill']) {
    gdb.say(`-interpreter-exec console "${command}"`);
    await gdb.expect(/\^done/);
  }
  await other.until(({ params }) => params?.reason === 'lost', 'the loss');
  expect(other.changes()).toEqual([
    { reason: 'taken', id: 1, currentId: 1 },
    { reason: 'renamed', id: 1, currentId: 1 },
    { reason: 'restored', id: 1, currentId: 1 },
    { reason: 'taken', id: 2, currentId: 2 },
    { reason: 'dropped', id: 1, currentId: 2 },
    { reason: 'lost' },
  ]);
  expect(client.changes()).toEqual([]);
  await quit(gdb);
});
