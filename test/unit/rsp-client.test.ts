/**
 * The tests' own client against the session, over a real socket: both ends of the protocol in one process.
 */

import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { RspClient } from '../support/rsp-client';
import { RspSession } from '../../native/rsp/session';
import { FakeTarget, PID, stopped } from './support/fake-target';

let folder = '';
let server: net.Server | undefined;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rsp-client-'));
});

afterEach(async () => {
  await new Promise<void>((resolve) => {
    if (server === undefined) resolve();
    else server.close(() => resolve());
  });
  server = undefined;
  fs.rmSync(folder, { recursive: true });
});

/** A server for one connection; gives the socket path and what it makes. */
async function serve(target: FakeTarget): Promise<{ where: string; session: () => RspSession }> {
  const where = path.join(folder, 'socket');
  let session: RspSession | undefined;
  server = net.createServer((socket) => {
    const made = new RspSession({
      target,
      hooks: { monitor: (line) => line, beforeResume: () => undefined, beforeRun: () => undefined, afterStart: () => undefined },
      write: (bytes) => void socket.write(Buffer.from(bytes)),
      options: { extended: true, log: () => undefined, onEnd: () => undefined },
    });
    session = made;
    socket.on('data', (bytes: Buffer) => made.feed(bytes));
    socket.on('close', () => made.disconnected());
  });
  await new Promise<void>((resolve) => server?.listen(where, resolve));
  return {
    where,
    session: () => {
      if (session === undefined) throw new Error('nobody has connected');
      return session;
    },
  };
}

test('asks, resumes, interrupts and closes', async () => {
  const target = new FakeTarget();
  const { where, session } = await serve(target);
  const client = await RspClient.connect(where);
  await client.noack();
  expect(await client.send('qSupported:multiprocess+')).toContain('multiprocess+');
  expect(await client.send('qC')).toBe('QCp1061.1061');
  target.onResume = () => {
    session().onNote('hello');
    session().onStop({ kind: 'exited', pid: PID, code: 0 });
  };
  expect(await client.resume('vCont;c')).toEqual({ stop: 'W0;process:1061', console: 'hello\n' });
  target.onResume = () => undefined;
  target.interrupt = () => session().onStop(stopped({ signal: 2 }));
  client.start('vCont;c');
  client.interrupt();
  expect((await client.waitStop()).stop).toMatch(/^T02/);
  client.sendRaw('$qC#b4');
  expect(await client.receive()).toBe('QCp1061.1061');
  await client.close();
  await expect(client.send('qC')).rejects.toThrow('closed the connection');
});

test('a request without a reply is an error that names it', async () => {
  const { where } = await serve(new FakeTarget());
  const client = await RspClient.connect(where);
  await expect(client.send('vCont;c', 20)).rejects.toThrow("no reply to 'vCont;c' within 20 ms");
  await client.close();
});
