/**
 * An open file of the program that we keep open with it, so that a restore can give a closed descriptor back. Counted: several checkpoints
 * share one. Pipes and sockets are held only for the length of a restore: a further end would change when others see end of file.
 */

import * as io from '../sys/io';

export class HeldFile {
  private holders = 1;

  constructor(readonly fd: number) {}

  hold(): this {
    this.holders++;
    return this;
  }

  drop(): void {
    if (--this.holders === 0) io.close(this.fd);
  }
}
