/**
 * The files that gdb has open through vFile. Descriptors are ours, but gdb can only use those it opened itself.
 */

import * as fs from 'node:fs';

export class HostFiles {
  private readonly open = new Set<number>();
  /** In front of every path: the root of the process whose files are meant. */
  private root = '';

  /**
   * `pid` 0 is ourselves. A process in another mount namespace is seen through /proc/PID/root (proc(5)): enough for the files
   * that a debugger reads, without entering the namespace.
   */
  setRoot(pid: number): void {
    this.root = '';
    if (pid === 0) return;
    const own = fs.readlinkSync('/proc/self/ns/mnt');
    if (fs.readlinkSync(`/proc/${pid}/ns/mnt`) !== own) this.root = `/proc/${pid}/root`;
  }

  path(name: string): string {
    return this.root === '' ? name : `${this.root}/${name}`;
  }

  openFile(name: string, flags: number, mode: number): number {
    const fd = fs.openSync(this.path(name), flags | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK, mode);
    this.open.add(fd);
    return fd;
  }

  has(fd: number): boolean {
    return this.open.has(fd);
  }

  close(fd: number): void {
    this.open.delete(fd);
    fs.closeSync(fd);
  }

  closeAll(): void {
    for (const fd of [...this.open]) this.close(fd);
  }
}
