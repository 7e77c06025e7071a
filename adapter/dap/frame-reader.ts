/**
 * The messages in a stream of bytes: `Content-Length: N`, an empty line, N bytes of JSON. Pure.
 *
 * What is broken is skipped up to the next header, wherever that begins. JSON cannot hold a header (a line break inside a text is written `\n`), so
 * one that stands inside a message shows at once that the message is cut: nobody waits for bytes that do not come. However the stream is cut
 * into chunks, the outcome is the same.
 */

export type Framed =
  | { readonly kind: 'message'; readonly value: unknown }
  /** Was skipped. `reason`: a clause. */
  | { readonly kind: 'broken'; readonly reason: string }
  /** Nothing more is read: where the next message begins cannot be known. */
  | { readonly kind: 'over'; readonly reason: string };

/** Of one message, in bytes. */
export const MOST_BYTES = 64 << 20;
const LONGEST_HEADER = 4096;
const HEADER_END = '\r\n\r\n';

/** A header from its beginning, as far as it has come. */
const HEADER_SO_FAR = /^(?:[\w-]+:[^\r\n]*\r\n)*(?:[\w-]*|[\w-]+:[^\r\n]*\r?|\r\n?)$/;
const OTHER_LINES = /^(?:(?!content-length:)[\w-]+:[^\r\n]*\r\n)*$/i;
const FROM_LENGTH = /^content-length:[ \t]*(\d+)[ \t]*(?:\r\n[\w-]+:[^\r\n]*)*$/i;

const NOISE = 'there are bytes that belong to no message';
const NO_LENGTH = 'a header has no valid Content-Length';
const CUT = 'the next message begins before its end';
const NO_JSON = 'it is no JSON';

interface Header {
  readonly length: number;
  /** Nothing stands before it. */
  readonly clean: boolean;
}

/** `text`: all that stands before the empty line. The header is at its end. */
function readHeader(text: string): Header | undefined {
  const near = text.slice(-LONGEST_HEADER);
  const at = near.toLowerCase().lastIndexOf('content-length:');
  const digits = at < 0 ? undefined : FROM_LENGTH.exec(near.slice(at))?.[1];
  if (digits === undefined) return undefined;
  return { length: Number(digits), clean: near.length === text.length && OTHER_LINES.test(near.slice(0, at)) };
}

export class FrameReader {
  private bytes: Buffer = Buffer.alloc(0);
  /** What has not been read yet is bytes[start..end). */
  private start = 0;
  private end = 0;
  /** Of the message whose header has been read. */
  private length: number | undefined;
  /** In the message, up to here, no header was found. */
  private searched = 0;
  /** After something broken, which has been told. */
  private skipping = false;
  private isOver = false;

  constructor(private readonly mostBytes: number = MOST_BYTES) {}

  read(chunk: Buffer): Framed[] {
    const found: Framed[] = [];
    if (this.isOver) return found;
    this.append(chunk);
    while (!this.isOver && (this.length === undefined ? this.readHeader(found) : this.readBody(this.length, found)));
    return found;
  }

  /** Grows by doubling: a long message comes in a thousand chunks. */
  private append(chunk: Buffer): void {
    const kept = this.end - this.start;
    if (kept === 0) {
      [this.bytes, this.start, this.end] = [chunk, 0, chunk.length];
      return;
    }
    if (this.end + chunk.length > this.bytes.length) {
      const grown = Buffer.allocUnsafe(2 * (kept + chunk.length));
      this.bytes.copy(grown, 0, this.start, this.end);
      this.searched -= this.start;
      [this.bytes, this.start, this.end] = [grown, 0, kept];
    }
    chunk.copy(this.bytes, this.end);
    this.end += chunk.length;
  }

  private find(from: number, before: number): number {
    return this.bytes.subarray(0, before).indexOf(HEADER_END, from, 'latin1');
  }

  private text(from: number, to: number): string {
    return this.bytes.toString('latin1', from, to);
  }

  /** Returns whether there may be more to read. */
  private readHeader(found: Framed[]): boolean {
    const at = this.find(this.start, this.end);
    const next = at < 0 ? this.end : at + HEADER_END.length;
    const isTooLong = next - this.start >= LONGEST_HEADER + (at < 0 ? 0 : 1);
    if (!this.skipping && (isTooLong || !HEADER_SO_FAR.test(this.text(this.start, next)))) this.skip(found, NOISE);
    if (at < 0) {
      if (isTooLong) this.start = this.end - LONGEST_HEADER;
      return false;
    }
    const header = readHeader(this.text(Math.max(this.start, at - LONGEST_HEADER - 1), at));
    this.start = next;
    if (header === undefined) this.skip(found, NO_LENGTH);
    else if (header.length > this.mostBytes) {
      this.isOver = true;
      found.push({
        kind: 'over',
        reason: `a message may have at most ${this.mostBytes} bytes, and this one has ${header.length}`,
      });
    } else {
      if (!header.clean) this.skip(found, NOISE);
      this.skipping = false;
      this.length = header.length;
      this.searched = next;
    }
    return true;
  }

  private readBody(length: number, found: Framed[]): boolean {
    const bodyEnd = this.start + length;
    const known = Math.min(bodyEnd, this.end);
    for (let at = this.find(this.searched, known); at >= 0; at = this.find(at + 1, known)) {
      if (readHeader(this.text(Math.max(this.start, at - LONGEST_HEADER), at)) !== undefined) return this.giveUp(found, CUT);
    }
    if (this.end < bodyEnd) {
      this.searched = Math.max(this.start, known - HEADER_END.length + 1);
      return false;
    }
    let value: unknown;
    try {
      value = JSON.parse(this.bytes.toString('utf8', this.start, bodyEnd));
    } catch {
      return this.giveUp(found, NO_JSON);
    }
    found.push({ kind: 'message', value });
    this.start = bodyEnd;
    this.length = undefined;
    return true;
  }

  /** The message is none: the next header may begin inside of what it claimed. */
  private giveUp(found: Framed[], reason: string): true {
    this.length = undefined;
    this.skip(found, reason);
    return true;
  }

  /** Told once for everything up to the next header. */
  private skip(found: Framed[], reason: string): void {
    if (!this.skipping) found.push({ kind: 'broken', reason });
    this.skipping = true;
  }
}
