/**
 * Memory of the general thread's process.
 */

import { GONE, type Addr, type Pid } from '../../base/brands';
import type { Target } from '../../owner/ops';
import { COLON, COMMA, SEMICOLON, type Cursor } from '../cursor';
import { FAILED, OK, WRITTEN, generalPid, type Context, type Handler, type Reply } from '../context';
import { HEX_PAYLOAD, PACKET_SIZE } from '../client';

/** Bytes looked at together by qSearch and qCRC. */
const CHUNK = 1 << 20;

/** `m addr,length`: what is readable of it; an error when nothing is. */
export const readHex: Handler = (context, args) => {
  const addr = args.address();
  args.expect(COMMA);
  const length = Math.min(args.number(), HEX_PAYLOAD);
  const data = context.target.readMemory(generalPid(context), addr, length);
  if (data === GONE || (data.length === 0 && length > 0)) return FAILED;
  context.out.hexBytes(data);
  return WRITTEN;
};

/** `x addr,length` (gdb 16, feature binary-upload): `b` and raw bytes. */
export const readBinary: Handler = (context, args) => {
  const addr = args.address();
  args.expect(COMMA);
  const length = Math.min(args.number(), PACKET_SIZE);
  const data = context.target.readMemory(generalPid(context), addr, length);
  if (data === GONE || (data.length === 0 && length > 0)) return FAILED;
  context.out.text('b');
  context.out.binary(data, PACKET_SIZE);
  return WRITTEN;
};

function write(context: Context, args: Cursor, read: () => Buffer): Reply {
  const addr = args.address();
  args.expect(COMMA);
  const length = args.number();
  args.expect(COLON);
  const data = read();
  if (data.length !== length) return FAILED;
  // gdb probes for X with length 0.
  if (length === 0) return OK;
  return context.target.writeMemory(generalPid(context), addr, data) === true ? OK : FAILED;
}

export const writeHex: Handler = (context, args) => write(context, args, () => args.hexBytes());
export const writeBinary: Handler = (context, args) => write(context, args, () => args.rest());

function search(target: Target, pid: Pid, start: Addr, length: number, pattern: Buffer): Addr | 'none' | 'unreadable' {
  for (let done = 0; done + pattern.length <= length; done += CHUNK) {
    const wanted = Math.min(CHUNK + pattern.length - 1, length - done);
    const chunk = target.readMemory(pid, start + BigInt(done), wanted);
    if (chunk === GONE) return 'unreadable';
    const found = chunk.indexOf(pattern);
    if (found >= 0) return start + BigInt(done + found);
    if (chunk.length < wanted) return 'unreadable';
  }
  return 'none';
}

/** `qSearch:memory:addr;length;pattern`. */
export const searchMemory: Handler = (context, args) => {
  args.expect(COLON);
  if (args.until(COLON) !== 'memory') return '';
  const start = args.address();
  args.expect(SEMICOLON);
  const length = args.number();
  args.expect(SEMICOLON);
  const pattern = Buffer.from(args.rest());
  if (pattern.length === 0) return FAILED;
  const found = search(context.target, generalPid(context), start, length, pattern);
  if (found === 'unreadable') return FAILED;
  return found === 'none' ? '0' : `1,${found.toString(16)}`;
};

const CRC_TABLE = new Uint32Array(256);
for (let index = 0; index < 256; index += 1) {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  CRC_TABLE[index] = value >>> 0;
}

/** gdb's CRC-32 (libiberty xcrc32): polynomial 0x04c11db7, most significant bit first, not inverted at the end. */
export function updateCrc(crc: number, data: Buffer): number {
  let value = crc;
  for (let index = 0; index < data.length; index += 1) {
    value = (value << 8) ^ CRC_TABLE[((value >>> 24) ^ data[index]) & 0xff];
  }
  return value >>> 0;
}

/** `qCRC:addr,length` for compare-sections. */
export const checksumMemory: Handler = (context, args) => {
  args.expect(COLON);
  const start = args.address();
  args.expect(COMMA);
  const length = args.number();
  const pid = generalPid(context);
  let crc = 0xffffffff;
  for (let done = 0; done < length;) {
    const chunk = context.target.readMemory(pid, start + BigInt(done), Math.min(CHUNK, length - done));
    if (chunk === GONE || chunk.length === 0) return FAILED;
    crc = updateCrc(crc, chunk);
    done += chunk.length;
  }
  return `C${crc.toString(16)}`;
};
