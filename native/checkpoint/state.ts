/**
 * What a checkpoint holds beside memory: plain data, copied from the process. No file descriptors but those of `HeldFile`.
 */

import type { Addr, ThreadRef } from '../base/brands';
import type { FpRegs, GpRegs } from '../arch/arch';
import type { SignalInHand } from '../owner/engine-host';
import type { RseqRegistration } from '../sys/ptrace';
import type { Watch } from './fd-info';
import type { HeldFile } from './held-file';

/** One thread as it stood. */
export interface ThreadState {
  readonly ref: ThreadRef;
  readonly gp: GpRegs;
  readonly fp: FpRegs;
  /** Blocked signals, 8 bytes. */
  readonly sigmask: Buffer;
  /** stack_t, 24 bytes. */
  readonly altstack: Buffer;
  /** get_robust_list(2); 0: none. */
  readonly robustHead: Addr;
  /** undefined: this kernel does not tell. */
  readonly rseq: RseqRegistration | undefined;
  /** set_tid_address(2); undefined: this kernel does not tell. */
  readonly tidAddress: Addr | undefined;
  readonly name: string;
  /** It had left its queue and had not arrived. */
  readonly inHand: SignalInHand | undefined;
  /** siginfos queued for this thread alone. */
  readonly pending: readonly Buffer[];
}

export interface SignalState {
  /** 64 kernel sigactions of 32 bytes, signal 1 first. */
  readonly actions: Buffer;
  /** siginfos queued for the process. */
  readonly pending: readonly Buffer[];
}

export interface ProcessState {
  readonly brk: Addr;
  readonly umask: number;
  /** undefined: not readable (deleted, or no permission). */
  readonly cwd: string | undefined;
  /** ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF: struct itimerval, 32 bytes each. */
  readonly intervalTimers: readonly Buffer[];
  /** POSIX timers that exist (timer_create): not rolled back. */
  readonly posixTimers: number;
  /** Processes it has made and not waited for yet: they are no part of the checkpoint. */
  readonly children: readonly ChildProcess[];
}

export interface ChildProcess {
  readonly pid: number;
  readonly name: string;
}

export type FileKind =
  | 'file'
  | 'directory'
  | 'character device'
  | 'block device'
  | 'path only'
  | 'pipe'
  | 'socket'
  | 'eventfd'
  | 'epoll'
  | 'timerfd'
  | 'signalfd'
  | 'inotify'
  | 'memfd'
  | 'io_uring'
  | 'pidfd'
  | 'userfaultfd'
  | 'unknown';

/** One descriptor. */
export interface FileState {
  readonly fd: number;
  readonly kind: FileKind;
  /** What /proc/PID/fd shows: a path, `pipe:[123]`, `anon_inode:[eventpoll]`. */
  readonly target: string;
  /** O_ flags without O_CLOEXEC. */
  readonly flags: number;
  readonly closeOnExec: boolean;
  readonly position: bigint;
  /** Of an eventfd. */
  readonly counter?: bigint;
  /** Of an epoll set. */
  readonly watches?: readonly Watch[];
  /** Present for kinds that may be held open without the program noticing. */
  readonly held: HeldFile | undefined;
}

/** Something that a restore does not bring back as it was. */
export interface FidelityNote {
  /** `fd 5`, `mapping 7f00…`, `process`. */
  readonly subject: string;
  readonly kind: string;
  readonly sentence: string;
}
