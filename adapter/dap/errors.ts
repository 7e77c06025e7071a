/** What was thrown, as DAP's error reply: one table. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { type Family, SavepointError, describeError } from '../../native/base/errors';

/** `showUser`: the editor shows it in a dialogue. */
const FAMILIES: Readonly<Record<Family, { readonly id: number; readonly showUser: boolean }>> = {
  user: { id: 1000, showUser: true },
  refused: { id: 2000, showUser: true },
  kernel: { id: 3000, showUser: true },
  peer: { id: 4000, showUser: false },
  image: { id: 5000, showUser: true },
  cancelled: { id: 6000, showUser: false },
  bug: { id: 7000, showUser: true },
};

/** An editor's own requests that came too late, for a program that runs, has run on or is gone: nothing that its user has done. */
const TOO_LATE: ReadonlySet<string> = new Set(['not-stopped', 'stale', 'over']);

/** The editor's extension tells it together with what can be done (a client without one shows the reply's message). */
const ADVISED: ReadonlySet<string> = new Set(['cannot-attach', 'no-gdb']);

export interface ErrorReply {
  /** `cancelled` and `notStopped` are DAP's own words. */
  readonly message: string;
  readonly body: DebugProtocol.ErrorResponse['body'];
}

/** `trace`: where the session's trace was saved, of an internal error. */
export function errorReply(error: unknown, trace?: string): ErrorReply {
  const family = error instanceof SavepointError ? error.family : 'bug';
  const code = error instanceof SavepointError ? error.code : 'internal';
  const said = describeError(error);
  const text = trace === undefined ? said : `${said}\nThe session's trace is in ${trace}`;
  const { id, showUser } = FAMILIES[family];
  const message = family === 'cancelled' ? 'cancelled' : code === 'not-stopped' ? 'notStopped' : text;
  // In `format`, {name} would be a placeholder: the text goes in as one.
  return {
    message,
    body: {
      error: {
        id,
        format: '{text}',
        variables: { ...factsOf(error), text, code },
        showUser: showUser && !TOO_LATE.has(code) && !ADVISED.has(code),
      },
    },
  };
}

/** What the sentence was made of, as far as it is simple; DAP wants texts. */
function factsOf(error: unknown): Record<string, string> {
  if (!(error instanceof SavepointError)) return {};
  const simple = Object.entries(error.facts).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return Object.fromEntries(simple.map(([name, value]) => [name, String(value)]));
}
