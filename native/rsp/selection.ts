/**
 * The threads gdb has selected with H: `g` for the packets that are about a thread, `c` for the old resume packets.
 */

import type { Pid, ThreadRef } from '../base/brands';
import type { StopReport, Target } from '../owner/ops';
import type { ThreadSpec } from './ids';

export class Selection {
  private chosen: ThreadRef | undefined;
  /** For c, s, C and S. */
  forResume: ThreadSpec = { pid: 'all', tid: 'all' };

  constructor(private readonly target: Target) {}

  /** The thread that g, m, Z … are about; undefined: no process. */
  get general(): ThreadRef | undefined {
    return this.chosen ?? this.target.currentThread();
  }

  set general(thread: ThreadRef | undefined) {
    this.chosen = thread;
  }

  /** The process of that thread. Stays known when the thread has died. */
  get pid(): Pid | undefined {
    return this.general?.pid ?? this.target.pids()[0];
  }

  /** gdb takes the thread of a stop reply for selected without saying so (remote.c, record_currthread). */
  follow(report: StopReport): void {
    if (report.kind === 'stopped') this.chosen = report.thread;
    else if (report.kind !== 'no-resumed') this.forget(report.pid);
  }

  forget(pid: Pid): void {
    if (this.chosen?.pid === pid) this.chosen = undefined;
  }

  /** The thread that a spec names; undefined: none such. */
  find(spec: ThreadSpec): ThreadRef | undefined {
    const pid = typeof spec.pid === 'number' ? spec.pid : undefined;
    if (typeof spec.tid === 'number') return this.target.findThread(pid, spec.tid);
    if (pid === undefined) return this.general;
    return this.general?.pid === pid ? this.general : this.target.threads(pid)[0];
  }
}
