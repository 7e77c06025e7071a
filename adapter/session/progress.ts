/**
 * Progress of what takes long: the client hears of it when it has taken half a second, and may cancel it where that is possible.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Client } from '../dap/connection';

/** Shorter work would only flicker. */
const SHOWN_AFTER_MS = 500;
/** More often nobody could read it. */
const UPDATED_AFTER_MS = 100;

/** What the work says of itself; the client hears the newest. */
export interface Reporter {
  /** `percentage`: 0 to 100. */
  update(message: string, percentage: number): void;
}

export class Progress {
  /** What `cancel` of a progress does. */
  private readonly open = new Map<string, () => void>();
  private next = 1;

  constructor(
    private readonly client: Client,
    /** Whether the client wants to hear of it. */
    private readonly isWanted: () => boolean,
  ) {}

  /** A title that is a function is asked when it is shown. `cancel` undefined: it cannot be cancelled. */
  async show<T>(title: string | (() => string), work: (reporter: Reporter) => Promise<T>, cancel?: () => void): Promise<T> {
    const one = new Shown(this.client, `savepoint-${this.next++}`);
    const timer = setTimeout(() => {
      if (this.isWanted()) one.start(typeof title === 'string' ? title : title(), cancel !== undefined);
    }, SHOWN_AFTER_MS);
    if (cancel !== undefined) this.open.set(one.id, cancel);
    try {
      return await work(one);
    } finally {
      clearTimeout(timer);
      this.open.delete(one.id);
      one.end();
    }
  }

  /** false: it is over, or cannot be cancelled. */
  cancel(progressId: string): boolean {
    const act = this.open.get(progressId);
    act?.();
    return act !== undefined;
  }
}

type State = Pick<DebugProtocol.ProgressUpdateEvent['body'], 'message' | 'percentage'>;

class Shown implements Reporter {
  private isShown = false;
  private state: State = {};
  private toldAt = 0;

  constructor(
    private readonly client: Client,
    readonly id: string,
  ) {}

  start(title: string, cancellable: boolean): void {
    this.isShown = true;
    this.toldAt = performance.now();
    this.client.send('progressStart', { progressId: this.id, title, cancellable, ...this.state });
  }

  update(message: string, percentage: number): void {
    this.state = { message, percentage };
    if (!this.isShown || performance.now() - this.toldAt < UPDATED_AFTER_MS) return;
    this.toldAt = performance.now();
    this.client.send('progressUpdate', { progressId: this.id, ...this.state });
  }

  end(): void {
    if (this.isShown) this.client.send('progressEnd', { progressId: this.id });
  }
}
