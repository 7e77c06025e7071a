/** What `launch` can be told besides the program: each option's effect, and an editor that cannot do its part. */

import * as fs from 'node:fs';
import { launching, line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

const atFirstStop = (run: DapRun): Promise<unknown> => run.breakAt(source, [line('first stop')]);

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = launching(() => place);

describe('disableASLR', () => {
  /** personality(2) */
  const ADDR_NO_RANDOMIZE = 0x40000;

  async function look(more: Record<string, unknown>): Promise<{ fixed: boolean; address: string }> {
    const run = await launched(more, atFirstStop);
    const { threadId } = await run.stopped('breakpoint');
    const { systemProcessId } = await run.event('process');
    const personality = Number.parseInt(fs.readFileSync(`/proc/${systemProcessId}/personality`, 'latin1'), 16);
    const address = await run.value('$rsp', threadId);
    await place.finish(run);
    return { fixed: (personality & ADDR_NO_RANDOMIZE) !== 0, address };
  }

  it.each([[{}], [{ disableASLR: true }]])('%j: addresses are the same in each run', async (more) => {
    const [one, other] = [await look(more), await look(more)];
    expect(one).toEqual({ fixed: true, address: other.address });
  });

  it('false: they are others each time', async () => {
    const [one, other] = [await look({ disableASLR: false }), await look({ disableASLR: false })];
    expect([one.fixed, other.fixed]).toEqual([false, false]);
    expect(one.address).not.toBe(other.address);
  });
});

describe('stopOnEntry', () => {
  it('is the first instruction, before the libraries are there; a restart stops there again', async () => {
    const run = await launched({ stopOnEntry: true }, atFirstStop);
    const { threadId, description } = await run.stopped('entry');
    expect(description).toBe('Paused at the first instruction');
    const first = await run.top(threadId);
    expect(first.name).toBe('_start');
    expect((await run.ask('modules')).modules.map(({ name }: { name: string }) => name)).not.toContain('libc.so.6');
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    for (const args of [{}, { arguments: { program, stopOnEntry: true, automaticCheckpoints: false, args: ['none'] } }]) {
      await run.ask('restart', args);
      await run.event('continued');
      const again = await run.stopped('entry');
      expect((await run.top(again.threadId)).instructionPointerReference).toBe(first.instructionPointerReference);
      await run.ask('continue', { threadId: again.threadId });
      await run.stopped('breakpoint');
    }
    // The second one, with other arguments, was another process.
    const { systemProcessId } = await run.event('process');
    expect((await run.event('process')).systemProcessId).not.toBe(systemProcessId);
    await run.event('checkpoint/changed', ({ reason }) => reason === 'lost');
    await place.finish(run);
  });

  it('gives way to a stop at main', async () => {
    const run = await launched({ stopOnEntry: true, stopAtBeginningOfMainSubprogram: true });
    const { threadId } = await run.stopped('entry');
    expect((await run.top(threadId)).name).toBe('main');
    await place.finish(run);
  });

  it('a program that cannot be started there is told', async () => {
    // Its dynamic linker is not there.
    const bytes = fs.readFileSync(program);
    bytes.write('/lib64/no', bytes.indexOf('/lib64/ld-linux'));
    const notStarted = place.write('not-started', bytes, 0o755);
    const run = await place.start();
    await run.initialize();
    const answer = run.refusal('launch', { program: notStarted, stopOnEntry: true });
    await run.event('initialized');
    await run.ask('configurationDone');
    expect(await answer).toMatch(/not-started" on the remote target failed/);
    await run.event('terminated');
    await run.disconnect();
    await place.expectNothingLeft();
  });
});

describe('initFiles', () => {
  it.each([
    [{ initFiles: true }, '42'],
    [{ initFiles: false }, 'void'],
    [{}, 'void'],
  ])("%j reads the user's .gdbinit or not", async (more, value) => {
    place.write('.gdbinit', 'set $from_init = 42\n');
    const { directory } = place.place;
    const run = await place.start({ env: { HOME: directory, XDG_CONFIG_HOME: `${directory}/.config` } });
    await run.initialize();
    await run.launch({ program, automaticCheckpoints: false, ...more }, () => atFirstStop(run));
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.value('$from_init', threadId)).toBe(value);
    await place.finish(run);
  });
});

describe('onExit', () => {
  it('end: the session ends with the program, though somebody has taken a checkpoint', async () => {
    const run = await launched({ onExit: 'end' }, atFirstStop);
    const { threadId } = await run.stopped('breakpoint');
    await run.ask('checkpoint/take', { label: 'named' });
    await run.ask('continue', { threadId });
    expect(await run.event('exited')).toEqual({ exitCode: 0 });
    await run.event('terminated');
    await place.finish(run);
  });

  it('stay: the session stays without a checkpoint of somebody, and the entry can be gone back to', async () => {
    const run = await launched({ onExit: 'stay' });
    expect(await run.event('exited')).toEqual({ exitCode: 0 });
    const stop = await run.stopped('exit');
    expect(stop.description).toMatch(/status 0/);
    await run.ask('reverseContinue', { threadId: stop.threadId });
    const back = await run.stopped('goto');
    expect(back.description).toMatch(/"entry"/);
    await run.ask('continue', { threadId: back.threadId });
    expect(await run.event('exited')).toEqual({ exitCode: 0 });
    await run.stopped('exit');
    await place.finish(run);
  });
});

it('gdb may be a script that starts one', async () => {
  const gdb = place.write('wrapped-gdb', '#!/bin/sh\nexec gdb -iex \'set $wrapped = 1\' "$@"\n', 0o755);
  const run = await launched({ gdb }, atFirstStop);
  const { threadId } = await run.stopped('breakpoint');
  expect(await run.value('$wrapped', threadId)).toBe('1');
  await run.ask('checkpoint/take');
  await place.finish(run);
});

it.each([
  ['is not there', () => '/no/such/file', /"envFile" cannot be read: ENOENT.*\/no\/such\/file/],
  ['is a folder', () => place.place.directory, /"envFile" cannot be read: EISDIR/],
])('an envFile that %s is told', async (_, envFile, sentence) => {
  const run = await place.start();
  await run.initialize();
  expect(await run.refusal('launch', { program, envFile: envFile() })).toMatch(sentence);
  await place.finish(run);
});

describe('console', () => {
  const can = { supportsRunInTerminalRequest: true };

  it.each([
    ['integratedTerminal', 'integrated'],
    ['externalTerminal', 'external'],
  ])('%s: the editor is asked for one of the kind "%s", in the folder of the program', async (console, kind) => {
    const run = await launched({ console, args: ['none'], cwd: place.place.directory }, undefined, can);
    await run.event('exited');
    await run.event('terminated');
    await run.printed(/1 args \[none\]/);
    expect(run.terminalRequests).toMatchObject([{ kind, cwd: place.place.directory, title: expect.any(String) }]);
    await run.disconnect();
  });

  it.each(['integratedTerminal', 'externalTerminal'])(
    '%s: an editor that has none shows the program in the debug console, and says so',
    async (console) => {
      const run = await launched({ console, args: ['echo'] });
      await run.said(/This editor opens no terminals for debuggers: the program writes to the debug console/);
      await run.printed(/name\? $/);
      await run.ask('program/input', { text: 'you\n' });
      await run.event('exited');
      await run.event('terminated');
      expect(run.output).toMatch(/hello you/);
      expect(run.terminalRequests).toEqual([]);
      await place.finish(run);
    },
  );

  it('an editor that refuses to open one: the launch is refused with its reason', async () => {
    const run = await place.start();
    run.terminalRefusal = 'not today';
    await run.initialize(can);
    expect(await run.refusal('launch', { program, console: 'integratedTerminal' })).toMatch(/runInTerminal: not today/);
    expect(run.terminalRequests).toHaveLength(1);
    await place.finish(run);
  });
});
