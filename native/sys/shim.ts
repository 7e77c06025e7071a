/**
 * The one place that loads native code: our C shim, through koffi. Other files of sys/ declare the functions they need with `bind`.
 *
 * The shim is a flat C ABI (native/shim/shim.h). Functions return a non-negative result or -errno.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import koffi from 'koffi';
import { userError } from '../base/errors';

/** dist/ beside the bundle; from the sources (tests) two levels up. */
function findLibrary(): string {
  const candidates = [path.join(__dirname, 'libsavepoint.so'), path.join(__dirname, '..', '..', 'dist', 'libsavepoint.so')];
  const found = candidates.find((file) => fs.existsSync(file));
  if (found === undefined) throw userError('no-shim', 'dist/libsavepoint.so is missing: run `npm run build`');
  return found;
}

const library = koffi.load(findLibrary());

/**
 * Declares a C function, e.g. `bind<(fd: number) => number>('int sp_close(int fd)')`. 64-bit integers arrive as number when small
 * and bigint when not: wrap results in BigInt() where an address is meant.
 */
export function bind<F extends (...args: never[]) => unknown>(prototype: string): F {
  return library.func(prototype) as unknown as F;
}
