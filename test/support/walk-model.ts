/** The arithmetic of test/fixtures/dap-walk.c: what its variables are in each round, before and after each of its lines. */

export interface WalkState {
  readonly total: number;
  readonly values: readonly number[];
}

/** Lines of main, in order; `call` covers what mix does, `breathe` keeps the number of rounds within reason. */
export const walkLines = ['top', 'call', 'add', 'limit', 'reset', 'breathe', 'count'] as const;
export type WalkLine = (typeof walkLines)[number];
export const mixLines = ['in mix', 'store', 'end of mix'] as const;

const mix = (x: number): number => (x * 3 + 1) & 0xffff;

export class WalkModel {
  /** At the beginning of each round. */
  private readonly starts: WalkState[] = [{ total: 0, values: [0, 0, 0, 0, 0, 0, 0, 0] }];

  private start(round: number): WalkState {
    for (let at = this.starts.length; at <= round; at++) this.starts.push(after(this.starts[at - 1] as WalkState, 'count'));
    return this.starts[round] as WalkState;
  }

  /** What mix is called with, and what it makes of it. */
  argument(round: number): { x: number; y: number } {
    const x = this.start(round).total & 1023;
    return { x, y: mix(x) };
  }

  /** At a line's beginning, and at its end: a program that is paused may stand between. */
  possible(round: number, line: WalkLine): readonly WalkState[] {
    const start = this.start(round);
    const before = walkLines[walkLines.indexOf(line) - 1];
    return [before === undefined ? start : after(start, before), after(start, line)];
  }
}

/** After a round's lines up to and with this one. */
function after(start: WalkState, line: WalkLine): WalkState {
  const done = walkLines.indexOf(line);
  const y = mix(start.total & 1023);
  const values = done >= 1 ? start.values.map((value, i) => (i === (y & 7) ? y : value)) : start.values;
  let total = done >= 2 ? start.total + y : start.total;
  if (done >= 4 && total > 1_000_000) total = 0;
  return { total, values };
}
