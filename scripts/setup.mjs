/**
 * Makes a fresh Debian 12 machine with Node 20 able to build and run the project: Debian packages, node_modules, dist/.
 *
 * `npm run setup` checks what running needs; with --test also what the tests need. It may be run again at any time and does
 * nothing when all is there. It must use Node's built-in modules only: it is what installs the others.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Failure, isMain, root, run, runMain, runOrFail, writeWhole } from './lib.mjs';
import { findChromium, installWorkbench } from './workbench.mjs';

/**
 * The Debian packages. A package counts as present when its command or file is there, wherever that came from;
 * one with neither is asked of dpkg.
 * `workbench`: without it, the tests of the editor's extension are not run (and the run says so); for root it is installed.
 * @type {{ name: string, why: string, test?: true, workbench?: true, command?: string, file?: string }[]}
 */
const packages = [
  { name: 'gdb', why: 'the debugger that we serve', command: 'gdb' },
  { name: 'gcc', why: 'compiles the C shim', command: 'cc' },
  { name: 'libc6-dev', why: 'C headers for the shim', file: '/usr/include/stdio.h' },
  { name: 'g++', why: 'compiles C++ programs to debug', command: 'c++' },
  { name: 'gdbserver', why: 'what the tests and benchmarks compare with', command: 'gdbserver', test: true },
  { name: 'libc6-dbg', why: "lets gdb read glibc's thread structures in the tests", test: true },
  { name: 'python3', why: 'a real program that the tests checkpoint', command: 'python3', test: true },
  { name: 'sqlite3', why: 'a real program that the tests checkpoint', command: 'sqlite3', test: true },
  {
    name: 'openjdk-17-jdk-headless',
    why: 'builds and runs a real program that the tests checkpoint',
    command: 'javac',
    test: true,
  },
  {
    name: 'chromium',
    why: 'shows the editor in which the extension is tested',
    command: 'chromium',
    test: true,
    workbench: true,
  },
  {
    name: 'fonts-dejavu-core',
    why: 'letters for Chromium',
    file: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
    test: true,
    workbench: true,
  },
  { name: 'rustc', why: 'builds a program in Rust that the tests debug', command: 'rustc', test: true },
  {
    name: 'rust-gdb',
    why: 'lets gdb show the values of Rust programs in the tests',
    file: '/usr/lib/rustlib/etc/gdb_load_rust_pretty_printers.py',
    test: true,
  },
  { name: 'golang-go', why: 'builds a real program that the tests checkpoint', command: 'go', test: true },
];

const lockfile = path.join(root, 'package-lock.json');
const modules = path.join(root, 'node_modules');
const stamp = path.join(modules, '.savepoint-lock');

/** @param {{ test?: boolean }} [options] test: also what the tests need */
export async function setup({ test = false } = {}) {
  checkNode();
  await installPackages(test);
  await installModules();
  if (test && findChromium() !== undefined) await installWorkbench();
  const { build } = await import('./build.mjs');
  const steps = await build();
  for (const step of steps) console.log(`setup: built the ${step}`);
  if (steps.includes('bundle')) await runFirstSession();
}

/** What V8 compiles in it is kept (native/base/code-cache.ts): without it, the user's first restore takes three times as long. */
async function runFirstSession() {
  const commands = ['starti', 'checkpoint', 'stepi', 'restart 1', 'stepi', 'restart 1', 'kill'].flatMap((line) => ['-ex', line]);
  // Whatever may be wrong here: the user's own first command says it better.
  await run(path.join(root, 'bin/savepoint'), ['gdb', '-nx', '-q', '-batch', ...commands, '--args', '/bin/true']);
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Failure(`setup: Node 20 or later is needed, this is ${process.version}`);
}

/** @param {boolean} test */
async function installPackages(test) {
  const isRoot = process.getuid?.() === 0;
  const missing = packages.filter((entry) => (test || !entry.test) && (isRoot || !entry.workbench) && !isPresent(entry));
  if (missing.length === 0) return;
  for (const { name, why } of missing) console.log(`setup: ${name} is missing: ${why}`);
  const names = missing.map((entry) => entry.name);
  const install = ['install', '-y', '--no-install-recommends', ...names];
  if (!isInPath('apt-get')) throw new Failure(`setup: this system has no apt-get; install by its own means: ${names.join(' ')}`);
  if (!isRoot) throw new Failure(`setup: run this, then try again:\n\n  sudo apt-get ${install.join(' ')}\n`);
  const options = { show: true, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  await runOrFail('apt-get', ['update'], options);
  await runOrFail('apt-get', install, options);
}

/** @param {typeof packages[number]} entry */
function isPresent({ name, command, file }) {
  if (command !== undefined) return isInPath(command);
  if (file !== undefined) return fs.existsSync(file);
  const answer = spawnSync('dpkg-query', ['-W', '-f=${db:Status-Abbrev}\n', name], { encoding: 'utf8' });
  return answer.status === 0 && answer.stdout.startsWith('ii');
}

/** @param {string} command */
function isInPath(command) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && fs.existsSync(path.join(folder, command)));
}

async function installModules() {
  const wanted = createHash('sha256').update(fs.readFileSync(lockfile)).digest('hex');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8').trim() === wanted) return;
  if (!matchesLockfile()) {
    console.log('setup: installing node_modules');
    await installFromLockfile();
  }
  writeWhole(stamp, `${wanted}\n`);
}

/** The registry may fail for a moment; the second attempt decides. */
async function installFromLockfile() {
  const { code } = await run('npm', ['ci'], { show: true });
  if (code !== 0) await runOrFail('npm', ['ci'], { show: true });
}

/** Whether npm itself already installed what the lockfile says (`npm ci` or `npm install` by hand). */
function matchesLockfile() {
  const record = path.join(modules, '.package-lock.json');
  if (!fs.existsSync(record)) return false;
  /** @typedef {Record<string, { version?: string, optional?: boolean }>} Packages */
  /** @type {Packages} */
  const wanted = JSON.parse(fs.readFileSync(lockfile, 'utf8')).packages;
  /** @type {Packages} */
  const present = JSON.parse(fs.readFileSync(record, 'utf8')).packages;
  return Object.entries(wanted).every(([name, { version, optional }]) => {
    return name === '' || present[name]?.version === version || (optional === true && present[name] === undefined);
  });
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const test = process.argv.includes('--test');
    await setup({ test });
    console.log('setup: ready');
  });
}
