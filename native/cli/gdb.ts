/**
 * `savepoint gdb`: an ordinary gdb whose programs are run by our owner process.
 *
 * Starts the owner on a socket in a private directory, and at the same time gdb, in the same process group and on the same terminal, and
 * ends both together. gdb connects when it hears by a pipe that the owner listens. Knows nothing of RSP or ptrace; what gdb must do is in
 * gdb/savepoint.py.
 *
 * Who ends when:
 *  - gdb quits: the lifeline pipe is closed, the owner ends its programs and itself, the directory goes, gdb's status is ours;
 *  - SIGTERM or SIGHUP for us: gdb gets SIGTERM (it then kills or detaches as `quit` does), then as above;
 *  - we are killed outright: the kernel closes the lifeline, so the owner ends; gdb asked for a signal at our death (savepoint.py);
 *  - the owner dies: gdb sees its connection close and tells; we say so, too, when gdb has ended.
 * ^C and ^\ are for gdb and the program: here they are ignored.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { userError } from '../base/errors';
import { findSockets, removeOwnersFiles } from '../control/socket-directory';
import { type GdbPlan, gdbArguments, planGdb } from './gdb-args';
import { findProgram } from './find-program';
import { findScript } from './gdb-script';
import { gdbHelp } from './help';
import { splitListen } from './listen-option';
import { makePrivateDirectory, removePrivateDirectory } from './private-directory';
import { copyProgramTerminal, splitProgramIo } from './program-terminal';

/** Limits for what normally takes milliseconds; reaching one is an error, never a way to wait. */
const OWNER_START_MS = 15_000;
const GDB_END_MS = 5_000;
const OWNER_END_MS = 5_000;

type Ending = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

export async function runGdb(argv: readonly string[]): Promise<number> {
  const gdb = findProgram(process.env['SAVEPOINT_GDB'] ?? 'gdb');
  if (gdb === undefined) {
    const wanted = process.env['SAVEPOINT_GDB'];
    fs.writeSync(
      2,
      wanted === undefined
        ? 'savepoint: gdb is not installed (no "gdb" in PATH). On Debian or Ubuntu: apt-get install gdb\n'
        : `savepoint: SAVEPOINT_GDB is "${wanted}", which is not a program that can be run. Without it, "gdb" in PATH is taken (apt-get install gdb).\n`,
    );
    return 127;
  }
  if (argv.length === 1 && (argv[0] === '--help' || argv[0] === '-h')) {
    fs.writeSync(1, `${gdbHelp}\n`);
    return statusOf(await ended(spawn(gdb, ['--help'], { stdio: 'inherit' })));
  }
  const { forAdapter, fd, rest: words } = splitProgramIo(argv);
  const { listen, rest } = splitListen(words);
  const plan = planGdb(rest);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {});
  const told = toldToEnd();
  if (plan.kind === 'plain') {
    const child = spawn(gdb, plan.args, { stdio: 'inherit' });
    return statusOf(await gdbEnd(child, ended(child), told));
  }
  if (fd === undefined) return await debug(gdb, plan, listen, told, forAdapter);
  const terminal = await copyProgramTerminal(fd);
  try {
    return await debug(gdb, { ...plan, tty: terminal.name }, listen, told, forAdapter);
  } finally {
    terminal.close();
  }
}

/** `endWithOwner`: a program talks to gdb, and nothing useful is left to say without the owner. */
async function debug(
  gdb: string,
  plan: Extract<GdbPlan, { kind: 'debug' }>,
  listen: readonly string[],
  told: Promise<Ending>,
  endWithOwner: boolean,
): Promise<number> {
  const script = findScript();
  if (script === undefined) throw userError('no-script', 'savepoint.py is missing beside savepoint.js: run `npm run build`');
  const directory = makePrivateDirectory();
  try {
    const socket = path.join(directory, 'gdb.sock');
    const owner = startOwner(socket, plan, listen);
    const ownerEnd = ended(owner);
    try {
      const child = startDebugger(gdb, gdbArguments(plan, script, socket), plan.program);
      const childEnd = ended(child);
      await connectWhenReady(child, childEnd, ready(owner, ownerEnd), told);
      const end = await gdbEnd(child, childEnd, endWithOwner ? Promise.race([told, ownerEnd]).then(asSignal) : told);
      await reportEarlyEnd(ownerEnd);
      return statusOf(end);
    } finally {
      await letOwnerEnd(owner, ownerEnd);
    }
  } finally {
    removePrivateDirectory(directory);
  }
}

/** The owner's descriptors: 0..2 are the program's, 3 its lifeline (end of file: we are gone), 4 where it says `ready`. */
function startOwner(socket: string, plan: Extract<GdbPlan, { kind: 'debug' }>, listen: readonly string[]): ChildProcess {
  const terminal = plan.tty === undefined ? undefined : openTerminal(plan.tty);
  try {
    const program = terminal ?? ('inherit' as const);
    return spawn(
      process.execPath,
      [path.join(__dirname, 'savepoint.js'), 'owner', '--socket', socket, '--lifeline', '3', ...listen],
      {
        stdio: [program, program, program, 'pipe', 'pipe'],
        ...(plan.cwd !== undefined && fs.existsSync(plan.cwd) ? { cwd: plan.cwd } : {}),
      },
    );
  } finally {
    if (terminal !== undefined) fs.closeSync(terminal);
  }
}

function openTerminal(name: string): number {
  try {
    return fs.openSync(name, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
  } catch (cause) {
    throw userError('tty', `--tty ${name}: ${(cause as Error).message}`);
  }
}

function lifeline(owner: ChildProcess): Duplex {
  return owner.stdio[3] as Duplex;
}

/** gdb's descriptor, beside the usual ones, in which it hears that the owner listens. */
const READY_FD = 3;

function startDebugger(gdb: string, args: readonly string[], program: string | undefined): ChildProcess {
  return spawn(gdb, [...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: {
      ...process.env,
      SAVEPOINT_LAUNCHER_PID: String(process.pid),
      SAVEPOINT_READY_FD: String(READY_FD),
      ...(program === undefined ? {} : { SAVEPOINT_PROGRAM: program }),
    },
  });
}

/** gdb reads its own files while the owner starts. Throws when the owner does not; gdb has ended then. */
async function connectWhenReady(
  child: ChildProcess,
  childEnd: Promise<Ending>,
  owner: Promise<void>,
  told: Promise<Ending>,
): Promise<void> {
  const pipe = child.stdio[READY_FD] as Duplex;
  // gdb may be gone.
  pipe.on('error', () => {});
  try {
    const outcome = await Promise.race([owner.then(() => 'ready' as const), childEnd, told]);
    if (outcome === 'ready') pipe.end('!');
  } catch (error) {
    pipe.destroy();
    child.kill('SIGTERM');
    await endWithin(child, childEnd, GDB_END_MS);
    throw error;
  } finally {
    // A gdb that waits goes on, and ends as it is told.
    if (!pipe.writableEnded) pipe.destroy();
  }
}

/** Waits for the owner's `ready` line. */
async function ready(owner: ChildProcess, ownerEnd: Promise<Ending>): Promise<void> {
  const pipe = owner.stdio[4] as Duplex;
  const line = new Promise<'ready'>((resolve) => {
    let text = '';
    pipe.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('ready\n')) resolve('ready');
    });
  });
  const early = ownerEnd.then((end) => ({ early: end }));
  const outcome = await Promise.race([line, early, deadline(OWNER_START_MS)]);
  pipe.destroy();
  if (outcome === 'ready') return;
  if (outcome === 'late') throw userError('owner-start', `the debug server was not ready within ${OWNER_START_MS / 1000} s`);
  throw userError(
    'owner-start',
    `the debug server ended before it was ready (${describe(outcome.early)}); \`savepoint doctor\` may tell why`,
  );
}

const asSignal = (end: Ending): Ending => (end.kind === 'signal' ? end : { kind: 'signal', signal: 'SIGTERM' });

/** Somebody wants us to end. */
function toldToEnd(): Promise<Ending> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve({ kind: 'signal', signal }));
  });
}

/** Waits for gdb; when we are told to end, gdb is told, and killed when it does not. */
async function gdbEnd(child: ChildProcess, end: Promise<Ending>, told: Promise<Ending>): Promise<Ending> {
  const gdbEnded = end.then(() => undefined);
  const signal = await Promise.race([gdbEnded, told]);
  if (signal === undefined) return await end;
  child.kill('SIGTERM');
  await endWithin(child, end, GDB_END_MS);
  return signal;
}

/**
 * Closes our side of the lifeline and waits for the owner's end, unless it answers `nursing`: then programs that were detached
 * still carry its exit filter, and it follows them to their end, for which nobody must wait.
 */
async function letOwnerEnd(owner: ChildProcess, ownerEnd: Promise<Ending>): Promise<void> {
  const pipe = lifeline(owner);
  const nursing = new Promise<'nursing'>((resolve) => {
    let text = '';
    pipe.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('nursing\n')) resolve('nursing');
    });
  });
  pipe.end();
  const outcome = await Promise.race([ownerEnd, nursing, deadline(OWNER_END_MS)]);
  if (outcome === 'late') {
    owner.kill('SIGKILL');
    await ownerEnd;
  }
  // An owner that was killed leaves them.
  if (outcome !== 'nursing' && owner.pid !== undefined)
    for (const found of findSockets()) if (found.pid === owner.pid) removeOwnersFiles(path.dirname(found.path), found.pid);
  pipe.destroy();
  owner.unref();
}

async function endWithin(child: ChildProcess, end: Promise<Ending>, milliseconds: number): Promise<void> {
  if ((await Promise.race([end, deadline(milliseconds)])) !== 'late') return;
  child.kill('SIGKILL');
  await end;
}

/** Tells when the owner was gone before gdb: its programs are gone with it, which gdb reports only as a closed connection. */
async function reportEarlyEnd(ownerEnd: Promise<Ending>): Promise<void> {
  const early = await Promise.race([ownerEnd, Promise.resolve(undefined)]);
  if (early !== undefined && !(early.kind === 'exit' && early.code === 0)) {
    fs.writeSync(2, `savepoint: the debug server ended unexpectedly (${describe(early)}).\n`);
  }
}

function ended(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(userError('spawn', `${child.spawnfile} cannot be started: ${cause.message}`)));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal }),
    );
  });
}

function deadline(milliseconds: number): Promise<'late'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('late'), milliseconds).unref();
  });
}

/** A shell's notation of how a child ended. */
function statusOf(end: Ending): number {
  return end.kind === 'exit' ? end.code : 128 + os.constants.signals[end.signal];
}

function describe(end: Ending): string {
  return end.kind === 'exit' ? `exit status ${end.code}` : end.signal;
}
