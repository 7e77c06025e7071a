/** What the tests in the workbench share: the packed extension, and where pictures go. */

import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

const root = path.join(__dirname, '../..');

/** For people to look at; not kept in the repository. */
export const pictures = path.join(root, 'dist/pictures');

/** A VSIX made for this test file. */
export function packed(folder: string): string {
  const file = path.join(folder, 'savepoint.vsix');
  execFileSync(process.execPath, [path.join(root, 'scripts/package.mjs'), file], { stdio: 'pipe' });
  return file;
}
