/**
 * What a stop means: an event for gdb (kept in `tracee.pending`), something to be done here and now (a birth, an exit to be held), or
 * nothing (`silent`: the thread goes on if it is supposed to run).
 */

import { GONE } from '../base/brands';
import { SYS } from '../abi/syscalls-x86-64';
import { defaultDisposition, isForced, SIGTRAP } from '../abi/signals';
import { SI_KERNEL, TRAP_BRKPT, TRAP_HWBKPT } from '../abi/flags';
import { SIGINFO } from '../abi/structs';
import * as proc from '../sys/proc';
import * as ptrace from '../sys/ptrace';
import { changesAnswers } from './answers';
import type { Inferior } from './inferior';
import { leaveCall, parkAtExit } from './parking';
import { robustListHead } from '../sys/robust-list';
import type { PointHit } from './hardware-points';
import type { Pending, Tracee } from './tracee';
import type { Tracer } from './tracer';
import type { PtraceEvent, Stop } from './wait-status';

export type Verdict = 'silent' | 'report';

export function considerStop(tracer: Tracer, inferior: Inferior, tracee: Tracee, stop: Stop): Verdict {
  const verdict = findMeaning(tracer, inferior, tracee, stop);
  // A system call that ends in an event may have written watched memory, too (clone(2): the new id).
  if (stop.kind !== 'event' || verdict === 'report' || !inferior.points.emulates || !tracee.isStopped) return verdict;
  const changed = inferior.points.changed();
  if (changed === undefined) return verdict;
  tracee.pending = pendingOf(changed);
  return 'report';
}

function pendingOf(hit: PointHit): Pending {
  return hit.name === 'hardware' ? { kind: 'hwbreak', inCode: false } : { kind: 'watch', watch: hit.name, addr: hit.addr };
}

function findMeaning(tracer: Tracer, inferior: Inferior, tracee: Tracee, stop: Stop): Verdict {
  if (inferior.role === 'nursed') return considerNursed(tracer, inferior, tracee, stop);
  switch (stop.kind) {
    case 'signal':
      return stop.signal === SIGTRAP
        ? considerTrap(tracer, inferior, tracee)
        : considerSignal(tracer, inferior, tracee, stop.signal);
    case 'event':
      return EVENTS[stop.event](tracer, inferior, tracee);
    case 'interrupt':
    case 'group-stop':
      tracee.action ??= tracer.actionFor(tracee.ref);
      return 'silent';
    case 'syscall':
      return 'silent';
  }
}

/** A process gdb has let go: everything passes, births are followed, nothing is reported. */
function considerNursed(tracer: Tracer, inferior: Inferior, tracee: Tracee, stop: Stop): Verdict {
  if (stop.kind === 'signal') tracee.deliver = { signal: stop.signal };
  if (stop.kind === 'event') {
    if (stop.event === 'seccomp') noteChange(tracer, tracee);
    if (stop.event === 'clone') return EVENTS.clone(tracer, inferior, tracee);
    if (stop.event === 'fork' || stop.event === 'vfork') {
      const child = adoptProcess(tracer, inferior, tracee);
      if (child !== undefined) nurse(tracer, child);
    }
    if (stop.event === 'exec') {
      const fresh = tracer.replaceThreads(inferior, tracee);
      tracer.go(fresh);
    }
  }
  return 'silent';
}

/** Lets a stopped process run under our silent care. */
export function nurse(tracer: Tracer, inferior: Inferior): void {
  tracer.setRole(inferior, 'nursed');
  for (const tracee of inferior.live()) if (tracee.isStopped) tracer.go(tracee);
}

// --- signals ---

function considerSignal(tracer: Tracer, inferior: Inferior, tracee: Tracee, signal: number): Verdict {
  const info = tracee.stopInfo();
  const gp = tracee.gp();
  if (info === GONE || gp === GONE) return 'silent';
  tracee.noteInterruptedCall(gp);
  const ours = tracee.sentByUs.indexOf(signal);
  if (ours >= 0 && info.readInt32LE(SIGINFO.si_pid) === process.pid) {
    tracee.sentByUs.splice(ours, 1);
    return deliverNow(inferior, tracee, signal, info);
  }
  // A step is told all the same, as gdbserver does: gdb then lets the handler run, where a step would end inside it.
  const steps = tracee.action !== undefined && tracee.action.kind !== 'continue';
  if (tracer.passSignals.has(signal) && !steps) return deliverNow(inferior, tracee, signal, info);
  tracee.siginfo = info;
  const discarded = tracer.programSignals?.has(signal) === false;
  tracee.pending = { kind: 'signal', signal, info, synchronous: isForced(info), discarded };
  return 'report';
}

/** Passes a signal to the program, unless it would end a process that a checkpoint wants back: that one is held, the end reported. */
export function deliverNow(inferior: Inferior, tracee: Tracee, signal: number, info: Buffer | undefined): Verdict {
  if (wouldEnd(inferior, signal)) {
    tracee.pending = { kind: 'process-end', end: { kind: 'signalled', signal } };
    return 'report';
  }
  tracee.deliver = info === undefined ? { signal } : { signal, info };
  return 'silent';
}

export function wouldEnd(inferior: Inferior, signal: number): boolean {
  if (!inferior.holdExit) return false;
  const disposition = defaultDisposition(signal);
  return inferior.isFatal(signal, disposition === 'terminate' || disposition === 'core');
}

/** si_code of the stop at a signal handler's first instruction, when the signal was delivered with a step (ptrace_notify). */
const HANDLER_ENTRY = SIGTRAP;

function considerTrap(tracer: Tracer, inferior: Inferior, tracee: Tracee): Verdict {
  const info = tracee.stopInfo();
  const gp = tracee.gp();
  if (info === GONE || gp === GONE) return 'silent';
  const code = info.readInt32LE(SIGINFO.si_code);
  tracee.siginfo = info;
  const hit = inferior.points.hit(tracee);
  if (hit === GONE) return 'silent';
  if (hit !== undefined) {
    tracee.pending = pendingOf(hit);
    return 'report';
  }
  if (code === SI_KERNEL || code === TRAP_BRKPT) {
    const addr = tracer.arch.pc(gp) - BigInt(tracer.arch.breakpointPcAdjust);
    if (inferior.breakpoints.has(addr)) {
      tracer.arch.setPc(gp, addr);
      tracee.setGp(gp);
      tracee.pending = inferior.breakpoints.nameOf(addr) === 'swbreak' ? { kind: 'swbreak' } : { kind: 'hwbreak', inCode: true };
      return 'report';
    }
  }
  const action = tracee.action;
  if (
    (ptrace.isStepTrap(info) || code === TRAP_HWBKPT || code === HANDLER_ENTRY) &&
    tracee.ranBy === 'step' &&
    action !== undefined
  ) {
    // Stepped on our own account (a watchpoint is looked for), or the step is over but gdb has asked for something else since.
    if (action.kind === 'continue') return 'silent';
    const pc = tracer.arch.pc(gp);
    if (action.kind === 'range' && pc >= action.start && pc < action.end) return 'silent';
    tracee.pending = { kind: 'step' };
    return 'report';
  }
  // The program's own: int3, kill(SIGTRAP), or a trap flag it set itself.
  return considerSignal(tracer, inferior, tracee, SIGTRAP);
}

// --- kernel events ---

type EventHandler = (tracer: Tracer, inferior: Inferior, tracee: Tracee) => Verdict;

const EVENTS: Readonly<Record<PtraceEvent, EventHandler>> = {
  clone(tracer, inferior, tracee) {
    const tid = ptrace.getEventMessage(tracee.tid);
    if (tid === GONE) return 'silent';
    const born = tracer.adopt(inferior, tid);
    born.action = inferior.role === 'nursed' ? undefined : tracer.actionFor(born.ref);
    tracer.takeEarly(born);
    return 'silent';
  },

  fork(tracer, inferior, tracee) {
    const child = adoptProcess(tracer, inferior, tracee);
    if (child === undefined) return 'silent';
    inferior.breakpoints.writeOriginals(child.memFd);
    return announce(tracer, tracee, child, 'fork', tracer.features.forkEvents);
  },

  vfork(tracer, inferior, tracee) {
    const child = adoptProcess(tracer, inferior, tracee);
    if (child === undefined) return 'silent';
    // The child runs on the parent's memory: with a debugger that knows vfork it removes the breakpoints itself, else we do until it is over.
    if (!tracer.features.vforkEvents) inferior.liftedForVfork = inferior.liftBreakpoints();
    return announce(tracer, tracee, child, 'vfork', tracer.features.vforkEvents);
  },

  'vfork-done'(tracer, inferior, tracee) {
    inferior.liftedForVfork?.();
    inferior.liftedForVfork = undefined;
    if (!tracer.features.vforkEvents) return 'silent';
    tracee.pending = { kind: 'vforkdone' };
    return 'report';
  },

  exec(tracer, inferior, tracee) {
    const fresh = tracer.replaceThreads(inferior, tracee);
    if (!tracer.features.execEvents) {
      if (tracer.phase.kind === 'running') tracer.go(fresh);
      return 'silent';
    }
    fresh.pending = { kind: 'exec', path: proc.readLink(`/proc/${inferior.pid}/exe`) ?? '' };
    return 'report';
  },

  exit: () => 'silent',

  seccomp(tracer, inferior, tracee) {
    const gp = tracee.gp();
    if (gp === GONE) return 'silent';
    const last = inferior.live().length === 1;
    const nr = noteChange(tracer, tracee);
    if (nr !== SYS.exit_group && nr !== SYS.exit) return 'silent';
    if (nr === SYS.exit_group || last) {
      if (!inferior.holdExit) return 'silent';
      const code = Number(tracer.arch.syscallArgument(gp, 0) & 0xffn);
      if (leaveCall(inferior, tracee) === GONE) return 'silent';
      tracee.pending = { kind: 'process-end', end: { kind: 'exited', code } };
      return 'report';
    }
    if (inferior.wants(tracee) && parkAtExit(inferior, tracee, robustListHead(tracee.tid)) !== 'exits') return 'silent';
    if (tracer.phase.kind === 'running') {
      tracee.transition({ kind: 'leaving' });
      tracee.run('continue');
    }
    return 'silent';
  },
};

const OF_THREAD: ReadonlySet<number> = new Set([SYS.set_tid_address, SYS.sigaltstack]);

/** A thread is about to make one of the filter's calls: what was known of such things is void. The call's number. */
function noteChange(tracer: Tracer, tracee: Tracee): number | undefined {
  const gp = tracee.gp();
  const nr = gp === GONE ? undefined : tracer.arch.syscallNumber(gp);
  if (gp === GONE || nr === undefined) return undefined;
  if (OF_THREAD.has(nr)) tracee.noteRegistrations(undefined);
  // Of all processes: some share their handlers (clone(2), CLONE_SIGHAND).
  if (changesAnswers(nr, (index) => tracer.arch.syscallArgument(gp, index)))
    for (const inferior of tracer.inferiors.values()) inferior.noteAnswers(undefined);
  return nr;
}

function adoptProcess(tracer: Tracer, parent: Inferior, tracee: Tracee): Inferior | undefined {
  const pid = ptrace.getEventMessage(tracee.tid);
  if (pid === GONE) return undefined;
  parent.mayHaveChildren = true;
  const child = tracer.addInferior(pid, parent.launched, parent.parking);
  child.reported = false;
  const leader = tracer.adopt(child, pid);
  if (tracer.awaitStop(leader) === GONE) return undefined;
  child.openFiles();
  return child;
}

function announce(tracer: Tracer, tracee: Tracee, child: Inferior, kind: 'fork' | 'vfork', wanted: boolean): Verdict {
  const leader = child.leader;
  if (leader === undefined) return 'silent';
  if (!wanted) {
    letGo(tracer, child);
    return 'silent';
  }
  tracee.pending = { kind, child: leader.ref };
  return 'report';
}

/** Out of our hands, as far as that goes: a process with the exit filter needs a tracer to its end. */
export function letGo(tracer: Tracer, inferior: Inferior): void {
  if (inferior.parking) {
    nurse(tracer, inferior);
    return;
  }
  for (const tracee of inferior.live()) {
    if (tracee.isStopped && tracee.flush() !== GONE) ptrace.detach(tracee.tid, tracee.deliver?.signal ?? 0);
    tracer.forget(tracee);
  }
  tracer.dropInferior(inferior);
}
