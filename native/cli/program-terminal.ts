/**
 * `savepoint terminal SOCKET`: runs in a terminal of the editor, tells its name, and keeps it open until the adapter closes the socket; ^C there
 * is told, too, because the program is not of that terminal's session.
 */

import * as fs from 'node:fs';
import * as net from 'node:net';
import * as tty from 'node:tty';
import { userError } from '../base/errors';

/** Ends when the other side closes. */
export async function runTerminal(argv: readonly string[]): Promise<number> {
  const [socket] = argv;
  if (socket === undefined) throw userError('usage', 'savepoint terminal: for the debug adapter only');
  const name = terminalName();
  const peer = net.connect(socket);
  const ended = new Promise<void>((resolve) => peer.once('close', () => resolve()));
  peer.on('error', () => {});
  peer.resume();
  peer.write(
    `${JSON.stringify(name === undefined ? { error: 'standard input is no terminal' } : { tty: name, pid: process.pid })}\n`,
  );
  process.on('SIGINT', () => void peer.write('{"signal":"SIGINT"}\n'));
  await ended;
  return 0;
}

function terminalName(): string | undefined {
  if (!tty.isatty(0)) return undefined;
  return fs.readlinkSync('/proc/self/fd/0');
}
