/**
 * The commands of an ordinary gdb session behave against our server as against gdbserver: the same script, the same gdb, the same kind of
 * connection, the same transcript. One thread here; threads, signals, children and start-up have files of their own beside this one.
 */

import { describeParity } from '../support/gdb-session';

describeParity('breakpoints and stepping', {
  'break, tbreak, condition, ignore, delete': {
    program: 'gdb-basic',
    must: /exited normally/,
    script: `
      break add if b == 3
      tbreak factorial
      break loop
      info breakpoints
      START
      backtrace
      info breakpoints
      continue
      print n
      condition 1 b == 7
      continue
      print b
      ignore 3 5
      condition 1
      ignore 1 1
      continue
      print b
      disable 1
      info breakpoints
      delete 1
      continue
      info breakpoints
    `,
  },
  'commands, displays, silent breakpoints': {
    program: 'gdb-basic',
    must: /exited normally/,
    script: `
      break loop
      commands
      silent
      printf "loop of %d\\n", n
      tbreak add
      commands
      display a
      display/x b
      info display
      end
      continue
      end
      START
      next
      undisplay 1
      next
      continue
    `,
  },
  'next, step, stepi, nexti, until, advance, finish': {
    program: 'gdb-basic',
    must: /Value returned/,
    script: `
      break main
      START
      next
      next
      next
      step
      step
      finish
      step
      finish
      stepi
      nexti
      stepi 3
      info line
      advance make_pair
      finish
      advance make_large
      finish
      break factorial if n == 2
      continue
      up
      up
      finish
      delete
      tbreak loop
      continue
      next 3
      step
      finish
      next 3
      until
      until
      step
      up
      tbreak vector
      continue
      step
      info registers rip
      x/3i $pc
      kill
    `,
  },
  'a program stepped to its end': {
    program: 'gdb-basic',
    must: /exited normally|exited with code/,
    script: `
      break vector
      START
      finish
      next
      next
      next
      next
      next
      next
      next
      next
    `,
  },
  'watchpoints on a global, on a local that leaves its scope': {
    program: 'gdb-basic',
    must: /gone out of scope|left the block/,
    withoutRegisters: [
      /Hardware watchpoint 2: global\n\nOld value = 1\nNew value = 3\nmain /,
      /Hardware watchpoint 4: local\n\nOld value = \d+\nNew value = 1\nscope /,
      /Hardware watchpoint 4: local\n\nOld value = 1\nNew value = 3\nscope /,
      /Hardware watchpoint 4: local\n\nOld value = 3\nNew value = 9\nscope /,
      /Watchpoint 4 deleted because the program has left the block in\nwhich its expression is valid.\nmain /,
      /Hardware watchpoint 5: watched\n\nOld value = 3\nNew value = 4\nloop /,
    ],
    script: `
      break main
      START
      watch global
      continue
      info watchpoints
      break scope
      delete 2
      continue
      watch local
      continue
      continue
      continue
      watch watched if watched == 4
      continue
      print watched
      continue
    `,
  },
  'rwatch, awatch, hbreak, thbreak': {
    program: 'gdb-basic',
    must: /read watchpoint[^]*acc.*watchpoint/i,
    withoutRegisters: [
      /Hardware assisted breakpoint 1 at .*\n\+\w+\n(.*\n)*Breakpoint 1, scope \(\)/,
      /#0 {2}scope \(\)/,
      /Could not insert hardware watchpoint 2\.\nCould not insert hardware watchpoint 3\./,
    ],
    script: `
      hbreak scope
      START
      backtrace
      rwatch ratio
      awatch seen
      thbreak factorial
      info breakpoints
      continue
      continue
      continue
      continue
      continue
      continue
    `,
  },
  'software watchpoint': {
    program: 'gdb-basic',
    must: /Watchpoint 2: global/,
    script: `
      break scope
      START
      set can-use-hw-watchpoints 0
      watch global
      continue
      delete
      continue
    `,
  },
});

describeParity('data', {
  'calls of functions in the program': {
    program: 'gdb-basic',
    must: /being debugged stopped while in a function called from GDB/,
    script: `
      break scope
      START
      print add(20, 3)
      print make_pair(9)
      print make_large(4)
      print make_large(5).values[2]
      print factorial(6)
      call (void) scope()
      print $_exitcode
      break factorial if n == 2
      print factorial(4)
      backtrace
      finish
      continue
      delete
      print $_siginfo.si_signo
      continue
    `,
  },
  'a call that crashes is unwound': {
    program: 'gdb-basic',
    must: /SIGSEGV|signaled/,
    script: `
      break scope
      START
      set unwindonsignal on
      print ((int (*)(void)) 16)()
      backtrace
      set unwindonsignal off
      print ((int (*)(void)) 16)()
      backtrace 1
      kill
    `,
  },
  'memory and registers': {
    program: 'gdb-basic',
    must: /v4_float|v8_float/,
    script: `
      break vector
      START
      x/s text
      x/8xb bytes
      x/4dw &global
      x/2gx $rsp
      x/5i vector
      print bytes[5]@4
      print/x bytes
      set var global = 77
      print global
      set var text[0] = 'S'
      x/s &text
      set {int} &watched = 41
      next
      next
      print seen
      finish
      print $xmm0
      print $ymm0
      set var $xmm0.uint128 = 0
      print $xmm0.v2_double
      set var $ymm1.v8_int32[7] = 12
      print $ymm1.v8_int32
      set var $rax = 0x1234
      print/x $rax
      print $eflags
      print $mxcsr
      print $st0
      print $cs
      print $fs_base != 0
      print $orig_rax
      info registers rip rbx cs
      find &text, +20, "poi"
      find /b bytes, +sizeof(bytes), 0x31, 0x38
      compare-sections .text
      compare-sections .rodata
      x/x 0
      print *(int *) 8
      set var *(int *) 8 = 1
      continue
    `,
  },
  'jump, return, tbreak by address': {
    program: 'gdb-basic',
    must: /exited normally/,
    script: `
      break factorial
      START
      return 99
      next
      print product
      delete
      tbreak *vector
      continue
      x/i $pc
      continue
    `,
  },
  'auxv, process, libraries, files through the server': {
    program: 'gdb-basic',
    must: /AT_PHDR[^]*libc.so.6/,
    sysroot: 'target:',
    script: `
      break vector
      START
      info auxv
      info sharedlibrary
      info proc
      info proc cmdline
      info proc cwd
      info proc exe
      info inferiors
      info target
      info symbol vector
      info os
      kill
    `,
    alike: [
      [/AT_(PLATFORM|EXECFN|RANDOM|BASE_PLATFORM)(.*?)0x[0-9a-f]+/g, 'AT_$1$2 STACK'],
      [/^cwd = .*$/gm, 'cwd'],
      // About the machine rather than the program: we have processes and threads, which show what a debugger's user looks for.
      [/^(cpus|files|modules|msg|procgroups|semaphores|shm|sockets) +Listing of .*\n/gm, ''],
    ],
  },
  'dump and restore memory, generate a core file': {
    program: 'gdb-basic',
    must: /Saved corefile/,
    script: `
      break vector
      START
      dump binary memory FOLDER/bytes bytes bytes+sizeof(bytes)
      shell od -An -tx1 FOLDER/bytes
      dump binary value FOLDER/global global
      shell od -An -tx1 FOLDER/global
      set var bytes[3] = 0
      restore FOLDER/bytes binary &bytes
      print bytes[3]
      generate-core-file FOLDER/core
      shell gdb -nx -q -batch -ex 'backtrace' -ex 'print global' -ex 'print text' -ex 'info threads' PROGRAM FOLDER/core 2>&1 | grep -v -e warning -e '^$' -e 'New LWP' -e 'No such file' -e 'Core was'
      continue
    `,
  },
});

describeParity('ends', {
  'a non-zero exit': {
    program: 'gdb-basic',
    args: ['exit', '42'],
    must: /exited with code 052/,
    script: `
      START
      print $_exitcode
      info inferiors
      backtrace
    `,
  },
  'abort, seen through libc': {
    program: 'gdb-basic',
    args: ['abort'],
    must: /SIGABRT[^]*raise|SIGABRT[^]*abort/,
    script: `
      START
      backtrace
      frame function main
      info locals
      print $_siginfo.si_signo
      print $_siginfo.si_code
      continue
      print $_exitsignal
    `,
  },
  'a crash': {
    program: 'gdb-basic',
    args: ['segv'],
    must: /SIGSEGV/,
    script: `
      START
      backtrace
      print $_siginfo._sifields._sigfault.si_addr
      info registers rip
      continue
      info program
    `,
  },
  'an end by SIGKILL': {
    program: 'gdb-basic',
    args: ['kill'],
    must: /SIGKILL/,
    script: `
      START
      print $_exitsignal
      info threads
    `,
  },
});
