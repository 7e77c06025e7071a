/**
 * The File-I/O protocol's own numbers and `struct stat` (pure; gdb manual, "Protocol-specific Representation of Datatypes" and
 * "Constants"). They are the same on every machine and big endian, unlike the kernel's.
 */

import { constants } from 'node:fs';

/** By Node's error code; File-I/O has names for these only. */
const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  ENOSYS: 88,
  ENAMETOOLONG: 91,
};
const UNKNOWN = 9999;

/** `F-1,errno`, both in hex. */
export function fileError(code: string): string {
  return `F-1,${(ERRNO[code] ?? UNKNOWN).toString(16)}`;
}

const OPEN_FLAGS: readonly (readonly [fileIo: number, host: number])[] = [
  [0x8, constants.O_APPEND],
  [0x200, constants.O_CREAT],
  [0x400, constants.O_TRUNC],
  [0x800, constants.O_EXCL],
];
const ACCESS = [constants.O_RDONLY, constants.O_WRONLY, constants.O_RDWR];
const KNOWN_FLAGS = 0x3 | 0x8 | 0x200 | 0x400 | 0x800;

/** open(2) flags; undefined when there is a bit that File-I/O does not define. */
export function hostOpenFlags(fileIo: number): number | undefined {
  const access = ACCESS[fileIo & 3];
  if (access === undefined || (fileIo & ~KNOWN_FLAGS) !== 0) return undefined;
  return OPEN_FLAGS.reduce((flags, [wire, host]) => ((fileIo & wire) === 0 ? flags : flags | host), access);
}

export interface FileStatus {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blksize: number;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** The File-I/O permission and type bits are Linux's own. */
const MODE_BITS = 0o170777;

/** The 64 bytes of File-I/O's struct stat. */
export function encodeStatus(status: FileStatus): Buffer {
  const out = Buffer.alloc(64);
  let at = 0;
  const word = (value: number): void => {
    out.writeUInt32BE(Math.trunc(value) % 0x1_0000_0000, at);
    at += 4;
  };
  const long = (value: number): void => {
    out.writeBigUInt64BE(BigInt(Math.trunc(value)), at);
    at += 8;
  };
  for (const value of [status.dev, status.ino, status.mode & MODE_BITS, status.nlink, status.uid, status.gid, status.rdev])
    word(value);
  for (const value of [status.size, status.blksize, status.blocks]) long(value);
  for (const value of [status.atimeMs, status.mtimeMs, status.ctimeMs]) word(Math.max(0, value) / 1000);
  return out;
}
