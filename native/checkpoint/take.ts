/**
 * Taking a checkpoint: prepare, lift our breakpoints, read everything. Whatever fails, the program is as it was.
 */

import type { EngineInferior } from '../owner/engine-host';
import type { MemorySpace } from './capture/memory';
import { captureSnapshot, prepareThreads, settleSnapshot, type Snapshot } from './snapshot';
import type { Stages } from './stages';
import type { FileState } from './state';

export interface TakeContext {
  readonly inferior: EngineInferior;
  readonly space: MemorySpace;
  readonly stages: Stages;
  /** Of the checkpoint before: its duplicates are shared. */
  readonly knownFiles: readonly FileState[];
}

export function takeSnapshot(context: TakeContext): Snapshot {
  const { inferior, space, stages, knownFiles } = context;
  return stages.within(() => {
    stages.run('prepare', () => prepareThreads(inferior));
    stages.run('lift', () => stages.always(inferior.liftBreakpoints()));
    return settleSnapshot(captureSnapshot(inferior, space, stages, { knownFiles, beforeRestore: false }));
  });
}
