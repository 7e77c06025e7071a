/**
 * The page store by itself, without ptrace: support/pages-stress.c changes a child's memory at random, takes and rolls back along random branches,
 * and compares every page with a plain copy that it made itself.
 */

import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { makeFolder, root } from '../support/debug-server';
import { baseSeed, scaled } from '../support/random';

const shim = ['store', 'table', 'scan', 'share', 'take', 'roll', 'look'].map((name) => path.join(root, `native/shim/${name}.c`));
const STEPS = 40;
const LIMIT_MS = 110_000;

let folder: ReturnType<typeof makeFolder>;
let program: string;

beforeAll(() => {
  folder = makeFolder();
  program = path.join(folder.path, 'pages-stress');
  const flags = ['-O1', '-g', '-std=gnu11', '-fsanitize=undefined', '-fno-sanitize-recover=undefined'];
  execFileSync('cc', [...flags, path.join(root, 'test/support/pages-stress.c'), ...shim, '-lpthread', '-o', program]);
});

afterAll(() => folder.remove());

for (const tier of ['uffd', 'compare']) {
  test.each([1, 2])(
    `a random life of an address space comes out the same (${tier}, part %i)`,
    (part) => {
      const seed = String(baseSeed * 10 + part);
      const output = execFileSync(program, ['run', seed, String(scaled(STEPS)), tier], { encoding: 'utf8', timeout: LIMIT_MS });
      expect(output).toMatch(/, 0 mismatches$/m);
    },
    LIMIT_MS,
  );
}
