/**
 * The one table of what a descriptor can be, and what a restore does about each kind. Pure.
 */

import type { FileKind } from './state';

export interface KindFacts {
  /** We may keep a duplicate open for as long as a checkpoint lives. */
  readonly held: boolean;
  /** It has a file position. */
  readonly positioned: boolean;
  /** What is not rolled back; undefined: nothing worth a word. */
  readonly limit: string | undefined;
}

export const FILE_KINDS: Readonly<Record<FileKind, KindFacts>> = {
  file: { held: true, positioned: true, limit: undefined },
  directory: { held: true, positioned: true, limit: undefined },
  'character device': { held: true, positioned: false, limit: 'what went to or came from the device' },
  'block device': { held: true, positioned: true, limit: 'what is on the device' },
  'path only': { held: true, positioned: false, limit: undefined },
  memfd: { held: true, positioned: true, limit: 'its content, except where it is mapped' },
  pipe: { held: false, positioned: false, limit: 'bytes written or read since' },
  socket: { held: false, positioned: false, limit: 'data sent or received since, and the connection' },
  eventfd: { held: true, positioned: false, limit: undefined },
  epoll: { held: true, positioned: false, limit: undefined },
  timerfd: { held: true, positioned: false, limit: 'its setting' },
  signalfd: { held: true, positioned: false, limit: 'its signal mask' },
  inotify: { held: false, positioned: false, limit: 'its watches and queued events' },
  io_uring: { held: false, positioned: false, limit: 'requests in flight' },
  pidfd: { held: false, positioned: false, limit: 'the process it stands for' },
  userfaultfd: { held: false, positioned: false, limit: 'what it is registered for' },
  unknown: { held: false, positioned: false, limit: 'its state' },
};

/** Prefixes of what /proc/PID/fd/N shows, in the order they are tried. */
const BY_TARGET: readonly (readonly [RegExp, FileKind])[] = [
  [/^pipe:\[/, 'pipe'],
  [/^socket:\[/, 'socket'],
  [/^anon_inode:\[?eventfd/, 'eventfd'],
  [/^anon_inode:\[?eventpoll/, 'epoll'],
  [/^anon_inode:\[?timerfd/, 'timerfd'],
  [/^anon_inode:\[?signalfd/, 'signalfd'],
  [/^anon_inode:\[?inotify/, 'inotify'],
  [/^(anon_inode:)?inotify/, 'inotify'],
  [/^anon_inode:\[?io_uring/, 'io_uring'],
  [/^anon_inode:\[?pidfd/, 'pidfd'],
  [/^pidfd:/, 'pidfd'],
  [/^anon_inode:\[?userfaultfd/, 'userfaultfd'],
  [/^\/memfd:/, 'memfd'],
  [/^(anon_inode|[a-z_]+):/, 'unknown'],
];

const S_IFMT = 0o170000;
const BY_MODE: ReadonlyMap<number, FileKind> = new Map<number, FileKind>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o020000, 'character device'],
  [0o060000, 'block device'],
  [0o010000, 'pipe'],
  [0o140000, 'socket'],
]);

/** `mode`: st_mode of what the descriptor stands for; undefined when it cannot be told. */
export function fileKind(target: string, mode: number | undefined, pathOnly: boolean): FileKind {
  if (pathOnly) return 'path only';
  const byTarget = BY_TARGET.find(([pattern]) => pattern.test(target))?.[1];
  return byTarget ?? BY_MODE.get((mode ?? 0) & S_IFMT) ?? 'unknown';
}
