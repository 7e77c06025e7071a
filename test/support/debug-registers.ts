/** Whether debug registers fire on this machine: what the doctor has found out by trying. */

import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

let answer: boolean | undefined;

interface DoctorRow {
  readonly name: string;
  readonly state: string;
}

export function debugRegistersFire(): boolean {
  answer ??= ask();
  return answer;
}

function ask(): boolean {
  const doctor = [path.join(__dirname, '../../dist/savepoint.js'), 'doctor', '--json'];
  let text: string;
  try {
    text = execFileSync(process.execPath, doctor, { encoding: 'utf8' });
  } catch (error) {
    // Status 1: something else does not work here; the report is there all the same.
    text = String((error as { stdout?: unknown }).stdout);
  }
  const { rows } = JSON.parse(text) as { rows: DoctorRow[] };
  const row = rows.find(({ name }) => name === 'hardware watchpoints');
  if (row === undefined) throw new Error(`the doctor says nothing of hardware watchpoints: ${text}`);
  return row.state === 'ok';
}

/** Says it so that nobody overlooks it in a test run's output. */
export function warnOfMissingRegisters(what: string): void {
  process.stderr.write(`\n*** debug registers do not fire on this machine: ${what} ***\n`);
}
