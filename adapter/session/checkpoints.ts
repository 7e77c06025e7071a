/**
 * Checkpoints in DAP: the custom requests, Step Back and Reverse, the automatic ones, and `checkpoint/changed`.
 *
 * A restore's story: 1. a running program is paused; 2. the present is kept, when it is not yet; 3. gdb is told `restart N` and sees an
 * ordinary stop; 4. the client is told of one stop, "Restored to …", after which all it knew is void.
 */

import { SavepointError, describeError, isFamily, peerError, refused, userError } from '../../native/base/errors';
import type {
  CheckpointChanged,
  CheckpointList,
  CheckpointRecord,
  CheckpointStop,
  DropArguments,
  PreflightResult,
  RenameArguments,
  RestoreArguments,
  RestoreResult,
  TakeArguments,
  TakeResult,
} from '../../native/control/schema';
import { hearOut } from '../gdb/commands-exec';
import { isKnownChange, reparent } from './checkpoint-records';
import { type CheckpointStore, type TakenRecord, readTaken } from './checkpoint-store';
import { ENTRY_ID, checkpointId, earlierMoments, previousNamed, previousStop } from './checkpoint-tree';
import type { Core } from './core';
import { type Moment, Moments, type PassedStops, describePassed, describeStop } from './moments';
import { PassedCheckpoints } from './passed-checkpoints';
import { type ProgramStop, type Stop, type StopReport, isQuietStop } from './stops';
import { type AutomaticLimits, FULL_BUDGET, chooseDrops, isDue, spend } from './thinning';

export interface CheckpointHooks {
  /** What falls apart at the end is no news. */
  isOver(): boolean;
  /** The program runs: a store beside gdb is wanted now, if there can be one. */
  openBeside(): Promise<void>;
  /** The program stands at a checkpoint's state. */
  onRestored(stop: ProgramStop, record: CheckpointRecord): void;
}

export class Checkpoints {
  limits: AutomaticLimits | undefined;
  private readonly moments = new Moments();
  /** Equal to the present state. */
  private savedAs: number | undefined;
  private budget = FULL_BUDGET;
  private known: CheckpointList = { checkpoints: [] };
  private possible = true;
  private readonly passed = new PassedCheckpoints();
  /** Beside gdb: for while the program runs. */
  beside: CheckpointStore | undefined;

  constructor(
    private readonly core: Core,
    private readonly store: CheckpointStore,
    private readonly hooks: CheckpointHooks,
  ) {}

  /** Whether the server is one that has checkpoints: another one is asked once. */
  async arePossible(): Promise<boolean> {
    this.possible = await this.store.list().then(
      () => true,
      () => false,
    );
    return this.possible;
  }

  get areThere(): boolean {
    return this.known.checkpoints.length > 0;
  }

  get hasNamed(): boolean {
    return this.known.checkpoints.some(({ automatic }) => !automatic);
  }

  // --- what happens to the program ---

  onResumed(): void {
    this.savedAs = undefined;
  }

  /** The user changed something: the present is no longer what was saved. */
  onChanged(): void {
    this.savedAs = undefined;
  }

  /** The client has been told; the checkpoint is taken while it looks around. */
  onStop(stop: ProgramStop, report: StopReport): void {
    const { number } = this.moments.arrive(describeStop(stop, report));
    const { limits } = this;
    if (limits === undefined || !this.possible) return;
    void this.core.program
      .exclusive(async () => {
        if (this.core.program.kind !== 'stopped' || this.moments.now.number !== number) return;
        if (isDue(this.budget, performance.now(), limits)) await this.takeAutomatic(number, limits);
      })
      .catch((error: unknown) => this.core.log.add('checkpoint', `no automatic checkpoint: ${describeError(error)}`));
  }

  private async takeAutomatic(number: number, limits: AutomaticLimits): Promise<void> {
    const start = performance.now();
    const isFirst = !this.known.checkpoints.some(({ id }) => id !== ENTRY_ID);
    const id = await this.takeNow(`stop ${number}`, true);
    const automatic = this.known.checkpoints
      .filter((record) => record.automatic && record.id !== ENTRY_ID)
      .sort((a, b) => a.id - b.id);
    await this.dropAll(chooseDrops(automatic, limits, new Set([id])));
    const end = performance.now();
    this.budget = spend(this.budget, end, end - start, limits, isFirst);
  }

  private async dropAll(ids: readonly number[]): Promise<void> {
    if (ids.length > 0) await this.reachable().drop(ids);
    for (const id of ids) this.forget(id);
  }

  /** gdb took it as the program passed, which has run on by now. */
  onPassed(taken: TakenRecord, stop: CheckpointStop): void {
    const isFirst = this.known.checkpoints.length === 0;
    const record = readTaken(taken, (id) => this.known.checkpoints.find((one) => one.id === id));
    this.enter(record, this.moments.passing(stop));
    const drops = this.passed.add(record.id, this.known.checkpoints, this.limits);
    if (this.passed.shallTell(drops)) this.core.tell(this.passed.describe(this.limits), 'important');
    if (!isFirst && drops.length === 0) return;
    // The entry's checkpoint came without a word.
    const work = (): Promise<void> => (isFirst ? this.refresh() : this.dropAll(drops));
    void this.inTurn(work).catch((error: unknown) => this.core.log.add('checkpoint', `after passing: ${describeError(error)}`));
  }

  private enter(record: CheckpointRecord, moment: Moment): void {
    const { id } = record;
    this.known = { checkpoints: [...this.known.checkpoints.filter((one) => one.id !== id), record], currentId: id };
    this.moments.keep(id, moment);
    if (moment === this.moments.now) this.savedAs = id;
    this.changed({ reason: 'taken', id });
  }

  /** The program is another one, or gone for good. */
  onLost(): void {
    if (this.known.checkpoints.length === 0) return;
    this.known = { checkpoints: [] };
    this.passed.clear();
    this.moments.clear();
    this.savedAs = undefined;
    this.changed({ reason: 'lost' });
  }

  /** A stop with signal 0 that nobody here asked for: `restart N` was typed. */
  async onForeignRestore(stop: ProgramStop): Promise<CheckpointRecord | undefined> {
    const before = this.known.currentId;
    await this.refresh();
    const record = this.known.checkpoints.find(({ id }) => id === this.known.currentId);
    if (record === undefined) return undefined;
    this.core.log.add('checkpoint', `restored from outside: ${before} -> ${record.id}, thread ${stop.thread}`);
    this.arrived(record);
    return record;
  }

  /** A command was typed at gdb: the tree may have changed. */
  async afterCommand(): Promise<void> {
    if (this.core.program.kind !== 'stopped' && this.core.program.kind !== 'exited') return;
    await this.core.program.exclusive(async () => {
      if (this.core.program.kind !== 'stopped' && this.core.program.kind !== 'exited') return;
      await this.refresh().catch(() => {});
    });
  }

  /** The server's word that a checkpoint came or went: ours are known already. */
  onNotice(change: CheckpointChanged): void {
    this.heed(change).catch((error: unknown) => this.core.log.add('checkpoint', `not refreshed: ${describeError(error)}`));
  }

  private async heed(change: CheckpointChanged): Promise<void> {
    const { program } = this.core;
    // Of what was taken in passing gdb tells as well, and more.
    if (change.reason === 'taken' && program.kind === 'running') await hearOut(this.core.gdb);
    await program.exclusive(async () => {
      if (this.hooks.isOver() || program.kind === 'idle' || program.kind === 'ended' || isKnownChange(change, this.known)) return;
      await this.refresh();
    });
  }

  /** Asks for the tree, and tells the client what is new in it. */
  private async refresh(): Promise<void> {
    const isStopped = this.core.program.kind === 'stopped';
    const listed = await this.listWith(this.reachable());
    // What came while the list was on its way has been told.
    const old = new Map(this.known.checkpoints.map((record) => [record.id, record]));
    if (listed.checkpoints.length === 0) return this.onLost();
    this.known = listed;
    for (const { id, label } of listed.checkpoints) {
      const before = old.get(id);
      if (before !== undefined && before.label !== label) this.changed({ reason: 'renamed', id });
      if (old.delete(id) || id === ENTRY_ID) continue;
      if (this.moments.of(id) === undefined) this.moments.keep(id, isStopped ? this.moments.now : this.moments.passing());
      if (isStopped) this.savedAs = id;
      this.changed({ reason: 'taken', id });
    }
    for (const id of old.keys()) this.changed({ reason: 'dropped', id });
  }

  /** What was taken in passing meanwhile is newer than the list. */
  private async listWith(store: CheckpointStore): Promise<CheckpointList> {
    const before = new Set(this.known.checkpoints.map(({ id }) => id));
    const listed = await store.list();
    // gdb may be about to tell of some of these, and more than is in the list.
    if (this.core.program.kind === 'running') await hearOut(this.core.gdb);
    const now = new Set(listed.checkpoints.map(({ id }) => id));
    const passed = this.known.checkpoints.filter(({ id }) => !before.has(id) && !now.has(id));
    const last = passed.at(-1);
    return last === undefined ? listed : { checkpoints: [...listed.checkpoints, ...passed], currentId: last.id };
  }

  /** gdb reaches the server only while the program stands. */
  private reachable(): CheckpointStore {
    return this.core.program.kind === 'running' && this.beside !== undefined ? this.beside : this.store;
  }

  /** In a turn: with the program as it is when it can be reached so, else stopped for a moment. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { program } = this.core;
    if (program.kind === 'running' && this.beside === undefined) await this.hooks.openBeside();
    return this.beside === undefined ? await program.whileStopped(work) : await program.exclusive(work);
  }

  private changed(change: Omit<CheckpointChanged, 'currentId'>): void {
    const { currentId } = this.known;
    this.core.client.send('checkpoint/changed', { ...change, ...(currentId === undefined ? {} : { currentId }) });
  }

  private forget(id: number): void {
    this.moments.forget(id);
    const gone = this.known.checkpoints.find((record) => record.id === id);
    const checkpoints = this.known.checkpoints
      .filter((record) => record.id !== id)
      .map((record) => (record.parentId === id ? reparent(record, gone?.parentId) : record));
    const currentId = this.known.currentId === id ? gone?.parentId : this.known.currentId;
    this.known = { checkpoints, ...(currentId === undefined ? {} : { currentId }) };
    if (this.savedAs === id) this.savedAs = undefined;
    this.changed({ reason: 'dropped', id });
  }

  // --- requests ---

  /** Cancelled: what was taken meanwhile is dropped. */
  async take({ label = '' }: TakeArguments, cancelled?: AbortSignal): Promise<TakeResult> {
    const { program } = this.core;
    this.needProgram();
    const work = async (): Promise<TakeResult> => {
      // Stopped only for this: nobody was told where.
      if (program.kind === 'borrowed') this.moments.pass();
      const stop = new AbortController();
      const id = await this.core.progress.show(
        'Taking a checkpoint',
        () => this.takeNow(label, false),
        () => stop.abort(),
      );
      if (!stop.signal.aborted && cancelled?.aborted !== true) return { checkpoint: this.describe(id) };
      await this.reachable().drop([id]);
      this.forget(id);
      throw new SavepointError('cancelled', 'cancelled', 'cancelled');
    };
    return await this.inTurn(work);
  }

  private needProgram(): void {
    const { kind } = this.core.program;
    this.needServer();
    if (kind === 'idle' || kind === 'ended') throw userError('no-process', 'the program is not being run');
    if (kind === 'exited') throw userError('ended', 'the program has ended; a checkpoint can bring it back');
  }

  private needServer(): void {
    if (!this.possible)
      throw userError('no-checkpoints', 'this debug server has no checkpoints: let `savepoint gdbserver` serve the program');
  }

  /** In a turn. */
  private async takeNow(label: string, automatic: boolean): Promise<number> {
    this.needServer();
    // The entry's checkpoint came by itself.
    const store = this.reachable();
    const moment = store === this.store ? this.moments.now : this.moments.passing();
    if (this.known.checkpoints.length === 0) this.known = await this.listWith(store);
    const record = await store.take(label, automatic, (parent) => this.known.checkpoints.find((one) => one.id === parent));
    this.enter(record, moment);
    return record.id;
  }

  async list(): Promise<CheckpointList> {
    const { program } = this.core;
    this.needServer();
    // In its turn, so that what other clients did before is known.
    if (program.kind !== 'idle' && program.kind !== 'ended') await program.exclusive(() => this.refreshWhenPossible());
    const { checkpoints, currentId } = this.known;
    return {
      checkpoints: checkpoints.map((record) => this.withStop(record)),
      ...(currentId === undefined ? {} : { currentId }),
    };
  }

  /** Beside a control socket what is known is what is: our own takes and drops are entered at once, others' are told of. */
  private async refreshWhenPossible(): Promise<void> {
    if (this.beside !== undefined && this.known.checkpoints.length > 0) return;
    const { kind } = this.core.program;
    if (kind === 'stopped' || kind === 'exited' || (kind === 'running' && this.beside !== undefined)) await this.refresh();
  }

  private withStop(record: CheckpointRecord): CheckpointRecord {
    const stop = this.moments.of(record.id)?.stop;
    return stop === undefined ? record : { ...record, stop };
  }

  private describe(id: number): CheckpointRecord {
    const record = this.known.checkpoints.find((one) => one.id === id);
    if (record === undefined) throw userError('no-checkpoint', `there is no checkpoint ${id}`);
    return this.withStop(record);
  }

  async drop({ id }: DropArguments): Promise<void> {
    const number = checkpointId(id);
    await this.onTree(async () => {
      await this.reachable().drop([number]);
      this.forget(number);
    });
  }

  async rename({ id, label }: RenameArguments): Promise<void> {
    const number = checkpointId(id);
    await this.onTree(async () => {
      await this.reachable().rename(number, String(label ?? ''));
      this.passed.keep(number);
      this.known = await this.listWith(this.reachable());
      this.changed({ reason: 'renamed', id: number });
    });
  }

  async preflight(): Promise<PreflightResult> {
    const { kind } = this.core.program;
    if (kind === 'idle' || kind === 'ended') return { possible: false, reason: 'the program is not being run', fidelity: [] };
    return await this.onTree(() => this.reachable().preflight());
  }

  private async onTree<T>(work: () => Promise<T>): Promise<T> {
    const { program } = this.core;
    this.needServer();
    if (program.kind === 'idle' || program.kind === 'ended') throw userError('no-process', 'the program is not being run');
    return await this.inTurn(work);
  }

  // --- going back ---

  /** `onLeft`: the program has left a stop that the client was told of. */
  async restore({ id, saveCurrent = true }: RestoreArguments, onLeft: () => void): Promise<RestoreResult> {
    const number = checkpointId(id);
    const { program } = this.core;
    this.needServer();
    return await program.exclusive(async () => {
      const before = program.kind;
      this.known = await this.listWhenReachable();
      const result = await this.goTo(this.describe(number), saveCurrent);
      if (before !== 'running') onLeft();
      return result;
    });
  }

  /** Also of a running program: it is stopped for good when a restore follows. */
  private async listWhenReachable(): Promise<CheckpointList> {
    const store = this.reachable();
    return this.core.program.kind === 'running' && store === this.store ? this.known : await this.listWith(store);
  }

  /** To the last stop that has a checkpoint: a row of quick steps may use up what they may cost. */
  async stepBack(): Promise<void> {
    const passed = await this.goBack(previousStop, 'there is no earlier stop to go back to');
    if (passed.count > 0) this.core.tellList(...describePassed(passed), { folded: true });
  }

  async reverseContinue(): Promise<void> {
    await this.goBack(previousNamed, 'there is no earlier checkpoint to go back to');
  }

  /** Returns the stops that it went past. */
  private async goBack(choose: typeof previousStop, none: string): Promise<PassedStops> {
    const { program } = this.core;
    this.needServer();
    if (program.kind !== 'exited') program.requireStopped();
    return await program.exclusive(async () => {
      this.known = await this.store.list();
      const target = choose(this.known, { savedAs: this.savedAs, momentOf: (id) => this.moments.of(id)?.number });
      if (target === undefined) throw refused('no-earlier', 'Step Back', none);
      const passed = this.moments.stopsSince(target.id, program.kind === 'exited');
      await this.goTo(target, false);
      return passed;
    });
  }

  /** For `restart`: back to the entry, without a word to the client. undefined: there is no entry checkpoint. */
  async returnToEntry(): Promise<ProgramStop | undefined> {
    const { program } = this.core;
    if (program.kind === 'idle' || program.kind === 'ended') return undefined;
    return await program.exclusive(async () => {
      if (program.kind === 'running') {
        const stop = await program.borrow();
        if (stop.kind === 'exit') program.exited();
      }
      this.known = await this.store.list();
      const entry = this.known.checkpoints.find(({ id }) => id === ENTRY_ID);
      if (entry === undefined) {
        if (program.kind === 'borrowed') program.stopped();
        return undefined;
      }
      return await this.deliver(entry);
    });
  }

  /** In a turn. */
  private async goTo(record: CheckpointRecord, saveCurrent: boolean): Promise<RestoreResult> {
    const { program } = this.core;
    if (program.kind === 'idle' || program.kind === 'ended') throw userError('no-process', 'the program is not being run');
    const paused = program.kind === 'running' ? await program.borrow() : undefined;
    if (paused?.kind === 'exit') program.settle(paused);
    let savedId: number | undefined;
    try {
      if (saveCurrent && this.savedAs === undefined && program.kind !== 'exited')
        savedId = await this.saveBefore(record.id, paused);
      const stop = await this.deliver(record);
      this.hooks.onRestored(stop, record);
    } catch (error) {
      if (paused !== undefined && paused.kind !== 'exit') await program.giveBack(paused);
      throw error;
    }
    return { checkpoint: this.withStop(record), ...(savedId === undefined ? {} : { savedId }) };
  }

  private async saveBefore(id: number, paused: Stop | undefined): Promise<number | undefined> {
    if (paused !== undefined) this.moments.pass();
    try {
      return await this.takeNow(`before going back to ${id}`, true);
    } catch (error) {
      // What cannot be saved is lost by going back, and the user asked for that.
      if (!isFamily(error, 'refused')) throw error;
      this.core.tell(`The present state is not kept: ${error.message}`);
      return undefined;
    }
  }

  /** In a turn: the restore itself. On failure the phase is what it was. `quietly`: the client is told later, or not at all. */
  async deliver(record: CheckpointRecord, how: 'told' | 'quietly' = 'told'): Promise<ProgramStop> {
    const { program } = this.core;
    const before = program.kind;
    const fromId = this.savedAs;
    if (before !== 'borrowed') program.borrowStopped();
    const coming = program.expectStop();
    try {
      await this.store.restore(record.id);
    } catch (error) {
      program.expectNoStop();
      await coming.catch(() => {});
      if (before === 'stopped') program.stopped();
      else if (before === 'exited') program.exited();
      throw error;
    }
    const stop = await coming;
    if (stop.kind !== 'stop' || !isQuietStop(stop)) {
      program.settle(stop);
      program.requireSession();
      throw peerError('restore', `the program stopped elsewhere on its way to checkpoint ${record.id}`);
    }
    program.stopped();
    this.arrived(record, how, fromId);
    return stop;
  }

  private arrived(record: CheckpointRecord, how: 'told' | 'quietly' = 'told', fromId?: number): void {
    this.known = { ...this.known, currentId: record.id };
    this.savedAs = record.id;
    this.moments.returnTo(record.id);
    if (how === 'told') this.tellRestored(record, fromId);
  }

  tellRestored(record: CheckpointRecord, fromId?: number): void {
    this.changed({ reason: 'restored', id: record.id, ...(fromId === undefined ? {} : { fromId }) });
  }

  /** In a turn, the program stopped: the present as a checkpoint, and those of earlier moments, nearest first. */
  async keepPresent(): Promise<{ present: CheckpointRecord; earlier: readonly CheckpointRecord[] }> {
    const id = this.savedAs ?? (await this.takeNow('before going back', true));
    this.known = await this.store.list();
    const earlier = earlierMoments(this.known, { savedAs: id, momentOf: (one) => this.moments.of(one)?.number });
    return { present: this.describe(id), earlier };
  }
}
