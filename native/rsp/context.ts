/**
 * What a packet handler sees of the session.
 */

import type { Pid, ThreadRef } from '../base/brands';
import { peerError } from '../base/errors';
import type { ResumeEntry, ServerHooks, StopReport, Target } from '../owner/ops';
import type { Client } from './client';
import type { Cursor } from './cursor';
import type { HostFiles } from './host-files';
import type { LaunchSettings } from './launch-settings';
import type { Selection } from './selection';
import type { PacketWriter } from './writer';

/** The handler has put its reply into `out`. */
export const WRITTEN: unique symbol = Symbol('written');
/** No reply now: a stop reply follows, or the packet has none (k). */
export const SILENT: unique symbol = Symbol('silent');

/** Text is ASCII without `$ # } *`; bytes are escaped. The empty text says that the packet is not supported. */
export type Reply = string | Buffer | typeof WRITTEN | typeof SILENT;

/** `args` stands behind the packet's name, on the separator when there is one. */
export type Handler = (context: Context, args: Cursor) => Reply;

export const OK = 'OK';
/** The only error number used: gdb shows it and nothing else. */
export const FAILED = 'E01';

export interface Context {
  readonly target: Target;
  readonly hooks: ServerHooks;
  /** Begun already when a handler is called. */
  readonly out: PacketWriter;
  readonly launch: LaunchSettings;
  readonly selection: Selection;
  readonly files: HostFiles;
  /** Documents being read piecewise through qXfer, by object and annex. */
  readonly documents: Map<string, Buffer>;
  /** Threads that qsThreadInfo has still to name. */
  threadsToList: readonly ThreadRef[];
  client: Client;
  /** The client sent `!`. */
  extended: boolean;
  readonly extendedAllowed: boolean;
  /** Processes that were attached to rather than launched. */
  readonly attached: Set<Pid>;
  /** The text of the last error that could be shown, for `monitor last-error`. */
  lastError(): string | undefined;

  stopAcknowledging(): void;
  /** For the user at the server's side. */
  log(text: string): void;
  /** Answers an armed restore, else resumes. `reachable` false: the entries are for nobody who is there, an error when it comes to that. */
  resume(entries: readonly ResumeEntry[], reachable?: boolean): Reply;
  /** Answers a stop that has already happened (launch, attach, `?`). */
  answerStop(report: StopReport): Reply;
  /** The last report that was answered and is still true; undefined: none yet in this session. */
  lastStop(): StopReport | undefined;
  /** gdb has let go of the process (vKill, D). */
  letGo(pid: Pid, how: 'killed' | 'detached'): void;
}

/** The general thread; throws when there is no process. */
export function generalThread(context: Context): ThreadRef {
  const thread = context.selection.general;
  if (thread === undefined) throw peerError('no-thread', 'no thread is selected');
  return thread;
}

/** The general thread's process; throws when there is none. */
export function generalPid(context: Context): Pid {
  const pid = context.selection.pid;
  if (pid === undefined) throw peerError('no-process', 'no process is selected');
  return pid;
}
