/** Which debug session a control command is about: those that answer on this machine, and the choice among them. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { userError } from '../base/errors';
import { findSockets, removeOwnersFiles } from '../control/socket-directory';
import type { ControlPlan } from './control-args';
import { type Address, ControlClient, isStale } from '../control/client';
import { type Session, sessionTable } from './control-text';

/** Sessions in order of their process ids. What killed owners have left is removed. */
export async function listSessions(): Promise<readonly Session[]> {
  const found = await Promise.all(
    findSockets().map(async ({ pid, path: socket }): Promise<Session | undefined> => {
      try {
        const client = await ControlClient.connect({ kind: 'unix', path: socket });
        try {
          return { pid, path: socket, status: await client.ask('status', {}) };
        } finally {
          await client.close();
        }
      } catch (error) {
        if (!isStale(error)) return { pid, path: socket };
        removeOwnersFiles(path.dirname(socket), pid);
        return undefined;
      }
    }),
  );
  return found.filter((session) => session !== undefined).sort((a, b) => a.pid - b.pid);
}

export async function chooseAddress(plan: ControlPlan): Promise<Address> {
  const { session, connect } = plan;
  if (connect !== undefined) return { kind: 'tcp', ...connect, token: readToken(plan.tokenFile) };
  if (session?.includes('/') === true) return { kind: 'unix', path: session };
  const sessions = await listSessions();
  if (session === undefined) {
    const [only, ...others] = sessions;
    if (only === undefined) throw userError('no-session', 'no debug session is running; "savepoint gdb PROGRAM" starts one');
    if (others.length > 0)
      throw userError(
        'which-session',
        `there are ${sessions.length} debug sessions; choose one with --session NUMBER:\n${sessionTable(sessions)}`,
      );
    return { kind: 'unix', path: only.path };
  }
  const fits = sessions.filter(
    ({ pid, status }) => String(pid) === session || status?.programs.some((one) => String(one.pid) === session) === true,
  );
  if (fits.length === 1) return { kind: 'unix', path: fits[0]!.path };
  throw userError(
    'no-session',
    `there is no debug session ${session}${sessions.length === 0 ? '' : `:\n${sessionTable(sessions)}`}`,
  );
}

function readToken(file: string | undefined): string {
  const given = process.env['SAVEPOINT_TOKEN'];
  if (file === undefined) {
    if (given !== undefined && given !== '') return given;
    throw userError('token', '--connect needs a token: --token-file FILE (the server has told which), or SAVEPOINT_TOKEN');
  }
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw userError('token', `--token-file ${file}: ${(cause as Error).message}`);
  }
}
