/**
 * The owner process: tracer, target, checkpoint engine, RSP session, control door, and the one loop that blocks in the shim. Node's event loop
 * never runs here: everything that is served is a descriptor in `wait`.
 */

import { Log } from '../base/log';
import * as fs from 'node:fs';
import { peerError } from '../base/errors';
import { traceSaver } from '../base/saved-trace';
import type { ListenAt } from '../cli/listen-option';
import { hostArch } from '../arch/select';
import * as cpu from '../sys/cpu';
import * as io from '../sys/io';
import { tellPtrace } from '../sys/ptrace-trace';
import { runProbe } from '../sys/probe';
import { Waiter } from '../sys/wait';
import { WaitSet } from '../sys/wait-set';
import { detach, kill } from '../owner/launch';
import type { StopReport } from '../owner/ops';
import { NativeTarget } from '../owner/target';
import { Tracer } from '../owner/tracer';
import { RspSession, type EndReason, type SessionOptions } from '../rsp/session';
import { CheckpointService, type Restored } from './checkpoint-service';
import { ControlDoor } from './control-door';
import { ControlService } from './control-service';
import { ViewedTarget } from './past-view';
import { readWatchMode, wantsExitFilter, type WatchMode } from './settings';
import { SpareTime } from './spare-time';

const READ_ROOM = 256 * 1024;

export interface OwnerOptions {
  /** As SAVEPOINT_TRACE, which it stands in for. */
  readonly trace?: string;
}

/** What a connection is served with; the rest of SessionOptions is the owner's. */
export type ServeOptions = Omit<SessionOptions, 'log' | 'onEnd' | 'trace' | 'saveTrace'>;

/** Whether debug registers fire is found out when the first is wanted; it does not change. */
function probeOnce(forced: WatchMode | undefined): () => boolean {
  let works = forced === undefined ? undefined : forced === 'registers';
  return () => (works ??= runProbe('debugRegisters') === 1);
}

/** One tracer with everything that hangs on it; sessions (gdb connections) come and go. */
export class OwnerProcess {
  readonly log: Log;
  readonly tracer: Tracer;
  readonly target: NativeTarget;
  readonly checkpoints: CheckpointService;
  private readonly waiter = new Waiter();
  private readonly room = Buffer.alloc(READ_ROOM);
  private readonly spareTime = new SpareTime();
  private readonly saveTrace: () => string | undefined;
  private session: RspSession | undefined;
  private readonly door: ControlDoor;
  private readonly control: ControlService;
  /** No debugger was there when the program was put back: this is its stop. */
  private adopted: StopReport | undefined;

  constructor(options: OwnerOptions = {}) {
    this.log = new Log(options.trace);
    if (this.log.shows('ptrace')) tellPtrace((line) => this.log.add('ptrace', line));
    this.saveTrace = traceSaver(this.log);
    this.tracer = new Tracer(
      hostArch(cpu),
      this.waiter,
      this.log,
      {
        onProcessGone: (pid) => this.checkpoints.forget(pid),
        onExec: (pid) => this.checkpoints.forgetImage(pid),
      },
      probeOnce(readWatchMode(process.env)),
    );
    this.target = new NativeTarget(
      this.tracer,
      {
        onStop: (report) => this.session?.onStop(report),
        onNote: (text) => this.session?.onNote(text),
      },
      { park: wantsExitFilter(process.env) },
    );
    this.checkpoints = new CheckpointService(this.tracer, this.target, this.log);
    this.door = new ControlDoor(this.log);
    this.control = new ControlService({
      tracer: this.tracer,
      target: this.target,
      checkpoints: this.checkpoints,
      debugger: () => (this.session === undefined ? 'none' : this.session.phase === 'running' ? 'waiting' : 'idle'),
      deliver: (restored) => this.deliver(restored),
      adopt: (report) => {
        this.adopted = report;
      },
      ring: () => {
        this.door.ring();
        return this.door.isHeard;
      },
    });
    this.checkpoints.onChanged = (change) => this.door.tell({ kind: 'changed', change });
  }

  /** Other clients than the debugger can connect from now on. Returns what to tell the user. */
  openControl(listen?: ListenAt): string | undefined {
    this.checkpoints.bell = this.door.open();
    return listen === undefined ? undefined : this.door.openTcp(listen, process.env['SAVEPOINT_TOKEN'] || undefined);
  }

  closeControl(): void {
    this.door.close();
  }

  private deliver(restored: Restored): void {
    const { report, librariesChanged } = restored;
    this.session?.onRestored({ report, librariesChanged, note: restored.note() });
  }

  /** The stop that a restore without a debugger has led to, once. */
  takeAdopted(): StopReport | undefined {
    const { adopted } = this;
    this.adopted = undefined;
    return adopted;
  }

  /**
   * Serves one connection until it ends; tells why. `others` are further descriptors to watch; `onOther` is told when one is ready, and
   * it is watched no more.
   */
  serve(
    input: number,
    output: number,
    options: ServeOptions,
    others: readonly number[],
    onOther: (fd: number) => void,
  ): EndReason {
    let end: EndReason | undefined;
    const door = this.door.set.fd;
    let watched = [input, ...others, door];
    // What ends a long run of steps in the shim.
    const speaking = new WaitSet();
    for (const fd of [input, door]) speaking.add(fd);
    const session = new RspSession({
      target: new ViewedTarget(this.target, this.checkpoints.view, this.tracer.arch),
      hooks: this.checkpoints.hooks,
      write: (data) => {
        if (!io.writeAll(output, data)) throw peerError('connection-lost', 'the debugger does not read any more');
      },
      options: {
        ...options,
        trace: this.log,
        saveTrace: this.saveTrace,
        log: (text) => fs.writeSync(2, `${text}\n`),
        onEnd: (reason) => {
          end = reason;
        },
      },
    });
    this.session = session;
    while (end === undefined) {
      const timeout = this.target.hasDue ? 0 : this.spareTime.timeoutMs;
      const { events, ready } = this.waiter.wait(watched, timeout, this.target.isRunning);
      this.spareTime.waited(timeout > 0 && events.length + ready.length === 0);
      for (const fd of ready) {
        if (fd === door) {
          this.door.serve(this.control);
          continue;
        }
        if (fd !== input) {
          watched = watched.filter((other) => other !== fd);
          onOther(fd);
          continue;
        }
        const n = io.readSome(input, this.room);
        if (n === 0) session.disconnected();
        else if (n !== undefined) session.feed(this.room.subarray(0, n));
      }
      this.target.pump(events, speaking.fd);
    }
    speaking.close();
    this.checkpoints.view.leave();
    this.session = undefined;
    return end;
  }

  /** The debugger is gone but will come again: everything stands, and this is the stop to tell it. */
  halt(): StopReport | undefined {
    this.quiet();
    const thread = this.target.currentThread();
    return thread === undefined ? undefined : this.target.adoptStop(thread);
  }

  /** The debugger is gone: launched programs end, attached ones run on. */
  abandon(): void {
    this.quiet();
    for (const inferior of this.tracer.debugged()) {
      if (inferior.launched) kill(this.tracer, inferior);
      else detach(this.tracer, inferior);
    }
  }

  private quiet(): void {
    if (this.tracer.phase.kind === 'running') this.tracer.quiesce();
    this.tracer.phase = { kind: 'stopped' };
  }

  /** Follows processes that carry our filter to their end. */
  nurseToTheEnd(): void {
    while (this.tracer.inferiors.size > 0) this.tracer.feed(this.waiter.wait([], -1).events);
  }

  /** Waits for descriptors only; tracees (nursed ones) are served meanwhile. */
  wait(fds: readonly number[]): readonly number[] {
    const door = this.door.set.fd;
    const { events, ready } = this.waiter.wait([...fds, door], this.spareTime.timeoutMs);
    this.spareTime.waited(events.length + ready.length === 0);
    this.tracer.feed(events);
    if (ready.includes(door)) this.door.serve(this.control);
    return ready.filter((fd) => fd !== door);
  }

  get isNursing(): boolean {
    return this.tracer.inferiors.size > 0;
  }
}
