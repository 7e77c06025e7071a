/**
 * Real programs and runtimes, none of them made for this: checkpoints at arbitrary moments, restores in random order, also after the
 * end, and the result is the one that they compute without us.
 */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeFolder } from '../support/debug-server';
import { proveRestores, type RealProgram } from '../support/real-program';
import { withSeed } from '../support/random';

const programs = path.join(__dirname, 'programs');
const LIMIT = 120_000;

/** Where a tool is; the distribution's own before others that may be wrappers. The set-up of the tests installs them all. */
function findTool(name: string): string {
  const folders = ['/usr/bin', '/usr/local/bin', ...(process.env['PATH'] ?? '').split(':')];
  const found = folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
  if (found === undefined) throw new Error(`${name} is not installed: node scripts/setup.mjs --test`);
  return found;
}

function proof(
  title: string,
  tools: readonly string[],
  seed: number,
  prepare: (folder: string, ...tools: string[]) => RealProgram,
): void {
  test(
    `${title}: right after checkpoints and restores`,
    () =>
      withSeed(seed, async (random) => {
        const folder = makeFolder();
        try {
          await proveRestores(prepare(folder.path, ...tools.map(findTool)), random);
        } finally {
          folder.remove();
        }
      }),
    LIMIT,
  );
}

proof('python: eight threads and two queues', ['python3'], 1, (_, python3) => ({
  program: python3,
  args: [path.join(programs, 'shared-queue.py'), '20000'],
  env: { PYTHONDONTWRITEBYTECODE: '1' },
}));

proof('sqlite: a database built in memory', ['sqlite3'], 2, (_, sqlite3) => ({
  program: sqlite3,
  args: [':memory:', `.read ${path.join(programs, 'database.sql')}`],
}));

proof('go: goroutines, channels and the garbage collector', ['go'], 3, (folder, go) => {
  const output = path.join(folder, 'goroutines');
  const env = { ...process.env, GOCACHE: path.join(folder, 'cache'), GO111MODULE: 'off', GOFLAGS: '' };
  execFileSync(go, ['build', '-o', output, path.join(programs, 'goroutines.go')], { env });
  return { program: output, args: ['100000'] };
});

proof('node: four worker threads', ['node'], 4, (_, node) => ({
  program: node,
  args: [path.join(programs, 'workers.mjs'), '12000'],
  env: { NODE_OPTIONS: '' },
}));

proof('java: a pool of six threads', ['javac', 'java'], 5, (folder, javac, java) => {
  execFileSync(javac, ['-d', folder, path.join(programs, 'Pool.java')]);
  return { program: java, args: ['-cp', folder, '-Xmx256m', 'Pool', '40000'] };
});
