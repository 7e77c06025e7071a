/**
 * What the methods of the control socket do, on the tracer thread, between two packets of the debugger's.
 *
 * While the program runs it is brought to a halt for as long as a take lasts; the debugger is not told. A restore changes what the debugger
 * has seen, so it must get a stop, and the way depends on what the debugger does:
 *   waiting for a stop: the program is halted, put back, and the restored state is that stop;
 *   at its prompt: the restore is armed and the bell is rung; gdb's side (savepoint.py) then does what its user would have done. If the user is
 *     quicker and resumes, that resume is answered with the restore. If nobody hears the bell, it stays armed until then, and the client is told;
 *   none: it is done at once, and the next debugger finds the program so.
 */

import { userError } from '../base/errors';
import type { RestoreResult as EngineRestore } from '../checkpoint/engine';
import { VERSION } from '../cli/version';
import { failureOf, type Failure } from '../control/link';
import type { ControlMethods, ControlMethod, ProgramStatus, RestoreResult, StatusResult } from '../control/schema';
import type { Inferior } from '../owner/inferior';
import type { StopReport } from '../owner/ops';
import type { NativeTarget } from '../owner/target';
import type { Tracer } from '../owner/tracer';
import * as proc from '../sys/proc';
import { listOf, recordOf } from './checkpoint-text';
import type { Asked, CheckpointService, Restored } from './checkpoint-service';
import { groupNotes } from './checkpoint-text';

export interface Surroundings {
  readonly tracer: Tracer;
  readonly target: NativeTarget;
  readonly checkpoints: CheckpointService;
  debugger(): StatusResult['debugger'];
  /** The debugger waits for a stop: this is it. */
  deliver(restored: Restored): void;
  /** No debugger is there: the next one finds this stop. */
  adopt(report: StopReport): void;
  /** false: nobody listens. */
  ring(): boolean;
}

export type Outcome = { readonly ok: object } | { readonly failure: Failure };
type Done<M extends ControlMethod> = ControlMethods[M]['result'];
type Params<M extends ControlMethod> = ControlMethods[M]['params'];

export class ControlService {
  /** Restores that the debugger is to carry out, by the serial of their request. */
  private readonly underWay = new Map<number, Asked>();

  constructor(private readonly around: Surroundings) {}

  /** `params` are checked. `answer` is called once, now or later. */
  handle(serial: number, method: ControlMethod, params: unknown, answer: (outcome: Outcome) => void): void {
    try {
      if (method === 'checkpoint/restore') this.restore(serial, params as Params<'checkpoint/restore'>, answer);
      else answer({ ok: this.answerTo(method, params) });
    } catch (error) {
      answer({ failure: failureOf(error) });
    }
  }

  private answerTo(method: Exclude<ControlMethod, 'checkpoint/restore'>, params: unknown): object {
    switch (method) {
      case 'status':
        return this.status();
      case 'subscribe':
      case 'checkpoint/list':
        return this.list();
      case 'checkpoint/take':
        return this.take(params as Params<'checkpoint/take'>);
      case 'checkpoint/drop': {
        const { id } = params as Params<'checkpoint/drop'>;
        this.halted((inferior) => this.around.checkpoints.drop(inferior, id));
        return {};
      }
      case 'checkpoint/rename':
        return this.rename(params as Params<'checkpoint/rename'>);
      case 'checkpoint/preflight':
        return this.preflight();
      case 'checkpoint/compare':
        return this.halted((inferior) => this.around.checkpoints.compare(inferior, params as Params<'checkpoint/compare'>));
    }
  }

  /** Nobody waits any longer: what has not happened must not happen later. */
  giveUp(serial: number): void {
    const asked = this.underWay.get(serial);
    if (asked === undefined) return;
    const why = 'the debugger did not go there in time (is it busy?); nothing was restored. Try again, or type "restart" there';
    this.around.checkpoints.disarm(userError('debugger-busy', why), asked);
  }

  // --- looking ---

  private status(): StatusResult {
    const { tracer, checkpoints } = this.around;
    const current = checkpoints.findInferior(undefined);
    const known = current === undefined ? undefined : checkpoints.of(current);
    const { used, limit } = checkpoints.usage();
    return {
      version: VERSION,
      pid: process.pid,
      debugger: this.around.debugger(),
      programs: tracer.debugged().map((inferior) => this.describe(inferior)),
      ...(current === undefined ? {} : { currentPid: current.pid }),
      checkpoints: known?.list().length ?? 0,
      ...(known?.currentId === undefined ? {} : { currentId: known.currentId }),
      store: { used, limit },
    };
  }

  private describe(inferior: Inferior): ProgramStatus {
    const executable = proc.readLink(`/proc/${inferior.pid}/exe`);
    const state = inferior.life.kind === 'held' ? 'ended' : this.around.target.isRunning ? 'running' : 'stopped';
    const { pid, launched } = inferior;
    return { pid, ...(executable === undefined ? {} : { executable }), state, threads: inferior.live().length, launched };
  }

  private list(): Done<'checkpoint/list'> {
    const inferior = this.around.checkpoints.findInferior(undefined);
    if (inferior === undefined) return { checkpoints: [] };
    const known = this.around.checkpoints.of(inferior);
    return listOf(known.list(), known.currentId);
  }

  // --- acting ---

  private need(): Inferior {
    const { checkpoints } = this.around;
    const inferior = checkpoints.findInferior(undefined);
    if (inferior === undefined) throw checkpoints.noProcess();
    return inferior;
  }

  /** All threads stand while `act` works on the current process; those that ran run on. */
  private halted<T>(act: (inferior: Inferior) => T): T {
    const inferior = this.need();
    const goOn = this.around.target.pause();
    try {
      return act(inferior);
    } finally {
      goOn();
    }
  }

  /** The program stands only while its state is read: everything else, and telling of it, comes when it runs again. */
  private take({ label = '', automatic = false }: Params<'checkpoint/take'>): Done<'checkpoint/take'> {
    const { checkpoints } = this.around;
    const inferior = this.need();
    const known = checkpoints.of(inferior);
    const captured = this.halted(() => checkpoints.capture(known, inferior));
    return { checkpoint: recordOf(checkpoints.enter(known, inferior, captured, { label: oneLine(label), automatic })) };
  }

  private rename({ id, label }: Params<'checkpoint/rename'>): Done<'checkpoint/rename'> {
    const { checkpoints } = this.around;
    const inferior = this.need();
    checkpoints.rename(inferior, id, oneLine(label));
    return { checkpoint: recordOf(checkpoints.find(checkpoints.of(inferior), id)) };
  }

  private preflight(): Done<'checkpoint/preflight'> {
    return this.halted((inferior) => {
      const { obstacle, fidelity, tier } = this.around.checkpoints.preflight(inferior);
      return {
        possible: obstacle === undefined,
        ...(obstacle === undefined ? {} : { reason: obstacle }),
        fidelity: groupNotes(fidelity),
        ...(tier === undefined ? {} : { tier }),
      };
    });
  }

  // --- going back ---

  private restore(
    serial: number,
    { id, saveCurrent = true }: Params<'checkpoint/restore'>,
    answer: (outcome: Outcome) => void,
  ): void {
    const { checkpoints } = this.around;
    const inferior = this.need();
    checkpoints.find(checkpoints.of(inferior), id);
    if (this.around.debugger() === 'idle') {
      this.throughDebugger(serial, inferior, id, saveCurrent, answer);
      return;
    }
    const goOn = this.around.target.pause();
    let restored: Restored;
    try {
      restored = checkpoints.restoreNow(inferior, id, saveCurrent);
    } catch (error) {
      goOn();
      throw error;
    }
    if (this.around.debugger() === 'waiting') this.around.deliver(restored);
    else this.around.adopt(restored.report);
    answer({ ok: this.restoredAnswer(inferior, id, restored.result) });
  }

  private throughDebugger(
    serial: number,
    inferior: Inferior,
    id: number,
    saveCurrent: boolean,
    answer: (outcome: Outcome) => void,
  ): void {
    const { checkpoints } = this.around;
    const asked: Asked = {
      saveCurrent,
      settle: (outcome) => {
        if (!this.underWay.delete(serial)) return;
        answer(outcome instanceof Error ? { failure: failureOf(outcome) } : { ok: this.restoredAnswer(inferior, id, outcome) });
      },
    };
    checkpoints.arm(inferior, id, false, asked);
    this.underWay.set(serial, asked);
    if (this.around.ring()) return;
    // It is answered now, and carried out whenever the debugger resumes.
    this.underWay.delete(serial);
    answer({ ok: { checkpoint: recordOf(checkpoints.find(checkpoints.of(inferior), id)), armed: true } satisfies RestoreResult });
  }

  private restoredAnswer(inferior: Inferior, id: number, { saved }: EngineRestore): RestoreResult {
    const { checkpoints } = this.around;
    const node = checkpoints.find(checkpoints.of(inferior), id);
    return { checkpoint: recordOf(node), ...(saved === undefined ? {} : { savedId: saved.id }) };
  }
}

/** Labels stand in tables and in gdb's commands. */
const oneLine = (label: string): string => label.replace(/\s+/g, ' ').trim();
