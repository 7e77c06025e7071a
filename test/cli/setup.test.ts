/** What `npm run setup` (and so `npm run demo` and `npm test`) says to who may not install packages, and that it is quick when all is there. */

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { root } from '../support/cli-session';
import { ORDINARY_UID } from '../support/owner-process';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-test-'));
  fs.chmodSync(folder, 0o755);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** As an ordinary user, who finds these programs and no others. */
function setUp(...programs: readonly string[]): { code: number | null; output: string } {
  for (const name of programs) fs.symlinkSync('/bin/true', path.join(folder, name));
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts/setup.mjs')], {
    encoding: 'utf8',
    env: { PATH: folder, HOME: folder },
    ...(process.getuid!() === 0 ? { uid: ORDINARY_UID, gid: ORDINARY_UID } : {}),
  });
  return { code: status, output: stdout + stderr };
}

test('the exact command is printed, and nothing is done', () => {
  const { code, output } = setUp('apt-get', 'cc', 'c++');
  expect(output).toMatch(/^setup: gdb is missing: the debugger that we serve$/m);
  expect(output).not.toMatch(/gcc is missing/);
  expect(output).toMatch(/^ {2}sudo apt-get install -y --no-install-recommends gdb$/m);
  expect(code).toBe(1);
});

test('without apt-get the packages are named', () => {
  const { code, output } = setUp('gdb');
  expect(output).toMatch(/has no apt-get; install by its own means: gcc g\+\+/);
  expect(code).toBe(1);
});
