/** Bytes in chunks to lines of text. A line is decoded when it is whole, so no character is ever cut in two. Pure. */

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
    if (this.parts.length === 0) return last.toString('utf8');
    const whole = Buffer.concat([...this.parts, last]);
    this.parts = [];
    return whole.toString('utf8');
  }
}
