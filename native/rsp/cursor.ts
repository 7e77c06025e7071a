/**
 * Reads a packet's arguments from left to right. Anything that is not as the protocol says throws a `PeerError`, which the
 * session answers with E01: handlers need not check each step.
 */

import type { Addr } from '../base/brands';
import { peerError } from '../base/errors';
import { NIBBLE, decodeHex } from './hex';

/** Numbers of up to this many digits fit exactly into a double. */
const EXACT_DIGITS = 13;

export class Cursor {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  /** Points at `at` of another packet; one cursor serves a whole session. */
  reset(bytes: Buffer, at = 0): this {
    this.bytes = bytes;
    this.at = at;
    return this;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The character code here, or -1 at the end. */
  peek(): number {
    return this.at < this.bytes.length ? this.bytes[this.at] : -1;
  }

  /** The character code here, stepped over. */
  take(): number {
    const code = this.peek();
    if (code < 0) throw this.fault('more expected');
    this.at += 1;
    return code;
  }

  /** Steps over `code` when it is here. */
  skip(code: number): boolean {
    if (this.peek() !== code) return false;
    this.at += 1;
    return true;
  }

  expect(code: number): void {
    if (!this.skip(code)) throw this.fault(`'${String.fromCharCode(code)}' expected`);
  }

  /** A hex number that is a count, length or id. */
  number(): number {
    const start = this.at;
    let value = 0;
    for (;;) {
      const nibble = this.at < this.bytes.length ? NIBBLE[this.bytes[this.at]] : -1;
      if (nibble < 0) break;
      value = value * 16 + nibble;
      this.at += 1;
    }
    if (this.at === start) throw this.fault('hex number expected');
    if (value > Number.MAX_SAFE_INTEGER) throw this.fault('number too large');
    return value;
  }

  /** A hex number that is an address. */
  address(): Addr {
    const start = this.at;
    let value = 0;
    for (;;) {
      const nibble = this.at < this.bytes.length ? NIBBLE[this.bytes[this.at]] : -1;
      if (nibble < 0) break;
      value = value * 16 + nibble;
      this.at += 1;
    }
    const digits = this.at - start;
    if (digits === 0) throw this.fault('address expected');
    if (digits <= EXACT_DIGITS) return BigInt(value);
    const exact = BigInt(`0x${this.bytes.toString('latin1', start, this.at)}`);
    if (exact > 0xffff_ffff_ffff_ffffn) throw this.fault('address too large');
    return exact;
  }

  /** Text up to `code` (stepped over), or to the end. */
  until(code: number): string {
    const found = this.bytes.indexOf(code, this.at);
    const end = found < 0 ? this.bytes.length : found;
    const text = this.bytes.toString('latin1', this.at, end);
    this.at = found < 0 ? end : found + 1;
    return text;
  }

  /** Everything that is left, raw: a view that is good until the handler returns. */
  rest(): Buffer {
    const rest = this.bytes.subarray(this.at);
    this.at = this.bytes.length;
    return rest;
  }

  /** Everything that is left, as text. */
  text(): string {
    return this.rest().toString('latin1');
  }

  /** Everything that is left: digits that stand for bytes. */
  hexBytes(): Buffer {
    const decoded = decodeHex(this.bytes, this.at);
    if (decoded === undefined) throw this.fault('hex digits expected');
    this.at = this.bytes.length;
    return decoded;
  }

  /** Digits that stand for UTF-8 text, up to `code` (stepped over) or to the end. */
  hexText(code?: number): string {
    const found = code === undefined ? -1 : this.bytes.indexOf(code, this.at);
    const end = found < 0 ? this.bytes.length : found;
    const decoded = decodeHex(this.bytes, this.at, end);
    if (decoded === undefined) throw this.fault('hex text expected');
    this.at = found < 0 ? end : found + 1;
    return decoded.toString('utf8');
  }

  /** Nothing may follow. */
  finish(): void {
    if (!this.done) throw this.fault('end expected');
  }

  private fault(what: string): Error {
    return peerError('bad-packet', `bad packet: ${what} at byte ${this.at} of '${this.bytes.toString('latin1', 0, 60)}'`);
  }
}

/** Character codes of the protocol's punctuation. */
export const COMMA = 0x2c;
export const SEMICOLON = 0x3b;
export const COLON = 0x3a;
export const EQUALS = 0x3d;
export const DOT = 0x2e;
export const MINUS = 0x2d;
