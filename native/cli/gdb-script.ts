/** Where gdb's side of Savepoint (savepoint.py) is: beside the bundle; when run from the sources, in native/gdb. */

import * as fs from 'node:fs';
import * as path from 'node:path';

export function findScript(): string | undefined {
  const candidates = [path.join(__dirname, 'savepoint.py'), path.join(__dirname, '..', 'gdb', 'savepoint.py')];
  return candidates.find((file) => fs.existsSync(file));
}
