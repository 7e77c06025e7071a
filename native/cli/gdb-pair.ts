/**
 * The owner and a gdb that debugs through it: started at the same time, ended together. For `savepoint gdb` and the debug adapter.
 *
 * The owner serves a socket in a private directory; gdb reads its own files meanwhile, and connects when it hears by a pipe that the owner
 * listens. Knows nothing of RSP or ptrace; what gdb must do is in gdb/savepoint.py.
 *
 * Who ends when:
 *  - gdb quits: the lifeline pipe is closed, the owner ends its programs and itself, the directory goes;
 *  - gdb is to end (`told`): it gets SIGTERM, then as above;
 *  - we are killed outright: the kernel closes the lifeline, so the owner ends; gdb asked for a signal at our death (savepoint.py);
 *  - the owner dies: gdb sees its connection close and tells; we say so, too, when gdb has ended.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { userError } from '../base/errors';
import { findSockets, removeOwnersFiles } from '../control/socket-directory';
import { findProgram } from './find-program';
import { type GdbPlan, gdbArguments } from './gdb-args';
import { findScript } from './gdb-script';
import { makePrivateDirectory, removePrivateDirectory } from './private-directory';

/** Limits for what normally takes milliseconds; reaching one is an error, never a way to wait. */
const OWNER_START_MS = 15_000;
const GDB_END_MS = 5_000;
const OWNER_END_MS = 5_000;

export type Ending =
  { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

export interface PairStart {
  /** The file of gdb. */
  readonly gdb: string;
  readonly plan: Extract<GdbPlan, { kind: 'debug' }>;
  /** The owner's words about the control surface. */
  readonly listen?: readonly string[];
  /** gdb's standard input, output and errors: ours, or pipes to us. */
  readonly stdio: 'inherit' | 'pipe';
  /** The master of a pseudo terminal, which becomes the program's; undefined: `plan.tty`, else our own terminal. */
  readonly pty?: number;
  /** gdb is to end. */
  readonly told: Promise<Ending>;
  /** A program talks to gdb, and nothing useful is left to say without the owner. */
  readonly endWithOwner: boolean;
  readonly say: (text: string) => void;
}

export interface Pair {
  readonly child: ChildProcess;
  /** How gdb ended; by then the owner has, too. Rejects when the owner or gdb cannot be started. */
  readonly end: Promise<Ending>;
}

/** `wanted`: a name or a file, `by` whom; undefined: the one in PATH. `missing`: a sentence. */
export function findGdb(
  wanted: string | undefined,
  by = 'SAVEPOINT_GDB',
): { readonly gdb: string } | { readonly missing: string } {
  const gdb = findProgram(wanted ?? 'gdb');
  if (gdb !== undefined) return { gdb };
  return {
    missing:
      wanted === undefined
        ? 'gdb is not installed (no "gdb" in PATH). On Debian or Ubuntu: apt-get install gdb'
        : `${by} is "${wanted}", which is not a program that can be run. Without it, "gdb" in PATH is taken (apt-get install gdb).`,
  };
}

export function startPair(start: PairStart): Pair {
  const script = findScript();
  if (script === undefined) throw userError('no-script', 'savepoint.py is missing beside savepoint.js: run `npm run build`');
  const directory = makePrivateDirectory();
  try {
    const socket = path.join(directory, 'gdb.sock');
    const owner = startOwner(socket, start);
    const child = startDebugger(start, gdbArguments(start.plan, script, socket));
    return { child, end: endTogether(start, directory, owner, child) };
  } catch (error) {
    removePrivateDirectory(directory);
    throw error;
  }
}

async function endTogether(start: PairStart, directory: string, owner: ChildProcess, child: ChildProcess): Promise<Ending> {
  const ownerEnd = ended(owner);
  const childEnd = ended(child);
  const { told, endWithOwner } = start;
  try {
    await connectWhenReady(child, childEnd, ready(owner, ownerEnd), told);
    const end = await gdbEnd(child, childEnd, endWithOwner ? Promise.race([told, ownerEnd]).then(asSignal) : told);
    await reportEarlyEnd(ownerEnd, start.say);
    return end;
  } finally {
    await letOwnerEnd(owner, ownerEnd);
    removePrivateDirectory(directory);
  }
}

/** The owner's descriptors: 0..2 are the program's, 3 its lifeline (end of file: we are gone), 4 where it says `ready`, 5 the program's terminal. */
const PTY_FD = 5;

function startOwner(socket: string, { plan, listen = [], pty }: PairStart): ChildProcess {
  const terminal = plan.tty === undefined ? undefined : openTerminal(plan.tty);
  try {
    const program = pty === undefined ? (terminal ?? ('inherit' as const)) : 'ignore';
    const words = pty === undefined ? [] : ['--pty', String(PTY_FD)];
    return spawn(
      process.execPath,
      [path.join(__dirname, 'savepoint.js'), 'owner', '--socket', socket, '--lifeline', '3', ...words, ...listen],
      {
        stdio: [program, program, program, 'pipe', 'pipe', ...(pty === undefined ? [] : [pty])],
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

function startDebugger({ gdb, stdio, plan }: PairStart, args: readonly string[]): ChildProcess {
  return spawn(gdb, [...args], {
    stdio: [stdio, stdio, stdio, 'pipe'],
    env: {
      ...process.env,
      SAVEPOINT_LAUNCHER_PID: String(process.pid),
      SAVEPOINT_READY_FD: String(READY_FD),
      ...(plan.program === undefined ? {} : { SAVEPOINT_PROGRAM: plan.program }),
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

/** Waits for gdb; when we are told to end, gdb is told, and killed when it does not. */
export async function gdbEnd(child: ChildProcess, end: Promise<Ending>, told: Promise<Ending>): Promise<Ending> {
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
async function reportEarlyEnd(ownerEnd: Promise<Ending>, say: (text: string) => void): Promise<void> {
  const early = await Promise.race([ownerEnd, Promise.resolve(undefined)]);
  if (early !== undefined && !(early.kind === 'exit' && early.code === 0))
    say(`the debug server ended unexpectedly (${describe(early)}).`);
}

export function ended(child: ChildProcess): Promise<Ending> {
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

function describe(end: Ending): string {
  return end.kind === 'exit' ? `exit status ${end.code}` : end.signal;
}
