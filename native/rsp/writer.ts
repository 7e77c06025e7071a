/**
 * Builds one outgoing packet after another in one reused buffer: `$`, payload, `#`, checksum.
 *
 * The frame that `finish` returns is a view of that buffer: it must be sent or copied before the next `begin`.
 * No run-length encoding: on a local socket it costs both sides more than it saves.
 */

import type { Addr } from '../base/brands';
import { HIGH_DIGIT, LOW_DIGIT, writeHex } from './hex';

const DOLLAR = 0x24;
const HASH = 0x23;
const ESCAPE = 0x7d;
const REPEAT = 0x2a;

const FIRST_SIZE = 16384;
/** Text longer than this is copied natively. */
const NATIVE_TEXT_FROM = 48;

/** 1 for the bytes that must be escaped (gdb manual, "Binary Data"). */
const NEEDS_ESCAPE = new Uint8Array(256);
for (const byte of [DOLLAR, HASH, ESCAPE, REPEAT]) NEEDS_ESCAPE[byte] = 1;

export class PacketWriter {
  private buffer: Buffer = Buffer.from(new ArrayBuffer(FIRST_SIZE));
  private words = new Uint32Array(this.buffer.buffer);
  private at = 1;

  begin(): void {
    this.buffer[0] = DOLLAR;
    this.at = 1;
  }

  /** Payload bytes so far. */
  get length(): number {
    return this.at - 1;
  }

  /** Payload so far, for the trace and for tests; a view. */
  payload(): Buffer {
    return this.buffer.subarray(1, this.at);
  }

  /** ASCII that needs no escape. */
  text(text: string): void {
    const length = text.length;
    this.reserve(length);
    if (length > NATIVE_TEXT_FROM) {
      this.buffer.write(text, this.at, 'latin1');
      this.at += length;
      return;
    }
    for (let index = 0; index < length; index += 1) {
      this.buffer[this.at] = text.charCodeAt(index);
      this.at += 1;
    }
  }

  /** Overwrites the payload's first character. */
  replaceFirst(letter: string): void {
    this.buffer[1] = letter.charCodeAt(0);
  }

  /** Two digits. */
  hexByte(value: number): void {
    this.reserve(2);
    this.buffer[this.at] = HIGH_DIGIT[value & 0xff];
    this.buffer[this.at + 1] = LOW_DIGIT[value & 0xff];
    this.at += 2;
  }

  /** Hex without leading zeros. */
  number(value: number | Addr): void {
    this.text(value.toString(16));
  }

  /** Two digits a byte. */
  hexBytes(data: Buffer): void {
    this.reserve(2 * data.length);
    writeHex(this.buffer, this.at, data);
    this.at += 2 * data.length;
  }

  /** Raw bytes, escaped; stops before the payload would grow beyond `limit`. Returns how many were taken. */
  binary(data: Buffer, limit = Number.MAX_SAFE_INTEGER): number {
    this.reserve(Math.min(2 * data.length, Math.max(0, limit - this.length)));
    const buffer = this.buffer;
    const end = limit === Number.MAX_SAFE_INTEGER ? limit : limit + 1;
    let at = this.at;
    let taken = 0;
    for (; taken < data.length; taken += 1) {
      const byte = data[taken];
      if (NEEDS_ESCAPE[byte] === 1) {
        if (at + 2 > end) break;
        buffer[at] = ESCAPE;
        buffer[at + 1] = byte ^ 0x20;
        at += 2;
      } else {
        if (at + 1 > end) break;
        buffer[at] = byte;
        at += 1;
      }
    }
    this.at = at;
    return taken;
  }

  /** Closes the packet and returns the whole frame. */
  finish(): Buffer {
    this.reserve(3);
    const sum = this.checksum();
    this.buffer[this.at] = HASH;
    this.buffer[this.at + 1] = HIGH_DIGIT[sum];
    this.buffer[this.at + 2] = LOW_DIGIT[sum];
    return this.buffer.subarray(0, this.at + 3);
  }

  private reserve(more: number): void {
    // Three bytes are kept for the checksum.
    const needed = this.at + more + 3;
    if (needed <= this.buffer.length) return;
    let size = this.buffer.length;
    while (size < needed) size *= 2;
    const grown = Buffer.from(new ArrayBuffer(size));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
    this.words = new Uint32Array(grown.buffer);
  }

  /** Sums four bytes at a time: the even and the odd bytes in two 16-bit lanes each, folded before they can overflow. */
  private checksum(): number {
    const { buffer, words, at } = this;
    let sum = 0;
    const scalarEnd = Math.min(at, 4);
    for (let index = 1; index < scalarEnd; index += 1) sum += buffer[index];
    const lastWord = at >> 2;
    for (let word = 1; word < lastWord;) {
      const end = Math.min(lastWord, word + 64);
      let lanes = 0;
      for (; word < end; word += 1) {
        const value = words[word];
        lanes += (value & 0x00ff00ff) + ((value >>> 8) & 0x00ff00ff);
      }
      sum += (lanes & 0xffff) + (lanes >>> 16);
    }
    for (let index = Math.max(4, lastWord << 2); index < at; index += 1) sum += buffer[index];
    return sum & 0xff;
  }
}
