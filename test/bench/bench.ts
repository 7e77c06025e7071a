/**
 * `npm run bench`: runs the rows one after the other, prints the table. Bundled and started by scripts/bench.mjs.
 *
 * A row that fails, or takes too long, is a line that says so; what it had measured stays.
 */

import { adapterRows } from './adapter';
import { checkpointRows } from './checkpoints';
import { gdbRows } from './gdb';
import { judge, table, type FailedLine, type Judged } from './lines';
import { manyRow } from './many';
import { rawRow } from './raw';
import { runningRow } from './running';
import { Scope, type Row, type Settings } from './scope';
import { threadsRow } from './threads';
import { workbenchRows } from './workbench';

export interface Options extends Settings {
  /** Rows whose name contains this. */
  readonly only?: string;
}

/** A row that takes longer is given up. */
const ROW_LIMIT_MS = { quick: 60_000, full: 200_000 };

const rows: readonly Row[] = [
  ...checkpointRows,
  runningRow,
  threadsRow,
  manyRow,
  ...gdbRows,
  rawRow,
  ...adapterRows,
  ...workbenchRows,
];

export const rowNames = (): string[] => rows.map((row) => row.name);

export interface Outcome {
  readonly lines: readonly (Judged | FailedLine)[];
  readonly text: string;
}

export async function runBench(options: Options, say: (line: string) => void): Promise<Outcome> {
  const lines: (Judged | FailedLine)[] = [];
  let scope: Scope | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    say(`\n${table(lines)}`);
    void scope?.end().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  for (const row of rows) {
    if (options.only !== undefined && !row.name.includes(options.only)) continue;
    const start = performance.now();
    scope = new Scope((line) => lines.push(judge(line)));
    try {
      await withLimit(row.run(scope, options), options.quick ? ROW_LIMIT_MS.quick : ROW_LIMIT_MS.full);
    } catch (error) {
      lines.push({ row: row.name, failed: error instanceof Error ? error.message : String(error) });
    } finally {
      await scope.end();
    }
    say(`${row.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  process.off('SIGINT', interrupt);
  process.off('SIGTERM', interrupt);
  return { lines, text: table(lines) };
}

async function withLimit(work: Promise<void>, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limit / 1000} s (is the machine busy?)`)), limit);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
