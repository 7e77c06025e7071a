/** The program ends when nobody expects it: killed from outside while gdb holds it, or ended by another thread in the middle of a step. */

import { runSession } from '../support/gdb-session';

const killIt = `
  python import os
  python os.kill(gdb.selected_inferior().pid, 9)
`;

describe('a program that is killed from outside while gdb holds it', () => {
  // The breakpoint is deleted first: gdb 13 hangs in the next `run` when a process ends in the middle of a step over a breakpoint (it keeps
  // its step-over info; gdbserver or not).
  test.each([
    ['next', true],
    ['stepi', true],
    ['info threads', false],
    ['thread apply all backtrace', false],
    ['print factorial(3)', false],
    ['set var global = 5', false],
    ['info registers', false],
    ['tbreak loop', false],
    ['detach', false],
    ['kill', false],
    ['run', false],
  ])('does not trouble a session that goes on with `%s`', async (command, resumes) => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-basic',
      script: `
        break scope
        START
        delete
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
    if (resumes) expect(transcript).toMatch(/\+(next|stepi)\n\nProgram terminated with signal SIGKILL, Killed\./);
  });
});

describe('a process that another thread ends', () => {
  test.each(['next', 'stepi 100000', 'continue'])('`%s` meets the exit status', async (command) => {
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
    expect(transcript).toMatch(/exited with code 03\]/);
    expect(transcript).toMatch(/No threads\.\n[^]*hit Breakpoint 1, deciding/);
  });
});
