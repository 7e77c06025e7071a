/** Threads against our server as against gdbserver: lists, backtraces, thread-locals, locking, and breakpoints that many hit at once. */

import { describeParity, runSession } from '../support/gdb-session';

/** Which of several equal threads is met first is the kernel's choice. */
const anyWorker: readonly (readonly [RegExp, string])[] = [
  [/worker-\d+/g, 'worker'],
  [/^\[Switching to Thread .*\]\n/gm, ''],
  [/Thread \d+ "worker"/g, 'Thread "worker"'],
  [/number=\d+, round=\d+/g, 'number=N, round=N'],
  [/number=\d+/g, 'number=N'],
];

describeParity('threads', {
  'info threads, thread apply, thread name, thread find': {
    program: 'gdb-threads',
    must: /worker-3[^]*all_started/,
    script: `
      break all_started
      START
      info threads
      thread apply all -q -s print own_number
      thread apply 2-4 print own_number
      thread 3
      thread name renamed
      info threads
      thread find worker
      thread apply all backtrace -2
      taas print own_number
      tfaas print number
      thread 1
      continue
    `,
    alike: [[/^#\d+ +0x[0-9a-f]+ in (__futex|futex|__GI___futex|pthread_barrier)\S* .*$/gm, '# waiting']],
  },
  'thread-locals and registers of each thread': {
    program: 'gdb-threads',
    must: /\$\d+ = 1000/,
    script: `
      break all_started
      START
      thread apply all -ascending -q print own_number
      print &own_number == 0
      thread 2
      set var own_number = 77
      print own_number
      thread 3
      print own_number
      print errno
      thread 2
      print own_number
      print $fs_base != 0
      continue
    `,
  },
  'tbreak that many threads reach, then a thread-specific breakpoint': {
    program: 'gdb-threads',
    args: ['6', '5'],
    must: /total 30 least 5 most 5 text whole/,
    alike: anyWorker,
    script: `
      tbreak hot
      START
      backtrace -1
      break all_finished
      continue
      print total
      print calls[0]
      delete
      continue
    `,
  },
  'a breakpoint for one thread only': {
    program: 'gdb-threads',
    args: ['4', '6'],
    must: /total 24 least 6 most 6 text whole/,
    script: `
      break all_started
      START
      break hot thread 3
      continue
      print number == own_number
      print round
      continue
      print round
      ignore 2 3
      continue
      print round
      info breakpoints
      delete
      continue
    `,
  },
  'step and next with and without scheduler-locking': {
    program: 'gdb-threads',
    args: ['4', '4'],
    must: /total 16 least 4 most 4 text whole/,
    script: `
      break all_started
      START
      break hot thread 2
      continue
      delete
      show scheduler-locking
      set scheduler-locking on
      set var $before = total
      set var $own = calls[own_number]
      next
      next
      print total - $before
      print calls[own_number] - $own
      stepi
      stepi
      stepi
      print total - $before
      set scheduler-locking step
      finish
      step
      step
      next
      set scheduler-locking off
      next
      continue
    `,
  },
  'a condition in a function that eight threads hammer': {
    program: 'gdb-threads',
    args: ['8', '150'],
    must: /total 1200 least 150 most 150 text whole/,
    alike: anyWorker,
    script: `
      break hot if round == 149 && number == 5
      START
      print round
      break all_finished
      continue
      print total
      info breakpoints
      delete
      continue
    `,
  },
  'a thread is stepped to its end while others end': {
    program: 'gdb-threads',
    args: ['5', '2'],
    must: /hot \(number=2, round=1\)[^]*total 10 least 2 most 2 text whole/,
    alike: [[/Thread \d+ "worker-2"/g, 'Thread "worker-2"']],
    script: `
      break hot if number == 2 && round == 1
      START
      finish
      delete
      next
      next
      next
      next
      next
      next 30
      info inferiors
    `,
  },
  'every hit of eight threads is counted': {
    program: 'gdb-threads',
    args: ['8', '30'],
    alike: anyWorker,
    must: /\$\d+ = 240\n[^]*text whole/,
    script: `
      set var $hits = 0
      break hot
      commands
      silent
      set var $hits = $hits + 1
      continue
      end
      break all_finished
      START
      print $hits
      info breakpoints
      delete
      continue
    `,
  },
  'a watchpoint that another thread triggers': {
    program: 'gdb-threads',
    args: ['4', '2'],
    must: /Hardware watchpoint[^]*New value = 107/,
    // Sorted lines.
    withoutRegisters: [
      /New value = 107\nNew value = 2\nOld value = 0\nOld value = 1\n/,
      /Thread "worker" hit Hardware watchpoint 3: calls\[2\]/,
      /Thread 1 "gdb-threads" hit Hardware watchpoint 2: shared/,
    ],
    alike: anyWorker,
    script: `
      break all_started
      START
      watch shared
      watch calls[2] if calls[2] == 2
      continue
      print shared
      delete 2
      continue
      print calls[2]
      print own_number
      continue
    `,
    sorted: true,
  },
  'detach while other threads stand': {
    program: 'gdb-threads',
    args: ['3', '3'],
    must: /total 9 least 3 most 3 text whole/,
    script: `
      break all_started
      break hot
      START
      print total
      delete
      thread 2
      print own_number
      detach
    `,
  },
  'functions called from each of several threads that wait in the kernel': {
    program: 'gdb-threads',
    args: ['3', '3'],
    must: /total 9 least 3 most 3 text whole/,
    alike: [
      [/^#0 .*$/gm, '#0'],
      // The others run on while a function is called in one thread: to the barrier, into the call and out of it, as time allows.
      [/^\d+\t.*$/gm, 'source'],
      // And the first one writes 107 when it gets that far meanwhile.
      [/^\$2 = 10[47]$/gm, '$2 = 104 or 107'],
    ],
    script: `
      break all_started
      START
      thread 2
      call (void) write_shared(2)
      call (int) getppid() > 0
      thread 4
      call (void) write_shared(4)
      print shared
      thread 3
      set scheduler-locking on
      call (void) write_shared(3)
      print shared
      set scheduler-locking off
      thread 1
      delete
      continue
    `,
  },
});

describe('where gdbserver is no measure', () => {
  // gdb calls a function with a return address on the stack, which is not executable: the call ends in a SIGSEGV, which gdbserver takes
  // for the program's and delivers at the detach.
  test('a program runs on after a function was called and gdb detached', async () => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-threads',
      args: ['3', '3'],
      script: `
        break all_started
        break hot
        START
        delete
        call (void) write_shared(3)
        print shared
        detach
      `,
    });
    expect(transcript).toMatch(/\$1 = 103\n[^]*total 9 least 3 most 3 text whole/);
  });
});
