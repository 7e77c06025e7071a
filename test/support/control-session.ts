/** A debug session with its control surface, and bare clients of that, for one test. */

import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { WebSocket, type ClientOptions } from 'ws';
import type { CheckpointChanged } from '../../native/control/schema';
import { CliPlace, type CliRun, fixture, quietGdb } from './cli-session';

const LIMIT_MS = 30_000;

export interface Answer {
  readonly id?: unknown;
  readonly result?: Record<string, never>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: { readonly family: string; readonly code: string };
  };
  readonly method?: string;
  readonly params?: CheckpointChanged;
}

/** A client that sends what it is told, right or wrong. */
export class BareClient {
  readonly received: Answer[] = [];
  /** The close code, when it is over. */
  readonly closed: Promise<number>;
  private serial = 0;
  private readonly watchers = new Set<() => void>();

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => void socket.on('close', (code) => this.wake(() => resolve(code))));
    socket.on('message', (data: Buffer) => {
      this.received.push(...([JSON.parse(data.toString('utf8'))].flat() as Answer[]));
      this.wake(() => {});
    });
    socket.on('error', () => {});
  }

  static async unix(file: string, options: ClientOptions = {}): Promise<BareClient> {
    return await BareClient.open('ws://localhost/', { createConnection: () => net.connect(file), ...options });
  }

  static async open(url: string, options: ClientOptions = {}, protocols: string[] = []): Promise<BareClient> {
    const client = new BareClient(new WebSocket(url, protocols, options));
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', () => resolve());
      client.socket.once('error', reject);
    });
    return client;
  }

  private wake(first: () => void): void {
    first();
    for (const watcher of this.watchers) watcher();
  }

  send(text: string | Buffer): void {
    this.socket.send(text);
  }

  /** The first message received, now or later, that fits. */
  async until(fits: (answer: Answer) => boolean, what = 'a message'): Promise<Answer> {
    return await new Promise<Answer>((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        this.watchers.delete(look);
        act();
      };
      const look = (): void => {
        const found = this.received.find(fits);
        if (found !== undefined) finish(() => resolve(found));
        else if (this.socket.readyState === WebSocket.CLOSED) finish(() => reject(new Error(`closed before ${what} came`)));
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`no ${what}; received: ${JSON.stringify(this.received)}`))),
        LIMIT_MS,
      );
      this.watchers.add(look);
      look();
    });
  }

  async ask(method: string, params: object = {}): Promise<Answer> {
    const id = `${++this.serial}-${randomUUID()}`;
    this.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return await this.until((answer) => answer.id === id, `an answer to ${method}`);
  }

  /** The result; a refusal fails the test. */
  async must<T = Record<string, never>>(method: string, params: object = {}): Promise<T> {
    const { result, error } = await this.ask(method, params);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  changes(): CheckpointChanged[] {
    return this.received.flatMap(({ method, params }) =>
      method === 'checkpoint/changed' && params !== undefined ? [params] : [],
    );
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

/** The one control socket below a place's runtime directory. */
export function controlSocket(place: CliPlace): string {
  const folder = path.join(place.runtime, 'savepoint');
  const sockets = fs.readdirSync(folder).filter((name) => name.endsWith('.sock'));
  if (sockets.length !== 1) throw new Error(`${sockets.length} sockets in ${folder}`);
  return path.join(folder, sockets[0]!);
}

/** `savepoint gdb` on a fixture, at gdb's first prompt; MI when `mi`. */
export async function startGdb(
  place: CliPlace,
  options: { program: string; args?: readonly string[]; mi?: boolean },
): Promise<CliRun> {
  const { program, args = [], mi = false } = options;
  const run = place.start(['gdb', ...(mi ? ['-i=mi'] : []), ...quietGdb, '--args', fixture(program), ...args]);
  await run.expect(/\(gdb\) ?/);
  return run;
}

/** A named pipe that a program reads from, kept open. */
export class InputPipe {
  private readonly fd: number;

  constructor(
    readonly file: string,
    make: (file: string) => void,
  ) {
    make(file);
    this.fd = fs.openSync(file, fs.constants.O_RDWR);
  }

  write(text: string): void {
    fs.writeSync(this.fd, text);
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}
