/**
 * Keeping a thread that the program believes to have exited, so that a checkpoint can bring it back with the same tid.
 *
 * What the kernel does for the others when a thread exits (exit(2), set_tid_address(2), get_robust_list(2)) happens at once: its
 * clear_child_tid word is zeroed and its futex woken. Before that, its registrations are removed, because from then on its stack and
 * thread block belong to whoever gets them next: a later return to user mode must not write a cpu number into them (rseq), and
 * its real exit must not zero a word there.
 */

import { GONE, type Addr, type Gone } from '../base/brands';
import { bug } from '../base/errors';
import { PR_GET_TID_ADDRESS, FUTEX_WAKE } from '../abi/flags';
import { isForced, signalOf } from '../abi/signals';
import { SYS } from '../abi/syscalls-x86-64';
import * as io from '../sys/io';
import * as ptrace from '../sys/ptrace';
import type { Inferior } from './inferior';
import { remoteCall } from './remote';
import type { Tracee } from './tracee';

const ALL_SIGNALS = Buffer.alloc(8, 0xff);
const RSEQ_FLAG_UNREGISTER = 1n;
/** sizeof(struct robust_list_head) on 64-bit. */
const ROBUST_HEAD_SIZE = 24n;
/** Far enough below the stack pointer to be in nobody's red zone. */
const BELOW_STACK = 4096n;

/** Reads the thread's clear_child_tid address by way of a word of its dead stack, which is put back. */
function tidAddress(inferior: Inferior, tracee: Tracee): Addr | undefined | Gone {
  const gp = tracee.gp();
  if (gp === GONE) return GONE;
  const word = (inferior.arch.sp(gp) - BELOW_STACK) & ~15n;
  const kept = Buffer.alloc(8);
  if (io.pread(inferior.memFd, kept, word) !== 8) return undefined;
  const result = remoteCall(inferior, tracee, { nr: SYS.prctl, args: [BigInt(PR_GET_TID_ADDRESS), word] });
  if (result === GONE) return GONE;
  const answer = Buffer.alloc(8);
  const read = io.pread(inferior.memFd, answer, word);
  io.pwrite(inferior.memFd, kept, word);
  return result === 0n && read === 8 ? answer.readBigUInt64LE() : undefined;
}

/** Takes the thread's kernel registrations away. All its signals are blocked from here on. */
function unregister(inferior: Inferior, tracee: Tracee): true | Gone {
  tracee.noteRegistrations(undefined);
  const rseq = ptrace.getRseq(tracee.tid);
  if (rseq === GONE) return GONE;
  if (rseq !== undefined && rseq.pointer !== 0n) {
    const args = [rseq.pointer, BigInt(rseq.size), RSEQ_FLAG_UNREGISTER, BigInt(rseq.signature)];
    if (remoteCall(inferior, tracee, { nr: SYS.rseq, args }) === GONE) return GONE;
  }
  if (remoteCall(inferior, tracee, { nr: SYS.set_robust_list, args: [0n, ROBUST_HEAD_SIZE] }) === GONE) return GONE;
  if (remoteCall(inferior, tracee, { nr: SYS.set_tid_address, args: [0n] }) === GONE) return GONE;
  tracee.setSigmask(ALL_SIGNALS);
  return true;
}

/** Whether the kernel would have robust futexes to mark when this thread exits: then its exit cannot be imitated. */
function holdsRobustFutex(inferior: Inferior, head: Addr | undefined): boolean {
  if (head === undefined || head === 0n) return false;
  const first = Buffer.alloc(8);
  return io.pread(inferior.memFd, first, head) === 8 && first.readBigUInt64LE() !== head;
}

/**
 * At the seccomp stop of exit: takes the thread out of the call and parks it. Returns 'exits' when it must really go (a robust mutex is held).
 * The thread's registers are left as "about to call exit".
 */
export function parkAtExit(inferior: Inferior, tracee: Tracee, robustHead: Addr | undefined): 'parked' | 'exits' | Gone {
  if (holdsRobustFutex(inferior, robustHead)) return 'exits';
  if (leaveCall(inferior, tracee) === GONE) return GONE;
  const word = tidAddress(inferior, tracee);
  if (word === GONE || unregister(inferior, tracee) === GONE) return GONE;
  if (word !== undefined && word !== 0n) {
    io.pwrite(inferior.memFd, Buffer.alloc(4), word);
    if (remoteCall(inferior, tracee, { nr: SYS.futex, args: [word, BigInt(FUTEX_WAKE), 1n, 0n, 0n, 0n] }) === GONE) return GONE;
  }
  tracee.forgetEvents();
  tracee.transition({ kind: 'parked' });
  return 'parked';
}

/** A live, stopped thread that the restored state does not have: out of the program, but kept for the checkpoint that knows it. */
export function shelveThread(inferior: Inferior, tracee: Tracee): true | Gone {
  if (unregister(inferior, tracee) === GONE) return GONE;
  tracee.forgetEvents();
  tracee.transition({ kind: 'parked' });
  return true;
}

/** Lets a parked thread go for good: it calls exit with nothing registered, so nothing in memory changes. */
export function releaseThread(inferior: Inferior, tracee: Tracee): void {
  const gp = ptrace.getGp(tracee.tid, inferior.arch.gpSize);
  if (gp === GONE) return;
  inferior.arch.prepareSyscall(gp, inferior.syscallAt(), SYS.exit, [0n]);
  tracee.transition({ kind: 'leaving' });
  tracee.setGp(gp);
  tracee.run('continue');
}

/**
 * From a seccomp stop into a signal-type stop, with the call not made; registers as if the thread were about to make it.
 *
 *  1. orig_rax = -1 skips the call; nothing runs in user mode because
 *  2. PTRACE_INTERRUPT is pending when the thread leaves the kernel, so it stops at once (PTRACE_EVENT_STOP);
 *  3. only there do registers stay as we set them: the pc goes back onto the instruction.
 */
export function leaveCall(inferior: Inferior, tracee: Tracee): true | Gone {
  const before = tracee.gp();
  if (before === GONE) return GONE;
  const again = Buffer.from(before);
  inferior.arch.reissueSyscall(again);
  const skipped = Buffer.from(before);
  inferior.arch.forgetSyscall(skipped);
  tracee.setGp(skipped);
  if (settle(inferior, tracee) === GONE) return GONE;
  tracee.setGp(again);
  return true;
}

/**
 * Takes what the kernel forced on the thread before our interrupt stopped it: a breakpoint, the end of a single step, a fault.
 *
 *  1. The thread executes our breakpoint, leaves a system call that it was stepped into, or touches what it may not: the signal is queued;
 *  2. our PTRACE_INTERRUPT is pending as well, and PTRACE_EVENT_STOP is reported first (get_signal looks at it before the queue);
 *  3. if the thread were left so, the breakpoint could be gone when the signal comes, and nobody would set the pc back: an instruction lost. Or
 *     the step's trap would be taken for the program's own, or kept in a checkpoint. Or a call that we inject would meet the fault.
 * Resumed, the thread reports the signal at once, without running.
 */
export function takeForcedSignal(inferior: Inferior, tracee: Tracee): true | Gone {
  while (tracee.state.kind === 'stopped' && tracee.state.stop.kind === 'interrupt') {
    const queued = ptrace.peekSiginfo(tracee.tid, false);
    if (queued === GONE) return GONE;
    const forced = queued.filter(isForced).map(signalOf);
    if (forced.length === 0) return true;
    // One that is blocked was queued by the program for itself: the kernel opens the mask for those that it forces.
    const mask = tracee.sigmask();
    if (mask === GONE) return GONE;
    const blocked = mask.readBigUInt64LE();
    if (forced.every((signal) => (blocked & (1n << BigInt(signal - 1))) !== 0n)) return true;
    const held = tracee.deliver;
    tracee.deliver = undefined;
    // What a trap means depends on how the thread was running when it met it.
    tracee.transition({ kind: 'running', how: tracee.ranBy });
    if (tracee.run('continue') === GONE || inferior.waiting.awaitStop(tracee) === GONE) return GONE;
    tracee.deliver ??= held;
  }
  // It means nothing to anybody: the thread stands as after any interrupt.
  if (tracee.pending === undefined && tracee.state.kind === 'stopped' && tracee.state.stop.kind === 'signal') {
    tracee.transition({ kind: 'stopped', stop: { kind: 'interrupt' } });
    tracee.siginfo = undefined;
  }
  return true;
}

/**
 * For a process that is to outlive us: out of the stop of a SIGTRAP that is our doing. When a tracer dies the kernel lets its tracees go on
 * with the signal they stand in, and after a step with the trap flag still set: the program would die of our death. A launched one
 * does so anyway (PTRACE_O_EXITKILL).
 */
export function leaveOurTraps(inferior: Inferior): void {
  if (inferior.launched) return;
  for (const tracee of inferior.live()) {
    if (!tracee.standsInOurTrap) continue;
    const { siginfo } = tracee;
    if (settle(inferior, tracee) !== GONE) tracee.siginfo = siginfo;
  }
}

/** From any event stop into a signal-type stop without running user code. */
export function settle(inferior: Inferior, tracee: Tracee): true | Gone {
  const held = tracee.deliver;
  tracee.deliver = undefined;
  // ESRCH cannot mean "running": it is stopped. An interrupt that is pending already is as good.
  if (ptrace.interrupt(tracee.tid) === GONE) return GONE;
  tracee.transition({ kind: 'running', how: 'continue' });
  if (tracee.run('continue') === GONE) return GONE;
  if (inferior.waiting.awaitStop(tracee) === GONE) return GONE;
  if (!tracee.isStopped) throw bug(`thread ${tracee.tid} did not settle`);
  tracee.deliver = held;
  return true;
}
