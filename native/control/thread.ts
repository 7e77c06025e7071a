/**
 * Entry of the control server's thread (dist/control-server.js). Standard output and error go through the other thread's event loop, which
 * never runs: what is to be said goes over the port.
 */

import * as fs from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { ServerData, ToServer, ToTracer } from './link';
import { ControlServer } from './server';

const { port, wake, listening } = workerData as ServerData;

function toTracer(message: ToTracer): void {
  port.postMessage(message);
  try {
    fs.writeSync(wake, '!');
  } catch {
    // Full: the tracer thread is awake, or will be.
  }
}

process.on('uncaughtException', (error) => toTracer({ kind: 'trace', text: `internal error: ${error.stack ?? error.message}` }));
const server = new ControlServer(toTracer);
port.on('message', (message: ToServer) => server.receive(message));
for (const one of listening) server.listen(one);
