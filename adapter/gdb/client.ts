/**
 * Commands to gdb and their replies: a token for each command, a promise for each token.
 *
 * Errors are made before a command is sent, so that their stack names who asked. gdb works one command after another, so what it
 * prints on its console streams while it works on a command belongs to the oldest one without a reply.
 * Knows the wire, and no command in particular but one that does nothing.
 *
 * A command that nobody waits for any more (its limit has passed, or its request was cancelled) keeps its place until gdb answers it, so that what
 * it prints is nobody else's, and it is interrupted when its turn is or comes. A ^C that came too late would meet another command: it can make
 * gdb unwind a frame wrongly, and so show wrong values. So what a person typed goes alone, and behind a ^C a word that does nothing goes first.
 * One ^C only: a second one while gdb waits for the debug server
 * makes it let go of the program. But gdb may take a ^C at its prompt, before it begins with the command; then it says so ("Quit", and its prompt
 * without a result), and gets another. And one may be lost without a word; whoever gets `pursue` has to find out whether.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { type SavepointError, peerError } from '../../native/base/errors';
import type { Log } from '../../native/base/log';
import { LineSplitter } from './line-splitter';
import { parseRecord, tokenOf } from './mi-parser';
import type { MiEvent, MiRecord, MiTuple, StreamKind } from './mi-values';

const LIMIT_VARIABLE = 'SAVEPOINT_GDB_LIMIT';
const USUAL_SECONDS = 60;

/** For commands that gdb answers from what it has. */
export const ORDINARY_MS = 1000 * readSeconds(process.env[LIMIT_VARIABLE]);
/** For commands that ask the debug server for something big, or start programs. */
export const LONG_MS = 5 * ORDINARY_MS;
/** For commands that read symbols; whoever does not want to wait for these cancels their progress. */
export const SYMBOLS_MS = 60 * ORDINARY_MS;
/** For what a person typed: it may take as long as it likes. */
export const UNLIMITED_MS = 0;

function readSeconds(given: string | undefined): number {
  const seconds = Number(given ?? '');
  return seconds > 0 && seconds <= 10_000 ? seconds : USUAL_SECONDS;
}

/** From a ^C to the first question whether it was lost; then twice as long each time, up to the last. */
const PURSUE_MS = { first: 200, last: 3200 };

/** Does nothing: its answer says that gdb is through with what came before. */
export const NOTHING = '-gdb-show confirm';

/** Begins what our script says of itself, which is no command's answer. */
export const MARK = '\x1e';

export interface MiReply {
  /** `done`, `running`, `connected` or `exit`; `error` is thrown. */
  readonly name: string;
  readonly fields: MiTuple;
  /** What gdb printed meanwhile, of a command with `capture`. */
  readonly text: string;
}

export interface Sending {
  readonly limitMs?: number;
  /** What gdb prints meanwhile goes into the reply instead of to `onStream`. */
  readonly capture?: boolean;
  /** It ends by itself, and gdb might die of an interrupt. */
  readonly uninterruptible?: boolean;
}

export interface ClientEvents {
  /** `*running`, `*stopped`, `=…`. */
  onEvent(event: MiEvent): void;
  onStream(stream: StreamKind, text: string): void;
  /** A line that is not MI, and that belongs to no command. */
  onGarbage(error: SavepointError): void;
  /** gdb is to end what it works on, as by ^C. */
  interrupt(): void;
  /** It was interrupted a while ago, and is still at it: `again`, when that ^C was lost. */
  pursue(again: () => void): void;
}

/** Whose commands are sent: they are found here by whatever sends them. */
interface Scope {
  readonly signal: AbortSignal;
  readonly isTyped: boolean;
}

interface Pending {
  readonly token: number;
  readonly command: string;
  /** What comes behind it is not written before it is answered. */
  readonly isTyped: boolean;
  readonly asker: Error;
  readonly capture: boolean;
  readonly timer: NodeJS.Timeout | undefined;
  /** Of the request that it was sent for. */
  readonly signal: AbortSignal | undefined;
  readonly uninterruptible: boolean;
  isLate: boolean;
  isInterrupted: boolean;
  text: string;
  resolve(reply: MiReply): void;
  reject(error: Error): void;
}

export class GdbClient {
  private readonly splitter = new LineSplitter((line) => this.take(line));
  /** In the order of sending, which is gdb's order of working. */
  private readonly pending = new Map<number, Pending>();
  /** Not written yet, because of `guard`; in their order. */
  private readonly held = new Map<number, Pending>();
  /** A command that was typed, or the word behind a ^C. */
  private guard: Pending | undefined;
  private nextToken = 1;
  private ended: string | undefined;
  /** The token of the command that has the program run. */
  private resumedBy: number | undefined;
  private readonly scope = new AsyncLocalStorage<Scope>();
  /** gdb has said "Quit", and neither a result nor its prompt since. */
  private hasQuit = false;
  private pursuit: NodeJS.Timeout | undefined;

  constructor(
    private readonly write: (text: string) => void,
    private readonly log: Log,
    private readonly events: ClientEvents,
  ) {}

  /** `command` begins with `-`. Rejects with a PeerError whose message is gdb's. */
  send(command: string, sending: Sending = {}): Promise<MiReply> {
    const asker = new Error(command);
    const { capture = false, uninterruptible = false } = sending;
    const scope = this.scope.getStore();
    const limitMs = scope?.isTyped === true ? UNLIMITED_MS : (sending.limitMs ?? ORDINARY_MS);
    if (/[\n\r]/.test(command)) return Promise.reject(peerError('mi-line', `a command is one line: ${JSON.stringify(command)}`));
    if (this.ended !== undefined) return Promise.reject(this.failure('gdb-ended', this.ended, asker));
    const token = this.nextToken++;
    return new Promise((resolve, reject) => {
      const timer = limitMs === UNLIMITED_MS ? undefined : setTimeout(() => this.onLate(token, limitMs), limitMs);
      // What is sent after the end of a request puts things right again: nobody ends that.
      const signal = scope?.signal.aborted === true ? undefined : scope?.signal;
      const isTyped = scope?.isTyped === true;
      const state = { isLate: false, isInterrupted: false, text: '' };
      const rules = { isTyped, uninterruptible, capture };
      this.held.set(token, { token, command, asker, ...rules, timer, signal, ...state, resolve, reject });
      this.writeHeld();
    });
  }

  private writeHeld(): void {
    for (const pending of this.held.values()) {
      if (this.guard !== undefined) return;
      this.held.delete(pending.token);
      this.writeOne(pending);
      if (pending.isTyped) this.guard = pending;
    }
  }

  private writeOne(pending: Pending): void {
    this.pending.set(pending.token, pending);
    const line = `${pending.token}${pending.command}`;
    this.log.add('mi', `> ${line}`);
    this.write(`${line}\n`);
  }

  /** Does `work`, whose commands end early when `signal` says so. `isTyped`: they may take as long as they like. */
  async interruptible<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    const { signal } = scope;
    const end = (): void => this.interruptUnwanted();
    signal.addEventListener('abort', end);
    try {
      return await this.scope.run(scope, work);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  private onLate(token: number, limitMs: number): void {
    const pending = this.pending.get(token);
    if (pending === undefined) return this.onLateHeld(token, limitMs);
    pending.isLate = true;
    const done = pending.uninterruptible ? '' : ' and was interrupted';
    const what = `gdb did not answer within ${limitMs / 1000} s${done}: ${shortName(pending.command)}`;
    const advice = `Try again; ${LIMIT_VARIABLE} in the adapter's environment (now ${ORDINARY_MS / 1000}) gives it more seconds`;
    this.log.add('mi', `! ${what}`);
    pending.reject(this.failure('gdb-slow', `${what}. ${advice}`, pending.asker));
    this.interruptUnwanted();
  }

  private onLateHeld(token: number, limitMs: number): void {
    const pending = this.held.get(token);
    if (pending === undefined) return;
    this.held.delete(token);
    const what = `gdb has been at work on something else for ${limitMs / 1000} s: ${shortName(this.guard?.command ?? '')}`;
    pending.reject(this.failure('gdb-busy', `${what}. Wait for it, or cancel it`, pending.asker));
  }

  /** What gdb works on, when nobody waits for it; what was not written yet is forgotten. */
  private interruptUnwanted(): void {
    for (const pending of this.held.values()) {
      if (pending.signal?.aborted !== true) continue;
      this.held.delete(pending.token);
      clearTimeout(pending.timer);
      pending.reject(this.failure('gdb-cancelled', 'cancelled', pending.asker));
    }
    const [oldest] = this.pending.values();
    if (
      oldest === undefined ||
      oldest.isInterrupted ||
      oldest.uninterruptible ||
      !(oldest.isLate || oldest.signal?.aborted === true)
    )
      return;
    this.interrupt(oldest);
    this.pursue(oldest, PURSUE_MS.first);
  }

  private interrupt(pending: Pending): void {
    pending.isInterrupted = true;
    this.log.add('mi', `! ^C: ${pending.command.slice(0, 200)}`);
    this.events.interrupt();
    this.guard = this.writeFence();
  }

  private pursue(pending: Pending, afterMs: number): void {
    clearTimeout(this.pursuit);
    const isAtIt = (): boolean => this.ended === undefined && this.pending.values().next().value === pending;
    this.pursuit = setTimeout(() => {
      if (!isAtIt()) return;
      this.events.pursue(() => isAtIt() && this.interrupt(pending));
      this.pursue(pending, Math.min(2 * afterMs, PURSUE_MS.last));
    }, afterMs);
    this.pursuit.unref();
  }

  private onPrompt(): void {
    const [oldest] = this.pending.values();
    if (this.hasQuit && oldest?.isInterrupted === true) {
      oldest.isInterrupted = false;
      this.interruptUnwanted();
    }
    this.hasQuit = false;
  }

  feed(chunk: Buffer): void {
    this.splitter.feed(chunk);
  }

  /** gdb is gone: nothing will be answered any more. */
  end(why: string): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    const all = [...this.pending.values(), ...this.held.values()];
    this.pending.clear();
    this.held.clear();
    for (const pending of all) {
      clearTimeout(pending.timer);
      pending.reject(this.failure('gdb-ended', why, pending.asker));
    }
  }

  private take(line: string): void {
    this.log.add('mi', `< ${line.length > 4000 ? `${line.slice(0, 4000)}… (${line.length} characters)` : line}`);
    let record: MiRecord;
    try {
      record = parseRecord(line);
    } catch (error) {
      return this.garbage(line, error as SavepointError);
    }
    switch (record.kind) {
      case 'prompt':
        return this.onPrompt();
      case 'stream':
        return this.stream(record.stream, record.text);
      case 'result':
        return this.answer(record);
      default:
        if (record.kind === 'exec' && record.name === 'stopped') this.resumedBy = undefined;
        this.events.onEvent(record);
    }
  }

  private garbage(line: string, error: SavepointError): void {
    const token = tokenOf(line);
    const pending = token === undefined ? undefined : this.pending.get(token);
    if (token === undefined || pending === undefined) return this.events.onGarbage(error);
    this.settle(pending);
    pending.reject(this.failure(error.code, error.message, pending.asker));
  }

  private stream(stream: StreamKind, text: string): void {
    const [oldest] = this.pending.values();
    if (stream === 'log' && text === 'Quit\n') this.hasQuit = true;
    // A stop may have it said after the next command was sent.
    if (oldest?.capture === true && !text.startsWith(MARK)) oldest.text += text;
    else this.events.onStream(stream, text);
  }

  private answer(record: MiEvent): void {
    const pending = record.token === undefined ? undefined : this.pending.get(record.token);
    this.hasQuit = false;
    // None: it is the second answer to a resume.
    if (record.token === undefined || pending === undefined) return this.lateAnswer(record);
    this.forgetBefore(record.token);
    this.settle(pending);
    if (record.name === 'running') this.resumedBy = record.token;
    if (record.name !== 'error') return pending.resolve({ name: record.name, fields: record.fields, text: pending.text });
    const message = typeof record.fields['msg'] === 'string' ? record.fields['msg'] : 'gdb gives no reason';
    pending.reject(this.failure('gdb-error', message, pending.asker));
  }

  /** gdb answers in turn: what it has passed over it will never answer. */
  private forgetBefore(answered: number): void {
    for (const pending of this.pending.values()) {
      if (pending.token >= answered || !(pending.isLate || pending.isInterrupted)) continue;
      this.settle(pending);
      pending.reject(this.failure('gdb-cancelled', 'cancelled', pending.asker));
    }
  }

  /**
   * gdb says `^running` before it sets the program going; when it cannot (a breakpoint of its own that cannot be inserted), `^error` follows and no
   * `*stopped`: the program stands where it stood.
   */
  private lateAnswer(record: MiEvent): void {
    if (record.name !== 'error' || record.token === undefined || record.token !== this.resumedBy) return;
    this.resumedBy = undefined;
    this.events.onEvent({ kind: 'exec', token: undefined, name: 'stopped', fields: {} });
  }

  private settle(pending: Pending): void {
    this.pending.delete(pending.token);
    clearTimeout(pending.timer);
    if (this.guard === pending) {
      this.guard = undefined;
      this.writeHeld();
    }
    // One that was cancelled while it waited for its turn has it now.
    this.interruptUnwanted();
  }

  /**
   * A word that does nothing, right behind a ^C. gdb has the signal when it reads this, and is through with it, at the latest, when it reads
   * what comes next: that is written when this is answered.
   */
  private writeFence(): Pending {
    const rules = { isTyped: false, uninterruptible: true, capture: true };
    const nobody = { timer: undefined, signal: undefined, resolve: () => {}, reject: () => {} };
    const state = { isLate: false, isInterrupted: false, text: '' };
    const fence = { token: this.nextToken++, command: NOTHING, asker: new Error(NOTHING), ...rules, ...nobody, ...state };
    this.writeOne(fence);
    return fence;
  }

  private failure(code: string, message: string, asker: Error): SavepointError {
    const error = peerError(code, message);
    const at = (asker.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
    error.stack = [`${error.name}: ${message}`, `    while gdb worked on ${asker.message}`, ...at].join('\n');
    return error;
  }
}

function shortName(command: string): string {
  return /^(-savepoint-ask \S+|.{0,200})/.exec(command)?.[1] ?? '';
}
