/**
 * The numbers that the client gets for frames and for things with variables. They are void after the program has run; a number is never
 * given twice, so one that comes too late is noticed.
 */

import { userError } from '../../native/base/errors';

export class Handles<T> {
  private readonly values = new Map<number, T>();

  /** `what`: for the sentence, e.g. "frame". */
  constructor(
    private readonly what: string,
    private next = 1,
  ) {}

  add(value: T): number {
    const id = this.next++;
    this.values.set(id, value);
    return id;
  }

  get(id: unknown): T {
    const value = typeof id === 'number' ? this.values.get(id) : undefined;
    if (value === undefined)
      throw userError('stale', `there is no ${this.what} ${String(id)} (any more): the program has run since`);
    return value;
  }

  clear(): void {
    this.values.clear();
  }
}
