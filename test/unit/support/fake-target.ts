/**
 * A scripted `Target` for protocol dialogues: one process, some threads, a little memory, and a record of what was asked of it.
 * It runs nothing: a test says what the next stop is.
 */

import { GONE, type Addr, type Gone, type Pid, type ThreadRef, type Tid } from '../../../native/base/brands';
import { userError } from '../../../native/base/errors';
import type {
  ClientFeatures,
  LaunchSpec,
  PointAnswer,
  PointKind,
  ResumeEntry,
  StopReport,
  Target,
  ThreadView,
} from '../../../native/owner/ops';

export const PID = 0x1061;
export const MEMORY_START = 0x555555554000n;

export function thread(tid: Tid = PID, pid: Pid = PID): ThreadView {
  return { pid, tid, serial: tid, name: tid === pid ? 'main' : `w<${tid}>`, core: 1 };
}

/** A stop of `tid` with SIGTRAP and no detail, unless said otherwise. */
export function stopped(over: Partial<Extract<StopReport, { kind: 'stopped' }>> = {}): StopReport {
  return { kind: 'stopped', thread: thread(), signal: 5, detail: { kind: 'none' }, ...over };
}

export class FakeTarget implements Target {
  readonly expedited = [6, 7, 16];
  hasEndToReport = false;
  /** Every call that changes something, in words. */
  readonly calls: string[] = [];
  readonly resumed: (readonly ResumeEntry[])[] = [];
  live: ThreadView[] = [];
  memory = Buffer.alloc(4096, 0);
  registers = Buffer.alloc(192);
  siginfo: Buffer | undefined = Buffer.alloc(128, 7);
  features: ClientFeatures | undefined;
  passed: ReadonlySet<number> = new Set();
  takenAlong: ReadonlySet<number> | undefined;
  launched: LaunchSpec | undefined;
  point: PointAnswer = 'ok';
  /** What `resume` does besides being recorded. */
  onResume: () => void = () => undefined;
  dead = false;

  constructor(running = true) {
    if (running) this.live = [thread()];
  }

  launch(spec: LaunchSpec): StopReport {
    if (spec.program === '/nonexistent') throw userError('not-found', '/nonexistent: no such file');
    this.launched = spec;
    this.live = [thread()];
    return stopped();
  }

  attach(pid: Pid): StopReport {
    if (pid !== 77) throw userError('no-process', `process ${pid} does not exist`);
    this.live = [thread(77, 77)];
    return stopped({ thread: thread(77, 77), signal: 19 });
  }

  detach(pid: Pid): void {
    this.calls.push(`detach ${pid}`);
    this.live = this.live.filter((view) => view.pid !== pid);
  }

  kill(pid: Pid): void {
    this.calls.push(`kill ${pid}`);
    this.live = this.live.filter((view) => view.pid !== pid);
  }

  setFeatures(features: ClientFeatures): void {
    this.features = features;
  }

  pids(): readonly Pid[] {
    return [...new Set(this.live.map((view) => view.pid))];
  }

  threads(pid?: Pid): readonly ThreadView[] {
    return pid === undefined ? this.live : this.live.filter((view) => view.pid === pid);
  }

  currentThread(): ThreadRef | undefined {
    return this.live[0];
  }

  findThread(pid: Pid | undefined, tid: Tid): ThreadRef | undefined {
    return this.live.find((view) => view.tid === tid && (pid === undefined || view.pid === pid));
  }

  readMemory(_pid: Pid, addr: Addr, length: number): Buffer | Gone {
    if (this.dead) return GONE;
    const offset = Number(addr - MEMORY_START);
    return offset < 0 || offset >= this.memory.length ? Buffer.alloc(0) : this.memory.subarray(offset, offset + length);
  }

  writeMemory(_pid: Pid, addr: Addr, data: Buffer): boolean | Gone {
    if (this.dead) return GONE;
    const offset = Number(addr - MEMORY_START);
    if (offset < 0 || offset + data.length > this.memory.length) return false;
    data.copy(this.memory, offset);
    return true;
  }

  readRegisters(): Buffer | Gone {
    return this.dead ? GONE : this.registers;
  }

  writeRegisters(_thread: ThreadRef, block: Buffer): boolean | Gone {
    if (block.length !== this.registers.length) return false;
    this.registers = Buffer.from(block);
    return true;
  }

  readRegister(_thread: ThreadRef, regno: number): Buffer | undefined | Gone {
    if (this.dead) return GONE;
    return regno < 24 ? this.registers.subarray(8 * regno, 8 * regno + 8) : undefined;
  }

  writeRegister(_thread: ThreadRef, regno: number, value: Buffer): boolean | Gone {
    if (regno >= 24 || value.length !== 8) return false;
    value.copy(this.registers, 8 * regno);
    return true;
  }

  targetXml(): string {
    return '<target><architecture>i386:x86-64</architecture></target>';
  }

  insertPoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer {
    this.calls.push(`insert ${pid} ${kind} ${addr.toString(16)} ${length}`);
    return this.point;
  }

  removePoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer {
    this.calls.push(`remove ${pid} ${kind} ${addr.toString(16)} ${length}`);
    return this.point;
  }

  readSiginfo(): Buffer | undefined | Gone {
    return this.dead ? GONE : this.siginfo;
  }

  writeSiginfo(_thread: ThreadRef, data: Buffer): boolean | Gone {
    this.siginfo = Buffer.from(data);
    return true;
  }

  auxv(): Buffer | Gone {
    return Buffer.from([0x21, 0x23, 0x24, 0x7d, 0x2a, 0]);
  }

  execFile(): string | Gone {
    return '/bin/true';
  }

  libraries(_pid: Pid, annex: string): string | Gone {
    return `<library-list-svr4 version="1.0" annex="${annex}"/>`;
  }

  tlsAddress(_thread: ThreadRef, offset: Addr, linkMap: Addr): Addr | undefined | Gone {
    return linkMap === 0n ? undefined : linkMap + offset;
  }

  setProgramSignals(signals: ReadonlySet<number>): void {
    this.takenAlong = signals;
  }

  setPassSignals(signals: ReadonlySet<number>): void {
    this.passed = signals;
  }

  resume(entries: readonly ResumeEntry[]): void {
    this.resumed.push(entries);
    this.onResume();
  }

  interrupt(): void {
    this.calls.push('interrupt');
  }
}
