/**
 * Starts a debug server for one test: ours or GNU gdbserver, with gdbserver's own words, and ends it with all that it started.
 *
 * The server runs in a session of its own, so that whatever is left of it can be found and ended. Its standard output is the
 * program's; what it says itself comes on standard error.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export type ServerKind = 'savepoint' | 'gdbserver';

export const root = path.join(__dirname, '../..');

export function fixture(name: string): string {
  return path.join(root, 'test/fixtures/build', name);
}

/** The words that start a server, before its own options. */
export function serverCommand(kind: ServerKind): readonly [string, ...string[]] {
  return kind === 'gdbserver' ? ['gdbserver'] : [process.execPath, path.join(root, 'dist/savepoint.js'), 'gdbserver'];
}

export interface ServerOptions {
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the program reads; without it an empty input. `open`: stays open, for `DebugServer.input`. */
  readonly input?: string;
  /** As this user. */
  readonly uid?: number;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class DebugServer {
  private readonly child: ChildProcess;
  private out = '';
  private err = '';
  private readonly watchers = new Set<() => void>();
  /** When the server itself has ended. */
  readonly ended: Promise<Ending>;
  /** When nobody holds its outputs any more: the server and its programs have ended. */
  readonly closed: Promise<void>;

  constructor(kind: ServerKind, options: ServerOptions) {
    const [command, ...first] = serverCommand(kind);
    this.child = spawn(command, [...first, ...options.args], {
      cwd: options.cwd ?? os.tmpdir(),
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.child.stdin!.on('error', () => undefined);
    if (options.input !== 'open') this.child.stdin!.end(options.input ?? '');
    this.child.stdout!.on('data', (chunk: Buffer) => this.add('out', chunk));
    this.child.stderr!.on('data', (chunk: Buffer) => this.add('err', chunk));
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', (code, signal) => {
        resolve({ code, signal });
        this.notify();
      });
    });
    this.closed = new Promise((resolve) => void this.child.once('close', () => resolve()));
  }

  private add(stream: 'out' | 'err', chunk: Buffer): void {
    this[stream] += chunk.toString('latin1');
    this.notify();
  }

  private notify(): void {
    for (const watcher of this.watchers) watcher();
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** What the program (and a server without better manners) has printed. */
  get output(): string {
    return this.out;
  }

  get errors(): string {
    return this.err;
  }

  get input(): NodeJS.WritableStream {
    return this.child.stdin!;
  }

  /** Waits until a stream matches; fails when the server ends without it. */
  until(stream: 'output' | 'errors', pattern: RegExp, milliseconds = 20_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        this.watchers.delete(look);
        act();
      };
      const look = (): void => {
        const match = pattern.exec(this[stream]);
        if (match !== null) finish(() => resolve(match));
        else if (this.child.exitCode !== null || this.child.signalCode !== null)
          finish(() => reject(this.complaint(`ended before ${pattern}`)));
      };
      const timer = setTimeout(
        () => finish(() => reject(this.complaint(`no ${pattern} within ${milliseconds} ms`))),
        milliseconds,
      );
      this.watchers.add(look);
      look();
    });
  }

  private complaint(what: string): Error {
    return new Error(`the server ${what}\nstdout: ${this.out}\nstderr: ${this.err}`);
  }

  async port(): Promise<number> {
    return Number((await this.until('errors', /Listening on port (\d+)/))[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends the server, its programs, and everybody else of its session; waits until its outputs are closed. */
  async end(): Promise<void> {
    this.child.stdin!.destroy();
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await within(this.ended, 2_000);
    for (const pid of sessionMembers(this.pid)) killOne(pid);
    if (!(await within(this.closed, 5_000))) {
      this.child.stdout!.destroy();
      this.child.stderr!.destroy();
    }
  }
}

/** Whether the promise settled in time. */
export async function within(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), milliseconds)));
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A program that runs outside any debugger until its standard input ends. */
export class Bystander {
  private readonly child: ChildProcess;
  private out = '';
  readonly ended: Promise<Ending>;
  private readonly watchers = new Set<() => void>();

  constructor(program: string, args: readonly string[], options: { readonly cwd?: string } = {}) {
    this.child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'inherit'], cwd: options.cwd ?? os.tmpdir() });
    this.child.stdin!.on('error', () => undefined);
    this.child.stdout!.on('data', (chunk: Buffer) => {
      this.out += chunk.toString('latin1');
      for (const watcher of this.watchers) watcher();
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  get output(): string {
    return this.out;
  }

  get input(): NodeJS.WritableStream {
    return this.child.stdin!;
  }

  async until(pattern: RegExp, milliseconds = 20_000): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!pattern.test(this.out)) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
    if (!(await within(Promise.race([seen, this.ended]), milliseconds)) || !pattern.test(this.out)) {
      throw new Error(`process ${this.pid}: no ${pattern} in ${JSON.stringify(this.out)}`);
    }
  }

  /** Ends its input and waits; what it has printed. */
  async finish(): Promise<string> {
    this.child.stdin!.end();
    if (!(await within(this.ended, 10_000)))
      return `${this.out}*** process ${this.pid} does not end: ${processFields(this.pid)?.[0]} ***`;
    return this.out;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}

/** Living processes whose session is `session` (the sixth field of /proc/PID/stat). A zombie waits for its parent only, here the init process. */
export function sessionMembers(session: number): number[] {
  return listProcesses().filter((pid) => {
    const fields = processFields(pid);
    return fields?.[3] === String(session) && fields[0] !== 'Z' && fields[0] !== 'X';
  });
}

export function listProcesses(): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The fields of /proc/PID/stat after the command: state, parent, group, session, … */
export function processFields(pid: number): string[] | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** The file that a process runs; nothing when it is gone or somebody else's. */
export function executableOf(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

/** A private folder and its end. */
export function makeFolder(): { readonly path: string; remove(): void } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-test-'));
  fs.chmodSync(folder, 0o755);
  return { path: folder, remove: () => fs.rmSync(folder, { recursive: true, force: true }) };
}
