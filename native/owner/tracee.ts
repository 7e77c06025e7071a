/**
 * One kernel thread under ptrace: its explicit state, its cached registers, and the event it has in store for gdb.
 *
 * Knows nothing of breakpoints, processes or gdb; who resumes it and why is decided elsewhere (resume.ts, target.ts).
 */

import { GONE, type Gone, type Pid, type ThreadRef, type Tid } from '../base/brands';
import { bug } from '../base/errors';
import type { Log } from '../base/log';
import type { Arch, FpRegs, GpRegs } from '../arch/arch';
import { isFault, isForced, signalOf, SIGTRAP } from '../abi/signals';
import { SYS } from '../abi/syscalls-x86-64';
import * as ptrace from '../sys/ptrace';
import type { SeenStop } from '../sys/wait';
import type { EngineThread, Registrations, SignalInHand, ThreadLife } from './engine-host';
import type { ResumeKind, WatchKind } from './ops';
import { describeStop, type Stop } from './wait-status';

export type TraceeState =
  /** Runs, or is on its way to a stop that it owes us (a new task, an interrupt). */
  | { readonly kind: 'running'; readonly how: 'continue' | 'step' | 'syscall' }
  /** In a group stop, under PTRACE_LISTEN. */
  | { readonly kind: 'listening' }
  | { readonly kind: 'stopped'; readonly stop: Stop }
  /** Resumed from PTRACE_EVENT_VFORK: sleeps killably in the kernel until its child execs or ends; no interrupt reaches it. */
  | { readonly kind: 'vfork-wait' }
  /** Has exited in the eyes of everybody else; held at a signal-type stop. */
  | { readonly kind: 'parked' }
  /** On its way through the real exit, or a zombie leader whose threads live on; nobody waits for it. */
  | { readonly kind: 'leaving' }
  | { readonly kind: 'gone' };

export type ProcessEnd =
  { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'signalled'; readonly signal: number };

/** What a stopped tracee has to tell gdb. */
export type Pending =
  | {
      readonly kind: 'signal';
      readonly signal: number;
      readonly info: Buffer;
      /** A fault: it happens again by itself. */
      readonly synchronous: boolean;
      /** gdb's `handle`: the program never sees it. */
      readonly discarded: boolean;
    }
  | { readonly kind: 'step' }
  | { readonly kind: 'swbreak' }
  /** `inCode`: by our instruction in a debug register's place: it is hit again when the thread runs on. */
  | { readonly kind: 'hwbreak'; readonly inCode: boolean }
  | { readonly kind: 'watch'; readonly watch: WatchKind; readonly addr: bigint }
  | { readonly kind: 'fork' | 'vfork'; readonly child: ThreadRef }
  | { readonly kind: 'vforkdone' }
  | { readonly kind: 'exec'; readonly path: string }
  /** It called exit_group (or the last thread called exit), or a signal is about to end it, and the process is to be held. */
  | { readonly kind: 'process-end'; readonly end: ProcessEnd };

/** Which transitions there are; anything else is a broken promise of ours. */
const NEXT: Readonly<Record<TraceeState['kind'], readonly TraceeState['kind'][]>> = {
  running: ['running', 'stopped', 'vfork-wait', 'leaving', 'gone'],
  listening: ['stopped', 'leaving', 'gone'],
  stopped: ['running', 'listening', 'vfork-wait', 'parked', 'leaving', 'gone', 'stopped'],
  'vfork-wait': ['stopped', 'gone'],
  parked: ['stopped', 'leaving', 'gone'],
  leaving: ['leaving', 'stopped', 'gone'],
  gone: ['gone'],
};

export class Tracee implements EngineThread {
  private current: TraceeState = { kind: 'running', how: 'continue' };
  pending: Pending | undefined;
  /** What gdb last asked of it; undefined: to stay stopped. */
  action: ResumeKind | undefined;
  /** Signal to hand over at the next resume, with its siginfo when gdb or we know one. */
  deliver: { readonly signal: number; readonly info?: Buffer } | undefined;
  /** Signals we sent with tgkill on gdb's behalf; they pass without a report. */
  readonly sentByUs: number[] = [];
  /** siginfo of the last stop, for gdb's $_siginfo. */
  siginfo: Buffer | undefined;
  /** Our PTRACE_INTERRUPT is on its way since the thread was last resumed. */
  interrupted = false;
  /** How it was resumed last: a trap of a step that was asked for is not the program's own. */
  ranBy: 'continue' | 'step' | 'syscall' = 'continue';
  /** The kernel stop we really stand in takes a signal on resume (an injected call changes the stop). */
  private takesSignal = false;
  /** The kernel stop we really stand in is that of a SIGTRAP: a breakpoint's, a step's, an injected call's, or the program's own. */
  private inTrap = false;
  private gpCache: GpRegs | undefined;
  private gpDirty = false;
  private fpCache: FpRegs | undefined;
  private fpDirty = false;
  private seenInfo: Buffer | undefined;
  private interruptedCall: number | undefined;
  private registrations: Registrations | undefined;
  /** Generation of debug registers last written to this thread (watchpoints.ts). */
  debugGeneration = 0;

  constructor(
    readonly ref: ThreadRef,
    private readonly arch: Arch,
    private readonly log: Log,
  ) {}

  get tid(): Tid {
    return this.ref.tid;
  }

  get pid(): Pid {
    return this.ref.pid;
  }

  get state(): TraceeState {
    return this.current;
  }

  get life(): ThreadLife {
    return this.current.kind === 'parked' ? 'parked' : 'live';
  }

  /** The only writer of the state. */
  transition(next: TraceeState): void {
    if (!NEXT[this.current.kind].includes(next.kind)) throw bug(`thread ${this.tid}: ${this.current.kind} → ${next.kind}`);
    if (this.log.shows('state')) {
      const detail = next.kind === 'stopped' ? ` (${describeStop(next.stop)})` : next.kind === 'running' ? ` (${next.how})` : '';
      this.log.add('state', `${this.tid}: ${this.current.kind} → ${next.kind}${detail}`);
    }
    this.current = next;
  }

  get isStopped(): boolean {
    return this.current.kind === 'stopped';
  }

  /** Nothing of it runs in user mode until we say so. */
  get isHeld(): boolean {
    const kind = this.current.kind;
    return kind !== 'running' && kind !== 'listening';
  }

  onStop(stop: Stop, seen?: SeenStop): void {
    if (this.current.kind === 'running') this.ranBy = this.current.how;
    this.transition({ kind: 'stopped', stop });
    this.interrupted = stop.kind === 'interrupt' ? false : this.interrupted;
    this.takesSignal = stop.kind === 'signal';
    this.inTrap = stop.kind === 'signal' && stop.signal === SIGTRAP;
    this.gpCache = seen?.registers;
    this.seenInfo = seen?.siginfo;
    this.fpCache = undefined;
    this.gpDirty = this.fpDirty = false;
  }

  /** siginfo of the signal that the thread has just stopped with. */
  stopInfo(): Buffer | Gone {
    return this.seenInfo ?? ptrace.getSiginfo(this.tid);
  }

  gp(): GpRegs | Gone {
    if (this.gpCache === undefined) {
      const regs = ptrace.getGp(this.tid, this.arch.gpSize);
      if (regs === GONE) return GONE;
      this.gpCache = regs;
    }
    return this.gpCache;
  }

  setGp(gp: GpRegs): void {
    this.gpCache = gp;
    this.gpDirty = true;
  }

  fp(): FpRegs | Gone {
    if (this.fpCache === undefined) {
      const regs = ptrace.getFp(this.tid, this.arch.fpRegset);
      if (regs === GONE) return GONE;
      this.fpCache = regs;
    }
    return this.fpCache;
  }

  setFp(fp: FpRegs): void {
    this.fpCache = fp;
    this.fpDirty = true;
  }

  sigmask(): Buffer | Gone {
    return ptrace.getSigmask(this.tid);
  }

  setSigmask(mask: Buffer): void {
    ptrace.setSigmask(this.tid, mask);
  }

  /**
   * To be called at each stop that may have interrupted a call. The kernel goes on with some by restart_syscall(2): the next stop in
   * the same call finds that one's number in the registers.
   */
  noteInterruptedCall(gp: GpRegs): void {
    if (this.arch.restart(gp) !== 'restart-block') return;
    const nr = this.arch.syscallNumber(gp);
    if (nr !== SYS.restart_syscall) this.interruptedCall = nr;
  }

  callBehindRestart(): number | undefined {
    return this.interruptedCall;
  }

  knownRegistrations(): Registrations | undefined {
    return this.registrations;
  }

  noteRegistrations(registrations: Registrations | undefined): void {
    this.registrations = registrations;
  }

  signalInHand(): SignalInHand | undefined {
    const { pending, deliver } = this;
    const info = pending?.kind !== 'signal' ? deliver?.info : pending.discarded ? undefined : pending.info;
    if (info === undefined || isFault(info)) return undefined;
    return { info: Buffer.from(info), passing: pending?.kind !== 'signal' };
  }

  handBack({ info, passing }: SignalInHand): void {
    const signal = signalOf(info);
    if (passing) this.deliver = { signal, info };
    else this.pending = { kind: 'signal', signal, info, synchronous: isForced(info), discarded: false };
  }

  forgetEvents(): void {
    this.pending = undefined;
    this.deliver = undefined;
    this.siginfo = undefined;
  }

  /** Writes changed registers to the kernel: before the thread runs, and before a call is injected. */
  flush(): true | Gone {
    if (this.gpDirty && this.gpCache !== undefined) {
      if (ptrace.setGp(this.tid, this.gpCache) === GONE) return GONE;
      this.gpDirty = false;
    }
    if (this.fpDirty && this.fpCache !== undefined) {
      if (ptrace.setFp(this.tid, this.arch.fpRegset, this.fpCache) === GONE) return GONE;
      this.fpDirty = false;
    }
    return true;
  }

  /**
   * Before the shim steps the thread by itself: registers are in the kernel, and what we know of them is void. The signal that must go
   * with the first step (0: none).
   */
  beginSteps(): number | Gone {
    const signal = this.prepareSignal();
    if (signal === GONE) return GONE;
    this.interrupted = false;
    this.gpCache = this.fpCache = undefined;
    this.siginfo = undefined;
    return signal;
  }

  /** It stands in a trap that the program knows nothing of. */
  get standsInOurTrap(): boolean {
    return this.isStopped && this.inTrap && this.pending?.kind !== 'signal';
  }

  /** The stop takes no signal: it would be sent anew, without its siginfo. After an injected call the thread stands in one that does. */
  get losesSiginfo(): boolean {
    return this.deliver?.info !== undefined && !this.takesSignal;
  }

  /** An injected call leaves the thread in a signal-delivery stop of our SIGTRAP. */
  noteInjection(): void {
    this.takesSignal = true;
    this.inTrap = true;
  }

  /**
   * Resumes. A signal goes with it when the stop takes one (ptrace(2): in a PTRACE_EVENT_STOP the data argument is ignored), else by
   * tgkill, to be let through when it comes back.
   */
  run(how: 'continue' | 'step' | 'syscall'): true | Gone {
    const signal = this.prepareSignal();
    if (signal === GONE) return GONE;
    // Whatever became of an earlier interrupt (an injected call may have used it up): the next quiesce asks again.
    this.interrupted = false;
    if (ptrace.resume(this.tid, how, signal) === GONE) return GONE;
    this.gpCache = this.fpCache = undefined;
    this.siginfo = undefined;
    return true;
  }

  /** Registers, and the signal in hand with its siginfo, go to the kernel; what is left for the resume to pass. */
  private prepareSignal(): number | Gone {
    const deliver = this.deliver;
    if (this.flush() === GONE) return GONE;
    this.deliver = undefined;
    if (deliver === undefined) return 0;
    if (this.takesSignal) {
      if (deliver.info !== undefined && ptrace.setSiginfo(this.tid, deliver.info) === GONE) return GONE;
      return deliver.signal;
    }
    this.sentByUs.push(deliver.signal);
    return ptrace.tgkill(this.pid, this.tid, deliver.signal) === GONE ? GONE : 0;
  }
}
