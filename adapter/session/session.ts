/**
 * One debug session: joins its concerns, routes gdb's events to them, and tells the client of stops and of the end. What each request does is
 * in the concern's own file; the table of requests is in routes.ts.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import * as fs from 'node:fs';
import type { CheckpointRecord, CheckpointStop } from '../../native/control/schema';
import { describeError, userError } from '../../native/base/errors';
import type { Log } from '../../native/base/log';
import type { Client } from '../dap/connection';
import { type Passing, type Read, type Returned, readTold } from '../gdb/commands-script';
import { type MiEvent, type StreamKind, numberOf } from '../gdb/mi-values';
import { Breakpoints } from './breakpoints';
import { GdbCheckpointStore, type TakenRecord } from './checkpoint-store';
import { Checkpoints } from './checkpoints';
import { CodeSources } from './code-sources';
import { Compare } from './compare';
import type { ControlStore } from './control-store';
import { Core } from './core';
import { Evaluation } from './evaluate';
import { Exceptions } from './exceptions';
import { Execution } from './execution';
import { Files } from './files';
import { type Installation, Launch, type Start } from './launch';
import { Memory } from './memory';
import { Program } from './program';
import { RestartFrame } from './restart-frame';
import { ServerLoss } from './server-loss';
import { ENDED_THREAD, Stack, Threads } from './stack';
import { type ProgramStop, type Stop, type StopReport, isQuietStop, readStop, reportStop } from './stops';
import { SymbolReading } from './symbol-reading';
import { Variables } from './variables';

export class Session {
  readonly core: Core;
  readonly launch: Launch;
  readonly breakpoints: Breakpoints;
  readonly exceptions: Exceptions;
  readonly threads: Threads;
  readonly stack: Stack;
  readonly variables: Variables;
  readonly evaluation: Evaluation;
  readonly memory: Memory;
  readonly files: Files;
  readonly execution: Execution;
  readonly checkpoints: Checkpoints;
  readonly compare: Compare;
  readonly restartFrame: RestartFrame;
  private readonly serverLoss: ServerLoss;
  /** From `configurationDone` on, what gdb says is for the user. */
  private talking = false;
  private prepared = false;
  private isInitialized = false;
  private terminated = false;
  private besideOpened: Promise<ControlStore | undefined> | undefined;
  private readonly client: Client;
  private readonly store: GdbCheckpointStore;
  private readonly symbols: SymbolReading;

  constructor(
    client: Client,
    log: Log,
    installation: Installation,
    /** The client is gone or has said so: the wire may be closed. */
    private readonly onOver: () => void,
  ) {
    this.client = client;
    this.core = new Core(client, log, (core) => this.makeProgram(core, log));
    const { core } = this;
    this.symbols = new SymbolReading(core.progress, () => core.gdb);
    this.launch = new Launch(
      core,
      installation,
      this.symbols,
      {
        onEvent: (event) => this.onEvent(event),
        onStream: (stream, text) => this.onStream(stream, text),
        onGarbage: (error) => core.tell(describeError(error), 'stderr'),
        interrupt: () => this.launch.interruptGdb(),
        pursue: (again) => void this.pursueInterrupt(again),
      },
      (why) => this.onGdbEnd(why),
    );
    this.serverLoss = new ServerLoss(core, () => this.onServerLost());
    const code = new CodeSources(core);
    this.breakpoints = new Breakpoints(core, code);
    this.exceptions = new Exceptions(core);
    this.threads = new Threads(core);
    this.stack = new Stack(core, code);
    this.variables = new Variables(core);
    this.files = new Files(core, code);
    this.memory = new Memory(core, () => this.onChanged());
    this.store = new GdbCheckpointStore(() => core.gdb);
    this.compare = new Compare(core, this.store);
    this.checkpoints = new Checkpoints(core, this.store, {
      onRestored: (stop, record) => this.tellRestored(stop, record),
      isOver: () => this.launch.isOver,
      openBeside: () => this.openBeside(),
    });
    this.evaluation = new Evaluation(core, this.variables, {
      input: (text) => this.launch.terminal?.write(text) === true,
      afterCommand: () => this.checkpoints.afterCommand(),
    });
    this.restartFrame = new RestartFrame(core, this.checkpoints, this.breakpoints, {
      onRestarted: (stop, name) => this.tellStop(stop, { reason: 'restart', description: `At the beginning of ${name} again` }),
      onPutBack: (stop) => this.sendStopped(stop, { reason: 'goto', description: 'Back where it was' }),
    });
    this.execution = new Execution(core, this.breakpoints, {
      onContinueAfterEnd: () => void this.finish(),
      onJumped: (thread) => this.onJumped(thread),
    });
  }

  private makeProgram(core: Core, log: Log): Program {
    return new Program(() => core.gdb, log, {
      onResumed: () => this.onResumed(),
      onResumedByGdb: () => this.client.send('continued', this.allContinued),
      onStop: (stop, pauseAsked) => this.onStop(stop, pauseAsked),
      onExit: (stop, silently) => void this.onExit(stop, silently),
    });
  }

  // --- starting ---

  async prepare(start: Start): Promise<void> {
    if (this.launch.start !== undefined) throw userError('launched', 'this session debugs a program already');
    try {
      this.checkpoints.limits = start.settings.automatic;
      await this.launch.prepare(start);
      await this.breakpoints.setEarly();
      await this.exceptions.setEarly();
    } catch (error) {
      await this.launch.end();
      throw error;
    }
    this.prepared = true;
    // What can be started again is what was started here.
    if (start.kind === 'attach') this.client.send('capabilities', { capabilities: await this.attachedCapabilities() });
    this.tellInitialized();
  }

  /** Once. */
  tellInitialized(): void {
    if (this.isInitialized) return;
    this.isInitialized = true;
    this.client.send('initialized');
  }

  private async attachedCapabilities(): Promise<DebugProtocol.Capabilities> {
    const checkpoints = this.launch.isLocal || (await this.checkpoints.arePossible());
    return { supportsRestartRequest: false, ...(checkpoints ? {} : { supportsStepBack: false, supportsRestartFrame: false }) };
  }

  async run(stopOnAttach: boolean): Promise<void> {
    this.talking = true;
    const { start } = this.launch;
    if (start?.settings.program !== undefined) this.files.addProgram(start.settings.program);
    try {
      const stop = await this.launch.run(stopOnAttach);
      if (stop?.kind === 'stop') this.tellEntry(stop);
      else if (stop !== undefined) this.core.program.settle(stop);
    } catch (error) {
      void this.finish();
      throw error;
    }
  }

  // --- what gdb says ---

  private onEvent(event: MiEvent): void {
    const { name, fields } = event;
    // What falls apart at the end is no news; but the end may wait for a stop.
    if (this.launch.isOver) {
      if (event.kind === 'exec' && name === 'stopped') this.core.program.onStoppedAtEnd(readStop(fields));
      return;
    }
    switch (`${event.kind} ${name}`) {
      case 'exec running':
        return this.core.program.onRunning();
      case 'exec stopped':
        if (this.serverLoss.isEmpty(fields)) return;
        return this.core.program.onStopped(readStop(fields));
      case 'notify thread-group-exited':
        return this.serverLoss.onExited(fields);
      case 'notify thread-group-started':
        this.serverLoss.onStarted(fields);
        return this.onProcess(numberOf(fields, 'pid'));
      case 'notify thread-created':
        return this.threads.onCreated(fields);
      case 'notify thread-exited':
        return this.threads.onExited(fields);
      case 'notify library-loaded':
        this.symbols.onFound();
        this.variables.onLibraries();
        return this.files.onLoaded(fields);
      case 'notify library-unloaded':
        this.variables.onLibraries();
        return this.files.onUnloaded(fields);
      case 'notify breakpoint-modified':
        return this.breakpoints.onModified(fields);
      case 'notify breakpoint-created':
        return this.breakpoints.onCreated(fields);
      case 'notify breakpoint-deleted':
        return this.breakpoints.onDeleted(fields);
    }
  }

  private onProcess(pid: number | undefined): void {
    if (pid === undefined || !this.launch.onProcess(pid)) return;
    this.checkpoints.onLost();
    const { start } = this.launch;
    this.addProgramOf(pid);
    this.client.send('process', {
      name: start?.settings.program ?? `process ${pid}`,
      systemProcessId: pid,
      isLocalProcess: this.launch.isLocal,
      startMethod: start?.kind ?? 'launch',
      pointerSize: 64,
    });
  }

  /** Attached to without a file: the kernel knows it. */
  private addProgramOf(pid: number): void {
    const { start, isLocal } = this.launch;
    if (start?.kind !== 'attach' || start.settings.program !== undefined || !isLocal) return;
    try {
      this.files.addProgram(fs.readlinkSync(`/proc/${pid}/exe`));
    } catch {
      // Another user's, or ended.
    }
  }

  /** While the program is stopped for a moment only, gdb's words about that are not for the user. */
  private onStream(stream: StreamKind, text: string): void {
    const told = stream === 'console' ? readTold(text) : undefined;
    if (told !== undefined) return this.onTold(told);
    if (!this.talking || this.core.program.kind === 'borrowed' || this.launch.isOver) return;
    this.client.send('output', { category: 'console', output: text });
  }

  private onTold(told: Passing | Returned | Read): void {
    if ('log' in told) this.onPassing(told);
    else if ('read' in told) this.symbols.onRead(told.read);
    else this.onReturned(told);
  }

  private onPassing({ log, source, line, checkpoint, stop }: Passing): void {
    const place =
      source === undefined || line === undefined
        ? {}
        : { source: { path: this.core.toClientPath(source) }, line: this.core.toClientLine(line) };
    this.client.send('output', { category: 'console', output: `${log}\n`, ...place });
    if (checkpoint !== undefined) this.checkpoints.onPassed(checkpoint as TakenRecord, stop as CheckpointStop);
  }

  /** Also of a restore that the client asked for: what it could not bring back is news. */
  private onReturned({ returned, notes }: Returned): void {
    const isOwn = this.store.onReturned();
    if (!this.launch.isOver && !(isOwn && notes.length === 0)) this.core.tellList(returned, notes, { folded: isOwn });
  }

  // --- stops ---

  private onResumed(): void {
    this.core.frames.clear();
    this.variables.onResumed();
    this.execution.onResumed();
    this.checkpoints.onResumed();
  }

  private onStop(stop: ProgramStop, pauseAsked: boolean): void {
    this.exceptions.onStop(stop);
    if (this.execution.onStop(stop)) return this.tellStop(stop, { reason: 'step', description: 'Paused after step' });
    if (isQuietStop(stop) && !pauseAsked) return void this.onQuietStop(stop);
    this.tellStop(stop, this.describeStop(stop, pauseAsked));
  }

  /** Where the program was found, or begins. */
  tellEntry(stop: ProgramStop): void {
    this.core.program.stopped();
    const description = this.launch.start?.kind === 'attach' ? 'Paused after attaching' : 'Paused at the first instruction';
    this.tellStop(stop, { reason: 'entry', description });
  }

  private describeStop(stop: ProgramStop, pauseAsked: boolean): StopReport {
    const report = reportStop(stop, {
      pauseAsked,
      kindOf: (number) => (this.exceptions.has(number) ? 'exception' : this.breakpoints.kindOf(number)),
      exceptionOf: (number) => this.exceptions.describe(number),
    });
    const hit = report.hitBreakpointIds?.map((number) => this.exceptions.idOf(this.breakpoints.idOf(number)));
    return hit === undefined ? report : { ...report, hitBreakpointIds: hit };
  }

  private tellStop(stop: ProgramStop, report: StopReport): void {
    this.sendStopped(stop, report);
    this.checkpoints.onStop(stop, report);
    void this.openBeside();
    void this.files.tellNewSources().catch(() => {});
  }

  /**
   * A ^C may have been lost on the program, too: 1. gdb lets it run for a function that an expression calls; 2. the function returns, and the
   * server says so; 3. gdb hears our ^C, and tells the server, whose program stands; 4. gdb reads the answer to 1, and calls the expression's next
   * function. The owner tells them apart: its program would stand, had it heard the ^C while it ran. An owner that does not answer has not heard it yet.
   */
  private async pursueInterrupt(again: () => void): Promise<void> {
    this.launch.interruptStarted();
    const beside = await this.besideOpened;
    const runs = await beside?.isRunning().catch(() => false);
    if (runs === true) again();
  }

  /** The body of `continued`. */
  get allContinued(): DebugProtocol.ContinuedEvent['body'] {
    return { threadId: this.threads.first() ?? 1, allThreadsContinued: true };
  }

  private sendStopped(stop: ProgramStop, report: StopReport): void {
    this.client.send('stopped', { ...report, threadId: stop.thread ?? this.threads.first() ?? 1, allThreadsStopped: true });
  }

  /** Attached, or somebody typed `restart N`. */
  private async onQuietStop(stop: ProgramStop): Promise<void> {
    const record = await this.checkpoints.onForeignRestore(stop).catch(() => undefined);
    if (record !== undefined && this.core.program.kind === 'stopped') this.tellRestored(stop, record);
    else this.tellStop(stop, { reason: 'entry', description: 'Paused after attaching' });
  }

  private tellRestored(stop: ProgramStop, record: CheckpointRecord): void {
    this.exceptions.onStop(stop);
    const name = record.label === '' ? `checkpoint ${record.id}` : `checkpoint ${record.id} "${record.label}"`;
    this.sendStopped(stop, { reason: 'goto', description: `Restored to ${name}` });
  }

  private onJumped(thread: number): void {
    this.core.frames.clear();
    this.variables.onResumed();
    this.checkpoints.onChanged();
    this.client.send('stopped', { reason: 'goto', description: 'Jumped', threadId: thread, allThreadsStopped: true });
  }

  /** The user has changed memory or a variable. */
  onChanged(areas: DebugProtocol.InvalidatedAreas[] = ['variables']): void {
    this.checkpoints.onChanged();
    const isLooking = this.core.program.kind === 'stopped';
    if (isLooking && this.core.conventions.invalidatedEvent) this.client.send('invalidated', { areas });
  }

  // --- the end ---

  private async onExit(stop: Extract<Stop, { kind: 'exit' }>, silently: boolean): Promise<void> {
    await this.launch.terminal?.drained();
    if (this.core.program.kind !== 'exited') return;
    this.client.send('exited', { exitCode: stop.code });
    const how = stop.signal === undefined ? `ended with status ${stop.code}` : `was ended by ${stop.signal}`;
    if (silently) this.core.tell(`The program ${how}.`);
    const wish = this.launch.start?.settings.onExit ?? 'auto';
    // Killed, it has taken them along.
    if (wish === 'stay' || (wish === 'auto' && this.checkpoints.hasNamed)) await this.checkpoints.afterCommand();
    if (this.core.program.kind !== 'exited') return;
    if (wish === 'end' || (wish === 'auto' && !this.checkpoints.hasNamed)) return await this.finish();
    const back = this.checkpoints.areThere ? 'A checkpoint can bring it back' : 'No checkpoint can bring it back';
    this.core.tell(`The program ${how}. ${back}; Continue or Stop ends the session.`, 'important');
    this.client.send('stopped', {
      reason: 'exit',
      description: `The program ${how}`,
      threadId: ENDED_THREAD,
      allThreadsStopped: true,
    });
  }

  /** Our own server's end is gdb's end, and told as that. */
  private onServerLost(): void {
    const { start } = this.launch;
    if (start?.kind !== 'attach' || start.settings.to.kind !== 'server') return;
    this.core.tell(`The connection to ${start.settings.to.address} is lost: the debug server has ended.`, 'stderr');
    this.core.program.onGdbEnded();
    void this.finish();
  }

  private onGdbEnd(why: string): void {
    this.launch.ended();
    // While it is being started, the reply to that says it.
    if (!this.prepared) return;
    if (!this.terminated) this.tellGdbEnd(why.split('\n').filter((line) => line.trim() !== ''));
    this.tellTerminated();
  }

  /** gdb's last words may be many. */
  private tellGdbEnd(words: readonly string[]): void {
    if (words.length <= 1) this.core.tell(`The debugger has ended: ${words[0] ?? 'without a word'}`, 'stderr');
    else this.core.tellList('The debugger has ended:', words, { category: 'stderr' });
  }

  private tellTerminated(): void {
    if (this.terminated) return;
    this.terminated = true;
    this.client.send('terminated');
  }

  /** The client's `terminate`. */
  async terminate(): Promise<void> {
    if (this.launch.start?.kind === 'attach' && !this.launch.isOver) await this.launch.kill().catch(() => {});
    await this.finish();
  }

  /** Ends gdb, the owner and what was started, and says so. */
  async finish(): Promise<void> {
    await this.launch.end();
    this.closeBeside();
    this.tellTerminated();
  }

  /** `terminate` and `suspend` are the client's wishes; undefined: what was started ends, what was attached to runs on. */
  async disconnect(terminate: boolean | undefined, suspend: boolean): Promise<void> {
    const { start, isOver } = this.launch;
    if (start !== undefined && !isOver) {
      if (terminate === true && start.kind === 'attach') await this.launch.kill().catch(() => {});
      else if (!(terminate ?? start.kind === 'launch')) {
        await this.launch
          .letGo(suspend)
          .catch((error: unknown) => this.core.tell(`The program was not let go: ${describeError(error)}`, 'stderr'));
      }
      await this.launch.end();
      this.closeBeside();
    }
  }

  /** The way to the owner beside gdb; not before the first stop, which comes the sooner for it. */
  private async openBeside(): Promise<void> {
    const { controlSocket } = this.launch;
    if (controlSocket === undefined) return;
    this.besideOpened ??= this.connectBeside(controlSocket).then(
      (store) => {
        if (this.launch.isOver) void store.close();
        else this.checkpoints.beside = store;
        return store;
      },
      (error: unknown) => {
        this.core.log.add('checkpoint', `no control socket: ${describeError(error)}`);
        return undefined;
      },
    );
    await this.besideOpened;
  }

  /** WebSocket and JSON-RPC are loaded here, not at the start. */
  private async connectBeside(controlSocket: string): Promise<ControlStore> {
    const { ControlStore } = await import('./control-store');
    return await ControlStore.open(
      controlSocket,
      (change) => this.checkpoints.onNotice(change),
      () => (this.checkpoints.beside = undefined),
    );
  }

  private closeBeside(): void {
    void this.besideOpened?.then((store) => store?.close());
  }

  /** After the last reply. */
  over(): void {
    this.onOver();
  }

  /** The editor has closed the wire without a word. */
  async onClientGone(): Promise<void> {
    this.terminated = true;
    await this.disconnect(undefined, false);
    this.onOver();
  }
}
