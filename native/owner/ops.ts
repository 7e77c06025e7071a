/**
 * What rsp/ and (through compose) everybody else sees of the owner: the debug target. The owner implements it; nothing here
 * mentions ptrace. All calls are synchronous and are made on the one tracer thread; `resume` returns at once and its stop is
 * reported later through `TargetEvents.onStop`.
 */

import type { Addr, Gone, Pid, ThreadRef, Tid } from '../base/brands';

/** How to start a program. */
export interface LaunchSpec {
  readonly program: string;
  readonly args: readonly string[];
  /** `NAME=value`; undefined: the owner's own environment. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  /** Default true, as in gdb. */
  readonly disableRandomization?: boolean;
  /** Redirections for stdin, stdout, stderr: a path and open(2) flags, or another descriptor of ours. */
  readonly redirect?: readonly {
    readonly fd: 0 | 1 | 2;
    readonly path?: string;
    readonly flags?: number;
    readonly dup?: number;
  }[];
  /** gdbserver's --wrapper: words put before the program; the program is what the wrapper execs. */
  readonly wrapper?: readonly string[];
}

/** Why a watchpoint stop happened, in gdb's words. */
export type WatchKind = 'watch' | 'rwatch' | 'awatch';

/** What made the inferior stop. `signal` numbers are the kernel's; rsp/ translates to gdb's. */
export type StopReport =
  | {
      readonly kind: 'stopped';
      readonly thread: ThreadRef;
      /** 0 after a restore. SIGTRAP for steps and breakpoints. */
      readonly signal: number;
      readonly detail:
        | { readonly kind: 'none' }
        | { readonly kind: 'swbreak' }
        | { readonly kind: 'hwbreak' }
        | { readonly kind: 'watch'; readonly watch: WatchKind; readonly addr: Addr }
        | { readonly kind: 'fork' | 'vfork'; readonly child: ThreadRef }
        | { readonly kind: 'vforkdone' }
        | { readonly kind: 'exec'; readonly path: string }
        | { readonly kind: 'library' };
    }
  | { readonly kind: 'exited'; readonly pid: Pid; readonly code: number }
  | { readonly kind: 'signalled'; readonly pid: Pid; readonly signal: number }
  /** Every thread that was resumed has exited; the others stand as gdb left them (the `N` stop reply). */
  | { readonly kind: 'no-resumed' };

export type ResumeKind =
  | { readonly kind: 'continue'; readonly signal: number }
  | { readonly kind: 'step'; readonly signal: number }
  /** Step while start <= pc < end (vCont;r). */
  | { readonly kind: 'range'; readonly start: Addr; readonly end: Addr };

/** vCont's list: for each thread the first entry that fits is its action; a thread that fits none stays stopped. */
export interface ResumeEntry {
  /** undefined: any. */
  readonly pid?: Pid;
  readonly tid?: Tid;
  readonly action: ResumeKind;
}

export interface ThreadView extends ThreadRef {
  readonly name: string;
  readonly core: number;
}

/** Z0..Z4. */
export type PointKind = 'software' | 'hardware' | WatchKind;
export type PointAnswer = 'ok' | 'unsupported' | 'failed';

/** Which of the client's features decide what the owner reports. */
export interface ClientFeatures {
  readonly forkEvents: boolean;
  readonly vforkEvents: boolean;
  readonly execEvents: boolean;
  readonly swbreak: boolean;
  readonly hwbreak: boolean;
}

export interface TargetEvents {
  /** All-stop: every thread is stopped when this is called. */
  onStop(report: StopReport): void;
  /** Text for the user that belongs to no command (a gdbserver-like line). */
  onNote(text: string): void;
}

export interface Target {
  /** Starts a program and stops it at its first instruction. Throws UserError. */
  launch(spec: LaunchSpec): StopReport;
  /** Attaches to all threads of a process. Throws UserError with what to do. */
  attach(pid: Pid): StopReport;
  /** Lets the process go on without us (a launched one that carries our filter is followed silently to its end). */
  detach(pid: Pid): void;
  kill(pid: Pid): void;
  setFeatures(features: ClientFeatures): void;

  /** Processes gdb knows, in the order it met them. */
  pids(): readonly Pid[];
  /** Live threads as gdb may see them (parked ones are not in it), oldest first. */
  threads(pid?: Pid): readonly ThreadView[];
  /** The thread gdb would call current after the last stop. */
  currentThread(): ThreadRef | undefined;
  findThread(pid: Pid | undefined, tid: Tid): ThreadRef | undefined;

  /** Up to `length` bytes; shorter when the rest is not readable, empty when nothing is. Breakpoint bytes are hidden. */
  readMemory(pid: Pid, addr: Addr, length: number): Buffer | Gone;
  writeMemory(pid: Pid, addr: Addr, data: Buffer): boolean | Gone;
  /** The `g` block; `p`; and their writers. */
  readRegisters(thread: ThreadRef): Buffer | Gone;
  writeRegisters(thread: ThreadRef, block: Buffer): boolean | Gone;
  readRegister(thread: ThreadRef, regno: number): Buffer | undefined | Gone;
  writeRegister(thread: ThreadRef, regno: number, value: Buffer): boolean | Gone;
  /** Register numbers that belong in every stop reply. */
  readonly expedited: readonly number[];
  targetXml(): string;

  insertPoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer;
  removePoint(pid: Pid, kind: PointKind, addr: Addr, length: number): PointAnswer;

  /** siginfo_t of the thread's last stop (128 bytes). */
  readSiginfo(thread: ThreadRef): Buffer | undefined | Gone;
  writeSiginfo(thread: ThreadRef, data: Buffer): boolean | Gone;
  auxv(pid: Pid): Buffer | Gone;
  execFile(pid: Pid): string | Gone;
  /** <library-list-svr4> for a qXfer annex (`start=…;prev=…;` or empty). */
  libraries(pid: Pid, annex: string): string | Gone;
  /** qGetTLSAddr; undefined: not known (module's TLS not allocated yet, no glibc). */
  tlsAddress(thread: ThreadRef, offset: Addr, linkMap: Addr): Addr | undefined | Gone;

  /** Signals (kernel numbers) that the program may see: others are not handed over at a detach. */
  setProgramSignals(signals: ReadonlySet<number>): void;
  /** Signals (kernel numbers) that go to the program without a stop. */
  setPassSignals(signals: ReadonlySet<number>): void;

  /** A process has died while everything stood still: the next resume reports it. */
  readonly hasEndToReport: boolean;
  /** Resumes; exactly one `onStop` follows. */
  resume(entries: readonly ResumeEntry[]): void;
  /** ^C: makes the running inferior stop with SIGINT. Nothing when it stands already. */
  interrupt(): void;
}

/** What compose gives to the RSP server beyond the target, so that rsp/ need not know the checkpoint engine. */
export interface ServerHooks {
  /**
   * `monitor LINE` (qRcmd), about the client's selected process if it has one. Returns the text to show. Throws SavepointError for a
   * refusal (shown as text, too).
   */
  monitor(line: string, pid: Pid | undefined): string;
  /**
   * Called on every resume-class packet, before anything runs. When a restore is armed it is carried out now and the report
   * is the answer to the packet (signal 0); undefined: resume as asked.
   */
  beforeResume(): { readonly report: StopReport; readonly librariesChanged: boolean; readonly note?: string } | undefined;
  /** Called on vRun: an armed restore answers instead of a new program (`starti` after an exit). */
  beforeRun(): { readonly report: StopReport; readonly librariesChanged: boolean; readonly note?: string } | undefined;
  /** Called after a launch or attach and its first stop. */
  afterStart(pid: Pid): void;
}
