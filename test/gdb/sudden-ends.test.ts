/** The program ends when nobody expects it: killed from outside while gdb holds it, or ended by another thread in the middle of a step. */

import { fixture } from '../support/debug-server';
import { runSession } from '../support/gdb-session';

/** Kills the program that gdb holds, and waits until the kernel has ended its threads. */
const killIt = [
  'python import os, time',
  'python victim = gdb.selected_inferior().pid',
  'python os.kill(victim, 9)',
  'python while open("/proc/%d/stat" % victim).read().rpartition(")")[2].split()[0] not in "ZX": time.sleep(0.001)',
].join('\n');

const whatNext = [
  'continue',
  'next',
  'stepi',
  'finish',
  'info threads',
  'thread apply all backtrace',
  'print factorial(3)',
  'print global',
  'x/4xb $sp',
  'set var global = 5',
  'info registers',
  'info sharedlibrary',
  'tbreak loop',
  'detach',
  'kill',
  'run',
];

describe('a program that is killed from outside while gdb holds it', () => {
  test.each(whatNext)('does not trouble a session that goes on with `%s`', async (command) => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-basic',
      script: `
        break scope
        START
        ${killIt}
        ${command}
        continue
        delete
        START
        print $_exitcode
      `,
    });
    expect(transcript).toMatch(/\[Inferior 1 \(process \S+\) exited normally\]\n\+print \$_exitcode\n\$\d+ = 0\n/);
    expect(transcript).not.toMatch(/disconnected|closed|reset by peer|internal error|did not end/i);
    if (['continue', 'next', 'stepi', 'finish'].includes(command)) {
      expect(transcript).toMatch(/Program terminated with signal SIGKILL, Killed\./);
    }
  });

  test('is reported at once when it runs', async () => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-threads',
      args: ['4', '4'],
      script: `
        break all_started
        START
        python import os, threading
        python victim = gdb.selected_inferior().pid
        break all_finished if $_streq("a", "b") || (int) kill((int) getpid(), 9)
        continue
        info threads
        delete
        START
      `,
    });
    expect(transcript).toMatch(/terminated with signal SIGKILL[^]*total 16 least 4 most 4 text whole/);
  });
});

describe('a process that another thread ends', () => {
  test.each([
    ['next', 'exit', 3],
    ['stepi 100000', 'exit', 3],
    ['continue', 'exit', 3],
  ])('%s meets the exit status', async (command, _how, code) => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'exits',
      script: `
        break deciding
        START
        set var how = 4
        finish
        ${command}
        ${command}
        ${command}
        ${command}
        info threads
        START
        delete
        kill
      `,
    });
    expect(transcript).toMatch(new RegExp(`exited with code 0${code}\\]`));
    expect(transcript).toMatch(/No threads\.\n[^]*hit Breakpoint 1, deciding/);
  });
});

test('the fixture is there', () => expect(fixture('exits')).toMatch(/exits$/));
