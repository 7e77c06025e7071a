/** Running, stepping, pausing and jumping, as the client asks for it. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { isFamily, refused, userError } from '../../native/base/errors';
import { breakDelete, breakInsert } from '../gdb/commands-break';
import { stackListFrames } from '../gdb/commands-data';
import { type StepUnit, execContinue, execFinish, execNext, execStep, gdbSet } from '../gdb/commands-exec';
import { type CallTarget, breakInCalled, callsOfLine, endScriptBreakpoint } from '../gdb/commands-script';
import type { Breakpoints } from './breakpoints';
import type { Core } from './core';
import { Handles } from './handles';
import { needThread } from './stack';
import type { ProgramStop } from './stops';

interface GotoTarget {
  readonly address: string;
  readonly function: string | undefined;
}

export interface ExecutionHooks {
  /** Continue after the program's end: there is nothing to run any more. */
  onContinueAfterEnd(): void;
  onJumped(thread: number): void;
}

const unitOf = (args: { granularity?: DebugProtocol.SteppingGranularity }): StepUnit =>
  args.granularity === 'instruction' ? 'instruction' : 'line';

export class Execution {
  private readonly targets = new Handles<GotoTarget>('goto target');
  private readonly calls = new Handles<CallTarget>('step-in target');
  /** Where a step into a chosen function is to end. */
  private into: number | undefined;

  constructor(
    private readonly core: Core,
    private readonly breakpoints: Breakpoints,
    private readonly hooks: ExecutionHooks,
  ) {}

  onResumed(): void {
    this.targets.clear();
    this.calls.clear();
  }

  /** true: the stop is the end of a step, whatever gdb calls it. */
  onStop(stop: ProgramStop): boolean {
    const { into } = this;
    if (into === undefined) return false;
    this.into = undefined;
    // Wherever it stopped, the step is over.
    void endScriptBreakpoint(this.core.gdb, into).catch(() => {});
    return stop.breakpoint === into;
  }

  async continue(): Promise<DebugProtocol.ContinueResponse['body']> {
    const { program, gdb } = this.core;
    if (program.kind === 'exited') this.hooks.onContinueAfterEnd();
    else await program.resume('continue', () => execContinue(gdb));
    return { allThreadsContinued: true };
  }

  async next(args: DebugProtocol.NextArguments): Promise<void> {
    await this.step((thread) => execNext(this.core.gdb, thread, unitOf(args)), args.threadId);
  }

  async stepIn(args: DebugProtocol.StepInArguments): Promise<void> {
    const target = args.targetId === undefined ? undefined : this.calls.get(args.targetId);
    if (target === undefined) return await this.step((thread) => execStep(this.core.gdb, thread, unitOf(args)), args.threadId);
    await this.step((thread) => this.stepInto(thread, target), args.threadId);
  }

  /** A step over the line, which a breakpoint in the wanted function ends before that. */
  private async stepInto(thread: number, target: CallTarget): Promise<void> {
    const number = await this.breakpoints.byScript(() => breakInCalled(this.core.gdb, thread, target));
    this.into = number;
    try {
      await execNext(this.core.gdb, thread, 'line');
    } catch (error) {
      this.into = undefined;
      await endScriptBreakpoint(this.core.gdb, number);
      throw error;
    }
  }

  async stepInTargets(args: DebugProtocol.StepInTargetsArguments): Promise<DebugProtocol.StepInTargetsResponse['body']> {
    this.core.program.requireStopped();
    const { thread, frame } = this.core.frames.get(args.frameId);
    // Only the innermost frame steps.
    const found = frame === 0 ? await callsOfLine(this.core.gdb, thread, frame) : [];
    return { targets: found.map((target) => ({ id: this.calls.add(target), label: target.name })) };
  }

  async stepOut(args: DebugProtocol.StepOutArguments): Promise<void> {
    await this.step(async (thread) => {
      try {
        await execFinish(this.core.gdb, thread);
      } catch (error) {
        if (isFamily(error, 'peer') && /outermost/.test(error.message)) {
          throw refused('outermost', 'Step Out', 'this function was not called by another one');
        }
        throw error;
      }
    }, args.threadId);
  }

  private async step(act: (thread: number) => Promise<void>, threadId: unknown): Promise<void> {
    const { program } = this.core;
    if (program.kind === 'exited') return this.hooks.onContinueAfterEnd();
    const thread = needThread(threadId);
    await program.resume('step', () => act(thread));
  }

  async pause(): Promise<void> {
    await this.core.program.pause();
  }

  // --- goto ---

  /** Where a breakpoint would go, a jump may go. */
  async gotoTargets(args: DebugProtocol.GotoTargetsArguments): Promise<DebugProtocol.GotoTargetsResponse['body']> {
    const { core } = this;
    core.program.requireStopped();
    const { path } = args.source;
    if (path === undefined) throw userError('goto-source', 'this source has no path');
    const place = { kind: 'line', file: core.toGdbPath(path), line: core.toGdbLine(args.line) } as const;
    const found = await breakInsert(core.gdb, place, { temporary: true, mustExist: true }).catch((error: unknown) => {
      if (isFamily(error, 'peer') && error.code === 'gdb-error') return undefined;
      throw error;
    });
    if (found === undefined) return { targets: [] };
    await breakDelete(core.gdb, [found.number]);
    if (found.address === undefined || found.line === undefined) return { targets: [] };
    const id = this.targets.add({ address: found.address, function: found.function });
    const label = found.function === undefined ? `line ${found.line}` : `${found.function}, line ${found.line}`;
    return { targets: [{ id, label, line: core.toClientLine(found.line), instructionPointerReference: found.address }] };
  }

  async goto(args: DebugProtocol.GotoArguments): Promise<void> {
    const { core } = this;
    core.program.requireStopped();
    const target = this.targets.get(args.targetId);
    const thread = needThread(args.threadId);
    await core.program.exclusive(async () => {
      core.program.requireStopped();
      const [frame] = await stackListFrames(core.gdb, thread, 0, 0);
      if (frame?.function !== target.function) {
        throw refused(
          'goto',
          'Jump',
          `the line is in ${target.function ?? 'other code'}, and the program is in ${frame?.function ?? 'other code'}`,
        );
      }
      await gdbSet(core.gdb, `var $pc = ${target.address}`);
    });
    this.hooks.onJumped(thread);
  }
}
