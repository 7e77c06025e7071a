/**
 * Hexadecimal, both ways, for the wire: tables and the two conversions that every packet needs.
 *
 * Small data goes through a loop over prebuilt tables, big data through Node's native codec (the loop wins below about
 * a hundred bytes because it makes no string).
 */

/** Above this many bytes the native codec is the faster one. */
const NATIVE_FROM = 96;
/** Bytes made into one string: a long one is memory fresh from the kernel each time, a page fault for each of its pages. */
const NATIVE_PIECE = 8192;

const DIGITS = '0123456789abcdef';

/** The value of a hex digit's character code, or -1. */
export const NIBBLE = new Int8Array(256).fill(-1);
/** Character codes of a byte's two digits. */
export const HIGH_DIGIT = new Uint8Array(256);
export const LOW_DIGIT = new Uint8Array(256);

for (let value = 0; value < 16; value += 1) {
  NIBBLE[DIGITS.charCodeAt(value)] = value;
  NIBBLE[DIGITS.toUpperCase().charCodeAt(value)] = value;
}
for (let byte = 0; byte < 256; byte += 1) {
  HIGH_DIGIT[byte] = DIGITS.charCodeAt(byte >> 4);
  LOW_DIGIT[byte] = DIGITS.charCodeAt(byte & 15);
}

/** Writes the digits of `data` into `out` at `at`; there must be room for twice its length. */
export function writeHex(out: Buffer, at: number, data: Buffer): void {
  const length = data.length;
  if (length > NATIVE_FROM) {
    for (let from = 0; from < length; from += NATIVE_PIECE)
      out.write(data.toString('hex', from, from + NATIVE_PIECE), at + 2 * from, 'latin1');
    return;
  }
  for (let index = 0, to = at; index < length; index += 1, to += 2) {
    const byte = data[index];
    out[to] = HIGH_DIGIT[byte];
    out[to + 1] = LOW_DIGIT[byte];
  }
}

/** The bytes that the digits in [start, end) stand for; undefined when they are not an even number of hex digits. */
export function decodeHex(digits: Buffer, start = 0, end = digits.length): Buffer | undefined {
  const length = end - start;
  if (length % 2 !== 0) return undefined;
  if (length > 2 * NATIVE_FROM) {
    // Buffer.from stops silently at the first character that is no digit.
    const decoded = Buffer.from(digits.toString('latin1', start, end), 'hex');
    return decoded.length * 2 === length ? decoded : undefined;
  }
  const decoded = Buffer.allocUnsafe(length / 2);
  for (let from = start, to = 0; from < end; from += 2, to += 1) {
    const byte = (NIBBLE[digits[from]] << 4) | NIBBLE[digits[from + 1]];
    if (byte < 0) return undefined;
    decoded[to] = byte;
  }
  return decoded;
}

/** UTF-8 text as digits. */
export function encodeHexText(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}
