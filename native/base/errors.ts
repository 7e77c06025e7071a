/**
 * Errors have a family and a code; the sentence is made from the facts, once, where it is thrown.
 *
 * Families: `UserError` (the user can mend it; says how), `Refused` (we may not; has a reason and a subject, the tracee is
 * untouched), `KernelError` (a system call failed on us), `PeerError` (the other end of a wire broke its protocol),
 * `ImageError` (stored data is bad), `Cancelled`, `Bug` (a broken promise of ours). They are turned into replies only
 * at the edges: RSP server, command line, control server.
 */

export type Family = 'user' | 'refused' | 'kernel' | 'peer' | 'image' | 'cancelled' | 'bug';

/** The common shape; `code` is unique and stable, `facts` are what the sentence was made of. */
export class SavepointError extends Error {
  constructor(
    readonly family: Family,
    readonly code: string,
    message: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = `SavepointError(${family}/${code})`;
  }
}

export function userError(code: string, message: string, facts: Record<string, unknown> = {}): SavepointError {
  return new SavepointError('user', code, message, facts);
}

/** A refusal: `reason` is a clause, `subject` names the thing (`thread 41`, `fd 7 (io_uring)`). */
export function refused(code: string, subject: string, reason: string, facts: Record<string, unknown> = {}): SavepointError {
  return new SavepointError('refused', code, `${subject}: ${reason}`, { subject, reason, ...facts });
}

/** `call` is the call as one would read it in strace; `errno` is positive. */
export function kernelError(call: string, errno: number, name: string, subject?: string): SavepointError {
  return new SavepointError('kernel', name, `${call}: ${name}${subject === undefined ? '' : ` (${subject})`}`, {
    call,
    errno,
    subject,
  });
}

export function peerError(code: string, message: string): SavepointError {
  return new SavepointError('peer', code, message);
}

/** A promise of ours that does not hold. */
export function bug(message: string, facts: Record<string, unknown> = {}): SavepointError {
  return new SavepointError('bug', 'internal', `internal error: ${message}`, facts);
}

/** Also of another of our bundles, which has a class of its own. */
export function isSavepointError(error: unknown): error is SavepointError {
  return error instanceof Error && error.name.startsWith('SavepointError(') && 'family' in error && 'code' in error;
}

export function isFamily(error: unknown, family: Family): error is SavepointError {
  return isSavepointError(error) && error.family === family;
}

/** The sentence of anything that was thrown. */
export function describeError(error: unknown): string {
  if (isSavepointError(error) && error.family !== 'bug') return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
