/** The client's side of DAP for one adapter process: replies by promise, events by name, each once. */

import { type ChildProcess, spawn } from 'node:child_process';

type Json = Record<string, any>;

/** Reached only when something hangs. */
const LIMIT_MS = 60_000;

export class DapClient {
  output = '';
  private readonly child: ChildProcess;
  private buffer: Buffer = Buffer.alloc(0);
  private next = 1;
  private readonly open = new Map<number, (reply: Json) => void>();
  private readonly events: Json[] = [];
  private wake: () => void = () => {};

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...env } });
    this.child.stdin?.on('error', () => {});
    this.child.stdout?.on('data', (chunk: Buffer) => this.feed(chunk));
  }

  private feed(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    for (;;) {
      const end = this.buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.buffer.toString('latin1', 0, end))?.[1]);
      if (this.buffer.length < end + 4 + length) return;
      const message = JSON.parse(this.buffer.toString('utf8', end + 4, end + 4 + length)) as Json;
      this.buffer = this.buffer.subarray(end + 4 + length);
      this.take(message);
    }
  }

  private take(message: Json): void {
    if (message['type'] === 'response') this.open.get(Number(message['request_seq']))?.(message);
    else if (message['type'] === 'event') {
      if (message['event'] === 'output') this.output += String(message['body']?.output ?? '');
      this.events.push(message);
      this.wake();
    }
  }

  async ask(command: string, args: object = {}): Promise<any> {
    const seq = this.next++;
    const text = JSON.stringify({ seq, type: 'request', command, arguments: args });
    const answer = new Promise<Json>((resolve) => this.open.set(seq, resolve));
    this.child.stdin?.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    const reply = await limited(answer, command);
    this.open.delete(seq);
    if (reply['success'] !== true) throw new Error(`${command}: ${reply['message']}`);
    return reply['body'];
  }

  async event(name: string, match: (body: Json) => boolean = () => true): Promise<any> {
    for (;;) {
      const index = this.events.findIndex(({ event, body }) => event === name && match(body ?? {}));
      if (index >= 0) return this.events.splice(index, 1)[0]?.['body'];
      await limited(new Promise<void>((resolve) => (this.wake = resolve)), `event ${name}`);
    }
  }

  /** Until a breakpoint is reached. Returns the thread. */
  async launch(request: 'launch' | 'attach', args: object, source: string, lines: readonly number[]): Promise<number> {
    await this.ask('initialize', { adapterID: 'bench', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' });
    const launched = this.ask(request, args);
    await Promise.race([this.event('initialized'), launched]);
    await this.ask('setBreakpoints', { source: { path: source }, breakpoints: lines.map((line) => ({ line })) });
    await this.ask('configurationDone');
    await launched;
    if (lines.length === 0) return 1;
    return Number((await this.event('stopped'))['threadId']);
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    void this.ask('disconnect', { terminateDebuggee: true }).then(
      () => this.child.stdin?.end(),
      () => this.child.kill('SIGKILL'),
    );
    await limited(gone, 'the end').catch(() => this.child.kill('SIGKILL'));
  }
}

async function limited<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), LIMIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
