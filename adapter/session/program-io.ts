/**
 * The program's terminal: a pseudo terminal whose output becomes `output` events, or a terminal of the editor. Never a pipe of gdb's.
 *
 * When the program has ended, everything it wrote must be out before the client hears of the end. The terminal's buffer has no
 * end of file, so a mark is written behind the last byte, through the same terminal.
 */

import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import * as tty from 'node:tty';
import { peerError, userError } from '../../native/base/errors';
import type { Client } from '../dap/connection';
import type { ProgramIo } from '../gdb/process';

export interface ProgramTerminal {
  readonly io: ProgramIo;
  /** The program's side is in other hands now. */
  attach(): void;
  /** For the program to read; false: it reads elsewhere. */
  write(text: string): boolean;
  /** All that was written before is with the client. */
  drained(): Promise<void>;
  close(): void;
}

/** The client is that far behind: the program has to wait. */
const BACKLOG = 4 << 20;
/** The most of one event. */
const PIECE = 64 << 10;
/** Reading what is in a terminal's buffer takes no time; a program may have stopped its terminal, though. */
const DRAIN_LIMIT_MS = 2000;

export class ConsoleTerminal implements ProgramTerminal {
  readonly io: Extract<ProgramIo, { kind: 'pty' }>;
  private stream: tty.ReadStream | undefined;
  /** The program's side; undefined: this kernel does not tell. */
  private readonly name: string | undefined;
  private decoder = new StringDecoder('utf8');
  private waiting: Buffer = Buffer.alloc(0);
  /** A terminal's buffer is small: what comes in one go is one event. */
  private readonly arrived: Buffer[] = [];
  private drain: { readonly mark: Buffer; readonly done: () => void } | undefined;

  constructor(private readonly client: Client) {
    const master = fs.openSync('/dev/ptmx', fs.constants.O_RDWR | fs.constants.O_NOCTTY);
    this.io = { kind: 'pty', master };
    this.name = nameOfPty(master);
  }

  attach(): void {
    const stream = new tty.ReadStream(this.io.master);
    this.stream = stream;
    // EIO: nobody has the program's side any more.
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      if (this.arrived.push(chunk) === 1) setImmediate(() => this.take(Buffer.concat(this.arrived.splice(0))));
    });
    stream.on('close', () => this.drain?.done());
  }

  write(text: string): boolean {
    return this.stream?.write(text) !== undefined;
  }

  async drained(): Promise<void> {
    if (this.stream === undefined || this.stream.destroyed || this.name === undefined) return;
    const mark = Buffer.from(`\0savepoint ${randomUUID()}\0`);
    const { name } = this;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => finish(), DRAIN_LIMIT_MS);
      const finish = (): void => {
        clearTimeout(timer);
        this.drain = undefined;
        resolve();
      };
      this.drain = { mark, done: finish };
      fs.open(name, fs.constants.O_WRONLY | fs.constants.O_NOCTTY, (error, fd) => {
        if (error !== null) return finish();
        fs.write(fd, mark, () => fs.close(fd, () => {}));
      });
    });
  }

  close(): void {
    if (this.stream === undefined) fs.closeSync(this.io.master);
    else this.stream.destroy();
  }

  private take(chunk: Buffer): void {
    const data = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    this.waiting = Buffer.alloc(0);
    const { drain } = this;
    if (drain === undefined) return this.emit(data);
    const at = data.indexOf(drain.mark);
    if (at >= 0) {
      this.emit(Buffer.concat([data.subarray(0, at), data.subarray(at + drain.mark.length)]));
      drain.done();
      return;
    }
    // The mark may come in pieces.
    const from = Math.max(0, data.length - drain.mark.length + 1);
    const zero = data.indexOf(0, from);
    this.emit(zero < 0 ? data : data.subarray(0, zero));
    if (zero >= 0) this.waiting = data.subarray(zero);
  }

  private emit(data: Buffer): void {
    for (let at = 0; at < data.length; at += PIECE) {
      const text = this.decoder.write(data.subarray(at, at + PIECE));
      if (text !== '') this.client.send('output', { category: 'stdout', output: text });
    }
    if (this.client.backlog > BACKLOG && this.stream?.isPaused() === false) {
      this.stream.pause();
      this.client.onDrain(() => this.stream?.resume());
    }
  }
}

/** proc(5), "/proc/pid/fdinfo": the kernel numbers them there, from Linux 4.16 on. */
function nameOfPty(master: number): string | undefined {
  const number = /^tty-index:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${master}`, 'latin1'))?.[1];
  return number === undefined ? undefined : `/dev/pts/${number}`;
}

export interface TerminalRequest {
  readonly kind: 'integrated' | 'external';
  readonly title: string;
  readonly cwd: string;
  /** dist/savepoint.js */
  readonly savepoint: string;
}

/** A person may have to allow it. */
const TERMINAL_LIMIT_MS = 60_000;

/** A terminal that the editor opens; a small process of ours in it tells its name and holds it open. */
export class EditorTerminal implements ProgramTerminal {
  private constructor(
    readonly io: Extract<ProgramIo, { kind: 'terminal' }>,
    private readonly peer: net.Socket,
    private readonly cleanUp: () => void,
  ) {}

  /** `onInterrupt`: somebody pressed ^C there. */
  static async open(client: Client, request: TerminalRequest, onInterrupt: () => void): Promise<EditorTerminal> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-'));
    const socket = path.join(directory, 'terminal.sock');
    const server = net.createServer();
    const cleanUp = (): void => {
      server.close();
      fs.rmSync(directory, { recursive: true, force: true });
    };
    try {
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
      const connected = waitForTerminal(server, onInterrupt);
      const args = [process.execPath, request.savepoint, 'terminal', socket];
      const asked = client.ask(
        'runInTerminal',
        { kind: request.kind, title: request.title, cwd: request.cwd, args },
        TERMINAL_LIMIT_MS,
      );
      // A refusal ends the wait; after the answer only the connection counts.
      const { name, peer } = await Promise.race([connected, asked.then(() => connected)]);
      return new EditorTerminal({ kind: 'terminal', name }, peer, cleanUp);
    } catch (error) {
      cleanUp();
      throw error;
    }
  }

  attach(): void {}

  write(): boolean {
    return false;
  }

  async drained(): Promise<void> {}

  close(): void {
    this.peer.destroy();
    this.cleanUp();
  }
}

function waitForTerminal(server: net.Server, onInterrupt: () => void): Promise<{ name: string; peer: net.Socket }> {
  const late = peerError('terminal', `no terminal was opened within ${TERMINAL_LIMIT_MS / 1000} s`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late), TERMINAL_LIMIT_MS).unref();
    server.once('connection', (peer) => {
      clearTimeout(timer);
      let text = '';
      peer.on('error', () => {});
      peer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const said = JSON.parse(text.slice(0, end)) as { tty?: string; error?: string; signal?: string };
          text = text.slice(end + 1);
          if (said.signal !== undefined) onInterrupt();
          else if (said.tty !== undefined) resolve({ name: said.tty, peer });
          else reject(userError('terminal', `the terminal cannot be used: ${said.error ?? 'it has no name'}`));
        }
      });
    });
  });
}
