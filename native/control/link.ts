/**
 * What the control server's thread and the tracer thread say to each other. The tracer thread runs no event loop: it is woken by a byte in a
 * pipe and then looks into its port.
 */

import type { MessagePort } from 'node:worker_threads';
import { isSavepointError } from '../base/errors';
import type { CheckpointChanged, ControlErrorData, ControlMethod } from './schema';

export type ToTracer =
  /** `params` are checked. Exactly one answer follows. */
  | {
      readonly kind: 'request';
      readonly serial: number;
      readonly method: ControlMethod;
      readonly params: Readonly<Record<string, unknown>>;
    }
  /** Nobody waits any longer: if it is not answered yet, it is to fail, and not to happen any more. */
  | { readonly kind: 'give-up'; readonly serial: number }
  | { readonly kind: 'trace'; readonly text: string };

export interface Failure extends ControlErrorData {
  readonly message: string;
}

export type ToServer =
  | { readonly kind: 'answer'; readonly serial: number; readonly result: object }
  | { readonly kind: 'failure'; readonly serial: number; readonly failure: Failure }
  | { readonly kind: 'changed'; readonly change: CheckpointChanged };

/** Where the server listens: a socket that is bound already. */
export interface Listening {
  readonly fd: number;
  readonly kind: 'unix' | 'tcp';
  /** TCP only; see access.ts. */
  readonly token?: string;
  readonly host?: string;
  readonly origins?: readonly string[];
}

/** What the server's thread is started with. */
export interface ServerData {
  readonly port: MessagePort;
  /** The pipe's writing end. */
  readonly wake: number;
  readonly listening: readonly Listening[];
}

export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const { family, code } = isSavepointError(error) ? error : { family: 'bug' as const, code: 'internal' };
  return { family, code, message };
}
