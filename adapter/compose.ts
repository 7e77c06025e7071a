/** All wiring of one session: a wire, the session behind it, its table of requests. */

import * as path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Log } from '../native/base/log';
import { Connection } from './dap/connection';
import { makeRoutes } from './session/routes';
import { Session } from './session/session';

/** Resolves when the session is over and nothing of it is left. */
export function serveSession(input: Readable, output: Writable): Promise<void> {
  const log = new Log();
  const installation = { savepoint: path.join(__dirname, 'savepoint.js'), script: path.join(__dirname, 'dap.py') };
  return new Promise((resolve) => {
    const connection: Connection = new Connection(
      log,
      () => routes,
      () => void session.onClientGone(),
    );
    const session: Session = new Session(connection, log, installation, resolve);
    const routes = makeRoutes(session, (seq) => connection.cancel(seq));
    connection.start(input, output);
  });
}
