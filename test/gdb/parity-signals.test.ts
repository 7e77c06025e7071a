/** Signals against our server as against gdbserver: what stops, what is passed on, what is discarded, and what ^C does. */

import { describeParity } from '../support/gdb-session';

describeParity('signals', {
  'each signal stops and is passed on': {
    program: 'gdb-signals',
    must: /SIGUSR1[^]*SIGUSR2[^]*SIGALRM[^]*SIG36/,
    script: `
      handle SIGALRM stop print
      START
      backtrace 1
      print $_siginfo.si_signo
      print usr1
      continue
      print usr1
      continue
      print $_siginfo._sifields._timer.si_overrun
      continue
      print $_siginfo._sifields._rt.si_sigval.sival_int
      print $_siginfo._sifields._rt.si_pid == $_inferior_pid || 1
      continue
      print realtime
      continue
    `,
    alike: [[/^#\d+ .* (raise|__GI_raise|__pthread_kill\w*|sigqueue|kill) .*$/gm, '# $1']],
  },
  'nostop, noprint, nopass': {
    program: 'gdb-signals',
    must: /usr1 0 usr2 1 alarms 1 realtime 1/,
    script: `
      handle SIGUSR1 nostop print nopass
      handle SIGUSR2 nostop noprint pass
      handle SIGALRM nostop noprint pass
      handle SIG36 nostop print pass
      info signals SIGUSR1
      START
      print $_exitcode
    `,
  },
  'stop and nopass; pass later': {
    program: 'gdb-signals',
    must: /usr1 1 usr2 0/,
    script: `
      handle SIGUSR1 stop print nopass
      handle SIGUSR2 stop print nopass
      handle SIG36 stop print nopass
      START
      continue
      continue
      continue
      handle SIGUSR1 pass
      continue
    `,
  },
  'signal 0 discards, signal N sends another one': {
    program: 'gdb-signals',
    must: /usr1 1 usr2 1/,
    script: `
      START
      signal 0
      signal SIGUSR2
      signal 0
      signal SIGUSR1
      continue
    `,
  },
  'stepping over a line whose signal has a handler': {
    program: 'gdb-signals',
    must: /on_usr1/,
    script: `
      handle SIGUSR1 SIGUSR2 SIGALRM SIG36 nostop noprint pass
      break main
      START
      next
      next
      next
      next
      next
      print usr1
      next
      break on_alarm
      next
      backtrace -1
      finish
      delete
      next
      next
      print realtime
      print value
      break on_usr1
      continue
      backtrace 2
      up
      continue
    `,
  },
  'a breakpoint in a handler, backtrace over the signal frame': {
    program: 'gdb-signals',
    must: /signal handler called/,
    script: `
      handle SIGUSR1 SIGUSR2 SIGALRM SIG36 nostop noprint pass
      break on_alarm
      break on_realtime
      START
      backtrace
      continue
      print *info._sifields._rt.si_sigval.sival_int@1
      print info.si_signo
      finish
      stepi
      stepi
      backtrace -1
      continue
    `,
  },
  'the siginfo is changed before it is delivered': {
    program: 'gdb-signals',
    must: /value 4711/,
    script: `
      handle SIGUSR1 SIGUSR2 SIGALRM nostop noprint pass
      START
      print $_siginfo._sifields._rt.si_sigval.sival_int
      set var $_siginfo._sifields._rt.si_sigval.sival_int = 4711
      print $_siginfo._sifields._rt.si_sigval.sival_int
      continue
    `,
  },
  'a detach at a signal that the program may see': {
    program: 'gdb-signals',
    must: /usr1 2 usr2 1 alarms 1/,
    script: `
      START
      detach
    `,
  },
  'a detach at a signal that the program never sees': {
    program: 'gdb-signals',
    must: /usr1 1 usr2 1 alarms 1/,
    script: `
      handle SIGUSR1 nopass
      START
      print $_siginfo.si_signo
      detach
    `,
  },
  'catch signal': {
    program: 'gdb-signals',
    must: /Catchpoint 1 \(signal SIGUSR2\)[^]*exited with code 02/,
    script: `
      handle all nostop noprint pass
      catch signal SIGUSR2
      START
      backtrace -1
      info breakpoints
      continue
    `,
  },
  'info signals': {
    program: 'gdb-signals',
    must: /SIGUSR2 +No\s+No\s+Yes/,
    script: `
      handle SIGUSR2 nostop noprint
      START
      info signals
      info signals SIGUSR2
      kill
    `,
  },
  'queue-signal': {
    program: 'gdb-signals',
    must: /usr2 2/,
    script: `
      handle SIGUSR1 SIGUSR2 SIGALRM SIG36 nostop noprint pass
      break report
      START
      handle SIGUSR2 pass
      queue-signal SIGUSR2
      next
      print usr2
      delete
      continue
    `,
  },
  'an interrupt of a waiting program, and going on after it': {
    program: 'gdb-signals',
    args: ['wait'],
    must: /SIGINT[^]*usr1 3/,
    interruptAt: [/ready\n/],
    script: `
      handle SIGUSR1 SIGUSR2 SIGALRM SIG36 nostop noprint pass
      START
      backtrace -1
      print usr1
      print $_siginfo.si_signo
      signal SIGUSR1
    `,
  },
  'an interrupt of a program with threads, and going on after it': {
    program: 'gdb-waiter',
    args: ['3'],
    must: /SIGINT[^]*right after 0 ticks/,
    interruptAt: [/ready\n/],
    input: 'open',
    script: `
      START
      print ending
      set var ending = 1
      print $_gthread
      thread apply all -q print 1
      thread 1
      backtrace -1
      call (int) close(0)
      continue
    `,
    alike: [
      [/(Thread \S+ ?(?:"[^"]*" )?)?(P|p)rogram received|Thread \d+ "\S+" (hit|received)/g, 'Thread received'],
      [/^(0x[0-9a-f]+ in )?[\w.]+ \(.*\) at .*$/gm, 'somewhere'],
      [/^\d+\t.*$/gm, 'somewhere'],
    ],
  },
});
