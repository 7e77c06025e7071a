/**
 * What the checkpoint engine sees of the owner: one stopped inferior, its threads, and the means to act inside them.
 *
 * Everything here presumes that the inferior is quiesced (all threads in signal-type ptrace stops, `prepare()` called), on the
 * tracer thread. `GONE` means that the process was killed under our hands.
 */

import type { Addr, Gone, Pid, ThreadRef } from '../base/brands';
import type { FpRegs, GpRegs, Arch } from '../arch/arch';

/** One system call to be made by a tracee. `result` of the raw kernel: negative is -errno. */
export interface RemoteCall {
  readonly nr: number;
  readonly args: readonly bigint[];
}

/** Memory mapped into the tracee for the length of one operation; unmapped by `close`. */
export interface Scratch {
  /** Start of the writable data area and its size in bytes (64 KiB or more). The engine may use all of it between batches. */
  readonly data: Addr;
  readonly dataLength: number;
  /** The whole mapping [start, end), to be left out of captures. */
  readonly start: Addr;
  readonly end: Addr;
  /** Runs many calls in one go inside `thread` (about 20 us + 0.2 us each). The table lives behind the data area. */
  batch(thread: EngineThread, calls: readonly RemoteCall[]): bigint[] | Gone;
  close(): void;
}

export type ThreadLife =
  /** Stopped, runs on at the next resume. */
  | 'live'
  /** Exited in the eyes of the program and of gdb, held by us so that a checkpoint can bring it back (all its kernel registrations
   * are gone: rseq, robust list, clear_child_tid; all signals blocked). */
  | 'parked';

/** What only the thread itself can ask the kernel. */
export interface Registrations {
  /** set_tid_address(2); undefined: this kernel does not tell. */
  readonly tidAddress: Addr | undefined;
  /** stack_t of sigaltstack(2), 24 bytes. */
  readonly altstack: Buffer;
}

/** What only the process itself can ask the kernel for. */
export interface ProcessAnswers {
  /** 64 kernel sigactions of 32 bytes, signal 1 first. */
  readonly actions: Buffer;
  /** ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF: struct itimerval, 32 bytes each. */
  readonly intervalTimers: readonly Buffer[];
  readonly brk: Addr;
  /** Where the heap ended when it was asked for the break. */
  readonly heapEnd: Addr | undefined;
}

export interface EngineThread {
  readonly ref: ThreadRef;
  readonly life: ThreadLife;
  gp(): GpRegs | Gone;
  /** Written to the kernel before the thread runs on; also forgets a system call in progress unless the new state has one. */
  setGp(gp: GpRegs): void;
  fp(): FpRegs | Gone;
  setFp(fp: FpRegs): void;
  /** Blocked signals, 8 bytes. */
  sigmask(): Buffer | Gone;
  setSigmask(mask: Buffer): void;
  /**
   * The program's own call behind a restart_syscall(2) that the thread is in: its arguments are still in the registers, its number is
   * not. undefined: it was interrupted before we knew the thread.
   */
  callBehindRestart(): number | undefined;
  /** What the thread answered when it was last asked, when it cannot have changed since (the exit filter stops it at these calls). */
  knownRegistrations(): Registrations | undefined;
  /** Remembers an answer; undefined: it is void. */
  noteRegistrations(registrations: Registrations | undefined): void;
  /** What the kernel has handed to us and the thread has not got yet; not our own SIGTRAP/SIGSTOP/^C, and no fault (it is met again). */
  signalInHand(): SignalInHand | undefined;
  /** Puts it into our hand again (restore). */
  handBack(signal: SignalInHand): void;
}

/** A signal between kernel and thread. */
export interface SignalInHand {
  /** 128 bytes. */
  readonly info: Buffer;
  /** It goes to the thread when that runs on; else the debugger is told first, and decides. */
  readonly passing: boolean;
}

/** How the process stands. */
export type ProcessLife =
  | { readonly kind: 'running' }
  /** It called exit_group (or got a fatal signal) and is held before it. */
  | {
      readonly kind: 'held';
      readonly report:
        { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'signalled'; readonly signal: number };
    };

/** Of threads that some checkpoint has. */
export type WantedSerials = Pick<ReadonlySet<number>, 'has'>;

export interface EngineInferior {
  readonly pid: Pid;
  readonly arch: Arch;
  /** Launched with the exit filter in place: threads and the process can be held at exit. */
  readonly parking: boolean;
  /** Counts execs: a checkpoint of another image cannot be restored in place. */
  readonly image: number;
  /** /proc/PID/mem opened O_RDWR, /proc/PID/pagemap O_RDONLY, a pidfd; owned by the inferior, opened again after exec. */
  readonly memFd: number;
  readonly pagemapFd: number;
  readonly pidFd: number;
  readonly life: ProcessLife;
  /** Set to false by who has looked and found none: nobody need look again before it makes one. */
  mayHaveChildren: boolean;

  /**
   * Brings every thread into a signal-type stop in which registers may be set and calls injected. Returns a reason when that cannot be done now
   * (a thread inside vfork).
   */
  prepare(): { readonly ok: true } | { readonly ok: false; readonly thread: ThreadRef; readonly reason: string } | Gone;
  /** Live threads first, then parked ones. */
  threads(): readonly EngineThread[];
  /** The thread that gdb sees as the one that stopped. */
  currentThread(): ThreadRef | undefined;
  setCurrentThread(ref: ThreadRef): void;
  /** A thread that is fit to run injected calls (live, prepared). */
  worker(): EngineThread | undefined;

  /**
   * What the process answered when it was last asked. Void once a call changes it, the program's (the exit filter stops it there) or one
   * that was injected.
   */
  knownAnswers(): ProcessAnswers | undefined;
  /** Remembers answers; undefined: they are void. */
  noteAnswers(answers: ProcessAnswers | undefined): void;

  /** One injected system call (no scratch memory needed). */
  syscall(thread: EngineThread, nr: number, ...args: bigint[]): bigint | Gone;
  /** Maps the scratch area. `avoid`: ranges in which it must not lie (mappings of the target of a restore). */
  openScratch(avoid: readonly { readonly start: Addr; readonly end: Addr }[]): Scratch | Gone;

  /** Takes our breakpoint bytes out of memory; the returned function puts those that gdb still has back in (and reports none that fail). */
  liftBreakpoints(): () => void;

  /**
   * Which threads must be held when they exit: asked by the owner at each thread exit, set by the engine when its tree changes.
   * Serials, not tids.
   */
  setWanted(serials: WantedSerials): void;
  /** true: the process is held at its end (a checkpoint exists). */
  setHoldExit(hold: boolean): void;
  /**
   * Takes a live thread out of the program: its kernel registrations are removed, all its signals blocked; it becomes 'parked'.
   * Its registers are kept by the caller's checkpoint. Must be called before memory is rolled back.
   */
  shelve(thread: EngineThread): true | Gone;
  /** A parked thread becomes 'live' again (registrations and registers are the caller's business, after memory). */
  unshelve(thread: EngineThread): void;
  /** Lets a parked thread that no checkpoint wants any more really exit. */
  release(thread: EngineThread): void;
  /** After a restore: the process is not at its end any more, pending reports are void. */
  revive(): void;
}
