/** `npm run package`: builds all and packs the editor's extension into dist/savepoint.vsix (or the file that is named). */

import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { staging } from './build-extension.mjs';
import { dist, Failure, isMain, runMain } from './lib.mjs';

/**
 * @param {string} [file]
 * @returns {Promise<string>} the file
 */
export async function packExtension(file = path.join(dist, 'savepoint.vsix')) {
  await build();
  const { createVSIX } = await import('@vscode/vsce');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  try {
    // What is needed is bundled or laid out already. Only x86-64 Linux with glibc is served.
    await createVSIX({ cwd: staging, packagePath: file, dependencies: false, target: 'linux-x64' });
  } catch (error) {
    throw new Failure(`package: ${error instanceof Error ? error.message : String(error)}`);
  }
  return file;
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const file = await packExtension(process.argv[2] === undefined ? undefined : path.resolve(process.argv[2]));
    console.log(`package: ${path.relative(process.cwd(), file)}, ${(fs.statSync(file).size / 2 ** 20).toFixed(1)} MiB`);
  });
}
