/**
 * A small client of the Remote Serial Protocol for tests: one request at a time, a deadline for each, no gdb in the way.
 *
 *   const client = await RspClient.connect('/tmp/x/socket');
 *   await client.noack();
 *   await client.send('qSupported:multiprocess+;swbreak+');
 *   const { stop, console } = await client.resume('vCont;c');
 */

import * as net from 'node:net';
import { PacketDecoder, type WireEvent } from '../../native/rsp/framing';

/** Milliseconds until a request without a reply is an error. */
const DEADLINE = 10_000;
const LONGEST_REPLY = 1 << 22;

const INTERRUPT = Buffer.from([0x03]);

export interface Stopped {
  /** The stop reply's payload. */
  readonly stop: string;
  /** The text of the O packets before it. */
  readonly console: string;
}

interface Waiter {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** `$payload#checksum`, with the escapes that binary data needs. */
export function encodeFrame(payload: Buffer): Buffer {
  const body: number[] = [];
  for (const byte of payload) {
    if (byte === 0x24 || byte === 0x23 || byte === 0x7d || byte === 0x2a) body.push(0x7d, byte ^ 0x20);
    else body.push(byte);
  }
  const sum = body.reduce((total, byte) => (total + byte) & 0xff, 0);
  return Buffer.concat([Buffer.from('$'), Buffer.from(body), Buffer.from(`#${sum.toString(16).padStart(2, '0')}`)]);
}

export class RspClient {
  private readonly decoder = new PacketDecoder(LONGEST_REPLY);
  private acknowledging = true;
  /** Packets that nobody has asked for yet. */
  private readonly arrived: Buffer[] = [];
  private waiter: Waiter | undefined;
  private ended: Error | undefined;

  private constructor(
    private readonly socket: net.Socket,
    private readonly deadline: number,
  ) {
    socket.on('data', (bytes: Buffer) => this.decoder.feed(bytes, (event) => this.take(event)));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('the server closed the connection')));
  }

  /** `where`: the path of a unix socket, or `host:port`. */
  static connect(where: string, deadline = DEADLINE): Promise<RspClient> {
    const colon = where.lastIndexOf(':');
    const options =
      where.includes('/') || colon < 0 ? { path: where } : { host: where.slice(0, colon), port: Number(where.slice(colon + 1)) };
    return new Promise((resolve, reject) => {
      const socket = net.connect(options);
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`no connection to ${where} within ${deadline} ms`));
      }, deadline);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        socket.setNoDelay(true);
        resolve(new RspClient(socket, deadline));
      });
    });
  }

  /** Ends acknowledgement, as gdb does right after qSupported. */
  async noack(): Promise<void> {
    const reply = await this.send('QStartNoAckMode');
    if (reply !== 'OK') throw new Error(`QStartNoAckMode: '${reply}'`);
    this.acknowledging = false;
  }

  /** Sends a packet and gives its reply's payload; binary replies are latin1 text. */
  async send(packet: string | Buffer, deadline = this.deadline): Promise<string> {
    this.write(packet);
    return (await this.next(String(packet).slice(0, 60), deadline)).toString('latin1');
  }

  /** Sends bytes as they are; what comes back is for `receive`. */
  sendRaw(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next packet from the server. */
  async receive(deadline = this.deadline): Promise<string> {
    return (await this.next('a packet', deadline)).toString('latin1');
  }

  /** Sends a resume-class packet and waits for its stop reply. */
  async resume(packet: string, deadline = this.deadline): Promise<Stopped> {
    this.write(packet);
    return this.waitStop(packet, deadline);
  }

  /** Sends a resume-class packet and does not wait; `waitStop` takes the reply. */
  start(packet: string): void {
    this.write(packet);
  }

  async waitStop(what = 'a stop', deadline = this.deadline): Promise<Stopped> {
    let console = '';
    for (;;) {
      const payload = await this.next(what, deadline);
      if (payload[0] !== 0x4f) return { stop: payload.toString('latin1'), console };
      console += Buffer.from(payload.toString('latin1', 1), 'hex').toString('utf8');
    }
  }

  /** ^C. */
  interrupt(): void {
    this.socket.write(INTERRUPT);
  }

  /** Resolves when the socket is closed on this side. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) {
        resolve();
        return;
      }
      this.socket.once('close', () => resolve());
      this.socket.destroy();
    });
  }

  private write(packet: string | Buffer): void {
    if (this.ended !== undefined) throw this.ended;
    this.socket.write(encodeFrame(typeof packet === 'string' ? Buffer.from(packet, 'latin1') : packet));
  }

  private take(event: WireEvent): void {
    if (event.kind === 'bad') {
      this.end(new Error(`the server sent a bad frame: ${event.reason}`));
      return;
    }
    if (event.kind !== 'packet') return;
    if (this.acknowledging) this.socket.write('+');
    const { waiter } = this;
    this.waiter = undefined;
    // The decoder's buffer is used again.
    if (waiter === undefined) this.arrived.push(Buffer.from(event.payload));
    else waiter.resolve(Buffer.from(event.payload));
  }

  private end(error: Error): void {
    this.ended ??= error;
    this.waiter?.reject(error);
    this.waiter = undefined;
  }

  private next(what: string, deadline: number): Promise<Buffer> {
    const early = this.arrived.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.ended !== undefined) return Promise.reject(this.ended);
    if (this.waiter !== undefined) return Promise.reject(new Error('one request at a time'));
    // Made here so that its stack names the test that asked.
    const late = new Error(`no reply to '${what}' within ${deadline} ms`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiter = undefined;
        reject(late);
      }, deadline);
      this.waiter = {
        resolve: (payload) => {
          clearTimeout(timer);
          resolve(payload);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }
}
