/**
 * Names on the wire: what custom DAP requests (`checkpoint/take` …) and the control socket's methods say about checkpoints. Types only; the
 * adapter, the extension, the control server and the tests share them.
 *
 * The shape answers microsoft/debug-adapter-protocol#379.
 */

/** Why the program stood where it was saved; missing: it was running, or nobody knows. */
export interface CheckpointStop {
  /** As in DAP's `stopped` event. */
  readonly reason: string;
  readonly threadId?: number;
  readonly source?: string;
  readonly line?: number;
  readonly function?: string;
}

export interface CheckpointRecord {
  readonly id: number;
  /** The checkpoint that the program came from when this one was taken. */
  readonly parentId?: number;
  readonly label: string;
  /** Not asked for by anybody: the entry, a stop, the present before a restore. May be thinned out. */
  readonly automatic: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly pid: number;
  /** How many there were. */
  readonly threads: number;
  /** Where its current thread stood, as `0x…`. */
  readonly pc: string;
  readonly stop?: CheckpointStop;
  /** Memory that it holds, and the part that it alone brought. */
  readonly bytes: number;
  readonly ownBytes: number;
  readonly durationMs: number;
  /** What going back to it does not bring back, in sentences. */
  readonly fidelity: readonly string[];
}

export interface CheckpointList {
  /** Parents before children. */
  readonly checkpoints: readonly CheckpointRecord[];
  /** Where the present state came from; missing: there is none. */
  readonly currentId?: number;
}

export interface TakeArguments {
  readonly label?: string;
}
export interface TakeResult {
  readonly checkpoint: CheckpointRecord;
}

export interface RestoreArguments {
  readonly id: number;
  /** Keep the present as an automatic checkpoint, so that the restore can be undone. Default: true. */
  readonly saveCurrent?: boolean;
}
export interface RestoreResult {
  readonly checkpoint: CheckpointRecord;
  /** The present that was kept. */
  readonly savedId?: number;
}

export interface DropArguments {
  readonly id: number;
}

export interface RenameArguments {
  readonly id: number;
  readonly label: string;
}

export interface PreflightResult {
  readonly possible: boolean;
  /** Why not. */
  readonly reason?: string;
  /** What a checkpoint taken now would not bring back, in sentences. */
  readonly fidelity: readonly string[];
}

/** Body of the event `checkpoint/changed`. */
export interface CheckpointChanged {
  readonly reason: 'taken' | 'restored' | 'dropped' | 'renamed' | 'lost';
  /** Missing: all of them (`lost`). */
  readonly id?: number;
  readonly currentId?: number;
  /** Of `restored`: the checkpoint that is equal to the state that was left; missing: that state was not kept. */
  readonly fromId?: number;
}
