/** The program that most of the adapter's tests debug. */

import { fixture, root } from './cli-session';
import type { DapPlace, DapRun } from './dap-session';
import { lineOf } from './source-lines';

export const program = fixture('dap-basic');
export const source = `${root}/test/fixtures/dap-basic.c`;
/** The line that ends with the comment. */
export const line = (comment: string): number => lineOf(source, comment);

/** Starts it (or another one, by `args`) where `place` is at that time, without automatic checkpoints unless they are asked for. */
export const launching =
  (place: () => DapPlace) =>
  (args: Record<string, unknown>, set?: (run: DapRun) => Promise<unknown>, client?: Record<string, unknown>): Promise<DapRun> =>
    place().launched({ program, automaticCheckpoints: false, ...args }, set, client);
