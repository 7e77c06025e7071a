/**
 * Letting the debugger look into a checkpoint: while the view is on, registers and memory are answered out of it, and the program itself is out of
 * reach. Everything that would change or resume it is refused with a reason; what ends the program or lets it go ends the view first.
 *
 * The debugger's picture of threads and libraries stays what it is: it asks for the registers of a thread that it knows, and gets those of the
 * checkpoint's thread that is looked at. So a thread that has exited since can be looked at as well, in the place of whichever is selected.
 * What the debugger keeps of registers and memory it has to forget when a view begins and when it ends; nobody but our own gdb side (picture.py)
 * turns it on.
 */

import { GONE, type Addr, type Gone, type Pid, type ThreadRef, type Tid } from '../base/brands';
import { refused, userError } from '../base/errors';
import type { Past } from '../checkpoint/past';
import type { ThreadState } from '../checkpoint/state';
import type {
  ClientFeatures,
  LaunchSpec,
  PointAnswer,
  PointKind,
  ResumeEntry,
  StopReport,
  Target,
  ThreadView,
} from '../owner/ops';
import type { NativeTarget } from '../owner/target';
import type { Arch } from '../arch/arch';

interface Looking {
  readonly id: number;
  readonly pid: Pid;
  /** undefined: it went with its process. */
  readonly past: Past | undefined;
  readonly thread: ThreadState;
}

export class PastView {
  private looking: Looking | undefined;

  get now(): Looking | undefined {
    return this.looking;
  }

  /** `past` is closed when the view ends, or when it cannot begin. */
  enter(id: number, pid: Pid, past: Past, tid: Tid): void {
    this.leave();
    const thread = past.thread(tid);
    if (thread === undefined) {
      past.close();
      throw userError('no-thread', `Checkpoint ${id} has no thread ${tid}.`);
    }
    this.looking = { id, pid, past, thread };
  }

  /** Nothing when there is none. */
  leave(): void {
    this.looking?.past?.close();
    this.looking = undefined;
  }

  /** The checkpoints of the process are gone. Whoever looks sees nothing from here on, and never the present for the past. */
  lose(pid: Pid): void {
    const { looking } = this;
    if (looking?.pid !== pid) return;
    looking.past?.close();
    this.looking = { ...looking, past: undefined };
  }

  /** Throws while somebody looks. `what`: who wants to change something. */
  refuse(what: string): void {
    if (this.looking === undefined) return;
    const reason = `checkpoint ${this.looking.id} is being looked at, so the program cannot be changed just now; try again in a moment`;
    throw refused('looking', what, reason);
  }
}

const readPast = ({ past }: Looking, addr: Addr, length: number): Buffer => past?.read(addr, length) ?? Buffer.alloc(0);

/** The target as the debugger sees it. */
export class ViewedTarget implements Target {
  constructor(
    private readonly target: NativeTarget,
    private readonly view: PastView,
    private readonly arch: Arch,
  ) {}

  private at(pid: Pid): Looking | undefined {
    const { now } = this.view;
    return now?.pid === pid ? now : undefined;
  }

  // --- looking: out of the checkpoint ---

  readMemory(pid: Pid, addr: Addr, length: number): Buffer | Gone {
    const looking = this.at(pid);
    return looking === undefined ? this.target.readMemory(pid, addr, length) : readPast(looking, addr, length);
  }

  readRegisters(thread: ThreadRef): Buffer | Gone {
    const looking = this.at(thread.pid);
    if (looking === undefined) return this.target.readRegisters(thread);
    return looking.past === undefined ? GONE : this.arch.encodeAll(looking.thread);
  }

  readRegister(thread: ThreadRef, regno: number): Buffer | undefined | Gone {
    const looking = this.at(thread.pid);
    if (looking === undefined) return this.target.readRegister(thread, regno);
    return looking.past === undefined ? GONE : this.arch.encodeOne(looking.thread, regno);
  }

  tlsAddress(thread: ThreadRef, offset: Addr, linkMap: Addr): Addr | undefined | Gone {
    const looking = this.at(thread.pid);
    if (looking === undefined) return this.target.tlsAddress(thread, offset, linkMap);
    const read = (addr: Addr, length: number): Buffer => readPast(looking, addr, length);
    return this.target.tlsAddressIn(
      thread.pid,
      { read, threadPointer: this.arch.threadPointer(looking.thread.gp) },
      offset,
      linkMap,
    );
  }

  /** Not kept by checkpoints. */
  readSiginfo(thread: ThreadRef): Buffer | undefined | Gone {
    return this.at(thread.pid) === undefined ? this.target.readSiginfo(thread) : undefined;
  }

  // --- changing: refused ---

  writeMemory(pid: Pid, addr: Addr, data: Buffer): boolean | Gone {
    this.view.refuse('writing memory');
    return this.target.writeMemory(pid, addr, data);
  }

  writeRegisters(thread: ThreadRef, block: Buffer): boolean | Gone {
    this.view.refuse('writing registers');
    return this.target.writeRegisters(thread, block);
  }

  writeRegister(thread: ThreadRef, regno: number, value: Buffer): boolean | Gone {
    this.view.refuse('writing a register');
    return this.target.writeRegister(thread, regno, value);
  }

  writeSiginfo(thread: ThreadRef, data: Buffer): boolean | Gone {
    this.view.refuse('writing a siginfo');
    return this.target.writeSiginfo(thread, data);
  }

  insertPoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer {
    this.view.refuse('inserting a breakpoint');
    return this.target.insertPoint(pid, kind, addr, length);
  }

  removePoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer {
    this.view.refuse('removing a breakpoint');
    return this.target.removePoint(pid, kind, addr, length);
  }

  resume(entries: readonly ResumeEntry[]): void {
    // The program has died meanwhile: nothing runs, and the debugger is told of the end.
    if (this.target.hasEndToReport) this.view.leave();
    this.view.refuse('resuming');
    this.target.resume(entries);
  }

  // --- beginnings and ends: of the view as well ---

  launch(spec: LaunchSpec): StopReport {
    this.view.leave();
    return this.target.launch(spec);
  }

  attach(pid: Pid): StopReport {
    this.view.leave();
    return this.target.attach(pid);
  }

  detach(pid: Pid): void {
    this.view.leave();
    this.target.detach(pid);
  }

  kill(pid: Pid): void {
    this.view.leave();
    this.target.kill(pid);
  }

  // --- what a view does not change ---

  setFeatures(features: ClientFeatures): void {
    this.target.setFeatures(features);
  }

  pids(): readonly Pid[] {
    return this.target.pids();
  }

  threads(pid?: Pid): readonly ThreadView[] {
    return this.target.threads(pid);
  }

  currentThread(): ThreadRef | undefined {
    return this.target.currentThread();
  }

  findThread(pid: Pid | undefined, tid: Tid): ThreadRef | undefined {
    return this.target.findThread(pid, tid);
  }

  get expedited(): readonly number[] {
    return this.target.expedited;
  }

  targetXml(): string {
    return this.target.targetXml();
  }

  auxv(pid: Pid): Buffer | Gone {
    return this.target.auxv(pid);
  }

  execFile(pid: Pid): string | Gone {
    return this.target.execFile(pid);
  }

  libraries(pid: Pid, annex: string): string | Gone {
    return this.target.libraries(pid, annex);
  }

  setProgramSignals(signals: ReadonlySet<number>): void {
    this.target.setProgramSignals(signals);
  }

  setPassSignals(signals: ReadonlySet<number>): void {
    this.target.setPassSignals(signals);
  }

  get hasEndToReport(): boolean {
    return this.target.hasEndToReport;
  }

  interrupt(): void {
    this.target.interrupt();
  }
}
