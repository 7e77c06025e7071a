/**
 * The whole state of a process at one moment, and how it is read: the inner half of taking a checkpoint, used as well for the safety copy
 * that a restore makes first.
 */

import type { ThreadRef } from '../base/brands';
import { refused } from '../base/errors';
import type { EngineInferior, EngineThread } from '../owner/engine-host';
import * as proc from '../sys/proc';
import { dropIndex, type IndexHandle, type PageStats } from '../sys/pages';
import { askProcess } from './capture/answers';
import { captureFiles, dropFiles, settleFiles } from './capture/files';
import type { MemorySpace } from './capture/memory';
import { captureProcess } from './capture/process';
import { captureSignals } from './capture/signals';
import { captureThreads } from './capture/threads';
import { alive, ProcessGone } from './gone';
import { dropMappedFiles, holdMappedFiles, type MappedFiles } from './mapped-files';
import { parseMappings, type Layout, type Mapping, type Range } from './mappings';
import { pageRanges } from './page-ranges';
import { ScratchRoom } from './scratch-room';
import type { Stages } from './stages';
import type { FileState, ProcessState, SignalState, ThreadState } from './state';

export interface Snapshot {
  /** EngineInferior.image */
  readonly image: number;
  readonly threads: readonly ThreadState[];
  readonly stopThread: ThreadRef | undefined;
  readonly mappings: readonly Mapping[];
  readonly index: IndexHandle;
  readonly files: readonly FileState[];
  /** Deleted files that are mapped, held open. */
  readonly mappedFiles: MappedFiles;
  readonly signals: SignalState;
  readonly process: ProcessState;
  readonly pages: PageStats;
}

export const layoutOf = (snapshot: Snapshot): Layout => ({ mappings: snapshot.mappings, brk: snapshot.process.brk });

export function readMappings(inferior: EngineInferior, except?: Range): Mapping[] {
  const text = proc.readText(`/proc/${inferior.pid}/maps`);
  if (text === undefined || text === '') throw new ProcessGone('no mappings');
  const mappings = parseMappings(text);
  return except === undefined ? mappings : mappings.filter((m) => m.end <= except.start || m.start >= except.end);
}

/** A thread fit for injected calls. */
export function workerOf(inferior: EngineInferior): EngineThread {
  const worker = inferior.worker();
  if (worker === undefined) throw new ProcessGone('no thread left');
  return worker;
}

/** Every thread where registers may be set; refuses when one is not (vfork). */
export function prepareThreads(inferior: EngineInferior): void {
  const prepared = alive(inferior.prepare());
  if (!prepared.ok) throw refused('thread-busy', `thread ${prepared.thread.tid}`, prepared.reason, { tid: prepared.thread.tid });
}

/** Working memory in the program for the length of `act`, in none of the ranges to `avoid`. */
export function withScratch<T>(inferior: EngineInferior, avoid: readonly Range[], act: (room: ScratchRoom) => T): T {
  const room = new ScratchRoom(inferior, avoid);
  try {
    return act(room);
  } finally {
    room.close();
  }
}

export interface CaptureOptions {
  /** Duplicates held by the checkpoint before are shared. */
  readonly knownFiles: readonly FileState[];
  /**
   * Before a restore: the snapshot may have to be gone back to, so pipes and sockets are held, too; memory is about to be rolled, so it is
   * not armed.
   */
  readonly beforeRestore: boolean;
  /** Working memory that is open already, and stays; it is no part of the snapshot. Mapping and unmapping it costs the program's TLB. */
  readonly room?: ScratchRoom;
}

/** Reads everything. Nothing of the program is changed when it returns or throws. */
export function captureSnapshot(inferior: EngineInferior, space: MemorySpace, stages: Stages, options: CaptureOptions): Snapshot {
  space.open();
  const { room } = options;
  const mappings = readMappings(inferior, room?.range);
  const captureState = (scratch: ScratchRoom): Pick<Snapshot, 'threads' | 'signals' | 'process'> => {
    const threads = stages.run('threads', () => captureThreads(inferior, scratch));
    const { answers, process } = stages.run('process', () => {
      const asked = askProcess(inferior, scratch, workerOf(inferior), mappings);
      return { answers: asked, process: captureProcess(inferior, asked) };
    });
    return { threads, process, signals: stages.run('signals', () => captureSignals(workerOf(inferior), answers)) };
  };
  const state = room === undefined ? withScratch(inferior, [], captureState) : captureState(room);
  const files: FileState[] = [];
  let mappedFiles: MappedFiles = new Map();
  try {
    files.push(...stages.run('files', () => captureFiles(inferior, options.knownFiles, options.beforeRestore)));
    mappedFiles = holdMappedFiles(inferior.pid, mappings);
    const { index, stats } = stages.run('memory', () => space.take(pageRanges(mappings), !options.beforeRestore));
    return {
      ...state,
      image: inferior.image,
      stopThread: inferior.currentThread(),
      mappings,
      index,
      files,
      mappedFiles,
      pages: stats,
    };
  } catch (error) {
    dropFiles(files);
    dropMappedFiles(mappedFiles);
    throw error;
  }
}

export function dropSnapshot(snapshot: Snapshot): void {
  dropIndex(snapshot.index);
  dropFiles(snapshot.files);
  dropMappedFiles(snapshot.mappedFiles);
}

/** The same snapshot as a lasting one: nothing held that the program could notice. */
export function settleSnapshot(snapshot: Snapshot): Snapshot {
  return { ...snapshot, files: settleFiles(snapshot.files) };
}
