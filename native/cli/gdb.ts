/**
 * `savepoint gdb`: an ordinary gdb whose programs are run by our owner process, in the same process group and on the same terminal.
 *
 * Ends with gdb's status. SIGTERM or SIGHUP for us: gdb gets SIGTERM (it then kills or detaches as `quit` does). ^C and ^\ are for gdb and the
 * program: here they are ignored. What else ends when: gdb-pair.ts.
 */

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { planGdb } from './gdb-args';
import { type Ending, ended, findGdb, gdbEnd, startPair } from './gdb-pair';
import { gdbHelp } from './help';
import { splitListen } from './listen-option';

export async function runGdb(argv: readonly string[]): Promise<number> {
  const found = findGdb(process.env['SAVEPOINT_GDB']);
  if ('missing' in found) {
    fs.writeSync(2, `savepoint: ${found.missing}\n`);
    return 127;
  }
  const { gdb } = found;
  if (argv.length === 1 && (argv[0] === '--help' || argv[0] === '-h')) {
    fs.writeSync(1, `${gdbHelp}\n`);
    return statusOf(await ended(spawn(gdb, ['--help'], { stdio: 'inherit' })));
  }
  const { listen, rest } = splitListen(argv);
  const plan = planGdb(rest);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {});
  const told = toldToEnd();
  if (plan.kind === 'plain') {
    const child = spawn(gdb, plan.args, { stdio: 'inherit' });
    return statusOf(await gdbEnd(child, ended(child), told));
  }
  const say = (text: string): void => void fs.writeSync(2, `savepoint: ${text}\n`);
  return statusOf(await startPair({ gdb, plan, listen, stdio: 'inherit', told, endWithOwner: false, say }).end);
}

/** Somebody wants us to end. */
function toldToEnd(): Promise<Ending> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve({ kind: 'signal', signal }));
  });
}

/** A shell's notation of how a child ended. */
function statusOf(end: Ending): number {
  return end.kind === 'exit' ? end.code : 128 + os.constants.signals[end.signal];
}
