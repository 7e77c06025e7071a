/**
 * Bytes in chunks to lines of text. A line is decoded when it is whole, so no character is ever cut in two; also not where gdb writes one half as
 * it is and the other as escapes. Pure.
 */

const NEWLINE = 10;

export class LineSplitter {
  private parts: Buffer[] = [];

  constructor(private readonly onLine: (line: string) => void) {}

  feed(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const last = chunk.subarray(start, end);
      start = end + 1;
      this.onLine(this.join(last));
    }
    if (start < chunk.length) this.parts.push(chunk.subarray(start));
  }

  private join(last: Buffer): string {
    if (this.parts.length === 0) return decode(last);
    const whole = Buffer.concat([...this.parts, last]);
    this.parts = [];
    return decode(whole);
  }
}

/** gdb escapes the bytes 0x80 to 0x9f, in the middle of characters as well (gdb/utils.c: print_it): then all are made escapes, which are put together. */
function decode(line: Buffer): string {
  const text = line.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  return line.toString('latin1').replace(/[\x80-\xff]/g, (byte) => `\\${byte.charCodeAt(0).toString(8)}`);
}
