/**
 * The DAP wire: every request gets exactly one reply, whatever its handler does; events go out in order, and never before the reply of the
 * request that caused them. Reading is our own (frame-reader.ts): @vscode/debugadapter's loses every request after a broken header. Its writing
 * is used, and its matching of replies to reverse requests. Knows no gdb.
 */

import { Event, Response } from '@vscode/debugadapter';
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { Readable, type Writable } from 'node:stream';
import { SavepointError, describeError, isFamily, peerError, userError } from '../../native/base/errors';
import type { Log } from '../../native/base/log';
import { traceSaver } from '../../native/base/saved-trace';
import { isObject, readArguments } from './arguments';
import { errorReply } from './errors';
import { FrameReader, type Framed } from './frame-reader';

export interface RequestContext {
  /** Aborted by a `cancel` request. */
  readonly signal: AbortSignal;
  /** An event that the client has to see before the reply, also where the others wait for it. */
  beforeReply(event: string, body: unknown): void;
  /** Runs when the reply is on its way. */
  afterReply(act: () => void): void;
}

export interface Route {
  /** `args` are what the client sent, checked by `readArguments`. Returns the reply's body. */
  run(args: never, context: RequestContext): unknown;
  /** Events wait until the reply is sent: it resumes the program, whose next stop may come at once. */
  readonly eventsAfter?: boolean;
}

export type Routes = Readonly<Record<string, Route>>;

/** What a session sees of its client. */
export interface Client {
  send(event: string, body?: unknown): void;
  /** A reverse request. */
  ask(command: string, args: unknown, limitMs: number): Promise<unknown>;
  /** Messages that the client has not read yet pile up here. */
  readonly backlog: number;
  onDrain(act: () => void): void;
}

interface Open {
  readonly abort: AbortController;
  answered: boolean;
}

/** What a program prints is not kept in the trace once more. */
const LONG_OUTPUT = 500;

function describeBody({ body }: DebugProtocol.Event): string {
  const { output } = (body ?? {}) as { output?: unknown };
  if (typeof output === 'string' && output.length > LONG_OUTPUT) return `${output.length} characters`;
  return JSON.stringify(body ?? {});
}

export class Connection extends ProtocolServer implements Client {
  private readonly reader = new FrameReader();
  private readonly open = new Map<number, Open>();
  private held: Event[] = [];
  private holding = 0;
  private readonly saveTrace: () => string | undefined;
  private output: Writable | undefined;

  constructor(
    private readonly log: Log,
    private readonly routes: () => Routes,
    private readonly onGone: () => void,
  ) {
    super();
    this.saveTrace = traceSaver(log);
    // Without a listener, an EventEmitter throws its 'error' events.
    this.on('error', (event: { body?: unknown }) => this.onBrokenStream(String(event.body)));
  }

  /** The base class gets a stream that says nothing: whole messages are given to its `handleMessage`. */
  override start(input: Readable, output: Writable): void {
    this.output = output;
    super.start(new Readable({ read: () => {} }), output);
    input.on('data', (chunk: Buffer) => {
      for (const one of this.reader.read(chunk)) this.onFramed(one);
    });
    input.on('end', () => this.onGone());
    input.on('close', () => this.onGone());
    input.on('error', (error) => this.onBrokenStream(describeError(error)));
    // A socket stands while its token is looked at.
    input.resume();
  }

  private onFramed(one: Framed): void {
    if (one.kind === 'message') this.onMessage(one.value);
    else if (one.kind === 'broken') this.onUnreadable(one.reason);
    else {
      this.onUnreadable(one.reason, '; the session ends');
      this.sendEvent(new Event('terminated'));
      this.onGone();
    }
  }

  /** What is no request is told in the console; a request whose number is known gets a reply. */
  private onMessage(message: unknown): void {
    if (!isObject(message)) return this.onUnreadable('it is no JSON object');
    const { type, seq, command } = message;
    if (type === 'response') return this.handleMessage(message as unknown as DebugProtocol.Response);
    if (type !== 'request') return this.onUnreadable('its "type" is neither "request" nor "response"');
    if (typeof seq !== 'number') return this.onUnreadable('a request has no number ("seq")');
    if (typeof command === 'string') return this.handleMessage(message as unknown as DebugProtocol.Request);
    this.refuse({ seq, type, command: '' }, peerError('no-command', `the request ${seq} has no "command"`));
  }

  get backlog(): number {
    return this.output?.writableLength ?? 0;
  }

  onDrain(act: () => void): void {
    this.output?.once('drain', act);
  }

  send(name: string, body?: unknown): void {
    const event = new Event(name, body);
    if (this.holding > 0) this.held.push(event);
    else this.sendEvent(event);
  }

  ask(command: string, args: unknown, limitMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = peerError('client-slow', `the editor did not answer "${command}"`);
      this.sendRequest(command, args, limitMs, (response: DebugProtocol.Response) => {
        if (response.success) resolve(response.body);
        else
          reject(
            response.message === 'timeout'
              ? late
              : userError('client-refused', `${command}: ${response.message ?? 'refused by the editor'}`),
          );
      });
    });
  }

  /** Of a `cancel` request. The request is answered at once; what becomes of the work is its route's affair. */
  cancel(seq: number): boolean {
    const found = this.open.get(seq);
    found?.abort.abort();
    return found !== undefined;
  }

  override sendEvent(event: DebugProtocol.Event): void {
    this.log.add('dap', `< ${event.event} ${describeBody(event)}`);
    super.sendEvent(event);
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    let shown: string;
    try {
      shown = JSON.stringify(request.arguments ?? {});
    } catch {
      // Of everything that was parsed, only what is nested by the thousand cannot be written again: also not by a handler.
      return this.refuse(request, peerError('too-deep', `${request.command}: the arguments are nested too deeply`));
    }
    this.log.add('dap', `> ${request.seq} ${request.command} ${shown}`);
    void this.serve(request);
  }

  private refuse(request: DebugProtocol.Request, error: SavepointError): void {
    this.reply(request, { abort: new AbortController(), answered: false }, error);
  }

  private async serve(request: DebugProtocol.Request): Promise<void> {
    const routes = this.routes();
    const route = Object.hasOwn(routes, request.command) ? routes[request.command] : undefined;
    const entry: Open = { abort: new AbortController(), answered: false };
    this.open.set(request.seq, entry);
    entry.abort.signal.addEventListener('abort', () =>
      this.reply(request, entry, new SavepointError('cancelled', 'cancelled', 'cancelled')),
    );
    if (route?.eventsAfter === true) this.holding++;
    const after: (() => void)[] = [];
    try {
      if (route === undefined) throw userError('unknown-request', `there is no request "${request.command}"`);
      const context: RequestContext = {
        signal: entry.abort.signal,
        beforeReply: (event, what) => this.sendEvent(new Event(event, what)),
        afterReply: (act) => void after.push(act),
      };
      const body: unknown = await route.run(readArguments(request.command, request.arguments) as never, context);
      this.reply(request, entry, undefined, body);
    } catch (error) {
      this.reply(request, entry, error);
    } finally {
      this.open.delete(request.seq);
      if (route?.eventsAfter === true) this.release();
    }
    for (const act of after) act();
  }

  private reply(request: DebugProtocol.Request, entry: Open, error: unknown, body?: unknown): void {
    if (entry.answered) return;
    entry.answered = true;
    const response: DebugProtocol.Response = new Response(request);
    if (error === undefined) response.body = body;
    else {
      const isBug = !(error instanceof SavepointError) || isFamily(error, 'bug');
      if (isBug) this.log.add('dap', `internal error: ${describeError(error)}`);
      const made = errorReply(error, isBug ? this.saveTrace() : undefined);
      response.success = false;
      response.message = made.message;
      response.body = made.body;
    }
    this.log.add(
      'dap',
      `< ${request.seq} ${response.success ? 'ok' : `failed: ${response.message}`} ${JSON.stringify(response.body ?? {})}`,
    );
    this.sendResponse(response);
  }

  /** A promise of ours was broken outside a request. */
  reportBug(error: unknown): void {
    this.log.add('dap', `internal error: ${describeError(error)}`);
    const trace = this.saveTrace();
    this.send('output', {
      category: 'stderr',
      output: `savepoint: ${errorReply(error, trace).body.error?.variables?.['text'] ?? ''}\n`,
    });
  }

  private release(): void {
    if (--this.holding > 0) return;
    const events = this.held;
    this.held = [];
    for (const event of events) this.sendEvent(event);
  }

  private onBrokenStream(text: string): void {
    this.log.add('dap', `the stream is broken: ${text}`);
    this.onGone();
  }

  private onUnreadable(reason: string, consequence = ''): void {
    this.log.add('dap', `unreadable: ${reason}`);
    const output = `savepoint: a message of the editor is not readable: ${reason}${consequence}\n`;
    this.send('output', { category: 'stderr', output });
  }
}
