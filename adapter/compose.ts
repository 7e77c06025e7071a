/** All wiring of one session: a wire, the session behind it, its table of requests. */

import * as path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { describeError } from '../native/base/errors';
import { Log } from '../native/base/log';
import { Connection } from './dap/connection';
import { makeRoutes } from './session/routes';
import { Session } from './session/session';

/** The sessions of this process. */
const connections = new Set<Connection>();

/** Something was thrown that no request waited for: whoever it concerned, all are told. */
export function reportBug(error: unknown): void {
  if (connections.size === 0) process.stderr.write(`savepoint dap: ${describeError(error)}\n`);
  for (const connection of connections) connection.reportBug(error);
}

/** `commands`: of gdb's, for its beginning. Resolves when the session is over and nothing of it is left. */
export function serveSession(input: Readable, output: Writable, commands: readonly string[]): Promise<void> {
  const log = new Log();
  const installation = {
    savepoint: path.join(__dirname, 'savepoint.js'),
    script: path.join(__dirname, 'dap.py'),
    // As gdb itself does: it says what is wrong with one, and goes on.
    setup: commands.map((text) => ({ text, ignoreFailures: true })),
  };
  return new Promise((resolve) => {
    const connection: Connection = new Connection(
      log,
      () => routes,
      () => void session.onClientGone(),
    );
    connections.add(connection);
    const session: Session = new Session(connection, log, installation, () => {
      connections.delete(connection);
      resolve();
    });
    const routes = makeRoutes(session, (seq) => connection.cancel(seq));
    connection.start(input, output);
  });
}
