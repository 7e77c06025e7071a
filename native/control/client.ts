/**
 * A client of the control surface: one WebSocket connection, JSON-RPC requests with their answers, and notifications.
 */

import * as net from 'node:net';
import { JSONRPCClient, type JSONRPCResponse } from 'json-rpc-2.0';
import { WebSocket } from 'ws';
import { peerError, SavepointError, userError, type Family } from '../base/errors';
import type { CheckpointChanged, ControlErrorData, ControlMethod, ControlMethods } from './schema';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly token: string };

/** For an answer that is a matter of milliseconds; a restore may wait for the debugger. */
const CONNECT_MS = 5_000;
const ANSWER_MS = 60_000;

/** Nobody listens there any more. */
export const isStale = (error: unknown): boolean => error instanceof SavepointError && error.code === 'nobody-listens';

export class ControlClient {
  onChanged: (change: CheckpointChanged) => void = () => {};
  /** When the other side has closed the connection. */
  readonly closed: Promise<void>;
  private readonly rpc: JSONRPCClient;

  private constructor(private readonly socket: WebSocket) {
    this.rpc = new JSONRPCClient((request) => socket.send(JSON.stringify(request)));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.rpc.rejectAllPendingRequests('the session has ended');
        resolve();
      });
    });
    socket.on('message', (data: Buffer) => this.receive(data.toString('utf8')));
    socket.on('error', () => {});
  }

  static async connect(address: Address): Promise<ControlClient> {
    const socket =
      address.kind === 'unix'
        ? new WebSocket('ws://localhost/', { createConnection: () => net.connect(address.path), handshakeTimeout: CONNECT_MS })
        : new WebSocket(`ws://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}/`, {
            handshakeTimeout: CONNECT_MS,
            headers: { authorization: `Bearer ${address.token}` },
          });
    // Before it opens, because notifications may follow at once.
    const client = new ControlClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', (error) => reject(describeConnectError(address, error)));
    });
    return client;
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as { method?: string; params?: CheckpointChanged };
    if (message.method === 'checkpoint/changed' && message.params !== undefined) this.onChanged(message.params);
    else if (message.method === undefined) this.rpc.receive(message as unknown as JSONRPCResponse);
  }

  async ask<M extends ControlMethod>(method: M, params: ControlMethods[M]['params']): Promise<ControlMethods[M]['result']> {
    try {
      return (await this.rpc.timeout(ANSWER_MS).request(method, params)) as ControlMethods[M]['result'];
    } catch (cause) {
      const { message, data } = cause as Error & { data?: ControlErrorData };
      if (data === undefined) throw peerError('control', message);
      throw new SavepointError(data.family as Family, data.code, message);
    }
  }

  async close(): Promise<void> {
    this.socket.close();
    const timer = setTimeout(() => this.socket.terminate(), 1_000);
    await this.closed;
    clearTimeout(timer);
  }
}

function describeConnectError(address: Address, error: Error & { code?: string }): Error {
  const where = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
  if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')
    return userError('nobody-listens', `no session answers at ${where} (savepoint list-sessions shows those there are)`);
  const status = /Unexpected server response: (\d+)/.exec(error.message)?.[1];
  if (status === '401')
    return userError('token', `${where}: the token is wrong or missing; --token-file names the file that the server has told`);
  if (status === '403')
    return userError(
      'access',
      `${where} refuses us: connect by the address in digits, by localhost, or by the name it listens at`,
    );
  if (status === '503') return userError('too-many', `${where} has too many clients; end one and try again`);
  return userError('control-connect', `${where}: ${error.message}`);
}
