/**
 * From an error that a handler threw to the reply: the RSP side's one conversion table.
 */

import { SavepointError, describeError, type Family } from '../base/errors';

interface Treatment {
  /** The user should be able to read it: kept for `monitor last-error`, logged, sent where gdb shows it. */
  readonly shown: boolean;
  /** Told at the server, too; the rest is in the trace only (gdb asks for many things that are not there). */
  readonly logged: boolean;
}

const TREATMENT: Readonly<Record<Family, Treatment>> = {
  user: { shown: true, logged: true },
  refused: { shown: true, logged: true },
  kernel: { shown: true, logged: true },
  image: { shown: true, logged: true },
  cancelled: { shown: true, logged: false },
  peer: { shown: false, logged: false },
  bug: { shown: false, logged: true },
};

export interface Failure {
  /** One line for the user. */
  readonly text: string;
  /** The whole of it, for the trace. */
  readonly details: string;
  /** What is said at the server when `logged`: gdb 13 shows no reason, so on a shared terminal this line is where people read it. */
  readonly line: string;
  readonly logged: boolean;
  readonly shown: boolean;
  readonly isBug: boolean;
}

export function describeFailure(error: unknown, packet: string): Failure {
  const family: Family = error instanceof SavepointError ? error.family : 'bug';
  const { shown, logged } = TREATMENT[family];
  const text = family === 'bug' ? `internal error in ${packet}` : describeError(error);
  const details = `${packet}: ${describeError(error)}`;
  return { text, details, line: `savepoint: ${shown ? text : details}`, logged, shown, isBug: family === 'bug' };
}

/** `errorMessages`: the client said that it reads `E.text`. */
export function failureReply(failure: Failure, errorMessages: boolean): string {
  return errorMessages && failure.shown ? `E.${failure.text}` : 'E01';
}
