/**
 * `$payload#checksum`: from bytes, in whatever pieces they come, to packets (gdb manual, "Overview" and "Binary Data").
 *
 * Knows nothing of what a packet means. Memory is bounded: a packet longer than the limit is skipped to its end and reported
 * as bad. Outside a packet everything but `+`, `-`, `$` and ^C is noise and dropped.
 */

import { NIBBLE } from './hex';

const DOLLAR = 0x24;
const HASH = 0x23;
const ESCAPE = 0x7d;
const REPEAT = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const INTERRUPT = 0x03;

export type BadFrame = 'checksum' | 'too-long' | 'malformed';

export type WireEvent =
  /** `payload` is unescaped; it may be a view of the bytes that were fed, good until `emit` returns. */
  | { readonly kind: 'packet'; readonly payload: Buffer }
  | { readonly kind: 'ack' }
  | { readonly kind: 'nack' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'bad'; readonly reason: BadFrame };

const ACK: WireEvent = { kind: 'ack' };
const NACK: WireEvent = { kind: 'nack' };
const INTERRUPTED: WireEvent = { kind: 'interrupt' };
const BAD: Readonly<Record<BadFrame, WireEvent>> = {
  checksum: { kind: 'bad', reason: 'checksum' },
  'too-long': { kind: 'bad', reason: 'too-long' },
  malformed: { kind: 'bad', reason: 'malformed' },
};

const FIRST_HOLD = 4096;

export class PacketDecoder {
  private state: 'outside' | 'body' | 'checksum' = 'outside';
  /** The body of a packet whose end has not come yet, still escaped. */
  private held: Buffer = Buffer.allocUnsafe(FIRST_HOLD);
  private heldLength = 0;
  private tooLong = false;
  /** The checksum's first digit, once it is here. */
  private firstDigit: number | undefined;

  /** `limit`: the longest body taken, in bytes on the wire, also the longest payload. */
  constructor(private readonly limit: number) {}

  /** Must not be called from within `emit`. */
  feed(bytes: Buffer, emit: (event: WireEvent) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.state === 'outside') at = this.takeOutside(bytes, at, emit);
      else if (this.state === 'body') at = this.takeBody(bytes, at);
      else at = this.takeChecksum(bytes, at, emit);
    }
  }

  private takeOutside(bytes: Buffer, at: number, emit: (event: WireEvent) => void): number {
    switch (bytes[at]) {
      case DOLLAR:
        return this.takeWhole(bytes, at + 1, emit);
      case PLUS:
        emit(ACK);
        break;
      case MINUS:
        emit(NACK);
        break;
      case INTERRUPT:
        emit(INTERRUPTED);
        break;
      default:
    }
    return at + 1;
  }

  /** The common case, a packet that is here as a whole and has no escapes: one pass, no copy. */
  private takeWhole(bytes: Buffer, start: number, emit: (event: WireEvent) => void): number {
    const last = bytes.length - 2;
    let sum = 0;
    for (let at = start; at < last; at += 1) {
      const byte = bytes[at];
      if (byte === HASH) {
        if (at - start > this.limit || ((NIBBLE[bytes[at + 1]] << 4) | NIBBLE[bytes[at + 2]]) !== (sum & 0xff)) break;
        emit({ kind: 'packet', payload: bytes.subarray(start, at) });
        return at + 3;
      }
      if (byte === ESCAPE || byte === REPEAT || byte === DOLLAR) break;
      sum += byte;
    }
    this.state = 'body';
    this.heldLength = 0;
    this.tooLong = false;
    return start;
  }

  private takeBody(bytes: Buffer, at: number): number {
    const hash = bytes.indexOf(HASH, at);
    const end = hash < 0 ? bytes.length : hash;
    this.hold(bytes, at, end);
    if (hash < 0) return end;
    this.state = 'checksum';
    this.firstDigit = undefined;
    return hash + 1;
  }

  private hold(bytes: Buffer, start: number, end: number): void {
    const length = this.heldLength + end - start;
    if (this.tooLong || length > this.limit) {
      this.tooLong = true;
      return;
    }
    if (length > this.held.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.limit, Math.max(length, 2 * this.held.length)));
      this.held.copy(grown, 0, 0, this.heldLength);
      this.held = grown;
    }
    bytes.copy(this.held, this.heldLength, start, end);
    this.heldLength = length;
  }

  private takeChecksum(bytes: Buffer, at: number, emit: (event: WireEvent) => void): number {
    const digit = bytes[at];
    if (digit === DOLLAR) {
      // The end of this packet was lost; the next one starts here.
      this.state = 'outside';
      emit(BAD.malformed);
      return at;
    }
    if (this.firstDigit === undefined) {
      this.firstDigit = digit;
      return at + 1;
    }
    this.state = 'outside';
    emit(this.tooLong ? BAD['too-long'] : judge(this.held.subarray(0, this.heldLength), this.firstDigit, digit, this.limit));
    return at + 1;
  }
}

function judge(body: Buffer, first: number, second: number, limit: number): WireEvent {
  // An unescaped `$` starts a packet anew: what stood before it had lost its end.
  const raw = body.subarray(body.lastIndexOf(DOLLAR) + 1);
  let sum = 0;
  for (let at = 0; at < raw.length; at += 1) sum += raw[at];
  if (((NIBBLE[first] << 4) | NIBBLE[second]) !== (sum & 0xff)) return BAD.checksum;
  const payload = expand(raw, limit);
  return payload === undefined ? BAD.malformed : { kind: 'packet', payload };
}

/** Undoes `}x` escapes and `c*n` repeats (n - 29 more of c); undefined when they are wrong or the result is too long. */
export function expand(raw: Buffer, limit: number): Buffer | undefined {
  let length = 0;
  for (let at = 0; at < raw.length; at += 1) {
    const byte = raw[at];
    if (byte === ESCAPE) at += 1;
    if (byte === REPEAT) {
      const count = at + 1 < raw.length ? raw[at + 1] - 29 : 0;
      if (count < 1 || length === 0) return undefined;
      length += count;
      at += 1;
    } else length += 1;
    if (at >= raw.length || length > limit) return undefined;
  }
  const payload = Buffer.allocUnsafe(length);
  let to = 0;
  for (let at = 0; at < raw.length; at += 1) {
    const byte = raw[at];
    if (byte === ESCAPE) {
      at += 1;
      payload[to] = raw[at] ^ 0x20;
      to += 1;
    } else if (byte === REPEAT) {
      at += 1;
      const end = to + raw[at] - 29;
      payload.fill(payload[to - 1], to, end);
      to = end;
    } else {
      payload[to] = byte;
      to += 1;
    }
  }
  return payload;
}
