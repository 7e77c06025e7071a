/**
 * The one door through which a debugged inferior is set going: vCont's actions applied to stopped threads, and the step over a breakpoint that
 * stands at the pc.
 *
 * Stepping over: our byte must be out of the way while the thread executes what lies under it, and no other thread may pass there
 * meanwhile. So the thread steps alone, everybody else held:
 *   1. the byte is lifted; 2. the thread is single-stepped and awaited; 3. the byte is put back; 4. the rest goes.
 * If the instruction is a system call, that might sleep for ever: it is let into the call with PTRACE_SYSCALL instead (the entry stop
 * comes before the sleep), after which the pc is past the byte.
 *
 * A thread whose inferior emulates watchpoints is not set going here: it stands until its turn (watch-stepping.ts).
 */

import { GONE } from '../base/brands';
import { bug } from '../base/errors';
import type { Inferior } from './inferior';
import type { ResumeEntry } from './ops';
import { deliverNow } from './stop-events';
import * as io from '../sys/io';
import type { Tracee } from './tracee';
import type { Tracer } from './tracer';

export type ResumeOutcome =
  /** Threads run; a stop will follow. */
  | 'running'
  /** Something is to be reported at once (an event kept from the last stop, a step done while stepping over): nothing runs. */
  | 'report'
  /** One thread, all alone, once or through a range of addresses: it still stands, the caller steps it (sp_step_range). */
  | 'fast-step'
  /** No thread fits the request. */
  | 'nothing';

/** `told`: the thread whose event gdb got last: its event is used up now, and a signal goes only if gdb says so. */
export function applyResume(tracer: Tracer, entries: readonly ResumeEntry[], told: Tracee | undefined): ResumeOutcome {
  if (tracer.phase.kind !== 'stopped') throw bug('resume while running');
  tracer.phase = { kind: 'running', entries };
  const chosen: Tracee[] = [];
  for (const inferior of tracer.debugged()) {
    if (inferior.life.kind !== 'running') continue;
    for (const tracee of inferior.live()) {
      const action = tracer.actionFor(tracee.ref);
      tracee.action = action;
      if (action !== undefined && (tracee.isStopped || tracee.state.kind === 'vfork-wait')) chosen.push(tracee);
    }
  }
  // Only a hit that the client has been told of is over; a thread whose hit was dropped in another's favour must hit again.
  const toldOfBreakpoint = told?.pending?.kind === 'swbreak' || told?.pending?.kind === 'hwbreak' ? told : undefined;
  const toldInfo = told?.pending?.kind === 'signal' ? told.pending : undefined;
  if (told !== undefined) told.pending = undefined;
  for (const tracee of chosen) {
    const action = tracee.action;
    if (action === undefined || action.kind === 'range' || action.signal === 0) continue;
    const info = tracee === told && toldInfo?.signal === action.signal ? (tracee.siginfo ?? toldInfo.info) : undefined;
    deliverNow(tracer.inferiorOf(tracee), tracee, action.signal, info);
  }
  // gdb may have written memory meanwhile.
  for (const inferior of tracer.debugged()) inferior.points.refresh();
  if (chosen.length === 0) return 'nothing';
  for (const tracee of chosen) if (isOfNoBreakpoint(tracer, tracee)) tracee.pending = undefined;
  if (chosen.some((t) => t.pending !== undefined)) return 'report';
  if (toldOfBreakpoint !== undefined && chosen.includes(toldOfBreakpoint)) {
    if (!stepOver(tracer, tracer.inferiorOf(toldOfBreakpoint), toldOfBreakpoint)) return 'report';
  }
  const only = chosen.length === 1 ? chosen[0] : undefined;
  if (only !== undefined && isPlainStep(only) && mayStepFast(tracer)) return 'fast-step';
  for (const tracee of chosen) tracer.go(tracee);
  return 'running';
}

/**
 * Two threads ran into a debug register's breakpoint at once, and gdb has taken it away before it was told of the second. (A hit of a breakpoint
 * in the code is dropped when the other is told: it happens again. The kernel sets RF for a register's: it does not.)
 */
function isOfNoBreakpoint(tracer: Tracer, tracee: Tracee): boolean {
  if (tracee.pending?.kind !== 'hwbreak' || tracee.pending.inCode) return false;
  const gp = tracee.gp();
  return gp !== GONE && !tracer.inferiorOf(tracee).points.executesAt(tracer.arch.pc(gp));
}

/** In a stop from which PTRACE_SINGLESTEP does what it says: in a group stop the thread listens instead. */
function isPlainStep({ action, state, deliver }: Tracee): boolean {
  const standing = state.kind === 'stopped' && (state.stop.kind === 'signal' || state.stop.kind === 'interrupt');
  return standing && action !== undefined && action.kind !== 'continue' && deliver === undefined;
}

/** sp_step_range looks at nothing but the pc of one thread. */
function mayStepFast(tracer: Tracer): boolean {
  return tracer.inferiors.size === 1 && tracer.debugged().every(({ points }) => !points.emulates && !points.inRegisters);
}

/** true: the thread may run on (it stood on no breakpoint, or is past it). false: it has something to report. */
function stepOver(tracer: Tracer, inferior: Inferior, tracee: Tracee): boolean {
  if (!tracee.isStopped || inferior.breakpoints.size === 0) return true;
  const gp = tracee.gp();
  if (gp === GONE) return true;
  const pc = tracer.arch.pc(gp);
  if (!inferior.breakpoints.has(pc)) return true;
  const putBack = inferior.breakpoints.liftOne(inferior.memFd, pc);
  try {
    return stepAlone(tracer, inferior, tracee, pc);
  } finally {
    putBack();
  }
}

function stepAlone(tracer: Tracer, inferior: Inferior, tracee: Tracee, pc: bigint): boolean {
  const wanted = tracee.action;
  const code = Buffer.alloc(tracer.arch.syscallInstruction.length);
  io.pread(inferior.memFd, code, pc);
  if (code.equals(tracer.arch.syscallInstruction)) {
    tracee.transition({ kind: 'running', how: 'syscall' });
    // Into the call and no further: the entry stop is a matter of microseconds.
    return tracee.run('syscall') === GONE || tracer.awaitStop(tracee) === GONE || tracee.pending === undefined;
  }
  tracee.action = { kind: 'step', signal: 0 };
  if (inferior.points.sync(tracee) === GONE) return true;
  tracee.transition({ kind: 'running', how: 'step' });
  if (tracee.run('step') === GONE || tracer.awaitStop(tracee) === GONE) return true;
  tracee.action = wanted;
  if (tracee.pending?.kind !== 'step') return tracee.pending === undefined;
  if (wanted?.kind === 'step') return false;
  const after = tracee.gp();
  if (wanted?.kind === 'range' && after !== GONE) {
    const now = tracer.arch.pc(after);
    if (now < wanted.start || now >= wanted.end) return false;
  }
  tracee.pending = undefined;
  return true;
}
