/**
 * Running threads while watchpoints are emulated: all that should run stand, and have their turns in the shim's loop (sp_step_watch), one
 * at a time, so that the thread that changed the memory is the one that is told.
 *
 * A thread whose step is a system call that blocks is `running` like any other, and comes back by the ordinary wait. Everything that
 * is not a plain step goes to `tracer.feed`: births, signals, ends are handled where they always are.
 */

import { GONE, type Tid } from '../base/brands';
import { SIGTRAP } from '../abi/signals';
import type { StepThread } from '../sys/step-watch';
import { stepWatch } from '../sys/step-watch';
import type { Inferior } from './inferior';
import type { Tracee } from './tracee';
import type { Tracer } from './tracer';

/** Steps before the loop looks at everything else again: a tenth of a second or two. */
const STEPS = 5_000;

/** One thread of a round, with what it had before. */
interface Entry {
  readonly tracee: Tracee;
  readonly thread: StepThread;
  readonly deliver: Tracee['deliver'];
  readonly stood: boolean;
}

export class WatchStepping {
  /** Whose turn is next, in the process that was stepped last. */
  private next: Tid | undefined;

  constructor(private readonly tracer: Tracer) {}

  /** Some thread is to be stepped. */
  get hasWork(): boolean {
    return this.tracer.phase.kind === 'running' && this.tracer.debugged().some((inferior) => this.standing(inferior).length > 0);
  }

  private standing(inferior: Inferior): Tracee[] {
    return inferior.points.emulates ? inferior.live().filter((tracee) => inferior.stepsByTurns(tracee)) : [];
  }

  /** A round of steps, until something has happened that the tracer must see, or `clientFd` has input. */
  step(clientFd: number): void {
    for (const inferior of this.tracer.debugged()) {
      if (inferior.live().some((tracee) => tracee.pending !== undefined)) return;
      const entries = this.prepare(inferior);
      if (entries.some((entry) => entry.stood)) this.round(inferior, entries, clientFd);
    }
  }

  private prepare(inferior: Inferior): Entry[] {
    const entries: Entry[] = [];
    for (const tracee of this.standing(inferior)) {
      const { action, deliver } = tracee;
      if (action === undefined || inferior.points.sync(tracee) === GONE) continue;
      const signal = tracee.beginSteps();
      // GONE: killed where it stands; its status is on the way.
      if (signal === GONE) continue;
      const range = action.kind === 'range' ? action : undefined;
      const limits = action.kind === 'continue' ? undefined : { start: range?.start ?? 0n, end: range?.end ?? 0n };
      const thread: StepThread = { tid: tracee.tid, flies: false, signal, limits };
      entries.push({ tracee, thread, deliver: signal === 0 ? undefined : deliver, stood: true });
    }
    const first = entries.findIndex(({ thread }) => thread.tid === this.next);
    if (first > 0) entries.push(...entries.splice(0, first));
    for (const tracee of inferior.live()) {
      if (tracee.state.kind !== 'running') continue;
      const limits = tracee.action?.kind === 'continue' ? undefined : { start: 0n, end: 0n };
      const thread: StepThread = { tid: tracee.tid, flies: true, signal: 0, limits };
      entries.push({ tracee, thread, deliver: undefined, stood: false });
    }
    return entries;
  }

  private round(inferior: Inferior, entries: readonly Entry[], clientFd: number): void {
    const { points } = inferior;
    const result = stepWatch(
      { pid: inferior.pid, memFd: inferior.memFd, clientFd, registers: points.inRegisters, max: STEPS, ...points.emulatedView() },
      entries.map((entry) => entry.thread),
    );
    this.next = result.next;
    const news = entries.flatMap((entry, i) => {
      const outcome = result.threads[i];
      if (outcome === undefined) return [];
      const { tracee } = entry;
      if (outcome.signalLeft) tracee.deliver = entry.deliver;
      if (entry.stood && (outcome.stepped || outcome.now !== 'stands')) tracee.transition({ kind: 'running', how: 'step' });
      if (outcome.now === 'stands' && outcome.stepped) tracee.onStop({ kind: 'signal', signal: SIGTRAP });
      return outcome.now === 'news' ? [{ tid: tracee.tid, status: outcome.status, wrote: outcome.wrote }] : [];
    });
    // Whoever is looked at first gets the change: the one that made it.
    news.sort((a, b) => Number(b.wrote) - Number(a.wrote));
    this.tracer.feed([...news, ...result.others]);
  }
}
