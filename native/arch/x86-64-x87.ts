/**
 * The x87 tag word. FXSAVE keeps one bit a register (empty or not); gdb wants FSAVE's two bits (valid, zero, special, empty), which
 * follow from the registers' contents (Intel SDM volume 1, 8.1.7 and 10.5.1.1). Pure.
 */

const VALID = 0;
const ZERO = 1;
const SPECIAL = 2;
const EMPTY = 3;

/** One bit a register, as FXSAVE has it. */
export function abridgeTags(tags: number): number {
  let abridged = 0;
  for (let i = 0; i < 8; i++) {
    if (((tags >> (2 * i)) & 3) !== EMPTY) abridged |= 1 << i;
  }
  return abridged;
}

/**
 * Two bits a register. Tags go by physical register, the saved contents by stack position: `status` has the top.
 * `st(i)` gives the ten bytes of ST(i).
 */
export function expandTags(abridged: number, status: number, st: (i: number) => Buffer): number {
  const top = (status >> 11) & 7;
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    const tag = (abridged & (1 << i)) === 0 ? EMPTY : classify(st((i + 8 - top) % 8));
    tags |= tag << (2 * i);
  }
  return tags;
}

function classify(value: Buffer): number {
  const exponent = value.readUInt16LE(8) & 0x7fff;
  const mantissa = value.readBigUInt64LE(0);
  if (exponent === 0x7fff) return SPECIAL;
  if (exponent === 0) return mantissa === 0n ? ZERO : SPECIAL;
  // An "unnormal": no integer bit though the exponent says that there is one.
  return mantissa >> 63n === 1n ? VALID : SPECIAL;
}
