/**
 * Lays the editor's extension out in dist/vscode/, ready to be run from there or packed: the manifest, the bundle, the adapter and
 * the owner with the C shim, and koffi with its prebuilt part for this machine.
 */

import fs from 'node:fs';
import path from 'node:path';
import { dist, listFiles, root, writeWhole } from './lib.mjs';

export const staging = path.join(dist, 'vscode');
const source = path.join(root, 'extension');

/** koffi is loaded from beside savepoint.js; only what it needs at run time. */
const koffi = [
  { name: 'koffi', pattern: /^package\.json$|^LICENSE|\.c?js$/, not: /^(cnoke|doc|vendor)/ },
  { name: '@koromix/koffi-linux-x64', pattern: /\.(node|json|c?js)$/, not: /^musl/ },
];

/** Made by build.mjs. */
const built = [
  'adapter.js',
  'savepoint.js',
  'program.js',
  'control-server.js',
  'control-client.js',
  'savepoint.py',
  'bell.py',
  'dap.py',
  'elements.py',
  'points.py',
  'picture.py',
  'uncaught.py',
  'libsavepoint.so',
];

/** @returns {{ from: string, to: string }[]} */
export function extensionFiles() {
  const files = built.map((name) => ({ from: path.join(dist, name), to: `dist/${name}` }));
  files.push({ from: path.join(source, 'package.json'), to: 'package.json' });
  for (const name of ['README.md', 'CHANGELOG.md', '.vscodeignore']) {
    const file = path.join(source, name);
    if (fs.existsSync(file)) files.push({ from: file, to: name });
  }
  files.push({ from: path.join(root, 'LICENSE'), to: 'LICENSE' });
  if (!files.some(({ to }) => to === 'CHANGELOG.md')) files.push({ from: path.join(root, 'CHANGELOG.md'), to: 'CHANGELOG.md' });
  // The walkthrough's pictures are the documents'.
  for (const file of listFiles(path.join(root, 'docs'), /^vscode-.*\.png$/))
    files.push({ from: file, to: `media/${path.basename(file)}` });
  // What "Show Me How" opens.
  for (const file of listFiles(path.join(root, 'docs/help'), /\.md$/))
    files.push({ from: file, to: `help/${path.basename(file)}` });
  for (const folder of ['media']) {
    for (const file of listFiles(path.join(source, folder), /./)) files.push({ from: file, to: path.relative(source, file) });
  }
  for (const { name, pattern, not } of koffi) {
    const folder = path.join(root, 'node_modules', name);
    for (const file of listFiles(folder, /./)) {
      const inside = path.relative(folder, file);
      if (pattern.test(path.basename(file)) && !not.test(inside))
        files.push({ from: file, to: `dist/node_modules/${name}/${inside}` });
    }
  }
  return files;
}

/** Copies what differs; what is there too much goes. */
export function layOut() {
  const wanted = extensionFiles();
  const keep = new Set([...wanted.map(({ to }) => path.join(staging, to)), path.join(staging, 'dist/extension.js')]);
  for (const file of listFiles(staging, /./)) if (!keep.has(file) && !file.endsWith('.map')) fs.rmSync(file);
  for (const { from, to } of wanted) {
    const target = path.join(staging, to);
    const content = fs.readFileSync(from);
    if (!fs.existsSync(target) || !fs.readFileSync(target).equals(content)) writeWhole(target, content);
  }
}
