/**
 * Which of several simultaneous events gdb is told, and in what words. Pure but for the dice.
 *
 * Events that happen again by themselves (a breakpoint whose pc was set back, a step) are dropped for the threads not chosen; others
 * wait for the next resume. Among equals the choice is random: a fixed order would starve the last thread of a breakpoint in a hot loop.
 */

import { bug } from '../base/errors';
import { SIGTRAP } from '../abi/signals';
import type { StopReport } from './ops';
import type { Pending, Tracee } from './tracee';

const RANK: Readonly<Record<Pending['kind'], number>> = {
  'process-end': 0,
  exec: 1,
  fork: 2,
  vfork: 2,
  vforkdone: 2,
  watch: 3,
  hwbreak: 3,
  step: 4,
  swbreak: 4,
  signal: 4,
};

/** The thread to report, or undefined when none has anything. `random`: in [0, 1). */
export function chooseThread(candidates: readonly Tracee[], random: () => number): Tracee | undefined {
  const waiting = candidates.filter((t) => t.pending !== undefined);
  if (waiting.length === 0) return undefined;
  const rankOf = (t: Tracee): number => RANK[t.pending?.kind ?? 'signal'];
  const best = Math.min(...waiting.map(rankOf));
  // A thread that gdb is stepping comes before others of its rank: gdb waits for that one (infrun, "prefer the stepping thread").
  const equals = waiting.filter((t) => rankOf(t) === best);
  const stepping = equals.filter((t) => t.action !== undefined && t.action.kind !== 'continue');
  const pool = stepping.length > 0 ? stepping : equals;
  return pool[Math.floor(random() * pool.length)];
}

function isRepeatable(pending: Pending): boolean {
  return pending.kind === 'swbreak' || pending.kind === 'step' || (pending.kind === 'hwbreak' && pending.inCode);
}

/** Drops what will happen again by itself. */
export function dropRepeatable(candidates: readonly Tracee[], chosen: Tracee): void {
  for (const tracee of candidates) {
    if (tracee !== chosen && tracee.pending !== undefined && isRepeatable(tracee.pending)) tracee.pending = undefined;
  }
}

export function reportOf(tracee: Tracee): StopReport {
  const pending = tracee.pending;
  if (pending === undefined) throw bug(`thread ${tracee.tid} has nothing to report`);
  const thread = tracee.ref;
  const stopped = (signal: number, detail: Extract<StopReport, { kind: 'stopped' }>['detail']): StopReport => ({
    kind: 'stopped',
    thread,
    signal,
    detail,
  });
  switch (pending.kind) {
    case 'signal':
      return stopped(pending.signal, { kind: 'none' });
    case 'step':
      return stopped(SIGTRAP, { kind: 'none' });
    case 'swbreak':
    case 'hwbreak':
    case 'vforkdone':
      return stopped(SIGTRAP, { kind: pending.kind });
    case 'watch':
      return stopped(SIGTRAP, { kind: 'watch', watch: pending.watch, addr: pending.addr });
    case 'fork':
    case 'vfork':
      return stopped(SIGTRAP, { kind: pending.kind, child: pending.child });
    case 'exec':
      return stopped(SIGTRAP, { kind: 'exec', path: pending.path });
    case 'process-end':
      return { ...pending.end, pid: tracee.pid };
  }
}
