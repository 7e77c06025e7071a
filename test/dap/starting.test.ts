import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { root } from '../support/cli-session';
import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = (args: Record<string, unknown>, set?: (run: DapRun) => Promise<unknown>): Promise<DapRun> =>
  place.launched({ program, automaticCheckpoints: false, ...args }, set, { supportsRunInTerminalRequest: true });

async function ends(run: DapRun): Promise<void> {
  await run.event('exited');
  await run.event('terminated');
  await place.finish(run);
}

describe('launch', () => {
  it('hands arguments on as they are, whatever is in them', async () => {
    const args = ['none', 'two words', '', "it's", '"quoted"', 'back\\slash', '$HOME', '*', '>out', 'é😀', 'a;b|c&d'];
    const run = await launched({ args });
    await ends(run);
    expect(run.output).toContain(args.map((word) => `[${word}]`).join(' '));
  });

  it('sets the environment, the folder and a file of variables', async () => {
    const envFile = place.write('variables', '# a comment\nexport DAP_TEST="from file"\nHOME=/nowhere\n');
    const run = await launched({
      args: ['env'],
      envFile,
      env: { DAP_TEST: 'a value; with = in it', HOME: null },
      cwd: place.place.directory,
    });
    await ends(run);
    expect(run.output).toContain('[a value; with = in it] [(null)]');
  });

  it('runs gdb commands first, and tells which of them failed', async () => {
    const run = await launched({ setupCommands: ['set $answer = 42', { text: 'nonsense', ignoreFailures: true }] }, (one) =>
      one.breakAt(source, [line('first stop')]),
    );
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.value('$answer', threadId)).toBe('42');
    expect(run.console).toMatch(/setup command "nonsense": Undefined command/);
    await run.disconnect();
    const other = await place.start();
    await other.initialize();
    expect(await other.refusal('launch', { program, setupCommands: ['nonsense'] })).toMatch(/setup command "nonsense"/);
    await other.disconnect();
    await place.expectNothingLeft();
  });

  it('finds sources elsewhere by a map', async () => {
    const run = await launched({ sourceFileMap: { [`${root}/test/fixtures`]: '/somewhere/else' }, stopAtEntry: true });
    const { threadId } = await run.stopped('entry');
    expect((await run.top(threadId)).source).toMatchObject({
      path: '/somewhere/else/dap-basic.c',
      presentationHint: 'deemphasize',
    });
    await run.disconnect();
  });

  it('takes breakpoints in sources that the map places elsewhere', async () => {
    const folder = `${place.place.directory}/sources`;
    fs.mkdirSync(folder);
    const mapped = `${folder}/dap-basic.c`;
    fs.copyFileSync(source, mapped);
    const run = await launched({ sourceFileMap: { [`${root}/test/fixtures`]: folder } }, async (one) => {
      const [breakpoint] = await one.breakAt(mapped, [line('in loop')]);
      expect(breakpoint).toMatchObject({ verified: true, line: line('in loop'), source: { path: mapped } });
    });
    const { threadId } = await run.stopped('breakpoint');
    const { source: shown, line: at } = await run.top(threadId);
    expect([shown, at]).toEqual([{ name: 'dap-basic.c', path: mapped }, line('in loop')]);
    await place.finish(run);
  });

  it('tells of the process, its modules, and its end, in order', async () => {
    const run = await place.start({ strict: ['process', 'module', 'thread', 'initialized'] });
    await run.initialize();
    await run.launch({ program });
    expect(await run.event('process')).toMatchObject({
      name: program,
      isLocalProcess: true,
      startMethod: 'launch',
      systemProcessId: expect.any(Number),
    });
    expect((await run.event('module', ({ module }) => module.name === 'dap-basic')).reason).toBe('new');
    expect((await run.event('module', ({ module }) => /ld-linux/.test(module.name))).reason).toBe('new');
    expect((await run.event('module', ({ module }) => /libc/.test(module.name))).reason).toBe('new');
    expect(await run.event('thread')).toEqual({ reason: 'started', threadId: 1 });
    expect(await run.event('thread')).toEqual({ reason: 'exited', threadId: 1 });
    await ends(run);
    const order = run.traffic
      .map((text) => JSON.parse(text).event)
      .filter((name) => /initialized|process|exited|terminated/.test(name));
    expect(order).toEqual(['initialized', 'process', 'exited', 'terminated']);
  });

  describe('that is wrong gets a sentence about what to do', () => {
    it.each<[string, () => Record<string, unknown>, RegExp]>([
      ['no program', () => ({}), /"program" is missing/],
      ['a program that is not there', () => ({ program: '/no/such/program' }), /does not exist: .*has it been built/],
      ['a directory', () => ({ program: '/tmp' }), /is a directory/],
      [
        'a file that may not be executed',
        () => ({ program: place.write('p', fs.readFileSync(program)) }),
        /may not be executed.*chmod/,
      ],
      ['a script', () => ({ program: place.write('s', '#!/bin/sh\n', 0o755) }), /is a script/],
      ['a text', () => ({ program: place.write('t', 'hello', 0o755) }), /not an executable program/],
      [
        'a program for another machine',
        () => ({ program: place.write('m', foreignElf(), 0o755) }),
        /another machine than x86-64/,
      ],
      ['a 32-bit program', () => ({ program: place.write('i', oldElf(), 0o755) }), /32-bit program.*x86-64.*-m64/],
      ['a folder that is not there', () => ({ program, cwd: '/no/such' }), /"cwd" is "\/no\/such"/],
      ['a wrong type', () => ({ program, stopAtEntry: 'yes' }), /"stopAtEntry" is "yes", not true or false/],
      ['a wrong word', () => ({ program, console: 'window' }), /"console" is "window"; there are internalConsole/],
      [
        'a gdb that is too old',
        () => ({ program, gdb: place.write('g', GDB_WITHOUT, 0o755) }),
        /gdb 12 or later.*this is GNU gdb/,
      ],
      ['a gdb that is not there', () => ({ program, gdb: '/no/gdb' }), /"gdb" is "\/no\/gdb", which is not a program/],
    ])('%s', async (_, args, sentence) => {
      const run = await place.start();
      await run.initialize();
      expect(await run.refusal('launch', args())).toMatch(sentence);
      await run.disconnect();
      await place.expectNothingLeft();
    });
  });
});

describe("the program's terminal", () => {
  it('as the debug console shows partial lines at once, and hands input on', async () => {
    const run = await launched({ args: ['echo'] });
    await run.printed(/name\? $/);
    await run.ask('evaluate', { expression: '<world', context: 'repl' });
    await ends(run);
    expect(run.output).toMatch(/name\? hello world\n$/);
  });

  it('takes input also by a request', async () => {
    const run = await launched({ args: ['echo'] });
    await run.printed(/name\? $/);
    await run.ask('program/input', { text: 'you\n' });
    await ends(run);
    expect(run.output).toMatch(/hello you/);
  });

  it('shows binary output as far as it is text', async () => {
    const run = await launched({ args: ['binary'] });
    await ends(run);
    expect(run.output).toContain(' !"#$%&');
    expect(run.output).toContain('\ufffd');
  });

  it('shows characters whole, however they were written', async () => {
    const run = await launched({ args: ['bytewise'] });
    await ends(run);
    expect(run.output).toMatch(/grüße 😀 €\n$/);
    const pieces = run.traffic
      .map((text) => JSON.parse(text))
      .filter(({ event, body }) => event === 'output' && body.category === 'stdout');
    // They came in pieces, which is what this is about.
    expect(pieces.length).toBeGreaterThan(5);
  });

  it('in the editor is the program’s own, and the console stays free of it', async () => {
    const run = await launched({ args: ['echo'], console: 'integratedTerminal' });
    await run.printed(/name\? $/);
    expect(run.terminals).toHaveLength(1);
    run.terminals[0]!.stdin?.write('terminal\n');
    await run.event('exited');
    await run.event('terminated');
    await run.printed(/hello terminal/);
    await run.disconnect();
    expect(run.traffic.join('')).not.toContain('hello terminal');
    await new Promise((resolve) => (run.terminals[0]!.exitCode === null ? run.terminals[0]!.once('exit', resolve) : resolve(0)));
    await place.expectNothingLeft();
  });

  it('^C there stops the program', async () => {
    const run = await launched({ args: ['wait'], console: 'externalTerminal' });
    await run.printed(/1 args/);
    run.terminals[0]!.stdin?.write('\x03');
    expect((await run.stopped('exception')).description).toBe('SIGINT');
    await run.disconnect();
  });
});

describe('attach', () => {
  let target: ChildProcess;
  beforeEach(async () => {
    target = spawn(program, ['wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise((resolve) => target.stdout?.once('data', resolve));
  });
  afterEach(() => target.kill('SIGKILL'));

  const alive = (): boolean => target.exitCode === null && target.signalCode === null;
  const stateOf = (): string => /State:\t(\w)/.exec(fs.readFileSync(`/proc/${target.pid}/status`, 'utf8'))![1]!;

  it('stops a running process, goes back in it, and leaves it running', async () => {
    const run = await place.start();
    await run.initialize();
    await run.begin('attach', { pid: target.pid, stopAtEntry: true, automaticCheckpoints: false });
    const { threadId } = await run.stopped('entry');
    expect(await run.value('spinning', threadId)).toBe('1');
    const { checkpoint } = await run.ask('checkpoint/take');
    await run.ask('evaluate', { expression: 'global_counter = 1', context: 'repl' });
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    const back = await run.restored();
    expect(await run.value('global_counter', back.threadId)).toBe('42');
    await run.disconnect();
    await place.expectNothingLeft();
    expect(alive()).toBe(true);
    expect(stateOf()).not.toMatch(/[Tt]/);
  });

  it('without a stop leaves the process running; a breakpoint stops it', async () => {
    const run = await place.start();
    await run.initialize();
    await run.begin('attach', { pid: String(target.pid), program }, () => run.breakAt(source, [line('waiting')]));
    await run.stopped('breakpoint');
    await run.disconnect({ terminateDebuggee: false });
    expect(alive()).toBe(true);
  });

  it('ends or suspends the process when the client says so', async () => {
    for (const args of [{ suspendDebuggee: true }, { terminateDebuggee: true }]) {
      const run = await place.start();
      await run.initialize();
      await run.begin('attach', { pid: target.pid });
      await run.disconnect(args);
      if ('suspendDebuggee' in args) {
        expect(stateOf()).toBe('T');
        target.kill('SIGCONT');
      } else if (alive()) await new Promise((resolve) => target.once('exit', resolve));
    }
    expect(target.signalCode).toBe('SIGKILL');
  });

  it('to nothing is refused with what to do', async () => {
    for (const [args, sentence] of [
      [{}, /"pid" is missing/],
      [{ pid: 'abc' }, /"pid" is "abc"/],
      [{ pid: 2 ** 22 + 1 }, /no process/],
      [{ pid: 1, program: path.join('/no', 'thing') }, /does not exist/],
    ] as const) {
      const run = await place.start();
      await run.initialize();
      expect(await run.refusal('attach', args)).toMatch(sentence);
      await run.disconnect();
    }
    await place.expectNothingLeft();
  });
});

/** As one is that has no commands in Python yet. */
const GDB_WITHOUT = '#!/bin/sh\nexec gdb -iex "python del gdb.MICommand" "$@"\n';

/** An i386 program's head. */
function oldElf(): Buffer {
  const copy = Buffer.from(fs.readFileSync(program).subarray(0, 4096));
  copy[4] = 1; // ELFCLASS32
  copy.writeUInt16LE(3, 18); // EM_386
  return copy;
}

function foreignElf(): Buffer {
  const copy = Buffer.from(fs.readFileSync(program).subarray(0, 4096));
  copy.writeUInt16LE(183, 18); // EM_AARCH64
  return copy;
}
