/**
 * One client of the control server: text in, checked requests out, answers and notifications back. JSON-RPC itself (what is answered to what)
 * is json-rpc-2.0's; what a request may look like is validate.ts's.
 */

import type { JSONRPCResponse, JSONRPCServer } from 'json-rpc-2.0';
import type { WebSocket } from 'ws';
import type { CheckpointChanged } from './schema';
import { checkRequest, rpcCodes, type RpcId } from './validate';

/** Requests that one client may have under way. */
const MOST_OUTSTANDING = 32;
/** Requests in one batch. */
const MOST_IN_BATCH = 32;
/** What may wait for a client that does not read; then it is let go. */
const MOST_BACKLOG = 8 * 1024 * 1024;

export class ClientConnection {
  subscribed = false;
  private outstanding = 0;

  constructor(
    readonly name: string,
    private readonly socket: WebSocket,
    private readonly rpc: JSONRPCServer<ClientConnection>,
    private readonly trace: (text: string) => void,
  ) {
    socket.on('message', (data: Buffer, isBinary) => void this.receive(data.toString('utf8'), isBinary));
    // A broken frame, a message that is too long: ws closes the connection by itself, with the reason.
    socket.on('error', (error) => trace(`${name}: ${error.message}`));
  }

  private async receive(text: string, isBinary: boolean): Promise<void> {
    const answer = isBinary ? refusal(null, rpcCodes.invalidRequest, 'a request is a text message') : await this.answer(text);
    if (answer !== undefined) this.send(answer);
  }

  private async answer(text: string): Promise<unknown> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return refusal(null, rpcCodes.parse, 'the message is not JSON');
    }
    if (!Array.isArray(value)) return await this.answerOne(value);
    if (value.length === 0 || value.length > MOST_IN_BATCH)
      return refusal(null, rpcCodes.invalidRequest, `a batch has between 1 and ${MOST_IN_BATCH} requests`);
    const answers = (await Promise.all(value.map((one) => this.answerOne(one)))).filter((one) => one !== undefined);
    return answers.length === 0 ? undefined : answers;
  }

  /** undefined: a notification, to which there is no answer. */
  private async answerOne(value: unknown): Promise<JSONRPCResponse | undefined> {
    const checked = checkRequest(value);
    if (checked.kind === 'bad') return checked.id === undefined ? undefined : refusal(checked.id, checked.code, checked.message);
    const { id, method, params } = checked.request;
    if (this.outstanding >= MOST_OUTSTANDING)
      return id === undefined
        ? undefined
        : refusal(id, rpcCodes.failed, 'too many requests at once: wait for answers', 'too-many');
    this.outstanding++;
    try {
      const request = { jsonrpc: '2.0' as const, method, params, ...(id === undefined ? {} : { id }) };
      return (await this.rpc.receive(request, this)) ?? undefined;
    } finally {
      this.outstanding--;
    }
  }

  notify(change: CheckpointChanged): void {
    if (this.subscribed) this.send({ jsonrpc: '2.0', method: 'checkpoint/changed', params: change });
  }

  private send(message: unknown): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > MOST_BACKLOG) {
      this.trace(`${this.name}: does not read; let go`);
      this.socket.terminate();
      return;
    }
    this.socket.send(JSON.stringify(message));
  }
}

function refusal(id: RpcId, code: number, message: string, reason?: string): JSONRPCResponse {
  const data = reason === undefined ? {} : { data: { family: 'refused', code: reason } };
  return { jsonrpc: '2.0', id, error: { code, message, ...data } };
}
