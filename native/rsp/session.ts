/**
 * One connection from gdb: bytes in, frames out, one packet at a time, and what must be remembered between them.
 *
 * Owns acknowledgement, the queue of packets that came while the inferior runs, the phase, and the story of a restore. Knows
 * no socket: bytes come by `feed`, frames go to the injected `write`. Nothing here throws at its caller.
 *
 * How gdb learns of a restore: it was armed first; the next resume-class packet is answered with the restored stop ("signal 0")
 * instead of a resume. When the link map changed, `T05library` goes first; gdb re-reads the libraries and sends the same
 * packet again, and that one gets the stop.
 */

import type { Pid, ThreadRef } from '../base/brands';
import { peerError } from '../base/errors';
import type { Log } from '../base/log';
import type { ResumeEntry, ServerHooks, StopReport, Target } from '../owner/ops';
import { PACKET_SIZE, PLAIN_CLIENT } from './client';
import { FAILED, SILENT, WRITTEN, type Context, type Reply } from './context';
import { Cursor } from './cursor';
import { describeFailure, failureReply, type Failure } from './failures';
import { PacketDecoder, type WireEvent } from './framing';
import { HostFiles } from './host-files';
import { LaunchSettings, type DefaultProgram } from './launch-settings';
import { findPacket, nameLength, type Packet } from './packets';
import { transition, type Phase, type PhaseEvent } from './phase';
import { writeLibraryReply, writeStopReply } from './replies';
import { Selection } from './selection';
import { PacketWriter } from './writer';

/** The decoder's limit: a client may count its packet without the header. */
const LIMIT = PACKET_SIZE + 64;
/** What is kept while the inferior runs; gdb sends nothing then, so this is for clients gone wrong. */
const QUEUE_PACKETS = 64;
const QUEUE_BYTES = 4 * PACKET_SIZE;
/** Notes kept until gdb waits for a stop and may be told. */
const NOTES = 100;
/** Bytes of text in one O packet. */
const CONSOLE_CHUNK = 8192;
const TRACED = 160;

const PLUS = Buffer.from('+');
const MINUS = Buffer.from('-');

/** Why the session was over when the peer closed it. All but the first: nothing was left to debug, and the peer was not in extended mode. */
export type EndReason = 'disconnected' | 'exited' | 'killed' | 'detached';

export interface SessionOptions {
  /** Whether `!` (target extended-remote) is accepted. */
  readonly extended: boolean;
  /** What vRun without a file name and R start. */
  readonly program?: DefaultProgram;
  readonly wrapper?: readonly string[];
  /** The environment that gdb's "set environment" edits; default: our own. */
  readonly environment?: () => readonly string[];
  /** Processes attached to before this connection. */
  readonly attached?: readonly Pid[];
  /** The stop that `?` answers when the process was started or attached to before this connection. */
  readonly initialStop?: StopReport;
  /** The CPU of a thread, for `core:` in stop replies, when it is known at no cost. */
  readonly coreOf?: (thread: ThreadRef) => number | undefined;
  readonly trace?: Log;
  /** After an internal error: keeps the trace, and returns the file; undefined: it cannot, or has done it often enough. */
  saveTrace?(): string | undefined;
  /** One line for the user at the server. */
  log(text: string): void;
  /** Once, when the peer has gone (`disconnected` was called or `write` threw). The target is left as it is. */
  onEnd(reason: EndReason): void;
}

type Restored = NonNullable<ReturnType<ServerHooks['beforeResume']>>;

export interface SessionParts {
  readonly target: Target;
  readonly hooks: ServerHooks;
  /** Must have sent or copied the bytes when it returns: the buffer is reused. */
  readonly write: (frame: Buffer) => void;
  readonly options: SessionOptions;
}

export class RspSession {
  private readonly target: Target;
  private readonly hooks: ServerHooks;
  private readonly options: SessionOptions;
  private readonly decoder = new PacketDecoder(LIMIT);
  private readonly out = new PacketWriter();
  private readonly cursor = new Cursor();
  private readonly context: Context;
  private readonly onWire = (event: WireEvent): void => this.takeEvent(event);

  private currentPhase: Phase = 'idle';
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private readonly notes: string[] = [];
  /** The stop of a restore that waits behind its library event. */
  private withheld: StopReport | undefined;
  private lastStop: StopReport | undefined;
  private lastError: string | undefined;
  private endReason: EndReason = 'disconnected';

  private acknowledging = true;
  /** The frame to repeat after `-`; only while acknowledging. */
  private lastFrame: Buffer | undefined;

  constructor(private readonly parts: SessionParts) {
    this.target = parts.target;
    this.hooks = parts.hooks;
    this.options = parts.options;
    this.lastStop = parts.options.initialStop;
    this.context = this.makeContext();
  }

  get phase(): Phase {
    return this.currentPhase;
  }

  /** Bytes from the peer, in any pieces. */
  feed(bytes: Buffer): void {
    if (this.currentPhase !== 'ended') this.decoder.feed(bytes, this.onWire);
  }

  /** The target's stop; all threads stand. */
  onStop(report: StopReport): void {
    if (!this.move('stop')) {
      this.trace(`-- stop while ${this.currentPhase}, not told`);
      return;
    }
    this.send(this.answerStop(report));
    this.workOffQueue();
  }

  /** The program ran, and was put back by somebody else: gdb gets the restored state as the stop that it waits for. */
  onRestored(restored: Restored): void {
    if (this.currentPhase !== 'running') {
      this.trace(`-- restored while ${this.currentPhase}, not told`);
      return;
    }
    if (restored.note !== undefined) this.sendConsole(restored.note);
    this.move('stop');
    this.send(this.answerRestored(restored));
    this.workOffQueue();
  }

  private workOffQueue(): void {
    while (this.queue.length > 0 && this.currentPhase === 'idle') {
      const payload = this.queue.shift() as Buffer;
      this.queuedBytes -= payload.length;
      this.handle(payload);
    }
  }

  /** Text for gdb's console. gdb reads it only while it waits for a stop; until then it is kept. */
  onNote(text: string): void {
    if (this.currentPhase === 'running') this.sendConsole(text);
    else if (this.notes.length < NOTES) this.notes.push(text);
  }

  /** The peer closed the connection. */
  disconnected(): void {
    if (!this.move('disconnect')) return;
    this.queue = [];
    this.context.files.closeAll();
    this.options.onEnd(this.endReason);
  }

  private makeContext(): Context {
    const { target, hooks, out, options } = this;
    const environment =
      options.environment ?? (() => Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`));
    return {
      target,
      hooks,
      out,
      launch: new LaunchSettings(options.program, options.wrapper, environment),
      selection: new Selection(target),
      files: new HostFiles(),
      documents: new Map(),
      threadsToList: [],
      client: PLAIN_CLIENT,
      extended: false,
      extendedAllowed: options.extended,
      attached: new Set(options.attached),
      lastError: () => this.lastError,
      lastStop: () => this.lastStop,
      stopAcknowledging: () => {
        this.acknowledging = false;
      },
      log: (text) => options.log(text),
      resume: (entries, reachable) => this.resume(entries, reachable),
      answerStop: (report) => this.answerStop(report),
      letGo: (pid, how) => this.letGo(pid, how),
    };
  }

  private move(event: PhaseEvent): boolean {
    const next = transition(this.currentPhase, event);
    if (next === undefined) return false;
    this.options.trace?.add('state', `rsp ${this.currentPhase} --${event}--> ${next}`);
    this.currentPhase = next;
    return true;
  }

  // ---- in

  private takeEvent(event: WireEvent): void {
    if (this.currentPhase === 'ended') return;
    switch (event.kind) {
      case 'packet':
        if (this.acknowledging) this.transmit(PLUS);
        this.takePacket(event.payload);
        return;
      case 'interrupt':
        this.trace('<- ^C');
        // While idle it crossed our stop reply; gdb copes.
        if (this.currentPhase === 'running') this.interrupt();
        return;
      case 'nack':
        if (this.lastFrame !== undefined) this.transmit(this.lastFrame);
        return;
      case 'bad':
        this.trace(`<- bad frame: ${event.reason}`);
        if (this.acknowledging) this.transmit(MINUS);
        // Without acknowledgement the peer would wait for ever.
        else if (this.currentPhase === 'idle') this.send(FAILED);
        return;
      case 'ack':
    }
  }

  private interrupt(): void {
    try {
      this.target.interrupt();
    } catch (error) {
      this.noteFailure(error, '^C');
    }
  }

  private takePacket(payload: Buffer): void {
    this.traceBytes('<-', payload);
    if (this.currentPhase !== 'running' || findPacket(payload)?.when === 'now') {
      this.handle(payload);
      return;
    }
    if (this.queue.length >= QUEUE_PACKETS || this.queuedBytes + payload.length > QUEUE_BYTES) {
      this.trace('-- dropped: too many packets while running');
      return;
    }
    this.queue.push(Buffer.from(payload));
    this.queuedBytes += payload.length;
  }

  private handle(payload: Buffer): void {
    const length = nameLength(payload);
    const packet = findPacket(payload, length);
    let reply: Reply = '';
    if (packet !== undefined) {
      this.out.begin();
      try {
        reply = packet.handle(this.context, this.cursor.reset(payload, length));
      } catch (error) {
        reply = this.fail(error, packet);
      }
    }
    this.send(reply);
  }

  private noteFailure(error: unknown, packet: string): Failure {
    const failure = describeFailure(error, packet);
    this.trace(`-- ${failure.details}`);
    if (failure.logged) this.options.log(failure.line);
    if (failure.isBug) this.tellTrace();
    if (failure.shown) this.lastError = failure.text;
    return failure;
  }

  private tellTrace(): void {
    const file = this.options.saveTrace?.();
    if (file !== undefined) this.options.log(`savepoint: what led to it is in ${file}; please report it with this file`);
  }

  /** After a resume-class packet gdb waits for a stop: it gets the text, and the stop it already had, as "signal 0", or the end of what has died. */
  private fail(error: unknown, packet: Packet): Reply {
    const failure = this.noteFailure(error, packet.name);
    const told = packet.when === 'resume' && failure.shown;
    const thread = told ? this.target.currentThread() : undefined;
    if (told && this.target.hasEndToReport) {
      this.sendConsole(failure.text);
      return this.resumeTarget([]);
    }
    if (thread === undefined) return failureReply(failure, this.context.client.errorMessages);
    this.sendConsole(failure.text);
    return this.answerStop({ kind: 'stopped', thread, signal: 0, detail: { kind: 'none' } });
  }

  // ---- resuming and stopping

  private resume(entries: readonly ResumeEntry[], reachable = true): Reply {
    const restored = this.hooks.beforeResume();
    this.flushNotes();
    if (restored !== undefined) {
      if (restored.note !== undefined) this.sendConsole(restored.note);
      return this.answerRestored(restored);
    }
    if (this.withheld !== undefined) return this.answerStop(this.withheld);
    if (!reachable) throw peerError('no-thread', 'nothing to resume is there');
    return this.resumeTarget(entries);
  }

  private answerRestored({ report, librariesChanged }: Restored): Reply {
    if (!librariesChanged || report.kind !== 'stopped') return this.answerStop(report);
    this.withheld = report;
    this.context.selection.follow(report);
    this.out.begin();
    writeLibraryReply(this.out, report.thread, this.context.client);
    return WRITTEN;
  }

  private resumeTarget(entries: readonly ResumeEntry[]): Reply {
    this.move('resume');
    try {
      this.target.resume(entries);
    } catch (error) {
      this.move('abandon');
      throw error;
    }
    return SILENT;
  }

  private answerStop(report: StopReport): Reply {
    const { context, out, options } = this;
    this.withheld = undefined;
    context.documents.clear();
    context.selection.follow(report);
    if (report.kind === 'stopped') {
      this.lastStop = report;
      this.endReason = 'disconnected';
      const { detail, thread } = report;
      if ((detail.kind === 'fork' || detail.kind === 'vfork') && context.attached.has(thread.pid))
        context.attached.add(detail.child.pid);
    } else if (report.kind !== 'no-resumed') this.forget(report.pid, 'exited');
    out.begin();
    try {
      writeStopReply(
        out,
        report,
        context.client,
        this.target,
        report.kind === 'stopped' ? options.coreOf?.(report.thread) : undefined,
      );
    } catch (error) {
      this.noteFailure(error, 'stop reply');
      if (report.kind !== 'stopped') return FAILED;
      out.begin();
      out.text('T05');
    }
    return WRITTEN;
  }

  private forget(pid: Pid, how: EndReason): void {
    this.lastStop = undefined;
    this.context.attached.delete(pid);
    this.context.selection.forget(pid);
    const left = this.target.pids().some((other) => other !== pid);
    if (!left && !this.context.extended) this.endReason = how;
  }

  private letGo(pid: Pid, how: 'killed' | 'detached'): void {
    this.withheld = undefined;
    this.forget(pid, how);
    // k, the only one that comes while running: no stop will be told.
    this.move('abandon');
  }

  // ---- out

  private flushNotes(): void {
    for (const note of this.notes.splice(0)) this.sendConsole(note);
  }

  /** O packets; legal only while gdb waits for a stop reply. */
  private sendConsole(text: string): void {
    const bytes = Buffer.from(text.endsWith('\n') ? text : `${text}\n`, 'utf8');
    for (let at = 0; at < bytes.length; at += CONSOLE_CHUNK) {
      this.out.begin();
      this.out.text('O');
      this.out.hexBytes(bytes.subarray(at, at + CONSOLE_CHUNK));
      this.send(WRITTEN);
    }
    this.out.begin();
  }

  private send(reply: Reply): void {
    if (reply === SILENT) return;
    if (reply !== WRITTEN) {
      this.out.begin();
      this.out.binary(typeof reply === 'string' ? Buffer.from(reply, 'utf8') : reply);
    }
    this.traceBytes('->', this.out.payload());
    const frame = this.out.finish();
    this.lastFrame = this.acknowledging ? Buffer.from(frame) : undefined;
    this.transmit(frame);
  }

  private transmit(frame: Buffer): void {
    if (this.currentPhase === 'ended') return;
    try {
      this.parts.write(frame);
    } catch (error) {
      this.noteFailure(error, 'write');
      this.disconnected();
    }
  }

  private trace(text: string): void {
    this.options.trace?.add('rsp', text);
  }

  private traceBytes(direction: '<-' | '->', payload: Buffer): void {
    const { trace } = this.options;
    if (trace === undefined) return;
    const shown = payload.toString('latin1', 0, TRACED).replace(/[^ -~]/g, '.');
    trace.add('rsp', payload.length > TRACED ? `${direction} ${shown}… (${payload.length})` : `${direction} ${shown}`);
  }
}
