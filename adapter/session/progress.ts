/**
 * Progress of what takes long: the client hears of it when it has taken half a second, and may cancel it where that is possible.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Client } from '../dap/connection';

/** Shorter work would only flicker. */
const SHOWN_AFTER_MS = 500;

export class Progress {
  /** What `cancel` of a progress does. */
  private readonly open = new Map<string, () => void>();
  private next = 1;

  constructor(
    private readonly client: Client,
    /** Whether the client wants to hear of it. */
    private readonly isWanted: () => boolean,
  ) {}

  /** `cancel` undefined: it cannot be cancelled. */
  async show<T>(title: string, work: () => Promise<T>, cancel?: () => void): Promise<T> {
    const progressId = `savepoint-${this.next++}`;
    let shown = false;
    const timer = setTimeout(() => {
      if (!this.isWanted()) return;
      shown = true;
      const body: DebugProtocol.ProgressStartEvent['body'] = { progressId, title, cancellable: cancel !== undefined };
      this.client.send('progressStart', body);
    }, SHOWN_AFTER_MS);
    if (cancel !== undefined) this.open.set(progressId, cancel);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      this.open.delete(progressId);
      if (shown) this.client.send('progressEnd', { progressId });
    }
  }

  /** false: it is over, or cannot be cancelled. */
  cancel(progressId: string): boolean {
    const act = this.open.get(progressId);
    act?.();
    return act !== undefined;
  }
}
