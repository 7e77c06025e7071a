/**
 * The checkpoint engine as the rest of the owner sees it: for each process a tree of checkpoints, to take, list, restore, rename and drop.
 *
 * It decides nothing about when: the caller has stopped the process (all threads quiesced) and is on the tracer thread.
 */

import { GONE, type Gone, type Pid, type ThreadRef } from '../base/brands';
import { refused, userError } from '../base/errors';
import type { Log } from '../base/log';
import type { EngineInferior } from '../owner/engine-host';
import type { DirtyTier } from '../sys/dirty-tier';
import { hasWriteProtect, openStore, sizeIndex, storeUsage } from '../sys/pages';
import { dropFiles, captureFiles } from './capture/files';
import { MemorySpace } from './capture/memory';
import { captureLimits } from './capture/process';
import { compareStates, stateOf, withPresent, type Comparison } from './comparison';
import { fidelityNotes } from './fidelity';
import { unlessGone } from './gone';
import { pageRanges } from './page-ranges';
import { Past } from './past';
import { admitRestore, handBackSignals, restoreSnapshot } from './restore';
import { dropSnapshot, readMappings, settleSnapshot, type Snapshot } from './snapshot';
import { Stages, type FailAt } from './stages';
import type { FidelityNote } from './state';
import { takeSnapshot } from './take';
import { CheckpointTree, type CheckpointNode } from './tree';

export interface EngineOptions {
  readonly log: Log;
  /** undefined: the best that this kernel has. */
  readonly tier?: DirtyTier;
  /** For tests: throws to make the named stage fail. */
  readonly failAt?: FailAt;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** The most bytes that pages of all checkpoints may take. */
  readonly storeLimit: bigint;
}

export interface RestoreResult {
  /** The thread that stood stopped when the checkpoint was taken. */
  readonly thread: ThreadRef;
  readonly librariesMayHaveChanged: boolean;
  /** What this restore in particular could not bring back. */
  readonly lost: readonly FidelityNote[];
  /** What the checkpoint never had. */
  readonly fidelity: readonly FidelityNote[];
  readonly durationMs: number;
  /** The checkpoint of the present that was kept (saveCurrent). */
  readonly saved: CheckpointNode | undefined;
}

/** A state that was read, and is no checkpoint yet. */
export interface Captured {
  readonly snapshot: Snapshot;
  readonly durationMs: number;
}

export interface Kept {
  readonly automatic?: boolean;
  readonly entry?: boolean;
}

export interface Preflight {
  /** Missing: there is no process to look at. */
  readonly tier?: DirtyTier;
  /** Why no checkpoint can be taken now; undefined: it can. */
  readonly obstacle: string | undefined;
  readonly fidelity: readonly FidelityNote[];
}

export class CheckpointEngine {
  private readonly processes = new Map<Pid, ProcessCheckpoints>();
  private readonly tier: DirtyTier;

  constructor(private readonly options: EngineOptions) {
    openStore(options.storeLimit);
    this.tier = options.tier ?? (hasWriteProtect() ? 'write-protect' : 'compare');
  }

  forInferior(inferior: EngineInferior): ProcessCheckpoints {
    const known = this.processes.get(inferior.pid);
    if (known !== undefined && known.inferior === inferior) return known;
    known?.forget();
    const made = new ProcessCheckpoints(inferior, this.tier, this.options);
    this.processes.set(inferior.pid, made);
    return made;
  }

  /** undefined: nothing was ever kept for this process. */
  known(pid: Pid): ProcessCheckpoints | undefined {
    return this.processes.get(pid);
  }

  /** The process is gone, or is let go: everything kept for it is freed. */
  forget(pid: Pid): void {
    this.processes.get(pid)?.forget();
    this.processes.delete(pid);
  }

  usage(): ReturnType<typeof storeUsage> {
    return storeUsage();
  }
}

export class ProcessCheckpoints {
  private readonly tree = new CheckpointTree();
  private readonly space: MemorySpace;
  /** How many checkpoints have a thread, by its serial: counted, because a look at all of them at each take would grow with their number. */
  private readonly holders = new Map<number, number>();

  constructor(
    readonly inferior: EngineInferior,
    tier: DirtyTier,
    private readonly options: EngineOptions,
  ) {
    this.space = new MemorySpace(inferior, tier);
  }

  private get failAt(): FailAt {
    return this.options.failAt ?? (() => undefined);
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }

  get currentId(): number | undefined {
    return this.tree.currentId;
  }

  list(): readonly CheckpointNode[] {
    return this.tree.list();
  }

  get(id: number): CheckpointNode | undefined {
    return this.tree.get(id);
  }

  take(label = '', how: Kept = {}): CheckpointNode | Gone {
    const captured = this.capture();
    return captured === GONE ? GONE : this.enter(captured, label, how);
  }

  /** The part of a take for which the process has to stand. */
  capture(): Captured | Gone {
    const start = performance.now();
    const { log } = this.options;
    const current = this.tree.currentId === undefined ? undefined : this.tree.get(this.tree.currentId);
    const snapshot = unlessGone(() =>
      takeSnapshot({
        inferior: this.inferior,
        space: this.space,
        stages: new Stages(log, this.failAt),
        knownFiles: current?.snapshot.files ?? [],
      }),
    );
    return snapshot === GONE ? GONE : { snapshot, durationMs: performance.now() - start };
  }

  /** The other part: the process may run again, as long as none of its events was handled meanwhile. */
  enter({ snapshot, durationMs }: Captured, label: string, { automatic = false, entry = false }: Kept = {}): CheckpointNode {
    const node = this.keep(snapshot, { label, automatic, entry, durationMs });
    this.updateWanted();
    return node;
  }

  private keep(
    snapshot: Snapshot,
    how: { readonly label: string; readonly automatic: boolean; readonly entry: boolean; readonly durationMs: number },
  ): CheckpointNode {
    const { label, automatic, entry, durationMs } = how;
    this.count(snapshot, 1);
    const stop = snapshot.threads.find((thread) => thread.ref.serial === snapshot.stopThread?.serial) ?? snapshot.threads[0];
    return this.tree.add(entry, (id, parentId) => ({
      id,
      parentId,
      label,
      automatic,
      createdAt: this.now(),
      pid: this.inferior.pid,
      pc: stop === undefined ? 0n : this.inferior.arch.pc(stop.gp),
      snapshot,
      stats: { bytes: sizeIndex(snapshot.index), ownBytes: snapshot.pages.stored * 4096, durationMs },
      fidelity: fidelityNotes(snapshot),
    }));
  }

  /** Throws the refusal that a restore would meet; touches nothing. */
  admit(id: number): true | Gone {
    const { snapshot } = this.need(id);
    return unlessGone(() => {
      admitRestore(this.inferior, snapshot);
      return true as const;
    });
  }

  private need(id: number): CheckpointNode {
    const node = this.tree.get(id);
    if (node === undefined) throw userError('no-checkpoint', `No checkpoint number ${id}.`);
    return node;
  }

  restore(id: number, how: { readonly saveCurrent?: boolean } = {}): RestoreResult | Gone {
    const node = this.need(id);
    const start = performance.now();
    const { inferior, space } = this;
    const { log } = this.options;
    const target = node.snapshot;
    const thread = target.stopThread ?? target.threads[0]?.ref;
    if (thread === undefined) throw refused('no-thread', `checkpoint ${id}`, 'has no thread');
    const restored = unlessGone(() => restoreSnapshot({ inferior, space, log, failAt: this.failAt }, target));
    if (restored === GONE) return GONE;
    // From here on nothing can fail.
    inferior.revive();
    handBackSignals(inferior, target, new Set(target.threads.map(({ ref }) => ref.serial)));
    inferior.setCurrentThread(thread);
    const saved = this.settleSafety(restored.safety, how.saveCurrent ?? false, id);
    this.tree.moveTo(id);
    this.updateWanted();
    const durationMs = performance.now() - start;
    log.add('checkpoint', `restored ${id} in ${durationMs.toFixed(3)} ms`);
    return {
      thread,
      librariesMayHaveChanged: restored.librariesMayHaveChanged,
      lost: restored.notes,
      fidelity: node.fidelity,
      durationMs,
      saved,
    };
  }

  private settleSafety(safety: Snapshot, keep: boolean, id: number): CheckpointNode | undefined {
    if (!keep) {
      dropSnapshot(safety);
      return undefined;
    }
    return this.keep(settleSnapshot(safety), { label: `before restoring ${id}`, automatic: true, entry: false, durationMs: 0 });
  }

  drop(id: number): boolean {
    const node = this.tree.remove(id);
    if (node === undefined) return false;
    this.count(node.snapshot, -1);
    dropSnapshot(node.snapshot);
    this.updateWanted();
    return true;
  }

  rename(id: number, label: string): boolean {
    return this.tree.rename(id, label);
  }

  /** What a checkpoint taken now would not bring back, without taking one. */
  preflight(): Preflight | Gone {
    return unlessGone(() => {
      const prepared = this.inferior.prepare();
      const obstacle = prepared === GONE || prepared.ok ? undefined : `thread ${prepared.thread.tid} ${prepared.reason}`;
      const files = captureFiles(this.inferior, [], false);
      dropFiles(files);
      const nothing = { scanned: 0, written: 0, stored: 0, dropped: 0, unreadable: 0, fallback: 0 };
      const process = { brk: 0n, umask: 0, cwd: undefined, intervalTimers: [], ...captureLimits(this.inferior) };
      const fidelity = fidelityNotes({ files, mappings: readMappings(this.inferior), process, pages: nothing });
      return { tier: this.space.tier, obstacle, fidelity };
    });
  }

  /** For looking into a checkpoint, whatever becomes of it meanwhile. The caller closes it. */
  past(id: number): Past {
    return new Past(this.inferior, this.need(id).snapshot);
  }

  /** What differs between a checkpoint and another one, or the present. Nothing of the program is changed. */
  compare(id: number, other: number | undefined): Comparison | Gone {
    const { inferior, space } = this;
    const { snapshot } = this.need(id);
    const before = stateOf(inferior, snapshot);
    if (other !== undefined) return compareStates(inferior, before, stateOf(inferior, this.need(other).snapshot));
    return unlessGone(() => withPresent(inferior, space, snapshot.files, (now) => compareStates(inferior, before, now)));
  }

  /** Self-check: addresses of pages that are not what the checkpoint says. Meaningful right after taking or restoring it. */
  check(id: number): readonly bigint[] {
    const node = this.tree.get(id);
    if (node === undefined) return [];
    const putBack = this.inferior.liftBreakpoints();
    try {
      return this.space.check(node.snapshot.index, pageRanges(readMappings(this.inferior)));
    } finally {
      putBack();
    }
  }

  /** Frees everything; numbers go on where they were. */
  forget(): void {
    for (const node of this.tree.list()) {
      this.tree.remove(node.id);
      this.count(node.snapshot, -1);
      dropSnapshot(node.snapshot);
    }
    this.space.close();
    this.updateWanted();
  }

  /** `by` 1: a checkpoint more has these threads; -1: one less. */
  private count(snapshot: Snapshot, by: 1 | -1): void {
    for (const { ref } of snapshot.threads) {
      const holders = (this.holders.get(ref.serial) ?? 0) + by;
      if (holders > 0) this.holders.set(ref.serial, holders);
      else this.holders.delete(ref.serial);
    }
  }

  /** Threads that some checkpoint has are held when they exit, and so is the process; parked ones that none has may go. */
  private updateWanted(): void {
    this.inferior.setWanted(this.holders);
    this.inferior.setHoldExit(this.holders.size > 0);
    for (const thread of this.inferior.threads()) {
      if (thread.life === 'parked' && !this.holders.has(thread.ref.serial)) this.inferior.release(thread);
    }
  }
}
