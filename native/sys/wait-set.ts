/**
 * Several descriptors behind one, and the pipe by which another thread of this process wakes the tracer thread.
 */

import { bind } from './shim';
import { close, must } from './io';

const setOpen = bind<() => number>('int sp_set_open(void)');
const setAdd = bind<(set: number, fd: number) => number>('int sp_set_add(int set, int fd)');
const setRemove = bind<(set: number, fd: number) => number>('int sp_set_remove(int set, int fd)');
const setReady = bind<(set: number, fds: Buffer, max: number) => number>('int sp_set_ready(int set, void *fds, int max)');
const pipeRaw = bind<(fds: Buffer) => number>('int sp_pipe(void *fds)');

const MAX_READY = 16;

export class WaitSet {
  /** Readable when a member is; may itself be a member of a set. */
  readonly fd = must(setOpen(), 'epoll_create1');
  private readonly room = Buffer.alloc(MAX_READY * 4);

  add(fd: number): void {
    must(setAdd(this.fd, fd), `epoll_ctl(add ${fd})`);
  }

  /** Also of one that is no member. */
  remove(fd: number): void {
    setRemove(this.fd, fd);
  }

  /** Members with something to read, an end, or an error; does not wait. */
  ready(): number[] {
    const n = must(setReady(this.fd, this.room, MAX_READY), 'epoll_wait');
    return Array.from({ length: n }, (_, i) => this.room.readInt32LE(i * 4));
  }

  close(): void {
    close(this.fd);
  }
}

/** Close-on-exec, non-blocking. */
export function openPipe(): { readonly reader: number; readonly writer: number } {
  const fds = Buffer.alloc(8);
  must(pipeRaw(fds), 'pipe2');
  return { reader: fds.readInt32LE(0), writer: fds.readInt32LE(4) };
}
