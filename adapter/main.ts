/** Entry of dist/adapter.js: `savepoint dap` calls `runDap` with its words, understood. */

import { randomBytes, timingSafeEqual } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { userError } from '../native/base/errors';
import type { ServePlan } from '../native/cli/dap-args';
import { reportBug, serveSession } from './compose';

type Serve = (input: Readable, output: Writable) => Promise<void>;

export async function runDap(plan: ServePlan): Promise<number> {
  // One session's fault is not the others': they go on.
  process.on('unhandledRejection', reportBug);
  process.on('uncaughtException', reportBug);
  const serve: Serve = (input, output) => serveSession(input, output, plan.commands);
  switch (plan.door) {
    case 'socket':
      return await serveSocket(plan.path, serve);
    case 'port':
      return await servePort(plan.port, serve);
    case 'stdio':
      await serve(process.stdin, process.stdout);
      // Whatever still holds a descriptor must not keep an editor waiting.
      process.exit(0);
  }
}

/** A session for each connection; the socket has mode 0600. */
async function serveSocket(path: string, serve: Serve): Promise<number> {
  // Nobody may connect between bind and chmod.
  const mask = process.umask(0o177);
  const server = net.createServer((peer) => void serve(peer, peer).finally(() => peer.destroy()));
  await listen(server, () => server.listen(path));
  process.umask(mask);
  fs.writeSync(1, `${JSON.stringify({ socket: path })}\n`);
  return await untilTold(server);
}

/** The same on 127.0.0.1, for who knows the token that is printed. */
async function servePort(port: number, serve: Serve): Promise<number> {
  const token = randomBytes(24).toString('base64url');
  const server = net.createServer((peer) => admit(peer, token, serve));
  await listen(server, () => server.listen(port, '127.0.0.1'));
  const address = server.address() as net.AddressInfo;
  fs.writeSync(1, `${JSON.stringify({ host: address.address, port: address.port, token })}\n`);
  return await untilTold(server);
}

const TOKEN_LIMIT_MS = 10_000;
const LONGEST_LINE = 256;

/** The first line is the token; then DAP follows. */
function admit(peer: net.Socket, token: string, serve: Serve): void {
  let head: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => peer.destroy(), TOKEN_LIMIT_MS);
  peer.on('error', () => {});
  peer.on('close', () => clearTimeout(timer));
  const take = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(10);
    if (end < 0 && head.length <= LONGEST_LINE) return;
    clearTimeout(timer);
    peer.off('data', take);
    const given = head.subarray(0, Math.max(0, end)).toString('latin1').trim();
    if (end < 0 || !isEqual(given, token)) return void peer.destroy();
    peer.pause();
    peer.unshift(head.subarray(end + 1));
    void serve(peer, peer).finally(() => peer.destroy());
  };
  peer.on('data', take);
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function listen(server: net.Server, act: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(userError('listen', `savepoint dap: cannot listen: ${cause.message}`)),
    );
    server.once('listening', resolve);
    act();
  });
}

/** Sessions end with their connections, and those with us. */
function untilTold(server: net.Server): Promise<number> {
  const peers = new Set<net.Socket>();
  server.on('connection', (peer: net.Socket) => {
    peers.add(peer);
    peer.once('close', () => peers.delete(peer));
  });
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.once(signal, () => {
        server.close(() => resolve(0));
        for (const peer of peers) peer.destroy();
      });
    }
  });
}
