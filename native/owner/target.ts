/**
 * The debug target that rsp/ serves: the owner's doings in the words of ops.ts. All-stop: between `resume` and `onStop` everything runs,
 * otherwise everything stands.
 */

import { GONE, type Addr, type Gone, type Pid, type ThreadRef, type Tid } from '../base/brands';
import { bug, userError } from '../base/errors';
import { SIGINT } from '../abi/signals';
import * as io from '../sys/io';
import * as proc from '../sys/proc';
import type { WaitEvent } from '../sys/wait';
import { chooseThread, dropRepeatable, reportOf } from './choose-report';
import type { Inferior } from './inferior';
import { interruptInfo, isInterrupted, takeQueuedInterrupt } from './interrupt';
import * as processes from './launch';
import { libraryListXml } from './libraries';
import type {
  ClientFeatures,
  LaunchSpec,
  PointAnswer,
  PointKind,
  ResumeEntry,
  StopReport,
  Target,
  TargetEvents,
  ThreadView,
} from './ops';
import { applyResume } from './resume';
import { tlsAddress, type TlsQuestion } from './tls';
import type { Tracee } from './tracee';
import type { Tracer } from './tracer';
import { Unreported } from './unreported';
import { WatchStepping } from './watch-stepping';

/** Steps made in the shim before the loop looks at everything else again. */
const FAST_STEPS = 100_000;
/** A range that every step leaves. */
const ONE_STEP = { start: 0n, end: 0n };

export class NativeTarget implements Target {
  private told: Tracee | undefined;
  private current: ThreadRef | undefined;
  private interruptWanted = false;
  /** The thread that steps alone (see stepFast). */
  private fast: Tracee | undefined;
  private readonly watching: WatchStepping;
  /** A report that is due although nothing runs. */
  private due: StopReport | 'choose' | undefined;
  private readonly random: () => number;
  private readonly dead: Unreported;

  constructor(
    private readonly tracer: Tracer,
    private readonly events: TargetEvents,
    private readonly options: { readonly park: boolean; readonly random?: () => number },
  ) {
    this.random = options.random ?? Math.random;
    this.dead = new Unreported(tracer.ended);
    this.watching = new WatchStepping(tracer);
  }

  // --- the loop's side ---

  /** There is work to do before anything is waited for. */
  get hasDue(): boolean {
    return this.due !== undefined || this.fast !== undefined || this.watching.hasWork;
  }

  get isRunning(): boolean {
    return this.tracer.phase.kind === 'running';
  }

  /** Handles what the wait brought; reports a stop when there is one. `clientFd` ends a fast range step. */
  pump(events: readonly WaitEvent[], clientFd: number): void {
    this.tracer.feed(events);
    if (this.due !== undefined) {
      const due = this.due;
      this.due = undefined;
      this.tracer.phase = { kind: 'stopped' };
      this.report(due === 'choose' ? this.choose() : due);
      return;
    }
    if (!this.isRunning) return;
    this.stepFast(clientFd);
    if (!this.interruptWanted) this.watching.step(clientFd);
    const candidates = this.candidates();
    const something = candidates.some((t) => t.pending !== undefined) || this.tracer.ended.length > 0 || this.interruptWanted;
    if (something) {
      this.tracer.quiesce();
      this.report(this.choose());
    } else if (
      !this.watching.hasWork &&
      !candidates.some((t) => t.state.kind === 'running' || t.state.kind === 'listening' || t.state.kind === 'vfork-wait')
    ) {
      this.tracer.quiesce();
      this.report({ kind: 'no-resumed' });
    }
  }

  /**
   * One thread stepping alone, once or through a range: the whole loop stays in the shim until it has news or the client speaks.
   * The thread counts as stopped meanwhile: nothing else waits for it.
   */
  private stepFast(clientFd: number): void {
    const tracee = this.fast;
    if (tracee === undefined) return;
    const { action } = tracee;
    if (!tracee.isStopped || action === undefined || action.kind === 'continue' || this.interruptWanted) {
      this.fast = undefined;
      return;
    }
    const inferior = this.tracer.inferiorOf(tracee);
    const gp = tracee.gp();
    if (gp === GONE || inferior.points.sync(tracee) === GONE || tracee.beginSteps() === GONE) {
      // Killed where it stood: its status is on its way to the loop.
      this.fast = undefined;
      tracee.transition({ kind: 'running', how: 'step' });
      return;
    }
    const { start, end } = action.kind === 'range' ? action : ONE_STEP;
    const from = { tid: tracee.tid, memFd: inferior.memFd, pc: this.tracer.arch.pc(gp) };
    const result = this.tracer.waiter.stepRange(from, start, end, clientFd, FAST_STEPS);
    if (result.kind === 'again') return;
    this.fast = undefined;
    tracee.transition({ kind: 'running', how: 'step' });
    if (result.kind === 'look') this.tracer.feed([result.event]);
  }

  private candidates(): Tracee[] {
    return this.tracer.debugged().flatMap((inferior) => inferior.live());
  }

  private choose(): StopReport {
    const ended = this.tracer.ended.shift();
    if (ended !== undefined) {
      this.told = undefined;
      this.interruptWanted = false;
      return { ...ended.end, pid: ended.pid };
    }
    const candidates = this.candidates();
    const sigint = this.interruptWanted ? (candidates.find(isInterrupted) ?? takeQueuedInterrupt(this.tracer)) : undefined;
    const chosen = sigint ?? chooseThread(candidates, this.random);
    if (chosen === undefined || (this.interruptWanted && chosen.pending?.kind === 'step')) {
      // ^C and nothing else: the current thread, else the first, stops with a SIGINT that was never sent.
      const thread = chosen ?? (this.current && this.tracer.find(this.current)) ?? candidates[0];
      if (thread === undefined) throw bug('a stop without a thread');
      this.interruptWanted = false;
      thread.pending = undefined;
      thread.siginfo = interruptInfo();
      this.tell(thread);
      return { kind: 'stopped', thread: thread.ref, signal: SIGINT, detail: { kind: 'none' } };
    }
    this.interruptWanted = false;
    dropRepeatable(candidates, chosen);
    const report = reportOf(chosen);
    if (chosen.pending?.kind === 'fork' || chosen.pending?.kind === 'vfork') {
      const child = this.tracer.inferiors.get(chosen.pending.child.pid);
      if (child !== undefined) child.reported = true;
    }
    if (chosen.pending?.kind === 'process-end') {
      const inferior = this.tracer.inferiorOf(chosen);
      inferior.life = { kind: 'held', report: chosen.pending.end };
      chosen.pending = undefined;
    }
    this.tell(chosen);
    return report;
  }

  private tell(tracee: Tracee): void {
    this.told = tracee;
    this.current = tracee.ref;
    this.tracer.inferiorOf(tracee).setCurrentThread(tracee.ref);
  }

  private report(report: StopReport): void {
    this.events.onStop(report);
  }

  /** After a restore: this is the stop now. */
  adoptStop(thread: ThreadRef): StopReport {
    const tracee = this.tracer.find(thread);
    if (tracee === undefined) throw bug(`restored thread ${thread.tid} is not there`);
    // What was under way when it came is no more.
    this.due = this.fast = undefined;
    this.interruptWanted = false;
    this.tell(tracee);
    // A signal that it had in hand is still to be told.
    if (tracee.pending !== undefined) this.told = undefined;
    return { kind: 'stopped', thread, signal: 0, detail: { kind: 'none' } };
  }

  // --- processes ---

  launch(spec: LaunchSpec): StopReport {
    for (const inferior of this.tracer.debugged()) if (inferior.life.kind === 'held') processes.kill(this.tracer, inferior);
    const inferior = processes.launch(this.tracer, spec, this.options.park);
    return this.firstStop(inferior, 5);
  }

  attach(pid: Pid): StopReport {
    return this.firstStop(processes.attach(this.tracer, pid), 0);
  }

  private firstStop(inferior: Inferior, signal: number): StopReport {
    const leader = inferior.leader;
    if (leader === undefined) throw userError('died-at-start', `process ${inferior.pid} is gone`);
    leader.pending = undefined;
    this.tell(leader);
    return { kind: 'stopped', thread: leader.ref, signal, detail: { kind: 'none' } };
  }

  detach(pid: Pid): void {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior !== undefined) processes.detach(this.tracer, inferior);
    this.dead.forget(pid);
  }

  kill(pid: Pid): void {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior !== undefined) processes.kill(this.tracer, inferior);
    this.dead.forget(pid);
  }

  /** It was found dead in the middle of an operation: takes note of its end. */
  awaitEnd(pid: Pid): void {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior !== undefined) processes.awaitEnd(this.tracer, inferior);
  }

  setFeatures(features: ClientFeatures): void {
    this.tracer.features = features;
  }

  // --- threads ---

  pids(): readonly Pid[] {
    return [...this.tracer.visible().map((inferior) => inferior.pid), ...this.dead.pids];
  }

  threads(pid?: Pid): readonly ThreadView[] {
    const living = this.tracer
      .visible()
      .filter((inferior) => pid === undefined || inferior.pid === pid)
      .flatMap((inferior) => inferior.live())
      .map((t) => ({ ...t.ref, name: proc.threadName(t.pid, t.tid), core: proc.threadCore(t.pid, t.tid) }));
    return [...living, ...this.dead.threads(pid, this.current)];
  }

  currentThread(): ThreadRef | undefined {
    const visible = this.tracer.visible();
    const known = this.current !== undefined && this.tracer.find(this.current) !== undefined ? this.current : undefined;
    if (known !== undefined && visible.some((inferior) => inferior.pid === known.pid)) return known;
    return visible[0]?.live()[0]?.ref ?? this.dead.first();
  }

  findThread(pid: Pid | undefined, tid: Tid): ThreadRef | undefined {
    for (const inferior of this.tracer.debugged()) {
      if (pid !== undefined && inferior.pid !== pid) continue;
      const tracee = inferior.tracees.get(tid);
      if (tracee !== undefined && tracee.life === 'live') return tracee.ref;
    }
    return this.dead.find(pid, tid);
  }

  private stopped(ref: ThreadRef): Tracee | undefined {
    const tracee = this.tracer.find(ref);
    return tracee?.isStopped === true ? tracee : undefined;
  }

  // --- memory and registers ---

  readMemory(pid: Pid, addr: Addr, length: number): Buffer | Gone {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior === undefined) return GONE;
    const data = Buffer.alloc(length);
    const n = io.pread(inferior.memFd, data, addr);
    if (n <= 0) return Buffer.alloc(0);
    const got = data.subarray(0, n);
    inferior.breakpoints.hideIn(got, addr);
    return got;
  }

  writeMemory(pid: Pid, addr: Addr, data: Buffer): boolean | Gone {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior === undefined) return GONE;
    return data.length === 0 || io.pwrite(inferior.memFd, inferior.breakpoints.mergeInto(data, addr), addr) === data.length;
  }

  readRegisters(thread: ThreadRef): Buffer | Gone {
    const tracee = this.stopped(thread);
    const gp = tracee?.gp() ?? GONE;
    const fp = tracee?.fp() ?? GONE;
    if (gp === GONE || fp === GONE) return this.dead.registersOf(thread) ?? GONE;
    const block = this.tracer.arch.encodeAll({ gp, fp });
    this.dead.keepRegisters(block);
    return block;
  }

  writeRegisters(thread: ThreadRef, block: Buffer): boolean | Gone {
    const tracee = this.stopped(thread);
    const gp = tracee?.gp() ?? GONE;
    const fp = tracee?.fp() ?? GONE;
    if (tracee === undefined || gp === GONE || fp === GONE) return this.dead.has(thread.pid) ? true : GONE;
    const next = this.tracer.arch.decodeAll(block, { gp, fp });
    tracee.setGp(next.gp);
    tracee.setFp(next.fp);
    return true;
  }

  readRegister(thread: ThreadRef, regno: number): Buffer | undefined | Gone {
    const tracee = this.stopped(thread);
    const gp = tracee?.gp() ?? GONE;
    if (tracee === undefined || gp === GONE) return GONE;
    const fp = this.tracer.arch.needsFp(regno) ? tracee.fp() : Buffer.alloc(0);
    return fp === GONE ? GONE : this.tracer.arch.encodeOne({ gp, fp }, regno);
  }

  writeRegister(thread: ThreadRef, regno: number, value: Buffer): boolean | Gone {
    const tracee = this.stopped(thread);
    const gp = tracee?.gp() ?? GONE;
    if (tracee === undefined || gp === GONE) return this.dead.has(thread.pid) ? true : GONE;
    const fp = this.tracer.arch.needsFp(regno) ? tracee.fp() : Buffer.alloc(0);
    if (fp === GONE) return GONE;
    const changed = this.tracer.arch.decodeOne({ gp, fp }, regno, value);
    if (changed === 'gp') tracee.setGp(gp);
    if (changed === 'fp') tracee.setFp(fp);
    return changed !== false;
  }

  get expedited(): readonly number[] {
    return this.tracer.arch.expedited;
  }

  targetXml(): string {
    return this.tracer.arch.targetXml();
  }

  // --- points ---

  insertPoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior === undefined) return this.dead.has(pid) ? 'ok' : 'failed';
    if (kind === 'software') return inferior.breakpoints.insert(inferior.memFd, addr) ? 'ok' : 'failed';
    // x86 has no read-only watchpoints: gdb tries an access watchpoint when we say so.
    if (kind === 'rwatch') return 'unsupported';
    return inferior.points.insert(kind, addr, length);
  }

  removePoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior === undefined) return 'ok';
    if (kind === 'software') return inferior.breakpoints.remove(inferior.memFd, addr) ? 'ok' : 'failed';
    return inferior.points.remove(kind, addr, length);
  }

  // --- particulars ---

  readSiginfo(thread: ThreadRef): Buffer | undefined | Gone {
    const tracee = this.stopped(thread);
    return tracee === undefined ? GONE : tracee.siginfo;
  }

  writeSiginfo(thread: ThreadRef, data: Buffer): boolean | Gone {
    const tracee = this.stopped(thread);
    if (tracee === undefined) return GONE;
    if (tracee.siginfo === undefined || data.length !== tracee.siginfo.length) return false;
    tracee.siginfo = Buffer.from(data);
    return true;
  }

  auxv(pid: Pid): Buffer | Gone {
    return proc.readBytes(`/proc/${pid}/auxv`) ?? GONE;
  }

  execFile(pid: Pid): string | Gone {
    return proc.readLink(`/proc/${pid}/exe`) ?? GONE;
  }

  libraries(pid: Pid, annex: string): string | Gone {
    const auxv = this.auxv(pid);
    if (auxv === GONE) return GONE;
    return libraryListXml((addr, length) => this.readForParsing(pid, addr, length), auxv, annex);
  }

  private readForParsing(pid: Pid, addr: Addr, length: number): Buffer {
    const data = this.readMemory(pid, addr, length);
    return data === GONE ? Buffer.alloc(0) : data;
  }

  tlsAddress(thread: ThreadRef, offset: Addr, linkMap: Addr): Addr | undefined | Gone {
    const tracee = this.stopped(thread);
    const gp = tracee?.gp() ?? GONE;
    if (gp === GONE) return GONE;
    const read = (addr: Addr, length: number): Buffer => this.readForParsing(thread.pid, addr, length);
    return this.tlsAddressIn(thread.pid, { read, threadPointer: this.tracer.arch.threadPointer(gp) }, offset, linkMap);
  }

  /** In a state of the process that need not be the present one. */
  tlsAddressIn(
    pid: Pid,
    state: Pick<TlsQuestion, 'read' | 'threadPointer'>,
    offset: Addr,
    linkMap: Addr,
  ): Addr | undefined | Gone {
    const auxv = this.auxv(pid);
    return auxv === GONE ? GONE : tlsAddress({ ...state, auxv, pid, offset, linkMap });
  }

  setPassSignals(signals: ReadonlySet<number>): void {
    this.tracer.passSignals = signals;
  }

  setProgramSignals(signals: ReadonlySet<number>): void {
    this.tracer.programSignals = signals;
  }

  // --- running ---

  get hasEndToReport(): boolean {
    return this.tracer.ended.length > 0;
  }

  resume(entries: readonly ResumeEntry[]): void {
    const told = this.told;
    this.told = undefined;
    if (this.hasEndToReport) {
      this.tracer.phase = { kind: 'running', entries };
      this.due = 'choose';
      return;
    }
    const outcome = applyResume(this.tracer, entries, told);
    if (outcome === 'report') this.due = 'choose';
    if (outcome === 'fast-step') this.fast = this.candidates().find((t) => t.action !== undefined);
    if (outcome === 'nothing') this.due = { kind: 'no-resumed' };
  }

  interrupt(): void {
    if (this.isRunning) this.interruptWanted = true;
  }

  /**
   * Brings everything to a halt that the debugger is not told of. The answer lets all go on as they were; what happened on the way is reported
   * by the next `pump`, as if there had been no halt.
   */
  pause(): () => void {
    const { phase } = this.tracer;
    // With something due nothing runs: it is about to be reported.
    if (phase.kind !== 'running' || this.due !== undefined) return () => {};
    const goOn = (): void => {
      this.tracer.phase = { kind: 'running', entries: phase.entries };
      for (const tracee of this.candidates()) if (tracee.pending === undefined && tracee !== this.fast) this.tracer.go(tracee);
    };
    try {
      this.tracer.quiesce();
    } catch (error) {
      goOn();
      throw error;
    }
    return goOn;
  }
}
