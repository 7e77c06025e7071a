/**
 * Builds dist/: the C shim, the bundles of native/ and adapter/, and the Python files that gdb loads.
 *
 * Each step is skipped while its inputs are unchanged, and its output appears whole, so a build may run beside a running program
 * or another build. `npm run build` runs it; setup and the tests call build().
 */

import fs from 'node:fs';
import path from 'node:path';
import { layOut, staging } from './build-extension.mjs';
import { compile, dist, Failure, isMain, listFiles, root, runMain, runStep, writeWhole } from './lib.mjs';

/** The bundles of native/, in the order of their making: last what loads the others. */
const nativeParts = {
  // Of their own, with what only they need (WebSocket, JSON-RPC): loaded when a client of the control surface appears.
  'control-server.js': 'native/control/thread.ts',
  'control-client.js': 'native/cli/control-commands.ts',
  'program.js': 'native/program.ts',
  'savepoint.js': 'native/main.ts',
};

const cflags = ['-O2', '-g', '-fPIC', '-shared', '-Wall', '-Wextra', '-Werror', '-std=gnu11'];

/** What decides the result of every step: this script, and through the lockfile the bundler's version. */
const common = ['scripts/build.mjs', 'scripts/lib.mjs', 'package-lock.json'].map((file) => path.join(root, file));

/** @returns {Promise<string[]>} the steps that were done */
export async function build() {
  const done = [];
  const steps = { shim: buildShim, gdb: copyGdbFiles, bundle: buildBundle, adapter: buildAdapter, extension: buildExtension };
  for (const [name, step] of Object.entries(steps)) {
    if (await step()) done.push(name);
  }
  layOut();
  return done;
}

async function buildShim() {
  const folder = path.join(root, 'native/shim');
  const sources = listFiles(folder, /\.c$/);
  if (sources.length === 0) throw new Failure('build: native/shim/ holds no C file, so there is no shim to compile');
  const compiler = process.env.CC || 'cc';
  const output = path.join(dist, 'libsavepoint.so');
  return runStep({
    stamp: path.join(dist, '.shim.stamp'),
    inputs: [...common, ...listFiles(folder, /\.[ch]$/)],
    more: compiler,
    outputs: [output],
    act: () => compile(compiler, [...cflags, ...sources, '-lpthread'], output),
  });
}

async function copyGdbFiles() {
  const sources = listFiles(path.join(root, 'native/gdb'), /\.py$/);
  /** @param {string} file */
  const target = (file) => path.join(dist, path.basename(file));
  return runStep({
    stamp: path.join(dist, '.gdb.stamp'),
    inputs: [...common, ...sources],
    outputs: sources.map(target),
    act: () => sources.forEach((file) => writeWhole(target(file), fs.readFileSync(file))),
  });
}

async function buildBundle() {
  const parts = Object.entries(nativeParts).map(([name, file]) => ({
    entry: path.join(root, file),
    output: path.join(dist, name),
  }));
  return runStep({
    stamp: path.join(dist, '.bundle.stamp'),
    inputs: [...common, path.join(root, 'tsconfig.json'), ...listFiles(path.join(root, 'native'), /\.(ts|json)$/)],
    outputs: parts.flatMap((part) => [part.output, `${part.output}.map`]),
    act: async () => {
      for (const part of parts) await bundle(part.entry, part.output);
    },
  });
}

/** The debug adapter: `savepoint dap` loads it. */
async function buildAdapter() {
  const output = path.join(dist, 'adapter.js');
  const sources = ['adapter', 'native/base', 'native/control'].flatMap((folder) => listFiles(path.join(root, folder), /\.ts$/));
  return runStep({
    stamp: path.join(dist, '.adapter.stamp'),
    inputs: [...common, path.join(root, 'tsconfig.json'), ...sources],
    outputs: [output, `${output}.map`],
    act: () => bundle(path.join(root, 'adapter/main.ts'), output),
  });
}

/** The editor's extension, in a folder that is laid out as it is installed. */
async function buildExtension() {
  const output = path.join(staging, 'dist/extension.js');
  const sources = ['extension/src', 'native/control'].flatMap((folder) => listFiles(path.join(root, folder), /\.ts$/));
  return runStep({
    stamp: path.join(dist, '.extension.stamp'),
    inputs: [...common, path.join(root, 'tsconfig.json'), ...sources],
    outputs: [output, `${output}.map`],
    act: () => bundle(path.join(root, 'extension/src/main.ts'), output),
  });
}

/**
 * @param {string} entry
 * @param {string} output
 */
async function bundle(entry, output) {
  const esbuild = await loadEsbuild();
  const result = await esbuild
    .build({
      entryPoints: [entry],
      outfile: output,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      // ws takes the last two when they are installed, and does without.
      external: ['koffi', 'vscode', 'bufferutil', 'utf-8-validate'],
      sourcemap: 'linked',
      absWorkingDir: root,
      write: false,
    })
    .catch(() => {
      throw new Failure(`build: ${path.relative(root, entry)} was not bundled, for the reasons above`);
    });
  // The map first: the bundle that names it must not be there alone.
  for (const file of [...result.outputFiles].sort((a, b) => b.path.length - a.path.length)) writeWhole(file.path, file.contents);
}

async function loadEsbuild() {
  try {
    return await import('esbuild');
  } catch {
    throw new Failure('build: esbuild is not installed; run `npm run setup` first');
  }
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const done = await build();
    console.log(done.length > 0 ? `build: ${done.join(', ')} built` : 'build: everything is up to date');
  });
}
