/** How long things may take: questions of the adapter's own have a limit, what a person typed has none and can be cancelled. */

import * as fs from 'node:fs';
import { fixture } from '../support/cli-session';
import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

interface Standing {
  readonly run: DapRun;
  readonly threadId: number;
  readonly frameId: number;
}

async function atFirstStop(
  env: NodeJS.ProcessEnv = {},
  args: Record<string, unknown> = {},
  client: Record<string, unknown> = {},
): Promise<Standing> {
  const run = await place.start({ env });
  await run.initialize(client);
  await run.launch({ program, automaticCheckpoints: false, ...args }, () => run.breakAt(source, [line('first stop')]));
  const { threadId } = await run.stopped('breakpoint');
  return { run, threadId, frameId: (await run.top(threadId)).id };
}

async function processOf(run: DapRun, what: 'gdb' | 'owner'): Promise<number> {
  if (what === 'gdb') {
    const { result } = await run.ask('evaluate', { expression: '-exec python import os; print(os.getpid())', context: 'repl' });
    return Number(result);
  }
  const { systemProcessId } = await run.event('process');
  return Number(/TracerPid:\s*(\d+)/.exec(fs.readFileSync(`/proc/${systemProcessId}/status`, 'latin1'))![1]);
}

describe('a question of the adapter', () => {
  /** Enough for a gdb that starts on a busy machine. */
  const SECONDS = 4;
  const LIMIT = { SAVEPOINT_GDB_LIMIT: String(SECONDS) };
  const SLOW =
    /^gdb did not answer within 4 s and was interrupted: -savepoint-ask calls\. Try again; SAVEPOINT_GDB_LIMIT .* \(now 4\)/;

  it('that gdb answers too late fails, with what to do; the late answer is nobody’s', async () => {
    const { run, frameId } = await atFirstStop(LIMIT);
    const gdb = await processOf(run, 'gdb');
    process.kill(gdb, 'SIGSTOP');
    expect(await run.refusal('stepInTargets', { frameId })).toMatch(SLOW);
    const next = run.ask('evaluate', { expression: '-exec echo here\\n', context: 'repl' });
    process.kill(gdb, 'SIGCONT');
    expect((await next).result).toBe('here');
    const { targets } = await run.ask('stepInTargets', { frameId });
    expect(targets.map(({ label }: { label: string }) => label)).toContain('add');
    await place.finish(run);
  });

  it('that gdb would never answer is ended', async () => {
    const endless = 'python gdb.pretty_printers.insert(0, lambda value: [None for _ in iter(int, 1)])';
    const run = await place.start({ env: LIMIT });
    await run.initialize();
    await run.launch({
      program: fixture('dap-arrays'),
      setupCommands: [endless],
      stopAtEntry: true,
      automaticCheckpoints: false,
    });
    const { threadId } = await run.stopped('entry');
    const { id: frameId } = await run.top(threadId);
    const { scopes } = await run.ask('scopes', { frameId });
    expect(await run.refusal('variables', { variablesReference: scopes[0].variablesReference })).toMatch(
      /^gdb did not answer within 4 s and was interrupted: -/,
    );
    await run.ask('evaluate', { expression: '-exec python gdb.pretty_printers.pop(0)', context: 'repl' });
    expect(await run.value('1 + 1', threadId)).toBe('2');
    await place.finish(run);
  });

  it('has no say in what a person typed', async () => {
    const { run, threadId } = await atFirstStop(LIMIT);
    const answer = run.ask('evaluate', {
      expression: `-exec python import threading; print(threading.Event().wait(${SECONDS + 0.5}))`,
      context: 'repl',
    });
    expect((await answer).result).toBe('False');
    expect(await run.value('p.x', threadId)).toBe('1');
    await place.finish(run);
  });
});

describe('what was typed is ended by cancel', () => {
  /** Its request's number, and its answer. */
  function typed(run: DapRun, expression: string): { readonly requestId: number; readonly answer: Promise<string> } {
    const requestId = (run.client as unknown as { sequence: number }).sequence;
    return { requestId, answer: run.refusal('evaluate', { expression, context: 'repl' }) };
  }

  async function cancel(run: DapRun, expression: string): Promise<void> {
    const { requestId, answer } = typed(run, expression);
    await run.ask('cancel', { requestId });
    expect(await answer).toBe('cancelled');
  }

  it.each([
    ['a script', '-exec python while True: pass'],
    ['a shell', '-exec shell sleep 3600'],
    ['what a shell runs', '-exec shell sh -c "sleep 3600; true"'],
    ['what a script runs', '-exec python import subprocess; subprocess.run(["sleep", "3600"])'],
    ['a loop of gdb', '-exec source endless'],
  ])('%s', async (_, expression) => {
    const folder = place.place.directory;
    place.write('endless', 'while 1\nset $x = 1\nend\n');
    const { run, threadId } = await atFirstStop({}, { setupCommands: [`cd ${folder}`] });
    await cancel(run, expression);
    expect(await run.value('p.x', threadId)).toBe('1');
    await place.finish(run);
  });

  it('a function of the program, which then stands in it', async () => {
    const { run, threadId } = await atFirstStop({}, {}, { supportsInvalidatedEvent: true });
    const call = '((int (*)(const char *)) puts)("called"), ((int (*)(void *)) fflush)(0), ((int (*)(void *)) getchar)(0)';
    const { requestId, answer } = typed(run, call);
    await run.printed(/called/);
    await run.ask('cancel', { requestId });
    expect(await answer).toBe('cancelled');
    // Between two of the calls there is nothing that stops.
    run.mayGet('stopped');
    expect((await run.event('invalidated')).areas).toEqual(['all']);
    // What called it is there, too, whichever of the calls was met.
    const { stackFrames } = await run.ask('stackTrace', { threadId });
    expect(stackFrames.at(-1).name).toBe('main');
    expect((await run.ask('evaluate', { expression: '1 + 1', context: 'repl' })).result).toBe('2');
    await run.disconnect();
    await place.expectNothingLeft();
  });

  it('a word to a debug server that takes its time, and the program is kept', async () => {
    const { run, threadId } = await atFirstStop();
    const owner = await processOf(run, 'owner');
    process.kill(owner, 'SIGSTOP');
    const { requestId, answer } = typed(run, '-exec monitor savepoint-version');
    await run.ask('cancel', { requestId });
    expect(await answer).toBe('cancelled');
    // Another one behind it: gdb, told to end twice while it waits, lets go of the program.
    await cancel(run, '-exec echo behind\\n');
    process.kill(owner, 'SIGCONT');
    expect(await run.value('p.x', threadId)).toBe('1');
    await run.ask('checkpoint/take');
    await place.finish(run);
  });

  it('one that waits for its turn, and what gdb works on is not disturbed', async () => {
    const { run, threadId } = await atFirstStop();
    const gdb = await processOf(run, 'gdb');
    process.kill(gdb, 'SIGSTOP');
    const first = run.ask('evaluate', {
      expression: '-exec python import threading; print(threading.Event().wait(1))',
      context: 'repl',
    });
    await cancel(run, '-exec python while True: pass');
    process.kill(gdb, 'SIGCONT');
    expect((await first).result).toBe('False');
    expect(await run.value('p.x', threadId)).toBe('1');
    await place.finish(run);
  });
});
