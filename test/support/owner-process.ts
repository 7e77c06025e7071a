/**
 * One program under our owner process, driven by bare packets, for one test: `await using`-less, so `end()` belongs into afterEach
 * (`withProgram` does it).
 *
 * Without the multiprocess feature threads are plain tids. Breakpoints are inserted before a resume and removed at the stop, as gdb
 * does, so that the memory that a test compares never holds one.
 */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DebugServer, fixture, makeFolder, sessionMembers, within } from './debug-server';
import { RspClient } from './rsp-client';

export interface ProgramOptions {
  /** A fixture's name, or an absolute path. */
  readonly program: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  /** Attach to this process instead of starting the program. */
  readonly attach?: number;
  /** Longest wait for a stop. */
  readonly deadline?: number;
}

/** A stop reply, taken apart. */
export interface Stop {
  readonly kind: 'stopped' | 'exited' | 'signalled' | 'no-resumed';
  /** Signal (gdb's number) or exit code. */
  readonly value: number;
  readonly tid: number;
  readonly text: string;
  /** What the server had to say before it. */
  readonly notes: string;
}

const GENERAL_DEADLINE = 20_000;
const OUTPUT_DEADLINE = 2_000;

/** An id that no account has: the owner then is an ordinary user in every respect. */
export const ORDINARY_UID = 54_321;

export class Debuggee {
  readonly pid: number;
  private readonly inserted = new Set<string>();
  private symbols: ReadonlyMap<string, number> | undefined;
  private unprovenTier: string | undefined;

  private constructor(
    readonly server: DebugServer,
    readonly client: RspClient,
    private readonly folder: { readonly path: string; remove(): void },
    pid: number,
    readonly file: string,
    private readonly deadline: number,
  ) {
    this.pid = pid;
  }

  /** Starts the server with the program, connects, and stands at the first stop. */
  static async start(options: ProgramOptions): Promise<Debuggee> {
    const folder = makeFolder();
    if (options.uid !== undefined) fs.chownSync(folder.path, options.uid, options.uid);
    const socket = path.join(folder.path, 'socket');
    const file = path.isAbsolute(options.program) ? options.program : fixture(options.program);
    const what =
      options.attach === undefined
        ? ['--multi', socket, file, ...(options.args ?? [])]
        : ['--attach', socket, String(options.attach)];
    const server = new DebugServer('savepoint', {
      args: what,
      env: { HOME: folder.path, ...options.env },
      ...(options.uid === undefined ? {} : { uid: options.uid }),
    });
    let client: RspClient | undefined;
    try {
      const [, pid] = await server.until('errors', /pid = (\d+)/);
      await server.until('errors', /Listening on/);
      client = await RspClient.connect(socket);
      await client.send('qSupported:swbreak+;hwbreak+;vContSupported+');
      await client.noack();
      await client.send('!');
      await client.send('?');
      const debuggee = new Debuggee(server, client, folder, Number(pid), file, options.deadline ?? GENERAL_DEADLINE);
      debuggee.unprovenTier = options.env?.['SAVEPOINT_FORCE_TIER'];
      return debuggee;
    } catch (error) {
      await client?.close();
      await server.end();
      folder.remove();
      throw error;
    }
  }

  /** A folder of this test's own, removed at its end. */
  get workFolder(): string {
    return this.folder.path;
  }

  /** Ends server and program; throws when something is left. */
  async end(): Promise<void> {
    const { pid: session } = this.server;
    await this.client.close();
    await this.server.end();
    this.folder.remove();
    const left = sessionMembers(session);
    if (left.length > 0) throw new Error(`left running: ${left.join(' ')}`);
  }

  symbol(name: string): number {
    this.symbols ??= readSymbols(this.file);
    const address = this.symbols.get(name);
    if (address === undefined) throw new Error(`${this.file} has no symbol ${name}`);
    return address;
  }

  async readMemory(address: number, length: number): Promise<Buffer> {
    const reply = await this.client.send(`m${address.toString(16)},${length.toString(16)}`);
    if (/^E\d\d$/.test(reply)) throw new Error(`memory at ${address.toString(16)}: ${reply}`);
    return Buffer.from(reply, 'hex');
  }

  async readLong(name: string): Promise<bigint> {
    return (await this.readMemory(this.symbol(name), 8)).readBigInt64LE();
  }

  async readInt(name: string): Promise<number> {
    return (await this.readMemory(this.symbol(name), 4)).readInt32LE();
  }

  async writeInt(name: string, value: number): Promise<void> {
    const data = Buffer.alloc(4);
    data.writeInt32LE(value);
    const reply = await this.client.send(`M${this.symbol(name).toString(16)},4:${data.toString('hex')}`);
    if (reply !== 'OK') throw new Error(`writing ${name}: ${reply}`);
  }

  async threads(): Promise<number[]> {
    const tids: number[] = [];
    for (let reply = await this.client.send('qfThreadInfo'); reply[0] === 'm'; reply = await this.client.send('qsThreadInfo')) {
      for (const id of reply.slice(1).split(',')) tids.push(parseInt(id, 16));
    }
    return tids.sort((a, b) => a - b);
  }

  /** The `g` block of every thread, by tid. */
  async registers(): Promise<Map<number, string>> {
    const blocks = new Map<number, string>();
    for (const tid of await this.threads()) {
      await this.client.send(`Hg${tid.toString(16)}`);
      blocks.set(tid, await this.client.send('g'));
    }
    return blocks;
  }

  /** Resumes all threads; breakpoints at these functions. */
  async resume(...functions: readonly string[]): Promise<Stop> {
    await this.insert(functions);
    this.client.start('vCont;c');
    return this.awaitStop();
  }

  /** Lets all threads run and stops them by ^C after `milliseconds` at most, or when a breakpoint is hit first. */
  async runFor(milliseconds: number, ...functions: readonly string[]): Promise<Stop> {
    await this.insert(functions);
    this.client.start('vCont;c');
    // A random moment, not the wait for something: the program is stopped wherever it happens to be.
    await new Promise((resolve) => void setTimeout(resolve, milliseconds));
    this.client.interrupt();
    return this.awaitStop();
  }

  private async insert(functions: readonly string[]): Promise<void> {
    for (const name of functions) {
      const point = `0,${this.symbol(name).toString(16)},1`;
      if ((await this.client.send(`Z${point}`)) !== 'OK') throw new Error(`no breakpoint at ${name}`);
      this.inserted.add(point);
    }
  }

  /** The reply to a resume that was sent before; breakpoints are removed. */
  async awaitStop(): Promise<Stop> {
    const { stop, console } = await this.client.waitStop('a stop', this.deadline);
    const parsed = parseStop(stop, console);
    for (const point of this.inserted) if (parsed.kind === 'stopped') await this.client.send(`z${point}`);
    this.inserted.clear();
    return parsed;
  }

  async monitor(line: string): Promise<string> {
    const reply = await this.client.send(`qRcmd,${Buffer.from(line).toString('hex')}`, this.deadline);
    if (reply === 'OK') return '';
    if (/^E\d\d$/.test(reply)) throw new Error(`monitor ${line}: ${reply}`);
    return Buffer.from(reply, 'hex').toString('utf8');
  }

  /** Takes a checkpoint; its number. */
  async take(label = ''): Promise<number> {
    const text = await this.monitor(`checkpoint ${label}`.trim());
    const match = /^Checkpoint (\d+)/m.exec(text);
    if (match === null) throw new Error(`no checkpoint taken: ${text}`);
    await this.proveTier();
    return Number(match[1]);
  }

  /** A tier that was asked for is the one in use: the engine takes the other one where it must. */
  private async proveTier(): Promise<void> {
    const wanted = this.unprovenTier;
    if (wanted === undefined) return;
    this.unprovenTier = undefined;
    const { tier } = JSON.parse(await this.monitor('savepoint-preflight-json')) as { tier?: string };
    if (tier !== wanted) throw new Error(`the tier in use is ${tier}, not ${wanted}`);
  }

  async drop(checkpoint: number): Promise<void> {
    const text = await this.monitor(`delete checkpoint ${checkpoint}`);
    if (!text.startsWith(`Checkpoint ${checkpoint} deleted.`))
      throw new Error(`checkpoint ${checkpoint} was not dropped: ${text}`);
  }

  /** Arms the restore and lets it be the answer to a resume. Throws when it is refused. */
  async restore(checkpoint: number): Promise<Stop> {
    const { stop, text } = await this.tryRestore(checkpoint);
    if (stop?.kind !== 'stopped' || stop.value !== 0)
      throw new Error(`checkpoint ${checkpoint} was not restored: ${text} ${stop?.text ?? ''}`);
    return stop;
  }

  /**
   * The same, refusals included: `stop` is undefined when the arming was refused already; a refusal at the resume itself is a stop with
   * notes.
   */
  async tryRestore(checkpoint: number): Promise<{ readonly text: string; readonly stop: Stop | undefined }> {
    const text = await this.monitor(`restart ${checkpoint}`);
    if (!isArmed(text)) return { text, stop: undefined };
    let stop = await this.resume();
    // Other libraries than now: that is told first, and the same packet again gets the stop.
    if (stop.text.startsWith('T05library:')) stop = await this.resume();
    return { text: `${text}${stop.notes}`, stop };
  }

  /** After an exit: the armed restore is the answer to vRun. */
  async restoreAfterExit(checkpoint: number): Promise<Stop> {
    const text = await this.monitor(`restart ${checkpoint}`);
    this.client.start(`vRun;${Buffer.from(this.file).toString('hex')}`);
    const stop = await this.awaitStop();
    if (stop.kind !== 'stopped' || stop.value !== 0)
      throw new Error(`checkpoint ${checkpoint} was not restored: ${text} ${stop.text}`);
    return stop;
  }

  /** Runs to the end of the program; what it printed meanwhile, the end of which it waits for. */
  async finish(): Promise<{ readonly stop: Stop; readonly output: string }> {
    const before = this.server.output.length;
    const stop = await this.resume();
    if (stop.kind === 'stopped') throw new Error(`the program stopped instead of ending: ${stop.text} ${stop.notes}`);
    // Its last words may come a moment after the news of its end, by another way.
    await this.server.until('output', new RegExp(`^[^]{${before}}[^]*\\S[^]*\\n$`), OUTPUT_DEADLINE).catch(() => undefined);
    return { stop, output: this.server.output.slice(before) };
  }

  /** The server has ended by itself (it should not, in the middle of a test). */
  async serverEnded(): Promise<boolean> {
    return within(this.server.ended, 0);
  }
}

/** What `monitor restart N` says when the next resume will answer. */
export function isArmed(text: string): boolean {
  return / is armed\./.test(text);
}

export function parseStop(text: string, notes = ''): Stop {
  const value = parseInt(text.slice(1, 3), 16);
  const thread = /thread:([0-9a-f]+);/.exec(text)?.[1];
  const kinds: Readonly<Record<string, Stop['kind']>> = {
    T: 'stopped',
    S: 'stopped',
    W: 'exited',
    X: 'signalled',
    N: 'no-resumed',
  };
  const kind = kinds[text[0] as string];
  if (kind === undefined) throw new Error(`not a stop reply: ${text}`);
  return { kind, value, tid: thread === undefined ? 0 : parseInt(thread, 16), text, notes };
}

/** Starts a program, hands it over, and ends everything whatever happens; a failure shows what the server said. */
export async function withProgram(options: ProgramOptions, act: (program: Debuggee) => Promise<void>): Promise<void> {
  const program = await Debuggee.start(options);
  try {
    await act(program);
  } catch (error) {
    if (error instanceof Error)
      error.message += `\nserver: ${program.server.errors.slice(-2000)}\nprogram: ${program.server.output.slice(-500)}`;
    throw error;
  } finally {
    await program.end();
  }
}

/** Functions and variables of a program that is linked at fixed addresses; empty for others. */
function readSymbols(file: string): Map<string, number> {
  const symbols = new Map<string, number>();
  let text: string;
  try {
    text = execFileSync('nm', [file], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 });
  } catch {
    return symbols;
  }
  for (const [, address, name] of text.matchAll(/^([0-9a-f]+) [A-Za-z] (\S+)$/gm))
    symbols.set(name as string, parseInt(address as string, 16));
  return symbols;
}
