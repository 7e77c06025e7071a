/**
 * Compiles every test/fixtures/NAME.c (or NAME.cc) into test/fixtures/build/NAME, when it, a header beside it or the flags changed.
 *
 * A first line `// cflags: -O0 -no-pie` adds flags. The output appears whole, so several test runs may build at once.
 * Runs before the tests, or by itself: `node test/support/build-fixtures.mjs`.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compile, Failure, isMain, listFiles, root, runMain, runStep } from '../../scripts/lib.mjs';

const folder = path.join(root, 'test/fixtures');
const output = path.join(folder, 'build');

/** @returns {Promise<string[]>} the names that were compiled */
export async function buildFixtures() {
  const sources = listSources();
  const headers = listFiles(folder, /\.h$/);
  /** @type {string[]} */
  const done = [];
  const next = sources.values();
  await Promise.all(
    Array.from({ length: os.availableParallelism() }, async () => {
      for (const source of next) {
        if (await buildFixture(source, headers)) done.push(path.parse(source).name);
      }
    }),
  );
  return done;
}

function listSources() {
  if (!fs.existsSync(folder)) return [];
  const files = fs.readdirSync(folder).filter((file) => /\.(c|cc)$/.test(file));
  const names = files.map((file) => path.parse(file).name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Failure(`fixtures: ${twice}.c and ${twice}.cc would have the same output`);
  return files.map((file) => path.join(folder, file));
}

/**
 * @param {string} source
 * @param {string[]} headers
 */
async function buildFixture(source, headers) {
  const { name, ext } = path.parse(source);
  const compiler = ext === '.c' ? process.env.CC || 'cc' : process.env.CXX || 'c++';
  const target = path.join(output, name);
  const flags = ['-g', '-O1', '-pthread'];
  return runStep({
    stamp: path.join(output, `.${name}.stamp`),
    inputs: [source, ...headers],
    more: [compiler, ...flags].join(' '),
    outputs: [target],
    // The source's own flags come last: they may override ours, and libraries must follow the file that needs them.
    act: () => compile(compiler, [...flags, source, ...readFlags(source)], target),
  });
}

/** @param {string} source */
function readFlags(source) {
  const [first] = fs.readFileSync(source, 'utf8').split('\n', 1);
  const flags = /^(?:\/\/|\/\*)\s*cflags:(.*?)(?:\*\/)?\s*$/.exec(first);
  return flags === null ? [] : flags[1].split(/\s+/).filter(Boolean);
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const done = await buildFixtures();
    console.log(done.length > 0 ? `fixtures: ${done.join(', ')} compiled` : 'fixtures: everything is up to date');
  });
}
