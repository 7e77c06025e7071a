/** Beginnings and ends against our server as against gdbserver: arguments, environment, folder, redirection, attach, detach, run again. */

import { describeParity, runSession } from '../support/gdb-session';

describeParity('start', {
  'arguments, environment, folder': {
    program: 'gdb-surroundings',
    modes: ['extended-remote'],
    must: /argument 2: <b c>[^]*variable FIXTURE_ONE=first[^]*folder FOLDER/,
    script: `
      set args a 'b c' "d\\"e" f\\ g '' x=y
      set environment FIXTURE_ONE first
      set environment FIXTURE_EMPTY
      set environment FIXTURE_TWO = a "b" \\c $x
      set environment FIXTURE_GONE something
      unset environment FIXTURE_GONE
      set cwd FOLDER
      show cwd
      START
      print $_exitcode
      set args
      unset environment FIXTURE_ONE
      set disable-randomization off
      START
    `,
  },
  'without a shell': {
    program: 'gdb-surroundings',
    modes: ['extended-remote'],
    must: /argument 2: <\$HOME>/,
    script: `
      set startup-with-shell off
      set args a $HOME b*c
      START
    `,
  },
  'what the server was given': {
    program: 'gdb-surroundings',
    args: ['one', 'two words', '*', '$HOME', "it's"],
    modes: ['remote'],
    env: { FIXTURE_SERVER: 'from the server' },
    input: 'first\nsecond\n',
    must: /argument 2: <two words>[^]*from the server[^]*input: second/,
    script: `
      tbreak main
      START
      print argc
      print argv[1]
      continue
    `,
  },
  'a wrapper': {
    program: 'gdb-surroundings',
    serverArgs: ['--wrapper', 'env', 'FIXTURE_WRAPPED=yes', '--'],
    must: /variable FIXTURE_WRAPPED=yes/,
    script: `
      tbreak main
      START
      backtrace
      info sharedlibrary
      continue
    `,
  },
  'starti and start': {
    program: 'gdb-basic',
    modes: ['extended-remote'],
    must: /Program stopped[^]*Temporary breakpoint/,
    script: `
      starti
      info sharedlibrary
      x/i $pc
      stepi
      start
      info sharedlibrary
      next
      kill
      info inferiors
      start
      kill
    `,
  },
  'kill and run again, breakpoints kept': {
    program: 'gdb-basic',
    modes: ['extended-remote'],
    must: /exited normally[^]*exited normally/,
    withoutRegisters: [
      /Hardware watchpoint 2: global\n\nOld value = 3\nNew value = 9\nscope /,
      /\(process \w+\) killed\]/,
      /\(process \w+\) exited normally\]/,
    ],
    script: `
      break scope
      START
      kill
      START
      print global
      START
      continue
      START
      watch global
      continue
      kill
      delete
      START
    `,
  },
  'detach from a stopped program, which runs on': {
    program: 'gdb-basic',
    must: /detached[^]*9 4.5 15 120/,
    script: `
      break scope
      START
      detach
      info inferiors
    `,
  },
  detach: {
    program: 'gdb-basic',
    must: /detached/,
    withoutRegisters: [
      /Hardware watchpoint 2: global\n\nOld value = 1\nNew value = 3\nmain /,
      /Breakpoint 1, scope \(\)/,
      /detached\]/,
      // The program ran on to its end.
      /--- output\n9 4.5 15 120 45 10 save point\n/,
    ],
    script: `
      break scope
      watch global
      START
      continue
      detach
      info inferiors
    `,
  },
  'attach, look round, detach, attach again': {
    program: 'gdb-waiter',
    modes: ['extended-remote'],
    beside: { program: 'gdb-waiter', args: ['2'], ready: /ready\n/ },
    must: /detached[^]*detached[^]*beside: ready\nright after 0 ticks/,
    script: `
      attach BESIDE
      info threads
      print ending
      thread 1
      backtrace -1
      tbreak usleep
      continue
      finish
      break usleep if ticks == 1
      detach
      attach BESIDE
      info breakpoints
      thread 1
      print ticks
      thread apply all -q print ending
      delete
      detach
    `,
    alike: [
      [/^(\* | ) (\d+) +(Thread \S+ "[^"]*") .*$/gm, '$2 $3 somewhere'],
      [/^(0x[0-9a-f]+ in )?[\w.]+ \(.*\).*$/gm, 'somewhere'],
      [/^\d+\t.*$/gm, 'somewhere'],
      [/^Reading symbols from .*$/gm, ''],
      // Which of the workers comes first is the kernel's choice.
      [/^\[Switching to Thread .*\]\n/gm, ''],
      [/^Thread \d+ "gdb-waiter" hit/gm, 'Thread hit'],
      [/0x[0-9a-f]{8,}/g, 'ADDRESS'],
    ],
  },
  'attach to a program that sleeps in a system call': {
    program: 'gdb-waiter',
    modes: ['extended-remote'],
    beside: { program: 'gdb-waiter', args: ['0'], ready: /ready\n/ },
    must: /detached[^]*detached[^]*beside: ready\nright after 0 ticks/,
    script: `
      attach BESIDE
      backtrace
      x/i $pc
      print $rax
      print $orig_rax
      detach
      attach BESIDE
      set var scratch[0] = 7
      print scratch[0]
      detach
    `,
    alike: [
      [/^Reading symbols from .*$/gm, ''],
      [/0x[0-9a-f]{8,}/g, 'ADDRESS'],
    ],
  },
  'attach and kill': {
    program: 'gdb-waiter',
    modes: ['extended-remote'],
    beside: { program: 'gdb-waiter', args: ['1'], ready: /ready\n/ },
    must: /killed/,
    script: `
      attach BESIDE
      kill
      info inferiors
      attach BESIDE
    `,
    alike: [
      // gdbserver does not survive the attempt to attach to a process that is gone.
      [/^\+quit\n[^]*?(?=^--- output)/gm, '+quit\n'],
      [/^(0x[0-9a-f]+ in )?[\w.]+ \(.*\).*$/gm, 'somewhere'],
      [/^\d+\t.*$/gm, 'somewhere'],
    ],
  },
});

describe('where gdbserver is no measure', () => {
  // After such a call gdbserver delivers a SIGSEGV at the detach (see the threads' file).
  test('a program that sleeps in a system call goes on sleeping after a function was called in it', async () => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-waiter',
      beside: { program: 'gdb-waiter', args: ['1'], ready: /ready\n/ },
      script: `
        attach BESIDE
        call (int) getppid() > 0
        detach
        attach BESIDE
        thread 1
        backtrace -1
        detach
      `,
    });
    expect(transcript).toMatch(/\$1 = 1\n[^]* in main [^]*beside: ready\nright after 0 ticks/);
  });

  test('a program that cannot be started is named, and the session goes on', async () => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-basic',
      script: `
        set remote exec-file /nonexistent/program
        START
        attach 999999999
        set remote exec-file FOLDER
        START
        set remote exec-file PROGRAM
        START
      `,
    });
    expect(transcript).toMatch(/exited normally/);
    expect(transcript).not.toMatch(/disconnected|reset by peer|connection closed/i);
  });

  test('redirections of standard input, output and error are done', async () => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-surroundings',
      script: `
        shell echo from a file > FOLDER/in
        set args one 'two words' < FOLDER/in > FOLDER/out 2> FOLDER/err
        START
        shell cat FOLDER/out
        shell cat FOLDER/err
        set args three >> FOLDER/out 2>&1
        START
        shell tail -n 6 FOLDER/out
      `,
    });
    expect(transcript).toMatch(
      /argument 1: <one>\nargument 2: <two words>\nfolder [^]*input: from a file\n\+shell [^]*to standard error\n/,
    );
    expect(transcript).toMatch(/argument 1: <three>\n[^]*to standard error\n/);
    expect(transcript).not.toMatch(/argument \d+: <[<>]>/);
  });

  test('a folder that does not exist is named, and the session goes on', async () => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-basic',
      script: `
        set cwd /nonexistent/folder
        START
        set cwd /tmp
        START
      `,
    });
    expect(transcript).toMatch(/exited normally/);
    expect(transcript).not.toMatch(/disconnected|reset by peer/);
  });
});
