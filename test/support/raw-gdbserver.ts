/**
 * A stock gdbserver as the yardstick: started on its own stdin and stdout, spoken to in bare packets.
 */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

export class RawGdbserver {
  private received = Buffer.alloc(0);
  private waiting: (() => void) | undefined;
  private ended = false;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.on('data', (data: Buffer) => {
      this.received = Buffer.concat([this.received, data]);
      this.waiting?.();
    });
    child.on('close', () => {
      this.ended = true;
      this.waiting?.();
    });
    child.stdin.on('error', () => undefined);
    child.stderr.resume();
  }

  /** Stops at the program's first instruction. */
  static async start(...command: string[]): Promise<RawGdbserver> {
    const server = new RawGdbserver(spawn('gdbserver', ['--once', '-', ...command], { stdio: 'pipe' }));
    await server.ask('qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386');
    // Until gdb has proved itself by this one, gdbserver gives it no target description and dies when asked for it.
    await server.ask('vMustReplyEmpty');
    await server.ask('Hgp0.0');
    return server;
  }

  async ask(packet: string): Promise<Buffer> {
    this.send(packet);
    return this.nextPacket();
  }

  private send(packet: string): void {
    const sum = Buffer.from(packet, 'latin1').reduce((a, b) => (a + b) & 255, 0);
    this.child.stdin.write(Buffer.from(`$${packet}#${sum.toString(16).padStart(2, '0')}`, 'latin1'));
  }

  /** qXfer, all of it. */
  async transfer(object: string, annex: string): Promise<string> {
    const parts: Buffer[] = [];
    for (let offset = 0; ;) {
      const reply = await this.ask(`qXfer:${object}:read:${annex}:${offset.toString(16)},1000`);
      parts.push(reply.subarray(1));
      offset += reply.length - 1;
      if (reply[0] !== 0x6d) return Buffer.concat(parts).toString('latin1');
    }
  }

  async stop(): Promise<void> {
    this.child.stdin.end();
    this.child.kill('SIGTERM');
    while (!this.ended) await this.news();
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  private async nextPacket(): Promise<Buffer> {
    for (;;) {
      const start = this.received.indexOf('$');
      const end = start < 0 ? -1 : this.received.indexOf('#', start);
      if (end >= 0 && this.received.length >= end + 3) {
        const body = this.received.subarray(start + 1, end);
        this.received = this.received.subarray(end + 3);
        this.child.stdin.write('+');
        return unescape(body);
      }
      if (this.ended) throw new Error('gdbserver has ended');
      await this.news();
    }
  }
}

/** Escapes (`}`) and run lengths (`*`); gdb manual, "Overview" of the remote protocol. */
function unescape(body: Buffer): Buffer {
  const out: number[] = [];
  for (let i = 0; i < body.length; i++) {
    if (body[i] === 0x7d) out.push(body[++i] ^ 0x20);
    else if (body[i] === 0x2a) out.push(...Buffer.alloc(body[++i] - 29, out[out.length - 1]));
    else out.push(body[i]);
  }
  return Buffer.from(out);
}
