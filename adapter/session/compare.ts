/**
 * Comparing a checkpoint with the present, or with another one. What differs in threads, descriptors and memory the debug server knows; variables
 * and places are seen by gdb, which is let look into the checkpoint for the length of one command. The program is not restored and does not run.
 */

import { userError } from '../../native/base/errors';
import type { CompareArguments, CompareResult } from '../../native/control/schema';
import { type Picture, pictureOf, seeThePresent } from '../gdb/commands-script';
import type { GdbCheckpointStore } from './checkpoint-store';
import { checkpointId } from './checkpoint-tree';
import type { Core } from './core';
import { compareScopes, omissions, placeThreads } from './picture-diff';

/** Threads of which gdb is asked where they stand; of the others only the address is told. */
const MOST_PLACES = 40;

export class Compare {
  constructor(
    private readonly core: Core,
    private readonly store: GdbCheckpointStore,
  ) {}

  async compare({ id, with: other }: CompareArguments): Promise<CompareResult> {
    const asked = { id: checkpointId(id), ...(other === undefined ? {} : { with: checkpointId(other) }) };
    const { program } = this.core;
    return await program.exclusive(async () => {
      if (program.kind === 'idle' || program.kind === 'ended') throw userError('no-process', 'the program is not being run');
      // Two checkpoints can be compared when the program has ended, but gdb then has nothing to look at.
      if (program.kind !== 'exited' || other === undefined) program.requireStopped();
      const facts = await this.store.compare(asked);
      return program.kind === 'exited' ? facts : await this.withPictures(facts);
    });
  }

  private async withPictures(facts: CompareResult): Promise<CompareResult> {
    const { before, after, threads } = facts;
    const stopped = [...new Set([before.tid, after.tid].filter((tid) => tid !== undefined))];
    const gone = new Set(threads.filter(({ change }) => change === 'gone').map(({ tid }) => tid));
    const fresh = new Set(threads.filter(({ change }) => change === 'new').map(({ tid }) => tid));
    const places = threads.slice(0, MOST_PLACES).map(({ tid }) => tid);
    const without = (tids: readonly number[], missing: ReadonlySet<number>): number[] => tids.filter((tid) => !missing.has(tid));
    const then = await this.look(facts.id, without(stopped, fresh), without(places, fresh));
    const now = await this.look(facts.with ?? null, without(stopped, gone), without(places, gone));
    return {
      ...facts,
      threads: placeThreads(threads, then, now),
      scopes: compareScopes(then, now),
      omitted: [...facts.omitted, ...omissions(then, now)],
    };
  }

  private async look(checkpoint: number | null, stacks: readonly number[], places: readonly number[]): Promise<Picture> {
    const { gdb } = this.core;
    try {
      return await pictureOf(gdb, { checkpoint, stacks, places });
    } catch (error) {
      await seeThePresent(gdb).catch(() => {});
      throw error;
    }
  }
}
