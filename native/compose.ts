/**
 * What the command line starts: the private owner of `savepoint gdb`, and `savepoint gdbserver`.
 */

import * as fs from 'node:fs';
import { bug, userError } from './base/errors';
import { planGdbserver } from './cli/gdbserver-args';
import { type ListenAt, readListen } from './cli/listen-option';
import { GdbserverRun } from './server/gdbserver-run';
import { OwnerProcess, type ServeOptions } from './server/owner-process';
import * as io from './sys/io';
import { usePty } from './sys/pty';

/**
 * `savepoint owner --socket PATH --lifeline FD [--pty FD]`: serves one debugger after another on a private socket. Says `ready` on descriptor 4. Its
 * programs have its descriptors 0..2, or the terminal whose master is the descriptor of --pty. Ends when the
 * lifeline is closed and no debugger is connected. Programs that were let go but carry our exit filter are followed to their
 * end; the lifeline's other side is told so (`nursing`), because it must not wait for that.
 */
export function runOwner(argv: string[]): number {
  const option = (name: string): string | undefined => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
  const socket = option('--socket');
  const lifeline = Number(option('--lifeline') ?? -1);
  if (socket === undefined) throw userError('usage', 'savepoint owner: --socket PATH is needed');
  const pty = option('--pty');
  if (pty !== undefined) usePty(Number(pty));
  const owner = new OwnerProcess();
  try {
    serveAll(owner, socket, lifeline, readListen(option('--listen'), argv));
  } finally {
    owner.closeControl();
  }
  return finish(owner, lifeline);
}

function serveAll(owner: OwnerProcess, socket: string, lifeline: number, listen: ListenAt | undefined): void {
  const listener = io.listenUnix(socket);
  const said = owner.openControl(listen);
  if (said !== undefined) fs.writeSync(2, `savepoint: ${said}\n`);
  if (lifeline >= 0) {
    io.writeAll(4, Buffer.from('ready\n'));
    io.close(4);
  }
  let alive = true;
  const watch = (): number[] => (alive && lifeline >= 0 ? [lifeline] : []);
  while (alive) {
    for (const fd of owner.wait([listener, ...watch()])) {
      if (fd === lifeline) alive = false;
      else serveNext(owner, listener, watch(), () => (alive = false), { extended: true });
    }
  }
  io.close(listener);
}

/** Accepts and serves one connection; what it leaves behind is ended (launched) or let go (attached). */
function serveNext(owner: OwnerProcess, listener: number, others: number[], onOther: () => void, options: ServeOptions): void {
  const client = io.accept(listener);
  if (client === undefined) return;
  owner.serve(client.fd, client.fd, options, others, onOther);
  io.close(client.fd);
  owner.abandon();
}

function finish(owner: OwnerProcess, lifeline: number): number {
  if (owner.isNursing) {
    if (lifeline >= 0) io.writeAll(lifeline, Buffer.from('nursing\n'));
    owner.nurseToTheEnd();
  }
  return 0;
}

/**
 * `savepoint gdbserver …`: gdbserver's command line and manners. The program's stdin and stdout are ours (with stdio as the connection: nothing
 * and stderr). Serves one connection after another; without --multi it ends with its last program, with --once with the first connection.
 */
export function runGdbserver(argv: string[]): number {
  const plan = planGdbserver(argv);
  if (plan.kind !== 'serve') throw bug('help and version are answered by the command line');
  const owner = new OwnerProcess(plan.debug ? { trace: 'rsp,state' } : {});
  const server = new GdbserverRun(owner, plan);
  return server.run();
}
