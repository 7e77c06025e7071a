/**
 * Collects garbage while the owner has nothing to do, so that it need not in the midst of a checkpoint: V8 does it when its room for new
 * objects is full, which takes 1 to 10 ms. V8's own work for idle times never gets its turn here, for the owner's loop is not Node's.
 */

import * as v8 from 'node:v8';
import * as vm from 'node:vm';

/** Nothing to do for so long: a user looks at the screen. Milliseconds. */
const IDLE_MS = 40;
/** With fewer new objects than this, a collection is not worth its time. Bytes. */
const WORTH = 256 * 1024;

type Collect = (options: { type: 'minor' }) => void;

export class SpareTime {
  private due = true;
  private collect: Collect | undefined;

  /** For the next wait that would last for ever: milliseconds, -1 when there is nothing left to do. */
  get timeoutMs(): number {
    return this.due ? IDLE_MS : -1;
  }

  /** After each wait. `idle`: nothing came. */
  waited(idle: boolean): void {
    if (idle && this.due) this.tidy();
    this.due = !idle;
  }

  private tidy(): void {
    const room = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (room === undefined || room.space_used_size < WORTH) return;
    this.collect ??= exposeCollect();
    this.collect({ type: 'minor' });
  }
}

/** Only contexts that are made while the flag is set have `gc`. */
function exposeCollect(): Collect {
  v8.setFlagsFromString('--expose-gc');
  try {
    return vm.runInNewContext('gc') as Collect;
  } finally {
    v8.setFlagsFromString('--no-expose-gc');
  }
}
