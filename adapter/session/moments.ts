/** Moments: the stops that the client was told of, and others in which a checkpoint was taken; which checkpoint is of which. Pure. */

import type { CheckpointStop } from '../../native/control/schema';
import type { ProgramStop, StopReport } from './stops';

export interface Moment {
  readonly number: number;
  /** undefined: nobody knows where the program stood. */
  readonly stop: CheckpointStop | undefined;
  /** How many stops there were from the program's start to here, this one included, on the way that led here. */
  readonly depth: number;
  /** The stop before on that way, as far back as stops are told by name. */
  before: Moment | undefined;
}

/** Stops are told one by one back to this many; the chain of those before is let go of. */
const MOST_NAMED = 20;

export class Moments {
  private present: Moment = { number: 0, stop: undefined, depth: 0, before: undefined };
  /** By checkpoint. */
  private readonly known = new Map<number, Moment>();
  private next = 1;

  get now(): Moment {
    return this.present;
  }

  /** The client is told of a stop. */
  arrive(stop: CheckpointStop): Moment {
    this.present = { number: this.next++, stop, depth: this.present.depth + 1, before: this.present };
    let oldest: Moment | undefined = this.present;
    for (let i = 0; i < MOST_NAMED; i++) oldest = oldest?.before;
    if (oldest !== undefined) oldest.before = undefined;
    return this.present;
  }

  /** A moment that is no stop: the program runs. `stop`: where it passed. */
  passing(stop?: CheckpointStop): Moment {
    return { number: this.next++, stop, depth: this.present.depth, before: this.present };
  }

  /** The same, and the program stands there. */
  pass(): void {
    this.present = this.passing();
  }

  /** The state of a checkpoint is the present again. Only the entry's is of no moment yet. */
  returnTo(id: number): void {
    this.present = this.known.get(id) ?? { number: this.next++, stop: undefined, depth: 0, before: undefined };
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
  stopsSince(id: number, ended: boolean): PassedStops {
    const here = this.present.depth + (ended ? 1 : 0);
    const until = this.known.get(id)?.depth ?? 0;
    const count = Math.max(0, here - until - 1);
    const stops: CheckpointStop[] = [];
    let at = ended ? this.present : this.present.before;
    for (; at !== undefined && at.depth > until && stops.length < count; at = at.before) {
      // What was passed while the program ran is no stop.
      if (at.stop !== undefined && at.depth > (at.before?.depth ?? at.depth - 1)) stops.push(at.stop);
    }
    return { count, stops };
  }
}

export interface PassedStops {
  readonly count: number;
  /** Nearest first; those that are known. */
  readonly stops: readonly CheckpointStop[];
}

/** A heading, and the stops that are known by name. */
export function describePassed({ count, stops }: PassedStops): readonly [heading: string, lines: readonly string[]] {
  const before = count === 1 ? 'The stop before has' : `The ${count} stops before have`;
  const heading = `${before} no checkpoint ("automaticCheckpoints" limits what they may cost): this is the last moment that has one.`;
  const more = count - stops.length;
  return [heading, [...stops.map(placeOf), ...(more > 0 && stops.length > 0 ? [`and ${more} before`] : [])]];
}

function placeOf({ reason, source, line, function: name }: CheckpointStop): string {
  const file = source === undefined ? undefined : source.slice(source.lastIndexOf('/') + 1);
  const place = file === undefined || line === undefined ? undefined : `${file}:${line}`;
  return `${[place, name].filter((one) => one !== undefined).join(', ') || 'somewhere'} (${reason})`;
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
