/**
 * The single tracer: all tracees of all inferiors, the one place where wait events are taken apart, and the quiesce.
 *
 * Everything a stop can mean is decided in stop-events.ts; what gdb wants resumed, in resume.ts. This file keeps the tables, adopts new tasks,
 * buries dead ones, and brings a running inferior to a halt.
 */

import { GONE, type Gone, type Pid, type ThreadRef, type Tid } from '../base/brands';
import { bug, kernelError } from '../base/errors';
import type { Log } from '../base/log';
import { SYS } from '../abi/syscalls-x86-64';
import type { Arch } from '../arch/arch';
import * as proc from '../sys/proc';
import * as ptrace from '../sys/ptrace';
import type { SeenStop, Waiter, WaitEvent } from '../sys/wait';
import { Inferior, type Role, type Waiting } from './inferior';
import type { ClientFeatures, ResumeEntry } from './ops';
import { leaveCall, leaveOurTraps, settle, takeForcedSignal } from './parking';
import { remoteCall } from './remote';
import { considerStop } from './stop-events';
import { Tracee, type ProcessEnd } from './tracee';
import type { EndedProcess } from './unreported';
import { decodeStatus, type Stop } from './wait-status';

/** How long a thread may take to stop when asked. It only sleeps uninterruptibly (NFS, a frozen device) if it takes longer. */
const STOP_LIMIT_MS = 10_000;

/** What all inferiors together are doing, as gdb sees it (all-stop). */
export type Phase =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running'; readonly entries: readonly ResumeEntry[] }
  /** On the way from running to stopped: stops are collected, nothing is resumed. */
  | { readonly kind: 'quiescing'; readonly entries: readonly ResumeEntry[] };

export interface TracerObserver {
  /** The process is dead or let go: nothing of it may be touched any more. */
  onProcessGone(pid: Pid): void;
  onExec(pid: Pid): void;
}

export class Tracer implements Waiting {
  readonly inferiors = new Map<Pid, Inferior>();
  /** Debugged processes that ended (really), not yet told to gdb. */
  readonly ended: EndedProcess[] = [];
  phase: Phase = { kind: 'stopped' };
  features: ClientFeatures = { forkEvents: false, vforkEvents: false, execEvents: false, swbreak: false, hwbreak: false };
  passSignals: ReadonlySet<number> = new Set();
  /** Signals that the program may see; undefined: all. */
  programSignals: ReadonlySet<number> | undefined;
  private readonly tracees = new Map<Tid, Tracee>();
  /** Stops of tasks whose parent's event has not come yet. */
  private readonly early = new Map<Tid, number>();
  private readonly queue: WaitEvent[] = [];
  private serial = 0;

  constructor(
    readonly arch: Arch,
    readonly waiter: Waiter,
    readonly log: Log,
    private readonly observer: TracerObserver,
    /** Debug registers that are set fire on this machine. */
    private readonly registersWork: () => boolean,
  ) {}

  addInferior(pid: Pid, launched: boolean, parking: boolean): Inferior {
    const inferior = new Inferior(pid, this.arch, launched, parking, this, this.registersWork);
    this.inferiors.set(pid, inferior);
    return inferior;
  }

  /** A task that is ours from now on; it owes us a stop. */
  adopt(inferior: Inferior, tid: Tid): Tracee {
    const ref: ThreadRef = { pid: inferior.pid, tid, serial: ++this.serial };
    const tracee = new Tracee(ref, this.arch, this.log);
    inferior.tracees.set(tid, tracee);
    this.tracees.set(tid, tracee);
    return tracee;
  }

  debugged(): Inferior[] {
    return [...this.inferiors.values()].filter((inferior) => inferior.role === 'debugged');
  }

  /** Debugged and, for all gdb knows, alive. */
  visible(): Inferior[] {
    return this.debugged().filter((inferior) => inferior.life.kind === 'running' && inferior.reported);
  }

  inferiorOf(tracee: Tracee): Inferior {
    const inferior = this.inferiors.get(tracee.pid);
    if (inferior === undefined) throw bug(`thread ${tracee.tid} has no process`);
    return inferior;
  }

  find(ref: ThreadRef): Tracee | undefined {
    const tracee = this.tracees.get(ref.tid);
    return tracee?.ref.serial === ref.serial ? tracee : undefined;
  }

  // --- events ---

  /**
   * Handles what a wait brought, in order. One wait may bring a parent's event and its child's first stop: handling the former looks for the
   * latter here (awaitStop), not only in the kernel.
   */
  feed(events: readonly WaitEvent[]): void {
    this.queue.push(...events);
    for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) this.handle(event);
  }

  private handle(event: WaitEvent): void {
    const tracee = this.tracees.get(event.tid);
    const status = decodeStatus(event.status);
    if (tracee === undefined) {
      // 1. the kernel starts the new task; 2. its first stop is reported; 3. only then comes its parent's event: keep the stop until then.
      if (status.kind === 'stop') this.early.set(event.tid, event.status);
      return;
    }
    if (status.kind !== 'stop') {
      this.bury(
        tracee,
        status.kind === 'exited' ? { kind: 'exited', code: status.code } : { kind: 'signalled', signal: status.signal },
      );
      return;
    }
    this.take(tracee, status.stop, event.seen);
  }

  /** Enters a stop; resumes at once when it concerns nobody. */
  private take(tracee: Tracee, stop: Stop, seen: SeenStop | undefined): void {
    const leaving = tracee.state.kind === 'leaving';
    tracee.onStop(stop, seen);
    if (leaving) {
      tracee.transition({ kind: 'leaving' });
      tracee.run('continue');
      return;
    }
    const silent = considerStop(this, this.inferiorOf(tracee), tracee, stop) === 'silent';
    if (silent && tracee.isStopped && (this.phase.kind === 'running' || this.inferiorOf(tracee).role === 'nursed'))
      this.go(tracee);
  }

  /** The stop of a task just adopted, when it came before its parent's event. */
  takeEarly(tracee: Tracee): void {
    const status = this.early.get(tracee.tid);
    if (status === undefined) return;
    this.early.delete(tracee.tid);
    this.handle({ tid: tracee.tid, status });
  }

  bury(tracee: Tracee, end: ProcessEnd): void {
    const inferior = this.inferiorOf(tracee);
    if (tracee.state.kind !== 'gone') tracee.transition({ kind: 'gone' });
    this.forget(tracee);
    // wait(2) reports the leader after all others: then the process is over.
    if (tracee.tid !== inferior.pid) return;
    for (const other of [...inferior.tracees.values()]) this.forget(other);
    if (inferior.role === 'debugged' && inferior.life.kind === 'running')
      this.ended.push({ pid: inferior.pid, end, leader: tracee.ref });
    this.dropInferior(inferior);
  }

  forget(tracee: Tracee): void {
    this.tracees.delete(tracee.tid);
    this.inferiors.get(tracee.pid)?.tracees.delete(tracee.tid);
  }

  dropInferior(inferior: Inferior): void {
    inferior.closeFiles();
    this.inferiors.delete(inferior.pid);
    this.observer.onProcessGone(inferior.pid);
  }

  /** exec replaces every thread by one whose tid is the pid (execve(2), ptrace(2) "execve(2) under ptrace"). */
  replaceThreads(inferior: Inferior, tracee: Tracee): Tracee {
    for (const other of [...inferior.tracees.values()]) {
      if (other.state.kind !== 'gone') other.transition({ kind: 'gone' });
      this.forget(other);
    }
    const fresh = this.adopt(inferior, tracee.pid);
    fresh.action = tracee.action;
    fresh.onStop({ kind: 'event', event: 'exec' });
    inferior.image++;
    inferior.noteAnswers(undefined);
    inferior.breakpoints.forgetAll();
    inferior.points.forget();
    inferior.openFiles();
    this.observer.onExec(inferior.pid);
    return fresh;
  }

  // --- Waiting ---

  awaitStop(tracee: Tracee): true | Gone {
    const early = this.early.get(tracee.tid) ?? this.unqueue(tracee.tid);
    this.early.delete(tracee.tid);
    const raw = early ?? this.waiter.waitFor(tracee.tid, STOP_LIMIT_MS);
    if (raw === undefined) return GONE;
    const status = decodeStatus(raw);
    if (status.kind !== 'stop') {
      this.bury(
        tracee,
        status.kind === 'exited' ? { kind: 'exited', code: status.code } : { kind: 'signalled', signal: status.signal },
      );
      return GONE;
    }
    tracee.onStop(status.stop);
    if (status.stop.kind === 'signal') considerStop(this, this.inferiorOf(tracee), tracee, status.stop);
    return true;
  }

  private unqueue(tid: Tid): number | undefined {
    const index = this.queue.findIndex((event) => event.tid === tid);
    return index < 0 ? undefined : this.queue.splice(index, 1)[0]?.status;
  }

  noteDeath(tracee: Tracee, status: number): void {
    // 0: no status seen; the loop will get it.
    if (status !== 0) this.handle({ tid: tracee.tid, status });
  }

  // --- running ---

  /** What gdb's last resume says about a thread; undefined: nothing, it stays. */
  actionFor(ref: ThreadRef): ResumeEntry['action'] | undefined {
    if (this.phase.kind === 'stopped') return undefined;
    return this.phase.entries.find(
      (e) => (e.pid === undefined || e.pid === ref.pid) && (e.tid === undefined || e.tid === ref.tid),
    )?.action;
  }

  /** Resumes a stopped tracee by its action (nursed ones simply go on). */
  go(tracee: Tracee): void {
    const inferior = this.inferiorOf(tracee);
    const { state, action } = tracee;
    if (state.kind !== 'stopped') return;
    if (inferior.role === 'debugged' && action === undefined) return;
    if (inferior.stepsByTurns(tracee)) return;
    if (inferior.points.sync(tracee) === GONE) return;
    if (state.stop.kind === 'group-stop') {
      tracee.transition({ kind: 'listening' });
      tracee.interrupted = false;
      ptrace.resume(tracee.tid, 'listen', 0);
      return;
    }
    const vfork = state.stop.kind === 'event' && state.stop.event === 'vfork';
    if (!vfork && tracee.losesSiginfo && remoteCall(inferior, tracee, { nr: SYS.getpid, args: [] }) === GONE) return;
    const how = inferior.role === 'debugged' && action !== undefined && action.kind !== 'continue' ? 'step' : 'continue';
    tracee.transition(vfork ? { kind: 'vfork-wait' } : { kind: 'running', how });
    // GONE: it was killed where it stood; its status is on its way to the loop.
    tracee.run(how);
  }

  /** All threads of all debugged inferiors stopped, in signal-type stops where the kernel lets them. */
  quiesce(): void {
    if (this.phase.kind === 'running') this.phase = { kind: 'quiescing', entries: this.phase.entries };
    for (;;) {
      const awaited = this.debugged().flatMap((inferior) =>
        inferior.live().filter((t) => t.state.kind === 'running' || t.state.kind === 'listening'),
      );
      if (awaited.length === 0) break;
      const asked = awaited.filter((tracee) => !tracee.interrupted);
      const gone = ptrace.interruptAll(asked.map((tracee) => tracee.tid));
      for (const tracee of asked) {
        tracee.interrupted = true;
        // No such thread: it has begun to exit. A leader may stay a zombie, without a word to wait(2), until its last thread ends.
        if (gone.has(tracee.tid)) tracee.transition({ kind: 'leaving' });
      }
      if (awaited.every((t) => t.state.kind === 'leaving')) continue;
      const { events } = this.waiter.wait([], STOP_LIMIT_MS, true);
      if (events.length === 0) {
        const stuck = awaited[0]!;
        const wchan =
          proc.statusField(proc.readText(`/proc/${stuck.pid}/task/${stuck.tid}/status`) ?? '', 'State') ?? 'unknown state';
        throw kernelError('PTRACE_INTERRUPT', 110, 'ETIMEDOUT', `thread ${stuck.tid} does not stop: ${wchan}`);
      }
      this.feed(events);
    }
    for (const inferior of this.debugged()) for (const tracee of inferior.live()) this.normalise(inferior, tracee);
    for (const inferior of this.debugged()) leaveOurTraps(inferior);
    this.phase = { kind: 'stopped' };
  }

  /** Into a signal-type stop; and a call that only our interrupt ended is to be made again (engine rule: the program never sees EINTR). */
  private normalise(inferior: Inferior, tracee: Tracee): void {
    if (tracee.state.kind !== 'stopped') return;
    const stop = tracee.state.stop;
    if (stop.kind === 'event') {
      if (stop.event === 'vfork') return;
      if ((stop.event === 'seccomp' ? leaveCall(inferior, tracee) : settle(inferior, tracee)) === GONE) return;
    } else if (stop.kind === 'syscall') {
      if (settle(inferior, tracee) === GONE) return;
    }
    if (!tracee.isStopped || tracee.state.stop.kind !== 'interrupt') return;
    if (takeForcedSignal(inferior, tracee) === GONE || !tracee.isStopped || tracee.state.stop.kind !== 'interrupt') return;
    const gp = tracee.gp();
    if (gp === GONE) return;
    tracee.noteInterruptedCall(gp);
    if (this.arch.restart(gp) !== 'final-eintr') return;
    this.arch.markRestartNoHand(gp);
    tracee.setGp(gp);
  }

  setRole(inferior: Inferior, role: Role): void {
    inferior.role = role;
  }
}
