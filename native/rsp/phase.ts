/**
 * The session's one state and its only transitions (pure).
 *
 * idle: gdb may ask anything. running: gdb waits for a stop reply; only ^C, vCtrlC and k act, the rest is queued.
 * ended: the peer is gone; nothing is read or written any more.
 */

export type Phase = 'idle' | 'running' | 'ended';

export type PhaseEvent =
  /** The target was resumed. */
  | 'resume'
  /** The target reported its stop. */
  | 'stop'
  /** The stop will not be reported: k, or the resume failed. */
  | 'abandon'
  /** The peer closed the connection. */
  | 'disconnect';

const TABLE: Readonly<Record<Phase, Readonly<Partial<Record<PhaseEvent, Phase>>>>> = {
  idle: { resume: 'running', disconnect: 'ended' },
  running: { stop: 'idle', abandon: 'idle', disconnect: 'ended' },
  ended: {},
};

/** The next phase; undefined: the event means nothing in this phase. */
export function transition(phase: Phase, event: PhaseEvent): Phase | undefined {
  return TABLE[phase][event];
}
