/**
 * Restoring in place: the running process is made what it was at a checkpoint. Same pid, same threads, same addresses.
 *
 *   prepare, admit   nothing is touched yet; all refusals come from here
 *   (safety)         a snapshot of the present: what a failure goes back to, by the same code
 *   unshelve, shelve parked threads that the target has come back (first, so that there always is a thread to work with), threads it does
 *                    not have are parked
 *   unregister       rseq areas the target does not have: the kernel writes to them when they go, so before memory
 *   map, roll        mappings, then pages; armed at once, so that what the following calls let the kernel write counts as written
 *   registers, register, requeue, reopen, settings
 *   commit           nothing but a place to fail: what cannot be undone comes after it
 */

import { refused, bug, describeError } from '../base/errors';
import type { Log } from '../base/log';
import type { EngineInferior } from '../owner/engine-host';
import { askBreak } from './capture/answers';
import type { MemorySpace } from './capture/memory';
import { alive, saysGone } from './gone';
import { dropMappedFiles, openMappedFiles, type MappedFiles } from './mapped-files';
import { mappedCode, planMappings, sameKernelMappings, type Layout } from './mappings';
import { rebuildFiles } from './rebuild/files';
import { rebuildMappings, rebuildMemory } from './rebuild/memory';
import { aboveAll } from './rebuild/pass-descriptors';
import { rebuildProcess } from './rebuild/process';
import { rebuildActions, rebuildQueues } from './rebuild/signals';
import { rebuildMasks, rebuildRegisters, registerThreads, unregisterThreads } from './rebuild/threads';
import type { ScratchRoom } from './scratch-room';
import {
  captureSnapshot,
  dropSnapshot,
  layoutOf,
  prepareThreads,
  readMappings,
  withScratch,
  workerOf,
  type Snapshot,
} from './snapshot';
import { Stages, type FailAt } from './stages';
import type { FidelityNote } from './state';

export interface RestoreContext {
  readonly inferior: EngineInferior;
  readonly space: MemorySpace;
  readonly log: Log;
  readonly failAt: FailAt;
}

export interface Restored {
  /** The present before the restore. The caller drops or keeps it. */
  readonly safety: Snapshot;
  readonly notes: readonly FidelityNote[];
  readonly librariesMayHaveChanged: boolean;
}

function presentLayout(inferior: EngineInferior): Layout {
  const mappings = readMappings(inferior);
  return { mappings, brk: askBreak(inferior, workerOf(inferior), mappings) };
}

/** All reasons not to, before anything is touched. Opens the files that will have to be mapped. */
function admit(inferior: EngineInferior, target: Snapshot): MappedFiles {
  if (target.image !== inferior.image) {
    throw refused('other-image', `process ${inferior.pid}`, 'has executed another program since the checkpoint');
  }
  const serials = new Set(inferior.threads().map((thread) => thread.ref.serial));
  const missing = target.threads.find((thread) => !serials.has(thread.ref.serial));
  if (missing !== undefined) {
    const why = inferior.parking
      ? 'it ended in a way that could not be held'
      : 'this process carries no exit filter (it was attached to, or SAVEPOINT_EXIT_FILTER is off), so its threads are not held at their end';
    throw refused('thread-exited', `thread ${missing.ref.tid}`, `has exited and cannot be brought back: ${why}`, {
      tid: missing.ref.tid,
    });
  }
  const present = presentLayout(inferior);
  if (!sameKernelMappings(present.mappings, target.mappings)) {
    throw refused('vdso-moved', `process ${inferior.pid}`, 'has moved the vdso since the checkpoint');
  }
  return openMappedFiles(inferior.pid, planMappings(present, layoutOf(target)).steps, target.mappedFiles);
}

interface Application {
  readonly present: Snapshot;
  readonly target: Snapshot;
  /** Of `target`, for what must be mapped anew. */
  readonly mapped: MappedFiles;
  /** Told of each thread whose events the owner forgets on the way. */
  readonly onForgotten: (serial: number) => void;
}

function shelveOthers(inferior: EngineInferior, application: Application): void {
  const wanted = new Set(application.target.threads.map((thread) => thread.ref.serial));
  for (const thread of inferior.threads()) {
    if (thread.life !== 'live' || wanted.has(thread.ref.serial)) continue;
    application.onForgotten(thread.ref.serial);
    alive(inferior.shelve(thread));
  }
}

function unshelveWanted(inferior: EngineInferior, target: Snapshot): void {
  const wanted = new Set(target.threads.map((thread) => thread.ref.serial));
  for (const thread of inferior.threads()) {
    if (thread.life === 'parked' && wanted.has(thread.ref.serial)) inferior.unshelve(thread);
  }
}

/** Signals on their way through our hands when `snapshot` was taken, of threads whose events have been forgotten. */
export function handBackSignals(inferior: EngineInferior, snapshot: Snapshot, forgotten: Pick<ReadonlySet<number>, 'has'>): void {
  const threads = new Map(inferior.threads().map((thread) => [thread.ref.serial, thread]));
  for (const { ref, inHand } of snapshot.threads) {
    if (inHand !== undefined && forgotten.has(ref.serial)) threads.get(ref.serial)?.handBack(inHand);
  }
}

/** From `present` to `target`. */
function apply(context: RestoreContext, room: ScratchRoom, stages: Stages, application: Application): FidelityNote[] {
  const { inferior, space } = context;
  const { present, target } = application;
  const worker = () => workerOf(inferior);
  const notes: FidelityNote[] = [];
  stages.run('unshelve', () => unshelveWanted(inferior, target));
  stages.run('shelve', () => shelveOthers(inferior, application));
  stages.run('unregister', () => unregisterThreads(inferior, room, present.threads, target.threads));
  const plan = planMappings(layoutOf(present), layoutOf(target));
  const freeFd = aboveAll(present.files, target.files);
  stages.run('map', () => rebuildMappings(inferior, room, worker(), plan, application.mapped, freeFd));
  stages.run('roll', () =>
    rebuildMemory(inferior, space, room, worker(), { layout: layoutOf(target), index: target.index, fresh: plan.fresh }),
  );
  stages.run('registers', () => rebuildRegisters(inferior, target.threads));
  stages.run('register', () => registerThreads(inferior, room, present.threads, target.threads));
  stages.run('requeue', () => {
    rebuildActions(room, worker(), present.signals.actions, target.signals.actions);
    notes.push(...rebuildQueues(inferior, room, worker(), target));
  });
  stages.run('reopen', () => notes.push(...rebuildFiles(inferior, room, worker(), present.files, target.files)));
  stages.run('settings', () => {
    notes.push(...rebuildProcess(room, worker(), present.process, target.process));
    rebuildMasks(inferior, target.threads);
  });
  stages.run('commit', () => undefined);
  return notes;
}

/** Back to the safety snapshot after a failed restore, from wherever it broke off. */
function rollBack(context: RestoreContext, room: ScratchRoom, safety: Snapshot, forgotten: ReadonlySet<number>): void {
  const { inferior, space, log } = context;
  log.add('checkpoint', 'rolling back');
  const stages = new Stages(log, () => undefined);
  const now = captureSnapshot(inferior, space, stages, { knownFiles: safety.files, beforeRestore: true, room });
  try {
    const mapped = openMappedFiles(inferior.pid, planMappings(layoutOf(now), layoutOf(safety)).steps, safety.mappedFiles);
    try {
      apply(context, room, stages, {
        present: now,
        target: safety,
        mapped,
        onForgotten: () => undefined,
      });
      handBackSignals(inferior, safety, forgotten);
    } finally {
      dropMappedFiles(mapped);
    }
  } finally {
    dropSnapshot(now);
  }
}

function applyOrRollBack(
  context: RestoreContext,
  room: ScratchRoom,
  stages: Stages,
  safety: Snapshot,
  target: Snapshot,
  mapped: MappedFiles,
): FidelityNote[] {
  const forgotten = new Set<number>();
  try {
    return apply(context, room, stages, {
      present: safety,
      target,
      mapped,
      onForgotten: (serial) => forgotten.add(serial),
    });
  } catch (error) {
    if (saysGone(error)) throw error;
    try {
      rollBack(context, room, safety, forgotten);
    } catch (second) {
      if (saysGone(second)) throw second;
      throw bug(`a failed restore could not be undone: ${describeError(error)}; ${describeError(second)}`);
    }
    throw error;
  }
}

/** Throws the reason why `target` cannot be gone back to; nothing is touched. */
export function admitRestore(inferior: EngineInferior, target: Snapshot): void {
  prepareThreads(inferior);
  dropMappedFiles(admit(inferior, target));
}

export function restoreSnapshot(context: RestoreContext, target: Snapshot): Restored {
  const { inferior, space, log, failAt } = context;
  const stages = new Stages(log, failAt);
  return stages.within(() => {
    stages.run('prepare', () => prepareThreads(inferior));
    const mapped = stages.run('admit', () => admit(inferior, target));
    stages.always(() => dropMappedFiles(mapped));
    stages.run('lift', () => stages.always(inferior.liftBreakpoints()));
    space.open();
    return withScratch(inferior, target.mappings, (room) => {
      const safety = captureSnapshot(inferior, space, stages, { knownFiles: target.files, beforeRestore: true, room });
      stages.undo(() => dropSnapshot(safety));
      const librariesMayHaveChanged = mappedCode(safety.mappings) !== mappedCode(target.mappings);
      const notes = applyOrRollBack(context, room, stages, safety, target, mapped);
      return { safety, notes, librariesMayHaveChanged };
    });
  });
}
