/**
 * A take or a restore as a row of named stages. What a stage did to the program is undone when a later one fails (`undo`), or in any case
 * (`always`); last done, first undone. A test makes a stage fail by its name: before it has done anything, or (`NAME:done`) after.
 */

import { describeError } from '../base/errors';
import type { Log } from '../base/log';

export const STAGES = [
  'prepare',
  'admit',
  'lift',
  'threads',
  'process',
  'signals',
  'files',
  'memory',
  'unshelve',
  'shelve',
  'unregister',
  'map',
  'roll',
  'registers',
  'register',
  'requeue',
  'reopen',
  'settings',
  'commit',
] as const;
export type Stage = (typeof STAGES)[number];
export type FailAt = (stage: Stage | `${Stage}:done`) => void;

interface Undo {
  readonly always: boolean;
  readonly act: () => void;
}

export class Stages {
  private readonly undos: Undo[] = [];

  constructor(
    private readonly log: Log,
    private readonly failAt: FailAt,
  ) {}

  run<T>(stage: Stage, act: () => T): T {
    this.failAt(stage);
    const start = performance.now();
    const result = act();
    this.log.add('checkpoint', `${stage} ${(performance.now() - start).toFixed(3)} ms`);
    this.failAt(`${stage}:done`);
    return result;
  }

  /** To be done when a later stage fails. */
  undo(act: () => void): void {
    this.undos.push({ always: false, act });
  }

  /** To be done at the end, whatever the end is. */
  always(act: () => void): void {
    this.undos.push({ always: true, act });
  }

  /** Runs the stages of `act`; afterwards what they left to be done. An undo that fails does not keep the others from their turn. */
  within<T>(act: () => T): T {
    let failed = true;
    try {
      const result = act();
      failed = false;
      return result;
    } finally {
      for (const undo of this.undos.reverse()) {
        if (!failed && !undo.always) continue;
        try {
          undo.act();
        } catch (error) {
          this.log.add('checkpoint', `undo: ${describeError(error)}`);
        }
      }
      this.undos.length = 0;
    }
  }
}
