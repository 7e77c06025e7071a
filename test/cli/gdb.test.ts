import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CliPlace, fixture, quietGdb } from '../support/cli-session';
import { Bystander } from '../support/debug-server';

const program = fixture('counting-threads');

let place: CliPlace;
beforeEach(() => {
  place = new CliPlace();
});
afterEach(() => place.close());

describe('a batch of commands', () => {
  it('goes back and forth in one process', async () => {
    const { code, output } = await place.batch(
      [
        'break add_up',
        'run',
        'checkpoint early',
        'continue',
        'continue',
        'print counter',
        'restart 1',
        'print counter',
        'print $_checkpoint',
        'continue',
        'print counter',
      ],
      [program],
    );
    expect(output).toMatch(/Checkpoint 1: process \d+, 2 threads/);
    expect(output).toMatch(
      /\$1 = 3\nSwitching to checkpoint 1 \(process \d+\), [\d.]+ ms\.\n(.*\n)*#0 .*add_up \(i=1\) at .*\n.*\n\$2 = 0\n\$3 = 1\n/,
    );
    expect(output).toMatch(/\$4 = 1\n$/);
    expect(pids(output).size).toBe(1);
    expect(code).toBe(0);
    await place.expectNothingLeft();
  });

  it('says nothing of the resume that brings the state back', async () => {
    const { output } = await place.batch(['break add_up', 'run', 'checkpoint', 'restart 1'], [program]);
    expect(output.slice(output.indexOf('Checkpoint 1'))).not.toMatch(/Continuing|stopped\.|Program stopped/);
  });

  it('shows each display once', async () => {
    const { output } = await place.batch(['break add_up', 'run', 'display i', 'checkpoint', 'continue', 'restart 1'], [program]);
    const after = output.slice(output.indexOf('Switching to checkpoint'));
    expect(after.match(/^1: i = 1$/gm)).toHaveLength(1);
  });

  it('keeps watchpoints and gives them the restored value', async () => {
    const { output } = await place.batch(
      ['break add_up', 'run', 'delete', 'watch data[1]', 'checkpoint', 'continue', 'continue', 'restart 1', 'continue'],
      [program],
    );
    const after = output.slice(output.indexOf('Switching to checkpoint'));
    expect(after).toMatch(/Hardware watchpoint 2: data\[1\]\n\nOld value = 0\nNew value = 1\n/);
  });

  it('brings back a program that has exited, as the same process', async () => {
    const { output } = await place.batch(
      [
        'break add_up',
        'run',
        'checkpoint',
        'delete',
        'continue',
        'restart 1',
        'info threads',
        'info inferiors',
        'print counter',
        'continue',
      ],
      [program],
    );
    expect(output.match(/exited with code 03/g)).toHaveLength(2);
    expect(output).toMatch(/\$1 = 0\n/);
    expect(output.match(/sum 21/g)).toHaveLength(2);
    expect(pids(output).size).toBe(1);
    await place.expectNothingLeft();
  });

  it('waits for a checkpoint longer than for other answers, unless a limit was chosen', async () => {
    const { output } = await place.batch(['show remotetimeout'], [program]);
    expect(output).toMatch(/Timeout limit .* is 3600\./);
    const { output: chosen } = await place.batch(['show remotetimeout'], ['-iex', 'set remotetimeout 7', program]);
    expect(chosen).toMatch(/ is 7\./);
  });

  it('goes to the start of the program with "restart 0"', async () => {
    const { output } = await place.batch(['break add_up', 'run', 'restart 0', 'info threads', 'continue', 'print i'], [program]);
    const after = output.slice(output.indexOf('Switching to checkpoint 0'));
    expect(after).toMatch(/^Switching to checkpoint 0 \(process \d+\), [\d.]+ ms\.\n(.*\n)*#0 .*_start/);
    expect(after.match(/Thread 0x|process \d+/g)!.length).toBeGreaterThan(0);
    expect(after).toMatch(/Breakpoint 1, add_up \(i=1\)(.*\n)*\$1 = 1\n/);
    expect(pids(output).size).toBe(1);
  });

  it('leaves a selected thread that is gone', async () => {
    const { output } = await place.batch(
      ['break main', 'run', 'checkpoint', 'break add_up', 'continue', 'thread 2', 'restart 1', 'thread', 'info threads'],
      [program],
    );
    const after = output.slice(output.indexOf('Switching to checkpoint 1'));
    expect(after).toMatch(/#0 .*main/);
    expect(after).toMatch(/\[Current thread is 1 /);
    expect(after).not.toMatch(/^\*? +2 /m);
  });

  it('brings back a program that has crashed', async () => {
    const { output } = await place.batch(
      [
        'break add_up',
        'run',
        'checkpoint',
        'delete',
        'continue',
        'print counter',
        'restart 1',
        'print counter',
        'restart 1',
        'continue',
        'continue',
        'restart 1',
        'print counter',
      ],
      ['--args', program, 'crash'],
    );
    expect(output).toMatch(/received signal SIGSEGV(.*\n)+\$1 = 21\nSwitching to checkpoint 1 \(process \d+\)/);
    expect(output).toMatch(/terminated with signal SIGSEGV(.*\n)+Switching to checkpoint 1 \(process \d+\)(.*\n)+\$3 = 0\n/);
    expect(pids(output).size).toBe(1);
    await place.expectNothingLeft();
  });

  it('hands on the arguments of the program', async () => {
    const { output } = await place.batch(['run'], ['--args', program, 'count', '-p', '--version']);
    expect(output).toContain('sum 21, 3 arguments');
  });

  it('runs, starts and runs again', async () => {
    const { output } = await place.batch(['start', 'run', 'starti'], [program]);
    expect(output).toMatch(/Temporary breakpoint 1, main(.*\n)+sum 21(.*\n)+Program stopped/);
    await place.expectNothingLeft();
  });

  it('runs the program that `file` named last', async () => {
    const { output } = await place.batch(['run', 'file /bin/true', 'run'], [program]);
    expect(output).toMatch(/exited with code 03(.*\n)+.*exited normally/);
  });
});

describe('attaching', () => {
  let target: ChildProcess;
  beforeEach(async () => {
    target = spawn(program, ['wait'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => target.stdout?.once('data', resolve));
  });
  afterEach(() => target.kill('SIGKILL'));

  test.each([
    ['-p PID', () => ['-p', String(target.pid)]],
    ['PROGRAM PID', () => [program, String(target.pid)]],
  ])('%s takes a running process and leaves it running', async (_, args) => {
    const { code, output } = await place.batch(['info threads', 'checkpoint', 'restart 1', 'print counter', 'detach'], args());
    expect(output).toMatch(new RegExp(`Checkpoint 1: process ${target.pid}, 2 threads`));
    expect(output).toMatch(/\$1 = 0\n/);
    expect(code).toBe(0);
    const ended = new Promise((resolve) => target.once('exit', resolve));
    target.stdin?.end();
    expect(await ended).toBe(3);
    await place.expectNothingLeft();
  });

  it('tells when there is no such process', async () => {
    const { output } = await place.batch([], ['-p', '99999999']);
    expect(output).toMatch(/99999999/);
    await place.expectNothingLeft();
  });
});

describe('detaching', () => {
  it('lets a program that was started here go on to its end', async () => {
    const { output } = await place.batch(['break add_up', 'run', 'delete', 'detach'], [program]);
    // The program runs on while gdb tells of it: its line may stand in the middle of gdb's.
    const sum = 'sum 21, 0 arguments\n';
    expect(output).toContain(sum);
    expect(output.replace(sum, '')).toMatch(/\[Inferior 1 \(process \d+\) detached\]/);
    await place.expectNothingLeft();
  });
});

describe('MI', () => {
  test.each(['off', 'on'])('a restart is exactly one *stopped (mi-async %s)', async (async) => {
    const run = place.start(['gdb', ...quietGdb, '-i', 'mi3', program]);
    await run.expect(/\(gdb\) \n/);
    for (const [line, answer] of [
      [`-gdb-set mi-async ${async}`, /\^done\n/],
      ['-break-insert add_up', /\^done.*\n/],
      ['-exec-run', /\*stopped,reason="breakpoint-hit".*\n/],
      ['-interpreter-exec console "checkpoint"', /\^done\n/],
      ['-exec-continue', /\*stopped,reason="breakpoint-hit".*\n/],
    ] as const) {
      run.say(line);
      await run.expect(answer);
    }
    run.say('-interpreter-exec console "restart 1"');
    const stopped = await run.expect(/\*stopped,reason="signal-received",signal-name="0".*\n/);
    expect(stopped).toMatch(/func="add_up",args=\[\{name="i",value="1"\}\]/);
    run.say('-data-evaluate-expression counter');
    const value = await run.expect(/\^done,value="0"\n/);
    expect(value).not.toContain('*stopped');
    run.say('-gdb-exit');
    expect((await run.ended).code).toBe(0);
    await place.expectNothingLeft();
  });
});

describe('the end', () => {
  async function stoppedSession() {
    const run = place.start(['gdb', ...quietGdb, program]);
    await run.expect(/\(gdb\) /);
    await run.ask('break add_up');
    await run.ask('run');
    return run;
  }

  it('asks before it ends a live program, and then leaves nothing', async () => {
    const run = await stoppedSession();
    run.say('quit');
    const { code, output } = await run.ended;
    expect(output).toMatch(/A debugging session is active.*will be killed/s);
    expect(code).toBe(0);
    await place.expectNothingLeft();
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by %s ends gdb, the owner and the program', async (signal, status) => {
    const run = await stoppedSession();
    run.child.kill(signal);
    expect((await run.ended).code).toBe(status);
    await place.expectNothingLeft();
  });

  it('by SIGKILL, too', async () => {
    const run = await stoppedSession();
    run.child.kill('SIGKILL');
    expect((await run.ended).signal).toBe('SIGKILL');
    await place.expectNothingLeft();
  });

  it('of gdb is ours', async () => {
    const run = await stoppedSession();
    const gdb = await place.processes.find('gdb -ix');
    process.kill(gdb.pid, 'SIGKILL');
    expect((await run.ended).code).toBe(128 + 9);
    await place.expectNothingLeft();
  });

  it('has the status that gdb gives', async () => {
    expect((await place.batch(['quit 7'], [])).code).toBe(7);
    await place.expectNothingLeft();
  });

  it('of the owner is told', async () => {
    const run = await stoppedSession();
    const owner = await place.processes.find('savepoint.js owner');
    process.kill(owner.pid, 'SIGKILL');
    run.say('info registers rip');
    run.say('quit');
    expect((await run.ended).output).toMatch(/debug server ended unexpectedly \(SIGKILL\)/);
    await place.expectNothingLeft();
  });
});

describe('what cannot be done', () => {
  const write = (name: string, content: Buffer | string, mode = 0o755): string => {
    const file = path.join(place.directory, name);
    fs.writeFileSync(file, content, { mode });
    return file;
  };

  it('no gdb', async () => {
    const empty = path.join(place.directory, 'empty');
    fs.mkdirSync(empty);
    const { code, output } = await place.run(['gdb', program], { env: { PATH: empty } });
    expect(output).toContain('apt-get install gdb');
    expect(code).toBe(127);
    await place.expectNothingLeft();
  });

  it('a SAVEPOINT_GDB that is no program', async () => {
    const { code, output } = await place.run(['gdb', program], { env: { SAVEPOINT_GDB: '/nonexistent/gdb' } });
    expect(output).toContain('/nonexistent/gdb');
    expect(code).toBe(127);
  });

  it('an unknown checkpoint', async () => {
    const { output } = await place.batch(
      ['break add_up', 'run', 'restart 7', 'delete checkpoint 9', 'restart', 'restart x', 'print counter'],
      [program],
    );
    expect(output).toMatch(/No checkpoint number 7\.\n(.*)No checkpoint number 9\.\n/s);
    expect(output).toMatch(/Requires argument \(checkpoint number to restart\)\.\n.*"x" is not a checkpoint number/s);
    expect(output).toMatch(/\$1 = 0\n/);
  });

  it('a checkpoint of nothing', async () => {
    const { output } = await place.batch(['checkpoint'], [program]);
    expect(output).toContain('The program is not being run.');
  });

  it('a checkpoint while the program runs in the background', async () => {
    const target = new Bystander(program, ['wait']);
    try {
      await target.until(/ready\n/);
      const run = place.start(['gdb', ...quietGdb, '-p', `${target.pid}`]);
      await run.expect(/\(gdb\) /);
      run.say('continue &');
      await run.expect(/Continuing\.\n/);
      for (const command of ['checkpoint', 'restart 1', 'info checkpoints', 'delete checkpoint 1']) {
        run.say(command);
        await run.expect(/: the program is running; stop it first \("interrupt"\)\.\n/);
      }
      run.say('interrupt');
      await run.expect(/received signal SIGINT/);
      run.say('checkpoint');
      await run.expect(/Checkpoint 1: process/);
      run.say('detach');
      run.say('quit');
      await run.ended;
      expect(await target.finish()).toContain('sum 21');
      await place.expectNothingLeft();
    } finally {
      target.kill();
    }
  });

  it('a signal that gdb keeps from the program is not delivered by a detach', async () => {
    const target = new Bystander(program, ['wait']);
    try {
      await target.until(/ready\n/);
      const run = place.start(['gdb', ...quietGdb, '-p', `${target.pid}`]);
      await run.expect(/\(gdb\) /);
      run.say('continue &');
      await run.expect(/Continuing\.\n/);
      run.say('interrupt');
      await run.expect(/received signal SIGINT/);
      run.say('detach');
      await run.expect(/detached\]/);
      run.say('quit');
      await run.ended;
      expect(await target.finish()).toContain('sum 21');
      await place.expectNothingLeft();
    } finally {
      target.kill();
    }
  });

  test.each([
    [
      'a file that may not be executed',
      () => write('data', fs.readFileSync(program), 0o644),
      /data is not executable\. Run `chmod \+x`/,
    ],
    ['a text', () => write('text', 'hello\n'), /text is not an ELF program\./],
    ['a script', () => write('script', '#!/bin/sh\necho hi\n'), /script is a script for \/bin\/sh\. To debug the interpreter, /],
    ['a directory', () => place.directory, /\S+ is a directory\. Name the program in it\./],
    ['a file that is not there', () => path.join(place.directory, 'missing'), /missing: no such file\. Check the path/],
    ['a program for another word size', () => write('small', elf32()), /small is a 32-bit program: not supported yet\./],
    ['an object file', () => write('part.o', objectFile()), /part\.o is an object or core file, not a program\./],
  ])('%s: `run` says so once, and the session goes on', async (_what, make, sentence) => {
    const { output } = await place.batch(['run', 'print 40+2', `file ${program}`, 'run'], [make()]);
    expect(output.split('\n').filter((line) => sentence.test(line))).toEqual([expect.stringMatching(/^savepoint: /)]);
    expect(output).toMatch(/= 42\n[^]*sum 21/);
    await place.expectNothingLeft();
  });

  it("a process of somebody else's, as an ordinary user", async () => {
    if (process.getuid?.() !== 0) return; // only root can become another user
    const { output } = await place.run(['gdb', ...quietGdb, '-batch', '-p', '1'], { uid: 65534 });
    expect(output).toMatch(
      /^savepoint: no permission to attach to process 1: it belongs to user 0; run as that user or as root$/m,
    );
    await place.processes.allEnded();
  });
});

/** An ELF header of a 32-bit x86 program with nothing in it. */
function elf32(): Buffer {
  const header = Buffer.alloc(0x54);
  header.write('\x7fELF\x01\x01\x01', 0, 'latin1');
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(3, 18); // EM_386
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(0x08048054, 24); // entry
  header.writeUInt32LE(0x34, 28); // program headers
  header.writeUInt16LE(0x34, 40);
  header.writeUInt16LE(0x20, 42);
  header.writeUInt16LE(1, 44);
  header.writeUInt32LE(1, 0x34); // PT_LOAD
  header.writeUInt32LE(0x08048000, 0x3c);
  header.writeUInt32LE(0x08048000, 0x40);
  header.writeUInt32LE(0x54, 0x44);
  header.writeUInt32LE(0x54, 0x48);
  header.writeUInt32LE(5, 0x4c);
  header.writeUInt32LE(0x1000, 0x50);
  return header;
}

/** The beginning of our program, called a relocatable file. */
function objectFile(): Buffer {
  const bytes = fs.readFileSync(program);
  bytes.writeUInt16LE(1, 16); // ET_REL
  return bytes;
}

/** All process ids that gdb or the server named. */
function pids(output: string): Set<string> {
  return new Set([...output.matchAll(/\bprocess (\d+)/g)].map((match) => match[1] as string));
}
