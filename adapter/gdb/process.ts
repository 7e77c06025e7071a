/**
 * The `savepoint gdb` process of a session: its start, its pipes, its end.
 *
 * Descriptors: 0 and 1 are MI, 2 is where the launcher and gdb complain, 3 (when asked for) is the program's terminal. The program never
 * has one of the first three.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Log } from '../../native/base/log';
import { type ClientEvents, GdbClient } from './client';

export type ProgramIo =
  /** Copied to and from us. */
  | { readonly kind: 'pty' }
  /** A terminal that is there already. */
  | { readonly kind: 'terminal'; readonly name: string };

export interface GdbStart {
  /** dist/savepoint.js */
  readonly savepoint: string;
  /** dist/dap.py */
  readonly script: string;
  /** undefined: as `savepoint gdb` finds it. */
  readonly gdb: string | undefined;
  /** Read the user's and the system's init files. */
  readonly initFiles: boolean;
  readonly io: ProgramIo;
}

const STDERR_KEPT = 4000;
/** From being told to end until being killed. */
const END_MS = 4000;

export class GdbProcess {
  readonly client: GdbClient;
  /** The program's terminal, of kind `pty`. */
  readonly programIo: Duplex | undefined;
  /** Why, in words for people. Never rejects. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private complaints = '';

  constructor(start: GdbStart, log: Log, events: ClientEvents) {
    const io = start.io.kind === 'pty' ? ['--program-io=3'] : ['--program-io=none', `--tty=${start.io.name}`];
    const init = start.initFiles ? [] : ['-nx'];
    const words = [start.savepoint, 'gdb', ...io, '-q', ...init, '--interpreter=mi3', '-ix', start.script];
    this.child = spawn(process.execPath, words, {
      stdio: start.io.kind === 'pty' ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...(start.gdb === undefined ? {} : { SAVEPOINT_GDB: start.gdb }) },
    });
    const [input, output, errors, program] = this.child.stdio as unknown as [Writable, Readable, Readable, Duplex | undefined];
    this.programIo = program;
    // A gdb that has ended reads nothing more; its end is told by `ended`.
    for (const stream of [input, program]) stream?.on('error', () => {});
    this.client = new GdbClient((text) => void input.write(text), log, events);
    output.on('data', (chunk: Buffer) => this.client.feed(chunk));
    errors.setEncoding('utf8').on('data', (text: string) => {
      log.add('mi', `! ${text.trimEnd()}`);
      this.complaints = (this.complaints + text).slice(-STDERR_KEPT);
    });
    this.ended = this.watchEnd();
  }

  private watchEnd(): Promise<string> {
    return new Promise((resolve) => {
      const finish = (what: string): void => {
        const said = this.complaints.trim().replace(/^savepoint: /, '');
        const why = said === '' ? what : said;
        this.client.end(why);
        resolve(why);
      };
      this.child.once('error', (cause) => finish(`gdb cannot be started: ${cause.message}`));
      this.child.once('close', (code, signal) =>
        finish(signal === null ? `gdb ended with status ${code}` : `gdb ended by ${signal}`),
      );
      // Somebody else may hold a pipe open; the end is the process's.
      this.child.once('exit', () => {
        for (const stream of this.child.stdio.slice(1, 3)) (stream as Readable).once('end', () => {}).resume();
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Ends it if it does not end by itself within some seconds. */
  async endWithin(): Promise<string> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
      void this.ended.then(() => clearTimeout(timer));
    }
    return await this.ended;
  }

  /** For a gdb that does not answer. */
  async stop(): Promise<string> {
    this.child.kill('SIGTERM');
    return await this.endWithin();
  }
}
