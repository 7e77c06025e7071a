/**
 * The directory of `savepoint gdb`'s socket: only its user can enter it. Removed by who made it, and by the owner as well, because
 * that one may be killed.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { userError } from '../base/errors';

const PREFIX = 'savepoint-';
/** A socket's path has 107 bytes at most (unix(7)); this leaves room for the names below. */
const LONGEST_ROOT = 80;

/** Mode 0700, by mkdtemp(3). */
export function makePrivateDirectory(): string {
  const roots = [process.env['XDG_RUNTIME_DIR'], os.tmpdir(), '/tmp'].filter((root) => root !== undefined);
  for (const root of roots) {
    if (!root.startsWith('/') || Buffer.byteLength(root) > LONGEST_ROOT) continue;
    try {
      return fs.mkdtempSync(path.join(root, PREFIX));
    } catch {
      // Not there, or not ours to write in: the next one.
    }
  }
  throw userError('no-directory', `no private directory can be made (tried ${roots.join(', ')}); set TMPDIR`);
}

/** Nothing happens to a directory that was not made here. */
export function removePrivateDirectory(directory: string): void {
  if (path.basename(directory).startsWith(PREFIX)) fs.rmSync(directory, { recursive: true, force: true });
}
