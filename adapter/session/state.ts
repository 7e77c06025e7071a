/**
 * What the program does, as one value, and which changes of it there are. Pure.
 *
 * `borrowed`: we stopped it for a moment (to set a breakpoint, take a checkpoint, go back to one) and the client is not told.
 */

import { bug } from '../../native/base/errors';

export type Phase =
  /** Not started yet, or let go of. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly by: 'continue' | 'step'; readonly pauseAsked: boolean }
  /** `tell`: when we are done, the client is told of a stop instead of the program running on. */
  | { readonly kind: 'borrowed'; readonly tell: boolean }
  | { readonly kind: 'stopped' }
  /** It has ended; a checkpoint can bring it back. */
  | { readonly kind: 'exited' }
  /** The session is over. */
  | { readonly kind: 'ended' };

const CHANGES: Readonly<Record<Phase['kind'], readonly Phase['kind'][]>> = {
  idle: ['running', 'stopped', 'borrowed', 'ended'],
  running: ['running', 'borrowed', 'stopped', 'exited', 'idle', 'ended'],
  borrowed: ['borrowed', 'running', 'stopped', 'exited', 'idle', 'ended'],
  stopped: ['running', 'borrowed', 'stopped', 'exited', 'idle', 'ended'],
  exited: ['borrowed', 'running', 'stopped', 'exited', 'idle', 'ended'],
  ended: ['ended'],
};

/** Throws a Bug for a change that there is not; after the end, everything that still comes in changes nothing. */
export function transition(from: Phase, to: Phase): Phase {
  if (from.kind === 'ended') return from;
  if (!CHANGES[from.kind].includes(to.kind)) throw bug(`the program cannot go from ${from.kind} to ${to.kind}`);
  return to;
}

export function describePhase(phase: Phase): string {
  switch (phase.kind) {
    case 'running':
      return `running (${phase.by}${phase.pauseAsked ? ', to be paused' : ''})`;
    case 'borrowed':
      return phase.tell ? 'borrowed, then stopped' : 'borrowed, then on';
    default:
      return phase.kind;
  }
}
