/**
 * Joins the checkpoint engine to the RSP server (which must not know each other): the `monitor` words, the armed restore that is carried out
 * as the answer to the next resume, the entry checkpoint, and what is to be said of checkpoints that went with their process.
 *
 * A restore's story: 1. `monitor restart N` finds out whether it can be done and arms it; 2. the client resumes, by any verb; 3. instead of
 * running, the engine rolls back, and the restored stop is the answer. So the client's picture changes only by a stop reply.
 */

import * as os from 'node:os';
import * as path from 'node:path';
import { GONE, type Pid } from '../base/brands';
import { describeError, isFamily, kernelError, refused, userError } from '../base/errors';
import type { Log } from '../base/log';
import {
  type Captured,
  CheckpointEngine,
  type Preflight,
  type ProcessCheckpoints,
  type RestoreResult,
} from '../checkpoint/engine';
import type { FidelityNote } from '../checkpoint/state';
import type { CheckpointNode } from '../checkpoint/tree';
import type { CheckpointChanged, CompareArguments, CompareResult } from '../control/schema';
import { socketPath } from '../control/socket-directory';
import { VERSION } from '../cli/version';
import { formatMs } from '../base/units';
import type { Inferior } from '../owner/inferior';
import type { ServerHooks, StopReport } from '../owner/ops';
import type { NativeTarget } from '../owner/target';
import type { Tracer } from '../owner/tracer';
import { leaveOurTraps } from '../owner/parking';
import * as text from './checkpoint-text';
import { comparisonOf } from './comparison-text';
import { monitorHelp, parseMonitor, type MonitorCommand, type ProcessCommand } from './monitor-words';
import { PastView } from './past-view';
import { allowsFaults, readEngineSettings } from './settings';

const ENTRY_LABEL = 'entry';
/** Of the machine's memory, for the pages of all checkpoints: a refused checkpoint is better than an owner killed for want of memory. */
const STORE_SHARE = 0.5;

/** What a take is asked to be. */
interface Wanted {
  readonly label: string;
  readonly automatic: boolean;
}

interface Armed {
  readonly inferior: Inferior;
  readonly id: number;
  quietly: boolean;
  /** Another client than the debugger asked for it, and waits to hear how it came out. */
  readonly asked?: Asked;
}

export interface Asked {
  readonly saveCurrent: boolean;
  settle(outcome: RestoreResult | Error): void;
}

export interface Restored {
  readonly result: RestoreResult;
  readonly report: StopReport;
  readonly librariesChanged: boolean;
  /** What to tell the user of it; what was said before is not said again, so it is asked for when it is said. */
  note(): string;
}

/** How the last restore came out, for a client that asks. */
type Outcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'done'; readonly id: number; readonly result: RestoreResult }
  | { readonly kind: 'failed'; readonly id: number; readonly why: string };

type Answer = ReturnType<ServerHooks['beforeResume']>;

export class CheckpointService {
  readonly hooks: ServerHooks;
  /** What the debugger looks at instead of the program. */
  readonly view = new PastView();
  private readonly engine: CheckpointEngine;
  private armed: Armed | undefined;
  /** The stage that is to fail next, once. */
  private faultAt: string | undefined;
  private outcome: Outcome = { kind: 'none' };
  /** What has been said of each process already: told once. */
  private readonly said = new Map<Pid, Set<string>>();
  /** Why there are no checkpoints any more, of the last process that had some. */
  private lost: string | undefined;
  /** Told of every change, whoever made it. */
  onChanged: (change: CheckpointChanged) => void = () => {};
  /** Where gdb's side listens for restores that others ask for (doorbell.ts). */
  bell: string | undefined;
  /** The control socket beside it. */
  get control(): string | undefined {
    return this.bell === undefined ? undefined : socketPath(path.dirname(this.bell), process.pid);
  }

  constructor(
    private readonly tracer: Tracer,
    private readonly target: NativeTarget,
    private readonly log: Log,
  ) {
    this.engine = new CheckpointEngine({
      log,
      storeLimit: BigInt(Math.floor(os.totalmem() * STORE_SHARE)),
      ...readEngineSettings(process.env),
      failAt: (stage) => this.failAt(stage),
    });
    this.hooks = {
      monitor: (line, pid) => this.monitor(parseMonitor(line), pid),
      beforeResume: () => this.carryOut(),
      beforeRun: () => this.carryOut(),
      afterStart: (pid) => this.afterStart(pid),
    };
  }

  /** The process is dead or let go. */
  forget(pid: Pid): void {
    this.noteLoss(pid, `process ${pid} is gone`);
    this.said.delete(pid);
    this.engine.forget(pid);
  }

  /** The process executed another program: what was kept of the one before cannot come back. */
  forgetImage(pid: Pid): void {
    this.noteLoss(pid, `process ${pid} has executed another program`);
    this.said.delete(pid);
    this.engine.known(pid)?.forget();
  }

  private noteLoss(pid: Pid, why: string): void {
    this.view.lose(pid);
    const nodes = this.engine.known(pid)?.list() ?? [];
    if (this.armed?.inferior.pid === pid) this.disarm(userError('no-process', why));
    if (nodes.length === 0) return;
    this.lost = `the checkpoints (${nodes.map((node) => node.id).join(', ')}) are gone: ${why}`;
    this.onChanged({ reason: 'lost' });
  }

  /** A launched program can be started over at once: its entry is kept. Attaching must not cost a look at all memory. */
  private afterStart(pid: Pid): void {
    const inferior = this.tracer.inferiors.get(pid);
    if (inferior === undefined || !inferior.launched) return;
    try {
      const entry = this.engine.forInferior(inferior).take(ENTRY_LABEL, { automatic: true, entry: true });
      if (entry === GONE) return;
      this.lost = undefined;
      this.changed('taken', inferior, entry.id);
    } catch (error) {
      if (isFamily(error, 'bug')) throw error;
      // The program runs all the same, only without `restart 0`.
      this.log.add('checkpoint', `no entry checkpoint: ${describeError(error)}`);
    }
  }

  // --- monitor ---

  private monitor(command: MonitorCommand, pid: Pid | undefined): string {
    switch (command.kind) {
      case 'help':
        return monitorHelp;
      case 'version':
        return `savepoint ${VERSION}\n`;
      case 'restored-json':
        return this.outcomeJson();
      case 'wanted-json':
        return `${JSON.stringify(this.takeUpWanted())}\n`;
      case 'bell':
        return `${JSON.stringify({ bell: this.bell ?? null, control: this.control ?? null })}\n`;
      case 'view-off':
        this.view.leave();
        return 'Looking at the present.\n';
      case 'fail-at':
        if (!allowsFaults(process.env)) throw userError('monitor-unknown', 'SAVEPOINT_TEST_FAULTS is not set');
        this.faultAt = command.stage;
        return '';
      default:
        return this.onProcess(command, this.findInferior(pid));
    }
  }

  private failAt(stage: string): void {
    if (stage !== this.faultAt) return;
    this.faultAt = undefined;
    throw kernelError(`stage ${stage}`, 5, 'EIO', 'a fault asked for by a test');
  }

  private onProcess(command: ProcessCommand, inferior: Inferior | undefined): string {
    if (inferior === undefined) return this.withoutProcess(command);
    const checkpoints = this.engine.forInferior(inferior);
    switch (command.kind) {
      case 'take':
        return this.take(checkpoints, inferior, command);
      case 'take-json':
        return this.takeJson(checkpoints, this.takeNode(checkpoints, inferior, command));
      case 'list':
        return text.table(checkpoints.list(), checkpoints.currentId);
      case 'list-json':
        return text.json(checkpoints.list(), checkpoints.currentId, command.after);
      case 'details':
        return text.details(this.find(checkpoints, command.id), checkpoints.currentId, this.engine.usage());
      case 'verify':
        this.find(checkpoints, command.id);
        return text.verified(command.id, checkpoints.check(command.id));
      case 'rename':
        this.rename(inferior, command.id, command.label);
        return `Checkpoint ${command.id} renamed.\n`;
      case 'preflight-json':
        return text.preflight(this.preflight(inferior));
      case 'compare-json':
        return `${JSON.stringify(this.compare(inferior, { id: command.id, ...(command.other === undefined ? {} : { with: command.other }) }))}\n`;
      case 'view':
        this.find(checkpoints, command.id);
        this.view.enter(command.id, inferior.pid, checkpoints.past(command.id), command.tid);
        return `Looking at checkpoint ${command.id}, thread ${command.tid}.\n`;
      case 'drop':
        for (const id of command.ids) this.find(checkpoints, id);
        for (const id of command.ids) this.drop(inferior, id);
        return `Checkpoint ${command.ids.join(', ')} deleted.\n`;
      case 'restore':
        this.arm(inferior, command.id, command.quietly);
        return `Restart of checkpoint ${command.id} is armed. The next "continue" or step goes there.\n`;
    }
  }

  private withoutProcess(command: { readonly kind: string }): string {
    if (command.kind === 'list') return 'No checkpoints.\n';
    if (command.kind === 'list-json') return text.json([], undefined, undefined);
    throw this.noProcess();
  }

  noProcess(): Error {
    return userError('no-process', `The program is not being run.${this.lost === undefined ? '' : ` (${capital(this.lost)}.)`}`);
  }

  /** The process that the client means: the selected one, else the current one, else the one that is held at its end. */
  findInferior(pid: Pid | undefined): Inferior | undefined {
    const debugged = this.tracer.debugged();
    const wanted = pid ?? this.target.currentThread()?.pid;
    return debugged.find((inferior) => inferior.pid === wanted) ?? debugged.findLast((inferior) => inferior.life.kind === 'held');
  }

  of(inferior: Inferior): ProcessCheckpoints {
    return this.engine.forInferior(inferior);
  }

  usage(): { readonly used: number; readonly limit: number } {
    return this.engine.usage();
  }

  find(checkpoints: ProcessCheckpoints, id: number): CheckpointNode {
    const node = checkpoints.get(id);
    if (node !== undefined) return node;
    const why = this.lost === undefined ? '' : ` (${capital(this.lost)}.)`;
    throw userError('no-checkpoint', `No checkpoint number ${id}.${why}`);
  }

  private take(checkpoints: ProcessCheckpoints, inferior: Inferior, wanted: Wanted): string {
    const node = this.takeNode(checkpoints, inferior, wanted);
    return `${text.taken(node)}${text.notRolledBack(this.news(inferior.pid, node.fidelity), node.id)}`;
  }

  /** Short: gdb hands it on character by character, and it comes at every stop. */
  private takeJson(checkpoints: ProcessCheckpoints, node: CheckpointNode): string {
    return text.takenJson(node, node.parentId === undefined ? undefined : checkpoints.get(node.parentId));
  }

  takeNode(checkpoints: ProcessCheckpoints, inferior: Inferior, wanted: Wanted): CheckpointNode {
    return this.enter(checkpoints, inferior, this.capture(checkpoints, inferior), wanted);
  }

  /** The part of a take for which the program has to stand; `enter` must follow before anything else is done. */
  capture(checkpoints: ProcessCheckpoints, inferior: Inferior): Captured {
    this.view.refuse('taking a checkpoint');
    if (inferior.life.kind === 'held') throw userError('ended', 'The program has ended; "restart N" goes back to a checkpoint.');
    const captured = this.thenSafe(inferior, () => checkpoints.capture());
    if (captured === GONE) throw this.killed(inferior);
    return captured;
  }

  enter(checkpoints: ProcessCheckpoints, inferior: Inferior, captured: Captured, { label, automatic }: Wanted): CheckpointNode {
    const node = checkpoints.enter(captured, label, { automatic });
    this.changed('taken', inferior, node.id);
    return node;
  }

  rename(inferior: Inferior, id: number, label: string): void {
    const checkpoints = this.of(inferior);
    this.find(checkpoints, id);
    checkpoints.rename(id, label);
    this.changed('renamed', inferior, id);
  }

  /** All threads stand. */
  compare(inferior: Inferior, asked: CompareArguments): CompareResult {
    const checkpoints = this.of(inferior);
    this.find(checkpoints, asked.id);
    if (asked.with !== undefined) this.find(checkpoints, asked.with);
    else if (inferior.life.kind === 'held')
      throw userError('ended', 'The program has ended, so there is no present to compare with; name another checkpoint.');
    const comparison = checkpoints.compare(asked.id, asked.with);
    if (comparison === GONE) throw this.killed(inferior);
    return comparisonOf(asked, comparison);
  }

  drop(inferior: Inferior, id: number): void {
    this.view.refuse('deleting a checkpoint');
    const checkpoints = this.of(inferior);
    this.find(checkpoints, id);
    checkpoints.drop(id);
    if (this.armed?.inferior === inferior && this.armed.id === id)
      this.disarm(userError('no-checkpoint', `Checkpoint ${id} was deleted meanwhile.`));
    this.changed('dropped', inferior, id);
  }

  private changed(reason: CheckpointChanged['reason'], inferior: Inferior, id: number, fromId?: number): void {
    const { currentId } = this.of(inferior);
    this.onChanged({
      reason,
      id,
      ...(currentId === undefined ? {} : { currentId }),
      ...(fromId === undefined ? {} : { fromId }),
    });
  }

  preflight(inferior: Inferior): Preflight {
    if (inferior.life.kind === 'held') return { obstacle: 'the program has ended', fidelity: [] };
    const found = this.of(inferior).preflight();
    return found === GONE ? { obstacle: 'the process was killed', fidelity: [] } : found;
  }

  /** The calls that the engine makes in a program leave its threads in traps of ours. */
  private thenSafe<T>(inferior: Inferior, act: () => T): T {
    try {
      return act();
    } finally {
      leaveOurTraps(inferior);
    }
  }

  private killed(inferior: Inferior): Error {
    this.target.awaitEnd(inferior.pid);
    return refused('gone', `process ${inferior.pid}`, 'was killed meanwhile');
  }

  /** The notes that the user has not seen yet. */
  private news(pid: Pid, notes: readonly FidelityNote[]): FidelityNote[] {
    const said = this.said.get(pid) ?? new Set<string>();
    this.said.set(pid, said);
    const fresh = notes.filter((note) => !said.has(note.sentence));
    for (const note of fresh) said.add(note.sentence);
    return fresh;
  }

  // --- restoring ---

  /** Refuses what could not be restored. Who armed before is told that it will not happen. */
  arm(inferior: Inferior, id: number, quietly: boolean, asked?: Asked): void {
    this.view.refuse('a restore');
    const checkpoints = this.of(inferior);
    this.find(checkpoints, id);
    if (this.thenSafe(inferior, () => checkpoints.admit(id)) === GONE) throw this.killed(inferior);
    this.disarm(
      refused(
        'superseded',
        `the restore of checkpoint ${this.armed?.id ?? id}`,
        'another one was asked for before it was carried out',
      ),
    );
    this.armed = { inferior, id, quietly, ...(asked === undefined ? {} : { asked }) };
    this.outcome = { kind: 'none' };
  }

  /** `asked`: only if it is this one's. */
  disarm(why: Error, asked?: Asked): void {
    const { armed } = this;
    if (armed === undefined || (asked !== undefined && armed.asked !== asked)) return;
    this.armed = undefined;
    armed.asked?.settle(why);
  }

  /** The debugger has heard the bell and goes there, as if its user had said so. */
  private takeUpWanted(): { readonly restore?: number } {
    const { armed } = this;
    if (armed?.asked === undefined) return {};
    armed.quietly = true;
    return { restore: armed.id };
  }

  /** Carries out what is armed. Throws what the engine throws: the program then is as it was. */
  private carryOut(): Answer {
    const { armed } = this;
    if (armed === undefined) return undefined;
    this.view.refuse('a restore');
    this.armed = undefined;
    const { inferior, id, quietly, asked } = armed;
    try {
      const restored = this.restoreNow(inferior, id, asked?.saveCurrent ?? false);
      const { result, report, librariesChanged } = restored;
      asked?.settle(result);
      // A client that asks for the outcome itself gets the news then: they are told once.
      return { report, librariesChanged, ...(quietly ? {} : { note: restored.note() }) };
    } catch (error) {
      this.outcome = { kind: 'failed', id, why: describeError(error) };
      asked?.settle(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /** Everything stands. */
  restoreNow(inferior: Inferior, id: number, saveCurrent: boolean): Restored {
    this.view.refuse('a restore');
    // Of an ended program there is no present to come back to.
    const keep = saveCurrent && inferior.life.kind !== 'held';
    const result = this.thenSafe(inferior, () => this.of(inferior).restore(id, { saveCurrent: keep }));
    if (result === GONE) throw this.killed(inferior);
    this.outcome = { kind: 'done', id, result };
    if (result.saved !== undefined) this.changed('taken', inferior, result.saved.id);
    this.changed('restored', inferior, id, result.saved?.id);
    const report = this.target.adoptStop(result.thread);
    return { result, report, librariesChanged: result.librariesMayHaveChanged, note: () => this.restoreNote(id, result) };
  }

  private restoreNote(id: number, result: RestoreResult): string {
    const { pid } = result.thread;
    return `${text.restored(id, pid, result.durationMs)}${text.notRolledBack(this.newsOf(result), id)}`;
  }

  /** What this restore could not do is always said; what the checkpoint never had, once. */
  private newsOf({ thread, lost, fidelity }: RestoreResult): FidelityNote[] {
    return [...lost, ...this.news(thread.pid, fidelity)];
  }

  private outcomeJson(): string {
    const { outcome } = this;
    switch (outcome.kind) {
      case 'none':
        return '{}\n';
      case 'failed':
        return `${JSON.stringify({ id: outcome.id, error: outcome.why })}\n`;
      case 'done': {
        const { id, result } = outcome;
        const notes = text.notRolledBack(this.newsOf(result), id);
        return `${JSON.stringify({ id, milliseconds: formatMs(result.durationMs), notes: notes.split('\n').filter((line) => line !== '') })}\n`;
      }
    }
  }
}

const capital = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1);
