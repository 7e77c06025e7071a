/**
 * Notices that the debug server is gone. gdb has no word for it: the process group ends without an exit code, as it does when the program is
 * killed or let go, then comes a stop without a reason, or none at all, and the server is no longer connected.
 */

import { isConnected } from '../gdb/commands-exec';
import { type MiTuple, textOf } from '../gdb/mi-values';
import type { Core } from './core';

export class ServerLoss {
  /** gdb's thread groups that have a process. */
  private readonly groups = new Set<string>();

  constructor(
    private readonly core: Core,
    private readonly onLost: () => void,
  ) {}

  onStarted(fields: MiTuple): void {
    this.groups.add(textOf(fields, 'id') ?? '');
  }

  onExited(fields: MiTuple): void {
    this.groups.delete(textOf(fields, 'id') ?? '');
    if (textOf(fields, 'exit-code') === undefined) void this.look();
  }

  /** Whether a stop is told of nothing. */
  isEmpty(fields: MiTuple): boolean {
    return this.groups.size === 0 && textOf(fields, 'reason') === undefined;
  }

  private async look(): Promise<void> {
    // What gdb says behind is heard with the answer: a program's end, another program.
    if (this.groups.size > 0 || (await isConnected(this.core.gdb).catch(() => true))) return;
    const { kind } = this.core.program;
    if (this.groups.size === 0 && (kind === 'running' || kind === 'stopped' || kind === 'borrowed')) this.onLost();
  }
}
