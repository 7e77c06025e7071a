/**
 * Terminals for programs of the debug adapter.
 *
 * `savepoint gdb --program-io=FD …`: the program gets a pseudo terminal, whose other side is copied to and from FD (a socket to the
 * adapter), after one line with the terminal's name (FD `none`: `--tty` names one; either way gdb is not kept
 * alive without the owner). `savepoint terminal SOCKET`: runs in a terminal of the editor, tells its name, and keeps it open until the
 * adapter closes the socket; ^C there is told, too, because the program is not of that terminal's session.
 */

import * as fs from 'node:fs';
import * as net from 'node:net';
import * as tty from 'node:tty';
import { userError } from '../base/errors';

const OPTION = /^--program-io=(\d{1,4}|none)$/;

export interface ProgramTerminal {
  readonly name: string;
  close(): void;
}

/** The option, which must be the first word, and the words behind it. `forAdapter`: it was there, so nobody types at this gdb. */
export function splitProgramIo(argv: readonly string[]): {
  forAdapter: boolean;
  fd: number | undefined;
  rest: readonly string[];
} {
  const match = OPTION.exec(argv[0] ?? '');
  if (match === null) return { forAdapter: false, fd: undefined, rest: argv };
  return { forAdapter: true, fd: match[1] === 'none' ? undefined : Number(match[1]), rest: argv.slice(1) };
}

export async function copyProgramTerminal(fd: number): Promise<ProgramTerminal> {
  const { openPty } = await import('../sys/pty');
  const pty = openPty();
  const master = new tty.ReadStream(pty.master);
  const peer = new net.Socket({ fd, readable: true, writable: true });
  // The adapter or the last holder of the terminal went away: the other end of that is noticed elsewhere.
  for (const stream of [master, peer]) stream.on('error', () => {});
  peer.write(`${pty.name}\n`);
  master.pipe(peer);
  peer.pipe(master, { end: false });
  return {
    name: pty.name,
    close: () => {
      peer.destroy();
      master.destroy();
    },
  };
}

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
