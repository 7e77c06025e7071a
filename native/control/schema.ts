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
  /** Nobody asked for it: front ends show it dimmed, and may drop it. Default: false. Only over the control socket. */
  readonly automatic?: boolean;
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
  /**
   * Only over the control socket, of a debugger that stands at its prompt and cannot be told of a stop: the restore is carried out when it
   * resumes next, by whatever command. Missing: done.
   */
  readonly armed?: true;
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
  /** How written pages are found: by the kernel's write protection, or by comparing all. Missing: there is no process to look at. */
  readonly tier?: 'write-protect' | 'compare';
}

export interface CompareArguments {
  readonly id: number;
  /** Another checkpoint. Missing: the present. */
  readonly with?: number;
}

/** Where a thread stands. What debug information says of it is known to a debugger only, so not over the control socket. */
export interface ThreadPlace {
  /** As `0x…`. */
  readonly pc: string;
  /** File and offset in it, as `libc.so.6+0x9a3c`; missing: in no file. */
  readonly module?: string;
  /** Of the nearest call that has a source. */
  readonly function?: string;
  readonly source?: string;
  readonly line?: number;
}

export interface ThreadDifference {
  /** The kernel's id. */
  readonly tid: number;
  readonly name: string;
  readonly change: 'gone' | 'new' | 'moved';
  readonly before?: ThreadPlace;
  readonly after?: ThreadPlace;
}

export interface DescriptorState {
  /** `file`, `pipe`, `socket` … */
  readonly kind: string;
  /** A path, `pipe:[123]` … */
  readonly target: string;
  /** In bytes; missing: it has none. */
  readonly position?: number;
  /** Of an eventfd, decimal. */
  readonly counter?: string;
}

export interface DescriptorDifference {
  readonly fd: number;
  /** `replaced`: the number is another file's; `moved`: its position, or an eventfd's counter. */
  readonly change: 'closed' | 'opened' | 'replaced' | 'moved';
  readonly before?: DescriptorState;
  readonly after?: DescriptorState;
}

export interface RegionDifference {
  /** `[start, end)` as `0x…`. */
  readonly start: string;
  readonly end: string;
  /** `[heap]`, a path; empty: anonymous. */
  readonly name: string;
  readonly change: 'mapped' | 'unmapped' | 'changed';
  /** Of 4096 bytes: those with another content, or all of a region that came or went. */
  readonly pages: number;
}

/** How large a state is. */
export interface StateSize {
  readonly threads: number;
  readonly descriptors: number;
  /** Bytes of address space, and of the pages in it that have a content of their own. */
  readonly mappedBytes: number;
  readonly contentBytes: number;
  /** The thread that stood stopped. */
  readonly tid?: number;
}

/** A variable of a call or a file; `before` or `after` missing: it was not in scope. */
export interface VariableDifference {
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
  /** The texts may agree when what differs is in a part too long to be shown. */
  readonly changed: boolean;
}

/** Variables of one call of a thread, or of one source file. */
export interface ScopeDifference {
  readonly kind: 'call' | 'file';
  /** The function, or the file. */
  readonly name: string;
  /** Of a call. */
  readonly tid?: number;
  /** Where it stood, `file:line`; missing: there was no such call. */
  readonly before?: string;
  readonly after?: string;
  /** Of a call all that are shown; of a file those that changed. */
  readonly variables: readonly VariableDifference[];
}

export interface CompareResult {
  readonly id: number;
  /** Missing: the present. */
  readonly with?: number;
  readonly before: StateSize;
  readonly after: StateSize;
  readonly threads: readonly ThreadDifference[];
  readonly descriptors: readonly DescriptorDifference[];
  /** Pages that are mapped in both and have another content, and where. */
  readonly changedPages: number;
  readonly regions: readonly RegionDifference[];
  /** Calls from the innermost on, then files. Only a debugger knows them: not over the control socket, nor of a program that has ended. */
  readonly scopes?: readonly ScopeDifference[];
  /** What is left out of the lists above because they are long, or took too long, in sentences. */
  readonly omitted: readonly string[];
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

// --- the control socket (JSON-RPC 2.0 over WebSocket) ---

export interface ProgramStatus {
  readonly pid: number;
  /** The file that it executes; missing: not readable. */
  readonly executable?: string;
  /** `ended`: it is held at its end, and a checkpoint can bring it back. */
  readonly state: 'stopped' | 'running' | 'ended';
  readonly threads: number;
  /** Started by us; false: attached to. */
  readonly launched: boolean;
}

export interface StatusResult {
  readonly version: string;
  /** Of the owner process. */
  readonly pid: number;
  /** `idle`: connected, and the program stands. `waiting`: connected, and waits for a stop. */
  readonly debugger: 'none' | 'idle' | 'waiting';
  readonly programs: readonly ProgramStatus[];
  /** The program that the other methods are about. */
  readonly currentPid?: number;
  readonly checkpoints: number;
  readonly currentId?: number;
  /** Bytes of memory that all checkpoints take, and may take. */
  readonly store: { readonly used: number; readonly limit: number };
}

export interface SubscribeArguments {
  /** false ends the subscription. Default: true. */
  readonly on?: boolean;
}

/** Methods by name: their parameters (an object; may be left out where all members may) and their results. */
export interface ControlMethods {
  readonly status: { readonly params: Nothing; readonly result: StatusResult };
  /** From then on the notification `checkpoint/changed` (CheckpointChanged) comes. The answer is the list as it is now. */
  readonly subscribe: { readonly params: SubscribeArguments; readonly result: CheckpointList };
  readonly 'checkpoint/take': { readonly params: TakeArguments; readonly result: TakeResult };
  readonly 'checkpoint/list': { readonly params: Nothing; readonly result: CheckpointList };
  readonly 'checkpoint/restore': { readonly params: RestoreArguments; readonly result: RestoreResult };
  readonly 'checkpoint/drop': { readonly params: DropArguments; readonly result: Nothing };
  readonly 'checkpoint/rename': { readonly params: RenameArguments; readonly result: TakeResult };
  readonly 'checkpoint/preflight': { readonly params: Nothing; readonly result: PreflightResult };
  /** Without variables. A running program is halted for as long as it takes. */
  readonly 'checkpoint/compare': { readonly params: CompareArguments; readonly result: CompareResult };
}

export type ControlMethod = keyof ControlMethods;
export type Nothing = Readonly<Record<string, never>>;

/** `data` of an error that is not of JSON-RPC itself (code -32000). */
export interface ControlErrorData {
  /** As in base/errors.ts. */
  readonly family: string;
  /** Unique and stable: for programs. The message is for people. */
  readonly code: string;
}
