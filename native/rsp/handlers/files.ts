/**
 * vFile: files of this machine for gdb (gdb manual, "Host I/O Packets"). Errors are `F-1,errno`, not E01.
 */

import * as fs from 'node:fs';
import { COLON, COMMA, type Cursor } from '../cursor';
import { PACKET_SIZE } from '../client';
import { WRITTEN, type Context, type Handler, type Reply } from '../context';
import { encodeStatus, fileError, hostOpenFlags } from '../file-io';

type Operation = (context: Context, args: Cursor) => Reply;

/** Room for `F`, the count and `;`. */
const HEADER = 16;

function answerNumber(value: number): string {
  return `F${value.toString(16)}`;
}

/** `F count;data`: when escapes make the data too long, less of it. */
function answerData(context: Context, data: Buffer): Reply {
  let fitting = data;
  if (2 * data.length > PACKET_SIZE - HEADER) {
    // Measured in a first pass: the count stands before the data.
    fitting = data.subarray(0, context.out.binary(data, PACKET_SIZE - HEADER));
    context.out.begin();
  }
  context.out.text(`${answerNumber(fitting.length)};`);
  context.out.binary(fitting);
  return WRITTEN;
}

/** A descriptor that gdb opened, or undefined. */
function descriptor(context: Context, args: Cursor): number | undefined {
  const fd = args.number();
  return context.files.has(fd) ? fd : undefined;
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  setfs: (context, args) => {
    context.files.setRoot(args.number());
    return 'F0';
  },
  open: (context, args) => {
    const name = args.hexText(COMMA);
    const flags = hostOpenFlags(args.number());
    args.expect(COMMA);
    const mode = args.number();
    return flags === undefined ? fileError('EINVAL') : answerNumber(context.files.openFile(name, flags, mode & 0o777));
  },
  pread: (context, args) => {
    const fd = descriptor(context, args);
    args.expect(COMMA);
    const count = Math.min(args.number(), PACKET_SIZE - HEADER);
    args.expect(COMMA);
    const offset = args.number();
    if (fd === undefined) return fileError('EBADF');
    const data = Buffer.allocUnsafe(count);
    return answerData(context, data.subarray(0, fs.readSync(fd, data, 0, count, offset)));
  },
  pwrite: (context, args) => {
    const fd = descriptor(context, args);
    args.expect(COMMA);
    const offset = args.number();
    args.expect(COMMA);
    const data = args.rest();
    return fd === undefined ? fileError('EBADF') : answerNumber(fs.writeSync(fd, data, 0, data.length, offset));
  },
  close: (context, args) => {
    const fd = descriptor(context, args);
    if (fd === undefined) return fileError('EBADF');
    context.files.close(fd);
    return 'F0';
  },
  fstat: (context, args) => {
    const fd = descriptor(context, args);
    return fd === undefined ? fileError('EBADF') : answerData(context, encodeStatus(fs.fstatSync(fd)));
  },
  stat: (context, args) => answerData(context, encodeStatus(fs.statSync(context.files.path(args.hexText())))),
  lstat: (context, args) => answerData(context, encodeStatus(fs.lstatSync(context.files.path(args.hexText())))),
  readlink: (context, args) => answerData(context, fs.readlinkSync(context.files.path(args.hexText()), 'buffer')),
  unlink: (context, args) => {
    fs.unlinkSync(context.files.path(args.hexText()));
    return 'F0';
  },
};

/** The code of a failed call of node:fs (ENOENT …). */
function errorCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** `vFile:operation:parameters`. */
export const fileOperation: Handler = (context, args) => {
  args.expect(COLON);
  const name = args.until(COLON);
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation === undefined) return '';
  try {
    return operation(context, args);
  } catch (error) {
    // The kernel's refusals are the protocol's answers; anything else is for the session.
    const code = errorCode(error);
    if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
    context.out.begin();
    return fileError(code);
  }
};
