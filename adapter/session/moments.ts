/** Moments: the stops that the client was told of, and others in which a checkpoint was taken; which checkpoint is of which. Pure. */

import type { CheckpointStop } from '../../native/control/schema';
import type { ProgramStop, StopReport } from './stops';

export interface Moment {
  readonly number: number;
  /** undefined: nobody knows where the program stood. */
  readonly stop: CheckpointStop | undefined;
  /** How many stops there were from the program's start to here, this one included, on the way that led here. */
  readonly depth: number;
}

export class Moments {
  private present: Moment = { number: 0, stop: undefined, depth: 0 };
  /** By checkpoint. */
  private readonly known = new Map<number, Moment>();
  private next = 1;

  get now(): Moment {
    return this.present;
  }

  /** The client is told of a stop. */
  arrive(stop: CheckpointStop): Moment {
    this.present = { number: this.next++, stop, depth: this.present.depth + 1 };
    return this.present;
  }

  /** A moment that is no stop: the program runs. `stop`: where it passed. */
  passing(stop?: CheckpointStop): Moment {
    return { number: this.next++, stop, depth: this.present.depth };
  }

  /** The same, and the program stands there. */
  pass(): void {
    this.present = this.passing();
  }

  /** The state of a checkpoint is the present again. Only the entry's is of no moment yet. */
  returnTo(id: number): void {
    this.present = this.known.get(id) ?? { number: this.next++, stop: undefined, depth: 0 };
    this.known.set(id, this.present);
  }

  of(id: number): Moment | undefined {
    return this.known.get(id);
  }

  keep(id: number, moment: Moment): void {
    this.known.set(id, moment);
  }

  forget(id: number): void {
    this.known.delete(id);
  }

  clear(): void {
    this.known.clear();
  }

  /** Stops between a checkpoint before the present and the present. `ended`: the program has ended after its last stop. */
  stopsSince(id: number, ended: boolean): number {
    const here = this.present.depth + (ended ? 1 : 0);
    return Math.max(0, here - (this.known.get(id)?.depth ?? 0) - 1);
  }
}

export function describePassed(stops: number): string {
  const before = stops === 1 ? 'The stop before has' : `The ${stops} stops before have`;
  return `${before} no checkpoint ("automaticCheckpoints" limits what they may cost): this is the last moment that has one.`;
}

export function describeStop(stop: ProgramStop, report: StopReport): CheckpointStop {
  const { frame } = stop;
  const source = frame?.fullName ?? frame?.file;
  return {
    reason: report.reason,
    ...(stop.thread === undefined ? {} : { threadId: stop.thread }),
    ...(source === undefined ? {} : { source }),
    ...(frame?.line === undefined ? {} : { line: frame.line }),
    ...(frame?.function === undefined ? {} : { function: frame.function }),
  };
}
