/**
 * Progress of reading symbols, by a gdb that takes its time for each file: the system's gdb behind a script, which waits in gdb's own event.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { DapPlace, type DapRun } from '../support/dap-session';

const LIBRARIES = 6;
const SECONDS_EACH = 0.3;
/** Of those that are read alone: the program, and the dynamic linker. */
const SECONDS_PROGRAM = 1;
const WANTED = { supportsProgressReporting: true };

let place: DapPlace;
let program: string;
let gdb: string;
beforeEach(() => {
  place = new DapPlace();
  const folder = place.place.directory;
  const names = Array.from({ length: LIBRARIES }, (_, i) => `slow${i}`);
  for (const name of names) {
    place.write(`${name}.c`, `int ${name}(void) { return 1; }\n`);
    execFileSync('cc', ['-g', '-shared', '-fPIC', '-o', `${folder}/lib${name}.so`, `${folder}/${name}.c`]);
  }
  const calls = names.map((name) => `${name}()`).join(' + ');
  const declared = names.map((name) => `int ${name}(void);\n`).join('');
  place.write(
    'main.c',
    `#include <stdio.h>\n${declared}int main(void) { printf("%d\\n", ${calls}); fflush(stdout); getchar(); return 0; }\n`,
  );
  program = `${folder}/main`;
  const links = names.map((name) => `-l${name}`);
  execFileSync('cc', ['-g', '-o', program, `${folder}/main.c`, `-L${folder}`, `-Wl,-rpath,${folder}`, ...links]);
  const seconds = `${SECONDS_PROGRAM} if any(one in e.new_objfile.filename for one in ("/main", "/ld-linux")) else ${SECONDS_EACH}`;
  const wait = `python import threading; gdb.events.new_objfile.connect(lambda e: threading.Event().wait(${seconds}))`;
  gdb = place.write('slow-gdb', `#!/bin/sh\nexec gdb -iex '${wait}' "$@"\n`, 0o755);
});

let target: ChildProcess | undefined;
afterEach(async () => {
  if (target?.exitCode === null && target.signalCode === null) {
    target.kill('SIGKILL');
    await new Promise((resolve) => target?.once('exit', resolve));
  }
  target = undefined;
  await place.close();
});

interface Told {
  readonly title: string;
  readonly cancellable: boolean;
  readonly updates: readonly { readonly message: string; readonly percentage: number }[];
}

/** The next progress whose title fits, from its start to its end. */
async function progress(run: DapRun, title: RegExp): Promise<Told> {
  const start = await run.event('progressStart', (body) => title.test(body.title));
  const { progressId } = start;
  await run.event('progressEnd', (body) => body.progressId === progressId);
  const own = run.events().filter(({ event, body }) => event === 'progressUpdate' && body?.['progressId'] === progressId);
  const updates = [...own.map(({ body }) => body), ...(start.message === undefined ? [] : [start])] as unknown as Told['updates'];
  for (const _ of own) await run.event('progressUpdate', (body) => body.progressId === progressId);
  return { title: start.title, cancellable: start.cancellable, updates: updates.toSorted((a, b) => a.percentage - b.percentage) };
}

function expectCounted({ updates }: Told): void {
  expect(updates.length).toBeGreaterThan(2);
  for (const { message, percentage } of updates) {
    const [, read, found] = /^[\w.-]+\.so[.\d]* \((\d+) of (\d+)\)$/.exec(message)!.map(Number);
    expect(percentage).toBe(Math.floor((100 * read!) / found!));
  }
  expect(updates.map(({ message }) => message)).toEqual(expect.arrayContaining([expect.stringMatching(/^libslow\d\.so /)]));
}

it('of a program that is started: counted, and over before it stops', async () => {
  const run = await place.launched(
    { program, gdb, automaticCheckpoints: false },
    (one) => one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'slow3' }] }),
    WANTED,
  );
  const own = await progress(run, /^Reading symbols of main$/);
  expect([own.cancellable, own.updates]).toEqual([true, []]);
  expect((await progress(run, /^Reading symbols of a library$/)).updates[0]!.message).toMatch(/^ld-linux.* \(1 of 1\)$/);
  const told = await progress(run, /^Reading symbols of \d libraries$/);
  expect(told.title).toBe(`Reading symbols of ${LIBRARIES + 1} libraries`);
  expect(told.cancellable).toBe(false);
  expectCounted(told);
  await run.event('breakpoint');
  await run.stopped('function breakpoint');
  await place.finish(run);
});

describe('of a program that runs already', () => {
  beforeEach(async () => {
    target = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] });
    await new Promise((resolve) => target?.stdout?.once('data', resolve));
  });

  it('is counted as a part of attaching', async () => {
    const run = await place.start();
    await run.initialize(WANTED);
    const begun = run.begin('attach', { pid: target?.pid, gdb, stopAtEntry: true, automaticCheckpoints: false });
    const told = await progress(run, /^Attaching/);
    expect([told.title, told.cancellable]).toEqual([`Attaching to process ${target?.pid}`, true]);
    expectCounted(told);
    expect(told.updates.at(-1)!.message).toMatch(new RegExp(`of ${LIBRARIES + 2}\\)$`));
    await begun;
    await run.stopped('entry');
    await place.finish(run);
  });

  it('is ended by cancel: nothing is attached to, and the program runs on', async () => {
    const run = await place.start();
    await run.initialize(WANTED);
    const answer = run.refusal('attach', { pid: target?.pid, gdb });
    const { progressId } = await run.event('progressStart', ({ title }) => title.startsWith('Attaching'));
    await run.event('progressUpdate', (body) => body.progressId === progressId);
    // Until gdb hears of it, it goes on counting.
    run.mayGet('progressUpdate');
    await run.ask('cancel', { progressId });
    expect(await answer).toBe('cancelled');
    await run.event('progressEnd');
    await run.disconnect();
    await place.expectNothingLeft();
    const ended = new Promise((resolve) => target?.once('exit', resolve));
    target?.stdin?.end('\n');
    expect(await ended).toBe(0);
  });
});

it('is not told to a client that does not want it', async () => {
  const run = await place.launched({ program, gdb, automaticCheckpoints: false }, (one) =>
    one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'slow3' }] }),
  );
  await run.event('breakpoint');
  await run.stopped('function breakpoint');
  await place.finish(run);
});
