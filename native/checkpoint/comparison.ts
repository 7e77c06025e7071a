/**
 * Comparing two states of one process: two checkpoints, or one and the present. The present is read as it stands (registers, /proc, pages written
 * since the last checkpoint): nothing is injected, nothing is kept.
 */

import { GONE } from '../base/brands';
import type { EngineInferior } from '../owner/engine-host';
import * as proc from '../sys/proc';
import { diffPages, dropIndex, readPage, sizeIndex, type IndexHandle } from '../sys/pages';
import { captureFiles, dropFiles } from './capture/files';
import type { MemorySpace } from './capture/memory';
import {
  compareFiles,
  compareMappings,
  compareThreads,
  mappedBytes,
  type FileDifference,
  type MappingDifferences,
  type Region,
  type Side,
  type ThreadDifference,
  type ThreadFacts,
} from './differences';
import type { MappedFiles } from './mapped-files';
import type { Mapping } from './mappings';
import { pageClassOf, pageRanges } from './page-ranges';
import { FilePages } from './past';
import { readMappings, type Snapshot } from './snapshot';
import type { FileState } from './state';

/** One state, with its memory. */
export interface State extends Side {
  readonly index: IndexHandle;
  readonly mappedFiles: MappedFiles;
}

export interface StateSize {
  readonly threads: number;
  readonly descriptors: number;
  /** Bytes of address space. */
  readonly mapped: bigint;
  /** Bytes of pages with a content of their own. */
  readonly content: number;
}

export interface ChangedRegion extends Region {
  /** How many pages have another content. */
  readonly pages: number;
}

export interface Comparison extends Pick<MappingDifferences, 'mapped' | 'unmapped'> {
  readonly before: Side & { readonly size: StateSize };
  readonly after: Side & { readonly size: StateSize };
  readonly threads: readonly ThreadDifference[];
  readonly files: readonly FileDifference[];
  readonly changed: readonly ChangedRegion[];
}

export function stateOf({ arch }: EngineInferior, snapshot: Snapshot): State {
  const { files, mappings, index, mappedFiles, stopThread } = snapshot;
  const threads = snapshot.threads.map(({ ref, name, gp }) => ({ ref, name, pc: arch.pc(gp), sp: arch.sp(gp) }));
  return { threads, stopThread: stopThread ?? threads[0]?.ref, files, mappings, index, mappedFiles };
}

function presentThreads(inferior: EngineInferior): ThreadFacts[] {
  const { arch } = inferior;
  return inferior
    .threads()
    .filter(({ life }) => life === 'live')
    .map((thread) => {
      const { ref } = thread;
      const gp = thread.gp();
      const place = gp === GONE ? { pc: undefined, sp: undefined } : { pc: arch.pc(gp), sp: arch.sp(gp) };
      return { ref, name: proc.threadName(ref.pid, ref.tid), ...place };
    });
}

function peekMemory(inferior: EngineInferior, space: MemorySpace, mappings: readonly Mapping[]): IndexHandle {
  const putBack = inferior.liftBreakpoints();
  try {
    return space.peek(pageRanges(mappings));
  } finally {
    putBack();
  }
}

/** `act` sees the present; all threads stand. `known`: descriptors of a checkpoint, whose duplicates spare new ones. */
export function withPresent<T>(
  inferior: EngineInferior,
  space: MemorySpace,
  known: readonly FileState[],
  act: (present: State) => T,
): T {
  const mappings = readMappings(inferior);
  const threads = presentThreads(inferior);
  const files = captureFiles(inferior, known, false);
  try {
    const index = peekMemory(inferior, space, mappings);
    try {
      const stopThread = inferior.currentThread() ?? threads[0]?.ref;
      return act({ threads, stopThread, files, mappings, index, mappedFiles: new Map() });
    } finally {
      dropIndex(index);
    }
  } finally {
    dropFiles(files);
  }
}

const sizeOf = ({ threads, files, mappings, index }: State): StateSize => ({
  threads: threads.length,
  descriptors: files.length,
  mapped: mappedBytes(mappings),
  content: sizeIndex(index),
});

export function compareStates(inferior: EngineInferior, before: State, after: State): Comparison {
  const { mapped, unmapped, common } = compareMappings(before.mappings, after.mappings);
  const files = new FilePages(inferior, before.mappedFiles);
  try {
    const changed = common
      .map((region) => ({ ...region, pages: countChanged(region, before.index, after.index, files) }))
      .filter(({ pages }) => pages > 0);
    return {
      before: { ...before, size: sizeOf(before) },
      after: { ...after, size: sizeOf(after) },
      threads: compareThreads(before.threads, after.threads),
      files: compareFiles(before.files, after.files),
      mapped,
      unmapped,
      changed,
    };
  } finally {
    files.close();
  }
}

function countChanged({ start, end, mapping }: Region, a: IndexHandle, b: IndexHandle, files: FilePages): number {
  const pageClass = pageClassOf(mapping);
  if (pageClass === undefined) return 0;
  const { changed, unsure } = diffPages(a, b, { start, end, class: pageClass });
  // Written, maybe with what the file has: a breakpoint was there and was taken out.
  const different = unsure.filter((at) => {
    const own = readPage(a, at) ?? readPage(b, at);
    const file = files.read(mapping, at);
    return own === undefined || file === undefined || !own.equals(file);
  });
  return changed + different.length;
}
