/** Runs the built `savepoint` command as a user would, and talks to the gdb it starts. */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { MarkedProcesses } from './marked-processes';

export const root = path.join(__dirname, '..', '..');
export const fixture = (name: string): string => path.join(root, 'test/fixtures/build', name);

const LIMIT_MS = 40_000;

/** gdb without what differs from machine to machine. */
export const quietGdb = ['-nx', '-q', '-iex', 'set debuginfod enabled off', '-iex', 'set pagination off', '-iex', 'set width 0'];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** A place for one test: private runtime directory, marked processes; `close` proves that nothing is left of either. */
export class CliPlace {
  readonly processes = new MarkedProcesses();
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-test-'));
  readonly runtime = path.join(this.directory, 'run');

  constructor() {
    fs.mkdirSync(this.runtime);
  }

  environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return {
      ...process.env,
      XDG_RUNTIME_DIR: this.runtime,
      // Sessions of other tests, which run at the same time, are not to be found here.
      SAVEPOINT_CONTROL_DIRECTORY: path.join(this.runtime, 'savepoint'),
      ...this.processes.environment,
      ...more,
    };
  }

  start(args: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string; uid?: number } = {}): CliRun {
    return this.startProgram(process.execPath, [path.join(root, 'bin/savepoint'), ...args], options);
  }

  /** Something else than ours. */
  startProgram(
    program: string,
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; cwd?: string; uid?: number } = {},
  ): CliRun {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: this.environment(options.env),
      cwd: options.cwd ?? this.directory,
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    return new CliRun(child);
  }

  /** On a terminal of its own, made by script(1) of util-linux; what is said goes through the terminal's line discipline. */
  startOnTerminal(args: readonly string[]): CliRun {
    const words = [process.execPath, path.join(root, 'bin/savepoint'), ...args];
    const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const child = spawn('script', ['-qfec', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: this.environment({ TERM: 'dumb', SHELL: '/bin/sh' }),
      cwd: this.directory,
    });
    return new CliRun(child);
  }

  /** `uid`: as this user, who gets the place's folders. */
  async run(args: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string; uid?: number } = {}): Promise<Ended> {
    if (options.uid !== undefined)
      for (const folder of [this.directory, this.runtime]) fs.chownSync(folder, options.uid, options.uid);
    const run = this.start(args, options);
    run.child.stdin?.end();
    return await run.ended;
  }

  /** `savepoint gdb` in batch mode with these commands. */
  async batch(commands: readonly string[], rest: readonly string[], options: { env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
    return await this.run(['gdb', ...quietGdb, '-batch', ...commands.flatMap((command) => ['-ex', command]), ...rest], options);
  }

  /** Everything ended, no directory left behind. */
  async expectNothingLeft(): Promise<void> {
    await this.processes.allEnded();
    expect(fs.readdirSync(this.runtime)).toEqual([]);
  }

  close(): void {
    this.processes.killAll();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

export class CliRun {
  /** Everything printed so far. */
  output = '';
  readonly ended: Promise<Ended>;
  private read = 0;
  private readonly waiting = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk;
        this.wake();
      });
    }
    // What we write to a gdb that has ended is lost, and that is no error of the test.
    child.stdin?.on('error', () => {});
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal, output: this.output });
        this.wake();
      });
    });
  }

  say(line: string): void {
    this.type(`${line}\n`);
  }

  /** Keys as they are; `\x03` is ^C on a terminal. */
  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  /** Waits for `pattern` in what has not been looked at yet, and returns the text up to its end. */
  async expect(pattern: RegExp): Promise<string> {
    const timer = setTimeout(() => this.wake(), LIMIT_MS);
    const end = Date.now() + LIMIT_MS;
    try {
      for (;;) {
        const text = this.output.slice(this.read);
        const match = pattern.exec(text);
        if (match !== null) {
          const length = match.index + match[0].length;
          this.read += length;
          return text.slice(0, length);
        }
        if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() >= end) {
          throw new Error(`${pattern} did not come; all output:\n${this.output}`);
        }
        await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** One command at gdb's prompt. */
  async ask(line: string): Promise<string> {
    this.say(line);
    return await this.expect(/\(gdb\) /);
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
