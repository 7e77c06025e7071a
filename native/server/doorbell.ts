/**
 * How gdb's side (savepoint.py) hears that another client wants a restore while gdb stands at its prompt, where the protocol lets nobody tell it
 * anything: a thread of it waits for a byte on this socket, and has gdb ask by `monitor` what is wanted. Nothing else is said here.
 */

import * as io from '../sys/io';
import type { WaitSet } from '../sys/wait-set';

const MOST_LISTENERS = 8;
const RING = Buffer.from('!');

export class Doorbell {
  private readonly heard = new Set<number>();
  private readonly listener: number;

  /** The socket and all who listen are members of `set`; `path` must be free. */
  constructor(
    path: string,
    private readonly set: WaitSet,
  ) {
    this.listener = io.listenUnix(path);
    set.add(this.listener);
  }

  get isHeard(): boolean {
    return this.heard.size > 0;
  }

  owns(fd: number): boolean {
    return fd === this.listener || this.heard.has(fd);
  }

  /** Something came: somebody who wants to listen, or somebody's end. */
  serve(fd: number): void {
    if (fd !== this.listener) {
      if (io.readSome(fd, Buffer.alloc(64)) === 0) this.hangUp(fd);
      return;
    }
    const client = io.accept(fd);
    if (client === undefined) return;
    if (this.heard.size >= MOST_LISTENERS) {
      io.close(client.fd);
      return;
    }
    this.heard.add(client.fd);
    this.set.add(client.fd);
  }

  ring(): void {
    for (const fd of [...this.heard]) if (!io.writeAll(fd, RING)) this.hangUp(fd);
  }

  private hangUp(fd: number): void {
    this.set.remove(fd);
    this.heard.delete(fd);
    io.close(fd);
  }

  close(): void {
    for (const fd of [...this.heard]) this.hangUp(fd);
    this.set.remove(this.listener);
    io.close(this.listener);
  }
}
