/**
 * Processes that have died while gdb takes them for alive: killed from outside, with everything standing.
 *
 * gdb can only be told by the reply to a resume. To get that far it selects the thread, reads registers, inserts breakpoints; if one of these
 * fails it gives the resume up, and neither `continue` nor `kill` nor `run` leads out of the session. So until then these things succeed:
 * the thread is there, its registers are the last ones that were read, and what is written goes nowhere.
 */

import type { Pid, ThreadRef, Tid } from '../base/brands';
import type { ThreadView } from './ops';
import type { ProcessEnd } from './tracee';

export interface EndedProcess {
  readonly pid: Pid;
  readonly end: ProcessEnd;
  readonly leader: ThreadRef;
}

export class Unreported {
  /** Of any thread: gdb mostly has the right ones already. */
  private registers: Buffer | undefined;

  /** `ended`: in the order of their ends. */
  constructor(private readonly ended: EndedProcess[]) {}

  get pids(): readonly Pid[] {
    return this.ended.map(({ pid }) => pid);
  }

  has(pid: Pid): boolean {
    return this.ended.some((process) => process.pid === pid);
  }

  first(): ThreadRef | undefined {
    return this.ended[0]?.leader;
  }

  /** `current`: the thread that gdb was told of last. */
  threads(pid: Pid | undefined, current: ThreadRef | undefined): ThreadView[] {
    return this.ended
      .filter((process) => pid === undefined || process.pid === pid)
      .flatMap(({ leader }) =>
        current !== undefined && current.pid === leader.pid && current.tid !== leader.tid ? [leader, current] : [leader],
      )
      .map((thread) => ({ ...thread, name: '', core: 0 }));
  }

  find(pid: Pid | undefined, tid: Tid): ThreadRef | undefined {
    const process = this.ended.find((one) => (pid === undefined ? one.pid === tid : one.pid === pid));
    if (process === undefined) return undefined;
    return process.pid === tid ? process.leader : { pid: process.pid, tid, serial: 0 };
  }

  keepRegisters(block: Buffer): void {
    this.registers = block;
  }

  registersOf(thread: ThreadRef): Buffer | undefined {
    return this.has(thread.pid) ? this.registers : undefined;
  }

  forget(pid: Pid): void {
    for (let i = this.ended.length - 1; i >= 0; i--) if (this.ended[i]!.pid === pid) this.ended.splice(i, 1);
  }
}
