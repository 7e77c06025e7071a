/**
 * The gdb of a session and the owner behind it: their start, gdb's pipes, their end.
 *
 * gdb's descriptors: 0 and 1 are MI, 2 is where it complains. The program never has one of them.
 */

import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { bug, describeError, userError } from '../../native/base/errors';
import type { Log } from '../../native/base/log';
import { readText } from '../../native/base/proc-text';
import { planGdb } from '../../native/cli/gdb-args';
import { type Ending, findGdb, startPair } from '../../native/cli/gdb-pair';
import { type ClientEvents, GdbClient } from './client';

export type ProgramIo =
  /** The master of a pseudo terminal of ours. */
  | { readonly kind: 'pty'; readonly master: number }
  /** A terminal that is there already. */
  | { readonly kind: 'terminal'; readonly name: string };

export interface GdbStart {
  /** dist/dap.py */
  readonly script: string;
  /** undefined: as `savepoint gdb` finds it. */
  readonly gdb: string | undefined;
  /** Read the user's and the system's init files. */
  readonly initFiles: boolean;
  readonly io: ProgramIo;
}

/** As ^C at a terminal: for a process and those that it has started in its own group (gdb's shells, and what these run), which it waits for. */
export function interruptGroup(pid: number): void {
  interruptStarted(pid);
  interruptOne(pid);
}

/** Those alone that a process has started in its own group. */
export function interruptStarted(pid: number): void {
  const group = groupOf(pid);
  for (const child of descendants(pid)) if (groupOf(child) === group) interruptOne(child);
}

function interruptOne(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // It has ended.
  }
}

function descendants(pid: number): readonly number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`)?.match(/\d+/g) ?? [];
  return children.map(Number).flatMap((child) => [child, ...descendants(child)]);
}

/** proc(5): the third word behind the name, which may have any character in it. */
function groupOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
}

const STDERR_KEPT = 4000;
/** From being told to end until being killed. */
const END_MS = 4000;

export class GdbProcess {
  readonly client: GdbClient;
  /** Why, in words for people; the owner has ended then, too. Never rejects. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private complaints = '';
  private isOver = false;
  private tell: (end: Ending) => void = () => {};

  /** Throws when there is no gdb. */
  constructor({ gdb: wanted, initFiles, io, script }: GdbStart, log: Log, events: ClientEvents) {
    const found = wanted === undefined ? findGdb(process.env['SAVEPOINT_GDB']) : findGdb(wanted, '"gdb"');
    if ('missing' in found) throw userError('no-gdb', found.missing);
    const tty = io.kind === 'pty' ? [] : [`--tty=${io.name}`];
    const plan = planGdb([...tty, '-q', ...(initFiles ? [] : ['-nx']), '--interpreter=mi3', '-ix', script]);
    if (plan.kind !== 'debug') throw bug('a gdb that debugs nothing');
    const { child, end } = startPair({
      gdb: found.gdb,
      plan,
      stdio: 'pipe',
      ...(io.kind === 'pty' ? { pty: io.master } : {}),
      told: new Promise((resolve) => (this.tell = resolve)),
      endWithOwner: true,
      say: (text) => this.complain(`${text}\n`),
    });
    this.child = child;
    const [input, output, errors] = child.stdio as unknown as [Writable, Readable, Readable];
    // A gdb that has ended reads nothing more; its end is told by `ended`.
    input.on('error', () => {});
    this.client = new GdbClient((text) => void input.write(text), log, events);
    output.on('data', (chunk: Buffer) => this.client.feed(chunk));
    errors.setEncoding('utf8').on('data', (text: string) => {
      log.add('mi', `! ${text.trimEnd()}`);
      this.complain(text);
    });
    this.ended = this.watchEnd(end);
  }

  private complain(text: string): void {
    this.complaints = (this.complaints + text).slice(-STDERR_KEPT);
  }

  private async watchEnd(end: Promise<Ending>): Promise<string> {
    const closed = new Promise((resolve) => {
      // What gdb wrote last is read first. It could not be started: nothing is.
      this.child.once('close', resolve).once('error', resolve);
    });
    const what = await end.then(
      (how) => (how.kind === 'exit' ? `gdb ended with status ${how.code}` : `gdb ended by ${how.signal}`),
      (error: unknown) => describeError(error),
    );
    await closed;
    this.isOver = true;
    const said = this.complaints.trim();
    const why = said === '' ? what : said;
    this.client.end(why);
    return why;
  }

  /** Ends it if it does not end by itself within some seconds. */
  async endWithin(): Promise<string> {
    if (!this.isOver) {
      const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
      void this.ended.then(() => clearTimeout(timer));
    }
    return await this.ended;
  }

  /** For a gdb that does not answer. */
  async stop(): Promise<string> {
    this.tell({ kind: 'signal', signal: 'SIGTERM' });
    return await this.endWithin();
  }
}
