/**
 * The control server: WebSocket connections on sockets that are bound already, and JSON-RPC on them. Runs in a thread of its own, with Node's
 * event loop; what is asked goes to the tracer thread, one message a request, and the answers come back in any order.
 *
 * Nothing that comes in may end it or the owner: limits on handshakes under way, clients, message size, requests under way, backlog.
 */

import * as http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createJSONRPCErrorResponse, JSONRPCServer } from 'json-rpc-2.0';
import { type WebSocket, WebSocketServer } from 'ws';
import { denyHandshake, PROTOCOL, type AccessRules } from './access';
import { ClientConnection } from './client-connection';
import type { Failure, Listening, ToServer, ToTracer } from './link';
import type { ControlMethod } from './schema';
import { methodNames, rpcCodes } from './validate';

/** Each of these for each of the places where we listen, so that TCP cannot keep the user's own commands out. */
const MOST_CLIENTS = 16;
const MOST_HANDSHAKES = 8;
const HANDSHAKE_MS = 5_000;
/** Bytes in one message. */
const MOST_MESSAGE = 64 * 1024;
/** A restore through a debugger that does not follow is given up then. */
export const RESTORE_MS = 15_000;

class RequestFailed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

export class ControlServer {
  private readonly rpc: JSONRPCServer<ClientConnection>;
  private readonly clients = new Set<ClientConnection>();
  private readonly waiting = new Map<number, { resolve(result: object): void; reject(error: Error): void }>();
  private serial = 0;
  private names = 0;

  constructor(private readonly toTracer: (message: ToTracer) => void) {
    this.rpc = new JSONRPCServer<ClientConnection>({ errorListener: () => {} });
    this.rpc.mapErrorToJSONRPCErrorResponse = (id, error) => {
      if (error instanceof RequestFailed) {
        const { family, code, message } = error.failure;
        return createJSONRPCErrorResponse(id, rpcCodes.failed, message, { family, code });
      }
      this.trace(`internal error: ${error instanceof Error ? error.stack : String(error)}`);
      return createJSONRPCErrorResponse(id, rpcCodes.internal, 'internal error of the control server');
    };
    for (const method of methodNames)
      this.rpc.addMethod(method, (params, client) => this.call(client, method, params as Readonly<Record<string, unknown>>));
  }

  private trace(text: string): void {
    this.toTracer({ kind: 'trace', text });
  }

  // --- the tracer's side ---

  private async call(
    client: ClientConnection,
    method: ControlMethod,
    params: Readonly<Record<string, unknown>>,
  ): Promise<object> {
    // From before the answer on: a change between the list in it and the first notification would be lost.
    if (method === 'subscribe') client.subscribed = params['on'] !== false;
    const serial = ++this.serial;
    const timer =
      method === 'checkpoint/restore' ? setTimeout(() => this.toTracer({ kind: 'give-up', serial }), RESTORE_MS) : undefined;
    try {
      return await new Promise<object>((resolve, reject) => {
        this.waiting.set(serial, { resolve, reject });
        this.toTracer({ kind: 'request', serial, method, params });
      });
    } finally {
      clearTimeout(timer);
      this.waiting.delete(serial);
    }
  }

  receive(message: ToServer): void {
    switch (message.kind) {
      case 'answer':
        this.waiting.get(message.serial)?.resolve(message.result);
        return;
      case 'failure':
        this.waiting.get(message.serial)?.reject(new RequestFailed(message.failure));
        return;
      case 'changed':
        for (const client of this.clients) client.notify(message.change);
    }
  }

  // --- the clients' side ---

  listen({ fd, kind, token, host, origins = [] }: Listening): void {
    const rules: AccessRules = { token, host, origins };
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MOST_MESSAGE,
      perMessageDeflate: false,
      // A browser's token stands in this header: it is not to be sent back.
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    });
    const handshakes = new Set<Duplex>();
    let clients = 0;
    const server = http.createServer(
      { maxHeaderSize: 8 * 1024, headersTimeout: HANDSHAKE_MS, requestTimeout: HANDSHAKE_MS },
      (_, response) => {
        response.writeHead(426, { connection: 'close' }).end('This is a WebSocket.\n');
      },
    );
    server.on('connection', (socket: Socket) => {
      if (handshakes.size >= MOST_HANDSHAKES) {
        socket.destroy();
        return;
      }
      handshakes.add(socket);
      const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
      const over = (): void => {
        clearTimeout(timer);
        handshakes.delete(socket);
      };
      socket
        .on('close', over)
        .on('savepoint-upgraded', over)
        .on('error', () => {});
      socket.setKeepAlive(true, 30_000);
    });
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('upgrade', (request, socket, head) => {
      const denial =
        clients >= MOST_CLIENTS
          ? ({ status: 503, reason: 'too many clients' } as const)
          : denyHandshake(rules, readHandshake(request));
      if (denial !== undefined) {
        this.trace(`refused: ${denial.reason}`);
        socket.end(
          `HTTP/1.1 ${denial.status} ${http.STATUS_CODES[denial.status]}\r\nConnection: close\r\nContent-Length: ${denial.reason.length}\r\n\r\n${denial.reason}`,
        );
        return;
      }
      sockets.handleUpgrade(request, socket, head, (client) => {
        socket.emit('savepoint-upgraded');
        clients++;
        client.on('close', () => clients--);
        this.welcome(client, kind);
      });
    });
    server.on('error', (error) => this.trace(`${kind}: ${error.message}`));
    server.listen({ fd });
  }

  private welcome(socket: WebSocket, kind: Listening['kind']): void {
    const name = `client ${++this.names} (${kind})`;
    const client = new ClientConnection(name, socket, this.rpc, (text) => this.trace(text));
    this.clients.add(client);
    this.trace(`${name} connected`);
    socket.on('close', () => {
      this.clients.delete(client);
      this.trace(`${name} gone`);
    });
  }
}

function readHandshake({ headers }: http.IncomingMessage): Parameters<typeof denyHandshake>[1] {
  return {
    host: headers.host,
    origin: headers.origin,
    authorization: headers.authorization,
    protocols: (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim()),
  };
}
