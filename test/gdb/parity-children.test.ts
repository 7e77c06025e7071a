/** Children, exec and libraries against our server as against gdbserver. */

import { fixture } from '../support/debug-server';
import { describeParity, runSession } from '../support/gdb-session';

describeParity('children', {
  'a fork goes by unseen': {
    program: 'gdb-children',
    args: ['fork', '3'],
    must: /fork 3 of 3 text whole/,
    script: `
      break in_parent
      START
      print $_inferior
      continue
      delete
      continue
    `,
    alike: [[/child=\d+/g, 'child=N']],
  },
  'a child that gdb lets go meets no breakpoint of its parent': {
    program: 'gdb-children',
    args: ['fork', '2'],
    // Its own breakpoints, which are in at the end, are what the parent finds changed.
    must: /fork 2 of 2 text changed/,
    script: `
      break in_child
      break in_parent
      set follow-fork-mode parent
      START
      continue
      continue
    `,
    alike: [[/child=\d+/g, 'child=N']],
  },
  'catch fork, catch vfork, catch exec': {
    program: 'gdb-children',
    args: ['fork', '1'],
    must: /Catchpoint 1 \(forked process/,
    script: `
      catch fork
      catch vfork
      catch exec
      START
      backtrace -1
      info breakpoints
      continue
    `,
    alike: [[/forked process \d+/g, 'forked process N']],
  },
  'catch vfork': {
    program: 'gdb-children',
    args: ['vfork', '1'],
    must: /vforked process/,
    script: `
      catch vfork
      START
      backtrace -1
      continue
    `,
    alike: [[/forked process \d+/g, 'forked process N']],
  },
  'following the child of a fork': {
    program: 'gdb-children',
    args: ['fork', '1'],
    modes: ['extended-remote'],
    must: /in_child/,
    script: `
      set follow-fork-mode child
      break in_child
      START
      backtrace
      info inferiors
      next
      print right
      continue
    `,
    alike: [
      [/(process|child) \d+/g, '$1 N'],
      [/parent=\d+/g, 'parent=N'],
    ],
  },
  'both sides of a fork are kept': {
    program: 'gdb-children',
    args: ['fork', '1'],
    modes: ['extended-remote'],
    must: /Inferior 2 [^]*exited[^]*fork 0 of 1 text whole/,
    script: `
      set detach-on-fork off
      break in_parent
      break in_child
      START
      info inferiors
      inferior 2
      continue
      backtrace
      finish
      continue
      inferior 1
      next
      next
      delete
      continue
    `,
    alike: [
      [/(process|child|Thread) \d+(\.\d+)?/g, '$1 N'],
      [/child=\d+/g, 'child=N'],
    ],
  },
  'a child that was followed, its parent detached': {
    program: 'gdb-children',
    args: ['fork', '1'],
    modes: ['extended-remote'],
    must: /exited normally/,
    script: `
      set follow-fork-mode child
      START
      info inferiors
      print $_exitcode
    `,
    alike: [[/(process|child|Thread) \d+(\.\d+)?/g, '$1 N']],
  },
  'vfork and exec followed into the other program': {
    program: 'gdb-children',
    args: ['vfork', '1'],
    modes: ['extended-remote'],
    must: /is executing new program/,
    script: `
      set follow-fork-mode child
      catch exec
      START
      info inferiors
      continue
    `,
    alike: [[/(process|child|Thread) \d+(\.\d+)?/g, '$1 N']],
  },
  'posix_spawn and system with a breakpoint in libc': {
    program: 'gdb-children',
    args: ['system', '2'],
    must: /system 2 of 2 text whole/,
    script: `
      break marked
      START
      backtrace
      tbreak execve
      continue
      delete
      continue
    `,
    alike: [[/child=\d+/g, 'child=N']],
  },
  'exec of itself, breakpoints in the new image': {
    program: 'gdb-children',
    args: ['exec', '2'],
    must: /executing new program[^]*last image/,
    script: `
      catch exec
      START
      continue
      break marked
      continue
      backtrace
      continue
    `,
    alike: [[/process \d+/g, 'process N']],
  },
});

describeParity('libraries', {
  'a pending breakpoint in a library that is loaded, unloaded and loaded again': {
    program: 'gdb-loader',
    args: [fixture('gdb-plugin')],
    must: /plugin_work \(n=2\)[^]*plugin_work \(n=3\)/,
    withoutRegisters: [
      /Breakpoint 1, plugin_work \(n=2\)/,
      /Hardware watchpoint 2: plugin_global\n\nOld value = 7\nNew value = 14\nplugin_work \(n=2\)/,
      /hit Breakpoint 1, plugin_work \(n=3\)/,
      /hit Temporary breakpoint 3, unloaded \(\)/,
      /1 +breakpoint +keep y +<PENDING> +plugin_work/,
      /exited normally\]/,
    ],
    script: `
      set breakpoint pending on
      break plugin_work
      info breakpoints
      START
      backtrace
      info sharedlibrary
      print plugin_global
      print plugin_tls
      next
      print plugin_tls
      watch plugin_global
      continue
      delete 2
      continue
      print plugin_tls
      backtrace 1
      tbreak unloaded
      continue
      info sharedlibrary
      info breakpoints
      continue
      print plugin_tls
      delete
      continue
    `,
  },
  'stop-on-solib-events': {
    program: 'gdb-loader',
    args: [fixture('gdb-plugin')],
    must: /Stopped due to shared library event/,
    script: `
      tbreak main
      START
      set stop-on-solib-events 1
      continue
      continue
      set stop-on-solib-events 0
      continue
    `,
  },
  'catch load': {
    program: 'gdb-loader',
    args: [fixture('gdb-plugin')],
    must: /Inferior loaded/,
    script: `
      tbreak main
      START
      catch load gdb-plugin
      catch unload gdb-plugin
      continue
      continue
      delete
      continue
    `,
  },
});

describe('where gdbserver is no measure', () => {
  // After the child's end gdbserver has no registers for the parent.
  test('both sides of a vfork are kept', async () => {
    const transcript = await runSession('savepoint', 'extended-remote', {
      program: 'gdb-children',
      args: ['vfork', '1'],
      script: `
        set detach-on-fork off
        set schedule-multiple on
        catch vfork
        START
        continue
        inferior 1
        delete
        continue
      `,
    });
    expect(transcript).toMatch(
      /vforked process[^]*Inferior 2 \(process \w+\) exited normally[^]*Inferior 1 \(process \w+\) exited normally/,
    );
    expect(transcript).toMatch(/vfork 1 of 1 text whole/);
  });
});
