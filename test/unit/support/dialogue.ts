/**
 * Drives an `RspSession` over a fake target as a client would: packets in, frames out, all in memory.
 */

import type { ServerHooks, StopReport } from '../../../native/owner/ops';
import { PacketDecoder } from '../../../native/rsp/framing';
import { RspSession, type EndReason, type SessionOptions } from '../../../native/rsp/session';
import { FakeTarget } from './fake-target';

type Restore = ReturnType<ServerHooks['beforeResume']>;

/** `$payload#checksum`; a payload given as bytes is sent as it is. */
export function frame(payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 0xff;
  return Buffer.concat([Buffer.from('$'), bytes, Buffer.from(`#${sum.toString(16).padStart(2, '0')}`)]);
}

export class Dialogue {
  readonly target: FakeTarget;
  readonly session: RspSession;
  readonly logged: string[] = [];
  readonly started: number[] = [];
  readonly ends: EndReason[] = [];
  /** What the next resume or vRun finds armed. */
  armed: Restore;
  armedRun: Restore;
  monitor: (line: string) => string = (line) => `did ${line}\n`;
  /** Frames written since the last look, acknowledgements included. */
  private written: Buffer[] = [];

  constructor(setup: { target?: FakeTarget; options?: Partial<SessionOptions> } = {}) {
    this.target = setup.target ?? new FakeTarget();
    const take = (which: 'armed' | 'armedRun') => (): Restore => {
      const restore = this[which];
      this[which] = undefined;
      return restore;
    };
    this.session = new RspSession({
      target: this.target,
      hooks: {
        monitor: (line) => this.monitor(line),
        beforeResume: take('armed'),
        beforeRun: take('armedRun'),
        afterStart: (pid) => void this.started.push(pid),
      },
      write: (bytes) => void this.written.push(Buffer.from(bytes)),
      options: {
        extended: true,
        log: (text) => void this.logged.push(text),
        onEnd: (reason) => void this.ends.push(reason),
        ...setup.options,
      },
    });
  }

  /** A session past the handshake of gdb 13, without acknowledgements. */
  static ready(setup: ConstructorParameters<typeof Dialogue>[0] = {}, features = GDB_13): Dialogue {
    const dialogue = new Dialogue(setup);
    dialogue.raw(frame('QStartNoAckMode'));
    dialogue.raw(frame(`qSupported:${features}`));
    dialogue.output();
    return dialogue;
  }

  raw(bytes: Buffer): void {
    this.session.feed(bytes);
  }

  /** Everything written since the last look, as one string. */
  output(): string {
    const text = Buffer.concat(this.written).toString('latin1');
    this.written = [];
    return text;
  }

  /** Sends a packet; the payloads of the frames that came back. */
  ask(payload: string | Buffer): string[] {
    this.output();
    this.session.feed(frame(payload));
    return this.payloads();
  }

  /** Sends a packet that has exactly one reply. */
  one(payload: string | Buffer): string {
    const replies = this.ask(payload);
    expect(replies).toHaveLength(1);
    return replies[0];
  }

  stop(report: StopReport): string[] {
    this.output();
    this.session.onStop(report);
    return this.payloads();
  }

  payloads(): string[] {
    const payloads: string[] = [];
    new PacketDecoder(1 << 24).feed(Buffer.from(this.output(), 'latin1'), (event) => {
      if (event.kind === 'bad') throw new Error(`the session wrote a bad frame: ${event.reason}`);
      if (event.kind === 'packet') payloads.push(event.payload.toString('latin1'));
    });
    return payloads;
  }
}

export const GDB_13 =
  'multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;exec-events+;vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+;xmlRegisters=i386';
export const GDB_16 = `${GDB_13};QThreadOptions+;error-message+`;

export function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
