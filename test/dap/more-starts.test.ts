/** Debug information elsewhere, children, servers, restarts, what takes long. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { fixture, root } from '../support/cli-session';
import { launching, line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { DebugServer } from '../support/debug-server';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = launching(() => place);

describe('breakpoints that come before the program', () => {
  it('are kept, and keep the numbers that the editor was told', async () => {
    const run = await place.start();
    await run.initialize();
    const early = await run.breakAt(source, [line('first stop'), { line: line('print'), condition: 'p.x == 5' }]);
    expect(early).toEqual([
      { id: expect.any(Number), verified: false, reason: 'pending', message: expect.stringMatching(/launched/) },
      { id: expect.any(Number), verified: false, reason: 'pending', message: expect.stringMatching(/launched/) },
    ]);
    await run.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'add' }] });
    // The last list counts.
    await run.ask('setFunctionBreakpoints', { breakpoints: [] });
    await run.ask('setExceptionBreakpoints', { filters: ['signals'] });
    await run.ask('configurationDone');
    await run.ask('launch', { program, automaticCheckpoints: false });
    for (const [i, comment] of ['first stop', 'print'].entries())
      expect(await run.event('breakpoint')).toMatchObject({
        reason: 'changed',
        breakpoint: { id: early[i]!.id, verified: true, line: line(comment) },
      });
    const { threadId, hitBreakpointIds } = await run.stopped('breakpoint');
    expect(hitBreakpointIds).toEqual([early[0]!.id]);
    const same = await run.breakAt(source, [{ line: line('print'), condition: 'p.x == 5' }]);
    expect(same).toMatchObject([{ id: early[1]!.id, verified: true }]);
    await run.ask('continue', { threadId });
    expect((await run.stopped('breakpoint')).hitBreakpointIds).toEqual([early[1]!.id]);
    await run.disconnect();
    await place.expectNothingLeft();
  });

  it('are told why they cannot be set, once that is known', async () => {
    const run = await place.start();
    await run.initialize();
    const [bad] = await run.breakAt(source, [{ line: line('first stop'), condition: 'p.x ==' }]);
    const started = run.ask('launch', { program });
    await run.event('initialized');
    expect(await run.event('breakpoint')).toMatchObject({ breakpoint: { id: bad!.id, verified: false, reason: 'failed' } });
    await run.ask('configurationDone');
    await started;
    await run.event('exited');
    await run.event('terminated');
    await run.disconnect();
    await place.expectNothingLeft();
  });
});

describe('debug information in another file', () => {
  let stripped: string;
  let symbols: string;
  beforeEach(() => {
    stripped = `${place.place.directory}/stripped`;
    symbols = `${place.place.directory}/symbols`;
    execFileSync('objcopy', ['--only-keep-debug', program, symbols]);
    execFileSync('strip', ['-o', stripped, program]);
  });

  it('is read when it is named', async () => {
    const run = await launched({ program: stripped, symbolFile: symbols }, (one) => one.breakAt(source, [line('first stop')]));
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.value('p.x', threadId)).toBe('1');
    await place.finish(run);
  });

  it('is found by the build id in a folder', async () => {
    const id = /Build ID: ([0-9a-f]+)/.exec(execFileSync('readelf', ['-n', program], { encoding: 'utf8' }))![1]!;
    const folder = `${place.place.directory}/debug/.build-id/${id.slice(0, 2)}`;
    fs.mkdirSync(folder, { recursive: true });
    fs.renameSync(symbols, `${folder}/${id.slice(2)}.debug`);
    const run = await launched({ program: stripped, debugFileDirectory: `${place.place.directory}/debug` }, (one) =>
      one.breakAt(source, [line('first stop')]),
    );
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.value('p.x', threadId)).toBe('1');
    expect(run.console).not.toMatch(/no debug information/);
    await place.finish(run);
  });
});

describe('after a fork', () => {
  const children = fixture('gdb-children');
  it('the child is debugged when that is wanted, and the parent runs on to its end', async () => {
    const run = await launched({ program: children, args: ['fork'], followFork: 'child', onExit: 'stay' }, (one) =>
      one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'in_child' }, { name: 'in_parent' }] }),
    );
    const { threadId } = await run.stopped('function breakpoint');
    expect((await run.top(threadId)).name).toBe('in_child');
    const [parent, child] = [await run.event('process'), await run.event('process')];
    expect(child.systemProcessId).not.toBe(parent.systemProcessId);
    // The child looks for changes in its own code.
    await run.ask('setFunctionBreakpoints', { breakpoints: [] });
    await run.ask('continue', { threadId });
    expect(await run.event('exited')).toEqual({ exitCode: 0 });
    await run.stopped('exit');
    // Its own code is as it was, too.
    await run.printed(/^fork 1 of 1 text whole\n$/);
    await place.finish(run);
  });

  it('the parent is debugged otherwise, and the child is whole', async () => {
    const run = await launched({ program: children, args: ['fork', '2'] }, (one) =>
      one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'in_child' }, { name: 'in_parent' }] }),
    );
    for (let i = 0; i < 2; i++) {
      const { threadId } = await run.stopped('function breakpoint');
      expect((await run.top(threadId)).name).toBe('in_parent');
      await run.ask('continue', { threadId });
    }
    expect(await run.event('exited')).toEqual({ exitCode: 0 });
    await run.event('terminated');
    expect(run.output).toMatch(/fork 2 of 2/);
    await place.finish(run);
  });
});

describe('a debug server', () => {
  let server: DebugServer | undefined;
  afterEach(() => server?.end());

  async function attached(kind: 'savepoint' | 'gdbserver', more: Record<string, unknown> = {}): Promise<DapRun> {
    server = new DebugServer(kind, { args: ['--once', 'localhost:0', program, 'wait'] });
    await server.until('errors', /Listening on/);
    const run = await place.start();
    await run.initialize();
    await run.begin('attach', { target: `localhost:${await server.port()}`, automaticCheckpoints: false, ...more }, () =>
      run.breakAt(source, [line('first stop')]),
    );
    return run;
  }

  it('of ours is attached to without naming the program, with checkpoints', async () => {
    const run = await attached('savepoint');
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.event('capabilities')).toEqual({ capabilities: { supportsRestartRequest: false } });
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'far away' });
    await run.ask('next', { threadId });
    await run.stopped('step');
    expect(await run.value('p.x', threadId)).toBe('5');
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    await run.restored();
    expect(await run.value('p.x', threadId)).toBe('1');
    await run.ask('disconnect', { terminateDebuggee: true });
    await run.gone();
  });

  it('of another kind works without checkpoints, and says so', async () => {
    const run = await attached('gdbserver', { program, stopAtEntry: true });
    await run.stopped('entry');
    expect((await run.event('capabilities')).capabilities).toMatchObject({ supportsStepBack: false });
    expect(await run.refusal('checkpoint/take')).toMatch(/has no checkpoints: let `savepoint gdbserver`/);
    await run.ask('continue', { threadId: 1 });
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.value('p.x', threadId)).toBe('1');
    await run.ask('disconnect', { terminateDebuggee: true });
    await run.gone();
  });

  it.each([
    ['savepoint', 'stands'],
    ['savepoint', 'runs'],
    ['gdbserver', 'stands'],
    ['gdbserver', 'runs'],
  ] as const)('(%s) that is killed ends the session, which says so: the program %s', async (kind, state) => {
    const run = await attached(kind, { program });
    const { threadId } = await run.stopped('breakpoint');
    if (state === 'runs') {
      await run.ask('continue', { threadId });
      await server!.until('output', /1 args/);
    }
    process.kill(server!.pid, 'SIGKILL');
    // gdb notices a lost connection when it uses it: before or behind its reply.
    if (state === 'stands') await run.reply('next', { threadId });
    await run.event('terminated');
    expect(run.console).toMatch(/^The connection to localhost:\d+ is lost: the debug server has ended\.$/m);
    expect(await run.refusal('continue', { threadId })).toBe('the debug session is over');
    await place.finish(run);
  });

  it('that is not there, or cannot be named so, is refused', async () => {
    const run = await place.start();
    await run.initialize();
    expect(await run.refusal('attach', { target: 'nowhere' })).toMatch(/host:port/);
    expect(await run.refusal('attach', { target: 'localhost:1', pid: 3 })).toMatch(/not both/);
    expect(await run.refusal('attach', { target: 'localhost:1' })).toMatch(/attaching to localhost:1: .*refused/i);
    await place.finish(run);
  });
});

describe('restart', () => {
  it('with a stop at the entry is the entry checkpoint, run to main', async () => {
    const run = await launched({ stopAtEntry: true });
    const { threadId } = await run.stopped('entry');
    const pid = await run.value('$_inferior_thread_count', threadId);
    expect(pid).toBe('1');
    const { systemProcessId } = await run.event('process');
    await run.ask('evaluate', { expression: 'global_counter = 99', context: 'repl' });
    await run.ask('restart');
    await run.event('continued');
    const again = await run.stopped('entry');
    expect((await run.top(again.threadId)).name).toBe('main');
    expect(await run.value('global_counter', again.threadId)).toBe('7');
    // No other process was started for it.
    expect(run.events().filter(({ event }) => event === 'process')).toEqual([]);
    expect(fs.existsSync(`/proc/${systemProcessId}`)).toBe(true);
    await place.finish(run);
  });
});

describe('what takes long', () => {
  const wait = (event: string): string => `python import threading; threading.Event().wait(${event})`;

  it('is shown as progress to a client that wants it', async () => {
    const run = await launched({ setupCommands: [wait('1.2')] }, undefined, { supportsProgressReporting: true });
    const { progressId, title, cancellable } = await run.event('progressStart');
    expect([title, cancellable]).toEqual([expect.stringMatching(/^Setup command: python/), true]);
    expect(await run.event('progressEnd')).toEqual({ progressId });
    await run.event('exited');
    await run.event('terminated');
    await place.finish(run);
  });

  it('is not shown to another', async () => {
    const run = await launched({ setupCommands: [wait('1.2')] });
    await run.event('exited');
    await run.event('terminated');
    await place.finish(run);
  });

  it('can be cancelled: the launch is over', async () => {
    const run = await place.start();
    await run.initialize({ supportsProgressReporting: true });
    const answer = run.refusal('launch', { program, setupCommands: [wait('3600')] });
    const { progressId } = await run.event('progressStart');
    await run.ask('cancel', { progressId });
    expect(await answer).toBe('cancelled');
    await run.event('progressEnd');
    await place.finish(run);
  });

  it('an expression that never ends is ended by cancel, and the session goes on', async () => {
    const run = await launched({}, (one) => one.breakAt(source, [line('first stop')]));
    const { threadId } = await run.stopped('breakpoint');
    const client = run.client as unknown as { sequence: number };
    const answer = run.refusal('evaluate', { expression: `-exec ${wait('3600')}`, context: 'repl' });
    await run.ask('cancel', { requestId: client.sequence - 1 });
    expect(await answer).toBe('cancelled');
    expect(await run.value('p.x', threadId)).toBe('1');
    await place.finish(run);
  });
});

describe('sources and modules', () => {
  it('that a library brings while the program runs are told to a client that has the list', async () => {
    const run = await launched({ program: fixture('gdb-loader'), args: [fixture('gdb-plugin')] }, (one) =>
      one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }, { name: 'plugin_work' }] }),
    );
    const { threadId } = await run.stopped('function breakpoint');
    const { sources } = await run.ask('loadedSources');
    expect(sources.map((one: { name: string }) => one.name)).not.toContain('gdb-plugin.c');
    await run.ask('continue', { threadId });
    await run.stopped('function breakpoint');
    const event = await run.event('loadedSource', ({ source: one }) => one.name === 'gdb-plugin.c');
    expect(event).toMatchObject({ reason: 'new', source: { path: `${root}/test/fixtures/gdb-plugin.c` } });
    expect(await run.event('breakpoint')).toMatchObject({
      reason: 'changed',
      breakpoint: { verified: true, source: event.source },
    });
    await run.disconnect();
  });
});

let target: ChildProcess | undefined;
afterEach(() => target?.kill('SIGKILL'));

test('a process that is attached to without its program has it as a module', async () => {
  target = spawn(program, ['wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => target?.stdout?.once('data', resolve));
  const run = await place.start();
  await run.initialize();
  await run.begin('attach', { pid: target.pid, stopAtEntry: true });
  await run.stopped('entry');
  const { modules } = await run.ask('modules');
  expect(modules.map((one: { path: string }) => one.path)).toContain(program);
  await place.finish(run);
});
