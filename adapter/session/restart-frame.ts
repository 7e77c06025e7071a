/**
 * Restart Frame: the state when a frame was entered, when there is a checkpoint from before that.
 *
 * 1. The call is described (native/gdb/dap.py says by what a call is known again), and the present is kept. 2. Checkpoints are gone back to,
 * nearest first, until one is not inside that call. 3. The program runs on from there to where the call begins; stops on the way
 * were passed the first time and are passed again. A call that cannot be told from its like by every byte (its function wrote into the caller's
 * variables) is taken as the one that came nearest. 4. Whatever fails: the present comes back, and the client is told of a stop there.
 */

import { refused } from '../../native/base/errors';
import type { CheckpointRecord } from '../../native/control/schema';
import { type KnownCall, breakAtCall, callOfFrame, endScriptBreakpoint, placeInCall } from '../gdb/commands-script';
import type { Breakpoints } from './breakpoints';
import type { Checkpoints } from './checkpoints';
import type { Core } from './core';
import type { ProgramStop } from './stops';

export interface RestartFrameHooks {
  onRestarted(stop: ProgramStop, name: string): void;
  /** It was not possible, and all is as before, but for what the client held. */
  onPutBack(stop: ProgramStop): void;
}

/** A program that waits for something from outside waits for ever the second time. */
const WAY_LIMIT_MS = 10_000;

const cannot = (reason: string): Error => refused('restart-frame', 'Restart Frame', reason);

export class RestartFrame {
  constructor(
    private readonly core: Core,
    private readonly checkpoints: Checkpoints,
    private readonly breakpoints: Breakpoints,
    private readonly hooks: RestartFrameHooks,
  ) {}

  async restart(frameId: unknown): Promise<void> {
    const { core, checkpoints } = this;
    core.program.requireStopped();
    const where = core.frames.get(frameId);
    await core.program.exclusive(async () => {
      core.program.requireStopped();
      const call = await callOfFrame(core.gdb, where.thread, where.frame);
      if (call === undefined)
        throw cannot('this frame was not called: it is inlined, a signal handler’s, or the first of its thread');
      const { present, earlier } = await checkpoints.keepPresent();
      let moved = false;
      try {
        for (const record of earlier) {
          moved = true;
          const stop = await checkpoints.deliver(record, 'quietly');
          const place = await placeInCall(core.gdb, call);
          if (place === 'inside') continue;
          const found = place === 'entry' ? stop : await this.goOn(call, record);
          checkpoints.tellRestored(record);
          return this.hooks.onRestarted(found, call.name);
        }
        throw cannot(`there is no checkpoint from before ${call.name} was entered`);
      } catch (error) {
        if (moved) this.hooks.onPutBack(await checkpoints.deliver(present, 'quietly'));
        throw error;
      }
    });
  }

  private async goOn(call: KnownCall, from: CheckpointRecord): Promise<ProgramStop> {
    const first = await this.attempt(call);
    if (first.stop !== undefined) return first.stop;
    if (first.nearest !== undefined) {
      await this.checkpoints.deliver(from, 'quietly');
      const second = await this.attempt(call, first.nearest);
      if (second.stop !== undefined) return second.stop;
    }
    throw cannot(`the program did not come to this call of ${call.name} again on its way from checkpoint ${from.id}`);
  }

  private async attempt(
    call: KnownCall,
    index?: number,
  ): Promise<{ stop: ProgramStop | undefined; nearest: number | undefined }> {
    const { core, breakpoints } = this;
    const number = await breakpoints.byScript(() => breakAtCall(core.gdb, call, index));
    let stop: ProgramStop | undefined;
    let nearest: number | undefined;
    try {
      stop = await core.program.runOn((one) => one.breakpoint === number, WAY_LIMIT_MS);
    } finally {
      nearest = await endScriptBreakpoint(core.gdb, number);
    }
    return { stop, nearest };
  }
}
