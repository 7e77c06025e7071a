/**
 * One process: its threads, its memory files, its breakpoints, and how it stands with gdb. Implements what the checkpoint
 * engine sees of a process (engine-host.ts); the remote calls and the parking of threads live in remote.ts and parking.ts.
 *
 * Does not wait and does not resume: target.ts does, through the `Waiting` it is given.
 */

import { GONE, type Addr, type Gone, type Pid, type ThreadRef, type Tid } from '../base/brands';
import { userError } from '../base/errors';
import type { Arch } from '../arch/arch';
import * as io from '../sys/io';
import * as proc from '../sys/proc';
import { O_RDONLY, O_RDWR } from '../abi/flags';
import { Breakpoints } from './breakpoints';
import type { EngineInferior, EngineThread, ProcessAnswers, ProcessLife, Scratch, WantedSerials } from './engine-host';
import { HardwarePoints } from './hardware-points';
import { releaseThread, shelveThread } from './parking';
import { findSyscallInstruction, openScratch, remoteCall } from './remote';
import type { Tracee } from './tracee';
import { isSignalType } from './wait-status';

/** `debugged`: gdb knows it. `nursed`: followed silently to its end, because it carries our exit filter. */
export type Role = 'debugged' | 'nursed';

/** What an inferior needs of the event loop while it acts inside its threads. */
export interface Waiting {
  /** A stop of exactly this thread; other threads' events are kept for later. GONE when it died (already handled). */
  awaitStop(tracee: Tracee): true | Gone;
  /** Feeds a death that an injected call saw back into the loop. */
  noteDeath(tracee: Tracee, status: number): void;
}

export class Inferior implements EngineInferior {
  readonly tracees = new Map<Tid, Tracee>();
  readonly breakpoints: Breakpoints;
  readonly points: HardwarePoints;
  role: Role = 'debugged';
  image = 0;
  memFd = -1;
  pagemapFd = -1;
  pidFd = -1;
  life: ProcessLife = { kind: 'running' };
  mayHaveChildren: boolean;
  /** gdb has been told of its birth. */
  reported = true;
  /** A vfork child that runs on our parent's memory with the breakpoints lifted: put them back when the vfork is done. */
  liftedForVfork: (() => void) | undefined;
  private answers: ProcessAnswers | undefined;
  private wantedSerials: WantedSerials = new Set();
  private holdsExit = false;
  private syscallAddress: Addr | undefined;
  private current: ThreadRef | undefined;

  constructor(
    readonly pid: Pid,
    readonly arch: Arch,
    /** We started it (or an ancestor): it dies with us. */
    readonly launched: boolean,
    /** It carries the exit filter. */
    readonly parking: boolean,
    readonly waiting: Waiting,
    registersWork: () => boolean,
  ) {
    // One attached to may have made processes before.
    this.mayHaveChildren = !launched;
    this.breakpoints = new Breakpoints(arch.breakpointInstruction);
    this.points = new HardwarePoints(arch, {
      registersWork,
      readMemory: (addr, length) => {
        const data = Buffer.alloc(length);
        return io.pread(this.memFd, data, addr) === length ? data : undefined;
      },
      insertCode: (addr) => this.breakpoints.insert(this.memFd, addr, 'hardware'),
      removeCode: (addr) => this.breakpoints.remove(this.memFd, addr, 'hardware'),
    });
  }

  /**
   * The thread is to run, and stands until it gets its turn in watch-stepping.ts. In a group stop and at a vfork the kernel waits for
   * others, and no step is made.
   */
  stepsByTurns(tracee: Tracee): boolean {
    const { state } = tracee;
    if (!this.points.emulates || this.role !== 'debugged' || state.kind !== 'stopped') return false;
    const { stop } = state;
    return (
      tracee.action !== undefined &&
      tracee.pending === undefined &&
      stop.kind !== 'group-stop' &&
      !(stop.kind === 'event' && stop.event === 'vfork')
    );
  }

  /** Opens /proc files of the present image; called at birth and after each exec (a set-id image closes them to us later). */
  openFiles(): void {
    this.closeFiles();
    const must = (fd: number, what: string): number => {
      if (fd < 0)
        throw userError('no-proc-access', `cannot open ${what} (errno ${-fd}): no permission to look into process ${this.pid}`);
      return fd;
    };
    this.memFd = must(io.open(`/proc/${this.pid}/mem`, O_RDWR), `/proc/${this.pid}/mem`);
    this.pagemapFd = must(io.open(`/proc/${this.pid}/pagemap`, O_RDONLY), `/proc/${this.pid}/pagemap`);
    this.pidFd = must(io.pidfdOpen(this.pid), 'a pidfd');
    this.syscallAddress = undefined;
  }

  closeFiles(): void {
    for (const fd of [this.memFd, this.pagemapFd, this.pidFd]) if (fd >= 0) io.close(fd);
    this.memFd = this.pagemapFd = this.pidFd = -1;
  }

  get leader(): Tracee | undefined {
    return this.tracees.get(this.pid);
  }

  /** Threads as the program and gdb count them. */
  live(): Tracee[] {
    return [...this.tracees.values()].filter(
      (t) => t.state.kind !== 'parked' && t.state.kind !== 'leaving' && t.state.kind !== 'gone',
    );
  }

  parked(): Tracee[] {
    return [...this.tracees.values()].filter((t) => t.state.kind === 'parked');
  }

  wants(tracee: Tracee): boolean {
    return this.wantedSerials.has(tracee.ref.serial);
  }

  get holdExit(): boolean {
    return this.holdsExit;
  }

  /** Where a syscall instruction lies in this image: in the vdso, else in any executable mapping. */
  syscallAt(): Addr {
    this.syscallAddress ??= findSyscallInstruction(this.pid, this.memFd, this.arch);
    return this.syscallAddress;
  }

  // --- EngineInferior ---

  prepare(): ReturnType<EngineInferior['prepare']> {
    for (const tracee of this.live()) {
      const state = tracee.state;
      if (state.kind === 'vfork-wait')
        return { ok: false, thread: tracee.ref, reason: 'is inside vfork, waiting for its child to exec or end' };
      if (state.kind !== 'stopped') return { ok: false, thread: tracee.ref, reason: 'is running' };
      if (!isSignalType(state.stop)) {
        const reason =
          state.stop.kind === 'event' && state.stop.event === 'vfork'
            ? 'is inside vfork'
            : 'stands in the middle of a kernel event';
        return { ok: false, thread: tracee.ref, reason };
      }
    }
    return this.live().length === 0 ? GONE : { ok: true };
  }

  threads(): readonly EngineThread[] {
    return [...this.live(), ...this.parked()];
  }

  currentThread(): ThreadRef | undefined {
    const live = this.live();
    return live.find((tracee) => tracee.ref === this.current)?.ref ?? live[0]?.ref;
  }

  setCurrentThread(ref: ThreadRef): void {
    this.current = ref;
  }

  worker(): Tracee | undefined {
    return this.live().find((t) => t.state.kind === 'stopped' && isSignalType(t.state.stop));
  }

  knownAnswers(): ProcessAnswers | undefined {
    return this.answers;
  }

  noteAnswers(answers: ProcessAnswers | undefined): void {
    this.answers = answers;
  }

  syscall(thread: EngineThread, nr: number, ...args: bigint[]): bigint | Gone {
    return remoteCall(this, this.traceeOf(thread), { nr, args });
  }

  openScratch(avoid: readonly { readonly start: Addr; readonly end: Addr }[]): Scratch | Gone {
    const worker = this.worker();
    return worker === undefined ? GONE : openScratch(this, worker, avoid);
  }

  liftBreakpoints(): () => void {
    return this.breakpoints.liftAll(this.memFd);
  }

  setWanted(serials: WantedSerials): void {
    this.wantedSerials = serials;
  }

  setHoldExit(hold: boolean): void {
    this.holdsExit = hold;
  }

  shelve(thread: EngineThread): true | Gone {
    return shelveThread(this, this.traceeOf(thread));
  }

  unshelve(thread: EngineThread): void {
    const tracee = this.traceeOf(thread);
    tracee.forgetEvents();
    tracee.transition({ kind: 'stopped', stop: { kind: 'interrupt' } });
  }

  release(thread: EngineThread): void {
    releaseThread(this, this.traceeOf(thread));
  }

  revive(): void {
    this.life = { kind: 'running' };
    this.points.refresh();
    for (const tracee of this.live()) tracee.forgetEvents();
  }

  /** Every EngineThread of ours is a Tracee; this looks it up instead of casting, so that a stale one is found out. */
  private traceeOf(thread: EngineThread): Tracee {
    const tracee = this.tracees.get(thread.ref.tid);
    if (tracee === undefined || tracee.ref !== thread.ref) throw userError('thread-gone', `thread ${thread.ref.tid} is gone`);
    return tracee;
  }

  /** Signal dispositions right now: what would delivering `signal` do? */
  isFatal(signal: number, defaultIsFatal: boolean): boolean {
    const status = proc.readText(`/proc/${this.pid}/status`);
    if (status === undefined || !defaultIsFatal) return false;
    const sets = proc.parseSignalSets(status);
    const bit = 1n << BigInt(signal - 1);
    return (sets.caught & bit) === 0n && (sets.ignored & bit) === 0n;
  }
}
