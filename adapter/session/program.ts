/**
 * The one place that knows whether the program runs, and that resumes and stops it. Whoever needs it stopped for a moment says so here.
 *
 * Work that stops, resumes or restores is done one after another (`exclusive`); looking at a stopped program needs no turn, because
 * gdb itself works one command after another.
 */

import { bug, peerError, userError } from '../../native/base/errors';
import type { Log } from '../../native/base/log';
import type { GdbClient } from '../gdb/client';
import { execContinue, execInterrupt } from '../gdb/commands-exec';
import { type Phase, describePhase, transition } from './state';
import { type ProgramStop, type Stop, isInterrupt } from './stops';

export interface ProgramHooks {
  /** What the client knows of frames and variables is void. */
  onResumed(): void;
  /** Somebody typed `continue` or the like at gdb. */
  onResumedByGdb(): void;
  onStop(stop: ProgramStop, pauseAsked: boolean): void;
  /** `silently`: the program was stopped for a moment, when what gdb says is not for the user. */
  onExit(stop: Extract<Stop, { kind: 'exit' }>, silently: boolean): void;
}

/** A program in an uninterruptible sleep cannot be stopped. */
const STOP_LIMIT_MS = 20_000;
const END_LIMIT_MS = 1000;

export class Program {
  private phase: Phase = { kind: 'idle' };
  private turn: Promise<unknown> = Promise.resolve();
  private waiter: ((stop: Stop) => void) | undefined;
  private readonly onChange = new Set<() => void>();
  /** While the program runs in a turn: the client wants it stopped. */
  private interruptTurn: (() => void) | undefined;

  constructor(
    private readonly gdb: () => GdbClient,
    private readonly log: Log,
    private readonly hooks: ProgramHooks,
  ) {}

  get kind(): Phase['kind'] {
    return this.phase.kind;
  }

  /** For everything that looks at a stopped program. */
  requireStopped(): void {
    if (this.phase.kind === 'stopped') return;
    if (this.phase.kind === 'exited') throw userError('ended', 'the program has ended; a checkpoint can bring it back');
    this.requireSession();
    throw userError('not-stopped', 'the program is running; pause it first');
  }

  requireSession(): void {
    if (this.phase.kind === 'ended') throw userError('over', 'the debug session is over');
  }

  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return await done;
  }

  // --- what gdb says ---

  onRunning(): void {
    if (this.phase.kind === 'ended') return;
    this.hooks.onResumed();
    if (this.phase.kind === 'running' || this.phase.kind === 'borrowed') return;
    this.change({ kind: 'running', by: 'continue', pauseAsked: false });
    this.hooks.onResumedByGdb();
  }

  onStopped(stop: Stop): void {
    const { waiter } = this;
    this.waiter = undefined;
    if (waiter !== undefined) waiter(stop);
    else this.settle(stop);
  }

  /** For whoever waits for it; nobody is told any more. */
  onStoppedAtEnd(stop: Stop): void {
    this.waiter?.(stop);
    this.waiter = undefined;
  }

  /** Nothing can be done any more: gdb, or the server behind it, is gone. */
  onGdbEnded(): void {
    this.change({ kind: 'ended' });
    this.waiter?.({ kind: 'exit', code: 0, signal: undefined });
    this.waiter = undefined;
  }

  // --- running ---

  /** The client resumes: `act` sends the command. When gdb refuses, the program is stopped as before. */
  async resume(by: 'continue' | 'step', act: () => Promise<void>): Promise<void> {
    await this.exclusive(async () => {
      this.requireStopped();
      await this.run(by, act);
    });
  }

  /** The first resume, of a program that was not there before. */
  async start(act: () => Promise<void>): Promise<void> {
    await this.exclusive(() => this.run('continue', act));
  }

  private async run(by: 'continue' | 'step', act: () => Promise<void>): Promise<void> {
    const before = this.phase;
    this.change({ kind: 'running', by, pauseAsked: false });
    try {
      await act();
    } catch (error) {
      if (this.phase.kind === 'running') this.change(before.kind === 'idle' ? { kind: 'idle' } : { kind: 'stopped' });
      throw error;
    }
  }

  /** Asks for a stop; it comes by itself. Nothing happens to a stopped program. */
  async pause(): Promise<void> {
    if (this.phase.kind === 'running') {
      this.change({ ...this.phase, pauseAsked: true });
      await execInterrupt(this.gdb());
    } else if (this.phase.kind === 'borrowed') {
      this.change({ kind: 'borrowed', tell: true });
      this.interruptTurn?.();
    }
  }

  /**
   * Does `work` while the program stands. A running one is stopped for that and runs on afterwards, and the client sees nothing of it; a
   * step is waited for instead, because it could not be taken up again where it was.
   */
  async whileStopped<T>(work: () => Promise<T>): Promise<T> {
    return await this.exclusive(async () => {
      while (this.phase.kind === 'running' && this.phase.by === 'step' && !this.phase.pauseAsked) await this.phaseChange();
      if (this.phase.kind !== 'running') return await work();
      const stop = await this.borrow();
      try {
        return await work();
      } finally {
        await this.giveBack(stop);
      }
    });
  }

  /** Only in a turn: stops a running program without telling. */
  async borrow(): Promise<Stop> {
    if (this.phase.kind !== 'running') throw bug(`nothing to stop: ${describePhase(this.phase)}`);
    this.change({ kind: 'borrowed', tell: this.phase.pauseAsked });
    const stop = this.expectStop();
    await execInterrupt(this.gdb());
    return await stop;
  }

  /** Only in a turn: what `borrow` stopped runs on, unless it has stopped by itself or was asked to. */
  async giveBack(stop: Stop): Promise<void> {
    if (this.phase.kind !== 'borrowed') return;
    if (!isInterrupt(stop) || this.phase.tell) return this.settle(stop);
    this.change({ kind: 'running', by: 'continue', pauseAsked: false });
    await execContinue(this.gdb());
  }

  /** Only in a turn: the next stop goes to the caller, who tells the client what it likes. */
  borrowStopped(): void {
    this.change({ kind: 'borrowed', tell: true });
  }

  /** Only in a turn: what is borrowed runs on. */
  async resumeBorrowed(): Promise<void> {
    if (this.phase.kind !== 'borrowed') return;
    await this.run('continue', () => execContinue(this.gdb()));
  }

  /** Only in a turn: `act` starts the program anew, whatever it did. */
  async runBorrowed(act: () => Promise<void>): Promise<void> {
    if (this.phase.kind !== 'borrowed') this.change({ kind: 'borrowed', tell: true });
    await this.run('continue', act);
  }

  /**
   * Only in a turn: runs until a stop that `isIt`. Others are passed. undefined: the program has ended, or stands because of the
   * limit or because the client wanted it to.
   */
  async runOn(isIt: (stop: ProgramStop) => boolean, limitMs: number): Promise<ProgramStop | undefined> {
    let given = false;
    const giveUp = (): void => {
      given = true;
      void execInterrupt(this.gdb()).catch(() => {});
    };
    const timer = setTimeout(giveUp, limitMs);
    this.interruptTurn = giveUp;
    try {
      for (;;) {
        this.change({ kind: 'borrowed', tell: false });
        const coming = this.expectStop(limitMs + STOP_LIMIT_MS);
        try {
          await execContinue(this.gdb());
        } catch (error) {
          this.expectNoStop();
          await coming;
          this.stopped();
          throw error;
        }
        const stop = await coming;
        if (stop.kind === 'exit') {
          this.exited();
          return undefined;
        }
        this.stopped();
        if (isIt(stop)) return stop;
        if (given) return undefined;
      }
    } finally {
      clearTimeout(timer);
      this.interruptTurn = undefined;
    }
  }

  /** The session ends: no turn is waited for, and a program that does not stop is no reason to stay. */
  async interruptForEnd(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, END_LIMIT_MS);
      this.waiter = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await execInterrupt(this.gdb()).catch(() => {});
    await stopped;
  }

  expectStop(limitMs = STOP_LIMIT_MS): Promise<Stop> {
    const late = peerError('stop-slow', `the program did not stop within ${limitMs / 1000} s`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiter = undefined;
        reject(late);
      }, limitMs);
      this.waiter = (stop) => {
        clearTimeout(timer);
        resolve(stop);
      };
    });
  }

  /** Nobody waits for a stop any more. */
  expectNoStop(): void {
    this.waiter?.({ kind: 'exit', code: 0, signal: undefined });
    this.waiter = undefined;
  }

  /** The program stands, and the client is (or has been) told by the caller. */
  stopped(): void {
    this.change({ kind: 'stopped' });
  }

  exited(): void {
    this.change({ kind: 'exited' });
  }

  /** Let go of. */
  idle(): void {
    this.change({ kind: 'idle' });
  }

  settle(stop: Stop): void {
    const pauseAsked = this.phase.kind === 'running' ? this.phase.pauseAsked : this.phase.kind === 'borrowed' && this.phase.tell;
    if (stop.kind === 'exit') {
      const silently = this.phase.kind === 'borrowed';
      this.change({ kind: 'exited' });
      this.hooks.onExit(stop, silently);
    } else {
      this.change({ kind: 'stopped' });
      this.hooks.onStop(stop, pauseAsked);
    }
  }

  private phaseChange(): Promise<void> {
    return new Promise((resolve) => this.onChange.add(resolve));
  }

  private change(to: Phase): void {
    const from = this.phase;
    this.phase = transition(from, to);
    this.log.add('state', `${describePhase(from)} -> ${describePhase(this.phase)}`);
    for (const resolve of this.onChange) resolve();
    this.onChange.clear();
  }
}
