/** A pseudo terminal (native/shim/pty.c). */

import { kernelError } from '../base/errors';
import { errnoName } from '../abi/errno';
import { bind } from './shim';

const openRaw = bind<(name: Buffer, length: number) => number>('int sp_open_pty(void *name, int length)');

const NAME_LENGTH = 64;

export interface Pty {
  /** The side of the one who shows it. */
  readonly master: number;
  /** The program's side, as a path. */
  readonly name: string;
}

/** Bytes are handed on as they are, and nothing is echoed. */
export function openPty(): Pty {
  const name = Buffer.alloc(NAME_LENGTH);
  const master = openRaw(name, name.length);
  if (master < 0) throw kernelError('posix_openpt', -master, errnoName(-master));
  return { master, name: name.toString('latin1', 0, name.indexOf(0)) };
}
