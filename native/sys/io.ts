/**
 * Descriptors of the tracer thread: sockets to gdb, /proc files of tracees. Synchronous; negative results of the shim become
 * values or KernelErrors here.
 */

import { kernelError } from '../base/errors';
import { errnoName } from '../abi/errno';
import { bind } from './shim';

const listenUnixRaw = bind<(path: string) => number>('int sp_listen_unix(const char *path)');
const listenTcpRaw = bind<(host: string, port: number) => number>('int sp_listen_tcp(const char *host, int port)');
const localPortRaw = bind<(fd: number) => number>('int sp_local_port(int fd)');
const acceptRaw = bind<(fd: number, peer: Buffer, length: number) => number>(
  'int sp_accept(int fd, void *peer, int peer_length)',
);
const readRaw = bind<(fd: number, buf: Buffer, length: number) => number>('int64_t sp_read(int fd, void *buf, int64_t length)');
const writeRaw = bind<(fd: number, buf: Buffer, length: number, timeout: number) => number>(
  'int64_t sp_write_all(int fd, const void *buf, int64_t length, int timeout_ms)',
);
const closeRaw = bind<(fd: number) => number>('int sp_close(int fd)');
const openRaw = bind<(path: string, flags: number, mode: number) => number>('int sp_open(const char *path, int flags, int mode)');
const preadRaw = bind<(fd: number, buf: Buffer, length: number, offset: bigint) => number>(
  'int64_t sp_pread(int fd, void *buf, int64_t length, uint64_t offset)',
);
const pwriteRaw = bind<(fd: number, buf: Buffer, length: number, offset: bigint) => number>(
  'int64_t sp_pwrite(int fd, const void *buf, int64_t length, uint64_t offset)',
);
const pidfdOpenRaw = bind<(pid: number) => number>('int sp_pidfd_open(int pid)');
const pidfdGetfdRaw = bind<(pidfd: number, fd: number) => number>('int sp_pidfd_getfd(int pidfd, int fd)');

const dupRaw = bind<(fd: number) => number>('int sp_dup(int fd)');
const dup2Raw = bind<(from: number, to: number) => number>('int sp_dup2(int from, int to)');

const EAGAIN = 11;

/** The result of a shim function, or what it failed with. */
export function must(result: number, call: string): number {
  if (result < 0) throw kernelError(call, -result, errnoName(-result));
  return result;
}

export const listenUnix = (path: string): number => must(listenUnixRaw(path), `bind ${path}`);
export const listenTcp = (host: string, port: number): number => must(listenTcpRaw(host, port), `bind ${host}:${port}`);
export const localPort = (fd: number): number => must(localPortRaw(fd), 'getsockname');

/** undefined: the peer went away before we got to it. `peer` is printable. */
export function accept(fd: number): { readonly fd: number; readonly peer: string } | undefined {
  const peer = Buffer.alloc(64);
  const client = acceptRaw(fd, peer, peer.length);
  return client < 0 ? undefined : { fd: client, peer: peer.toString('latin1', 0, peer.indexOf(0)) };
}

/** Bytes read; 0 at the end of the stream or on its loss; undefined when there is nothing now. */
export function readSome(fd: number, buffer: Buffer): number | undefined {
  const n = readRaw(fd, buffer, buffer.length);
  if (n === -EAGAIN) return undefined;
  return n < 0 ? 0 : n;
}

/** false: the peer is gone or has read nothing for ten seconds. */
export function writeAll(fd: number, data: Buffer): boolean {
  return writeRaw(fd, data, data.length, 10_000) === data.length;
}

export function close(fd: number): void {
  closeRaw(fd);
}

export const duplicate = (fd: number): number => must(dupRaw(fd), `dup(${fd})`);
export const duplicateTo = (from: number, to: number): number => must(dup2Raw(from, to), `dup2(${from}, ${to})`);

/** A descriptor (close-on-exec), or -errno. */
export const open = (path: string, flags: number, mode = 0o600): number => openRaw(path, flags, mode);
/** Bytes transferred (fewer at an unmapped page), or -errno. */
export const pread = (fd: number, buffer: Buffer, offset: bigint): number => preadRaw(fd, buffer, buffer.length, offset);
export const pwrite = (fd: number, buffer: Buffer, offset: bigint): number => pwriteRaw(fd, buffer, buffer.length, offset);
/** A descriptor, or -errno. */
export const pidfdOpen = (pid: number): number => pidfdOpenRaw(pid);
export const pidfdGetfd = (pidfd: number, fd: number): number => pidfdGetfdRaw(pidfd, fd);
