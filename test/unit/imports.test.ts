/**
 * Holds the project's own shape: imports go one way, no cycles, no long files, one door to native code.
 * The first test reads the real tree; the others show on small trees that each rule catches what it forbids.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkFiles, parseImports, type Files } from '../support/import-rules';

const root = path.join(__dirname, '../..');
const folders = ['native', 'adapter', 'extension', 'test', 'scripts'];
const notOurs = new Set(['node_modules', 'build', 'dist']);

function readTree(folder: string, into: Map<string, string>): Files {
  for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!notOurs.has(entry.name)) readTree(file, into);
    } else if (!entry.name.startsWith('.')) {
      into.set(file, fs.readFileSync(path.join(root, file), 'utf8'));
    }
  }
  return into;
}

/** The broken rules of a tree given as path and text, as "rule file". */
function broken(tree: Record<string, string>): string[] {
  return checkFiles(new Map(Object.entries(tree))).map(({ rule, file }) => `${rule} ${file}`);
}

/** Whether `from` may import `to`, by a value import. */
function allows(from: string, to: string): boolean {
  const specifier = path.posix.relative(path.posix.dirname(from), to).replace(/\.ts$/, '');
  const dotted = specifier.startsWith('.') ? specifier : `./${specifier}`;
  return broken({ [from]: `import { x } from '${dotted}';\n`, [to]: 'export const x = 1;\n' }).length === 0;
}

test('the project keeps its own rules', () => {
  const tree = new Map<string, string>();
  for (const folder of folders) readTree(folder, tree);
  expect(tree.size).toBeGreaterThan(10);
  expect(checkFiles(tree)).toEqual([]);
});

describe('directions', () => {
  test.each([
    ['native/base/log.ts', 'native/base/errors.ts'],
    ['native/arch/x86-64.ts', 'native/abi/structs.ts'],
    ['native/sys/ptrace.ts', 'native/base/errors.ts'],
    ['native/owner/inferior.ts', 'native/sys/ptrace.ts'],
    ['native/owner/inferior.ts', 'native/arch/arch.ts'],
    ['native/rsp/handlers/memory.ts', 'native/owner/ops.ts'],
    ['native/checkpoint/take.ts', 'native/sys/memory.ts'],
    ['native/control/server.ts', 'native/checkpoint/engine.ts'],
    ['native/cli/gdbserver.ts', 'native/rsp/server.ts'],
    ['native/cli/gdbserver.ts', 'native/compose.ts'],
    ['native/program.ts', 'native/compose.ts'],
    ['native/program.ts', 'native/cli/command.ts'],
    ['native/compose.ts', 'native/rsp/handlers/memory.ts'],
    ['adapter/session/stack.ts', 'adapter/dap/schema.ts'],
    ['adapter/session/stack.ts', 'adapter/gdb/client.ts'],
    ['adapter/session/state.ts', 'native/base/errors.ts'],
    ['extension/main.ts', 'extension/commands.ts'],
  ])('%s may import %s', (from, to) => expect(allows(from, to)).toBe(true));

  test.each([
    ['native/base/log.ts', 'native/abi/errno.ts'],
    ['native/abi/errno.ts', 'native/base/errors.ts'],
    ['native/arch/x86-64.ts', 'native/sys/ptrace.ts'],
    ['native/sys/ptrace.ts', 'native/arch/arch.ts'],
    ['native/sys/ptrace.ts', 'native/owner/inferior.ts'],
    ['native/owner/inferior.ts', 'native/rsp/server.ts'],
    ['native/owner/inferior.ts', 'native/checkpoint/take.ts'],
    ['native/rsp/server.ts', 'native/sys/ptrace.ts'],
    ['native/rsp/server.ts', 'native/checkpoint/take.ts'],
    ['native/checkpoint/take.ts', 'native/rsp/server.ts'],
    ['native/checkpoint/take.ts', 'native/control/schema.ts'],
    ['native/control/server.ts', 'native/rsp/server.ts'],
    ['native/control/server.ts', 'native/sys/ptrace.ts'],
    ['native/cli/gdbserver.ts', 'native/rsp/handlers/memory.ts'],
    ['native/cli/gdbserver.ts', 'adapter/main.ts'],
    ['native/owner/inferior.ts', 'native/compose.ts'],
    ['native/compose.ts', 'native/main.ts'],
    ['native/owner/inferior.ts', 'test/support/client.ts'],
    ['adapter/dap/connection.ts', 'adapter/gdb/client.ts'],
    ['adapter/gdb/client.ts', 'adapter/dap/connection.ts'],
    ['adapter/session/state.ts', 'native/owner/ops.ts'],
    ['extension/main.ts', 'adapter/main.ts'],
    ['extension/main.ts', 'native/base/errors.ts'],
  ])('%s may not import %s', (from, to) => expect(allows(from, to)).toBe(false));

  test('a type import is judged like any other', () => {
    expect(broken({ 'native/rsp/server.ts': `import type { Take } from '../checkpoint/take';` })).toEqual([
      'direction native/rsp/server.ts',
    ]);
  });

  test('the adapter and the extension take only types from the control schema', () => {
    expect(broken({ 'adapter/session/a.ts': `import type { Take } from '../../native/control/schema';` })).toEqual([]);
    expect(broken({ 'adapter/session/a.ts': `import { take } from '../../native/control/schema';` })).toEqual([
      'types only adapter/session/a.ts',
    ]);
    expect(broken({ 'extension/src/a.ts': `import { take } from '../../native/control/schema';` })).toEqual([
      'types only extension/src/a.ts',
    ]);
  });

  test('a folder without a layer is reported', () => {
    expect(broken({ 'native/helpers/a.ts': '' })).toEqual(['layer native/helpers/a.ts']);
  });
});

describe('parsing imports', () => {
  test('every form is found', () => {
    const text = [
      `import a from './a';`,
      `import * as b from "./b";`,
      `import {\n  c,\n  type C,\n} from './c';`,
      `import type { D } from './d';`,
      `import { type E, type F } from './e';`,
      `import './f';`,
      `export * from './g';`,
      `export type { H } from './h';`,
      `const i = require('./i');`,
      `const j = await import('./j');`,
    ].join('\n');
    const found = parseImports(text).map(({ specifier, typeOnly }) => specifier + (typeOnly ? ' type' : ''));
    expect(found.sort()).toEqual(['./a', './b', './c', './d type', './e type', './f', './g', './h type', './i', './j']);
  });

  test('comments and strings beside imports do not confuse it', () => {
    const text = [`// import { x } from './x';`, `/* require('./y') */`, `const url = 'http://host'; import z from './z';`].join(
      '\n',
    );
    expect(parseImports(text)).toEqual([{ specifier: './z', typeOnly: false }]);
  });

  test('an export without from does not reach into the next statement', () => {
    expect(parseImports(`export type A = number\nexport const b = 'from';\nimport { c } from './c';`)).toEqual([
      { specifier: './c', typeOnly: false },
    ]);
  });
});

describe('the other rules', () => {
  test('a cycle is found, also a long one', () => {
    expect(broken({ 'native/base/a.ts': `import './b';`, 'native/base/b.ts': `import './a';` })).toEqual([
      'cycle native/base/a.ts',
    ]);
    const long = { 'test/a.ts': `import './b';`, 'test/b.ts': `export * from './c';`, 'test/c.ts': `require('./a');` };
    expect(broken(long)).toEqual(['cycle test/a.ts']);
  });

  test('a cycle of types alone is allowed, for it is erased', () => {
    expect(broken({ 'native/base/a.ts': `import './b';`, 'native/base/b.ts': `import type { A } from './a';` })).toEqual([]);
  });

  test('koffi has one door', () => {
    const text = `import koffi from 'koffi';`;
    expect(broken({ 'native/sys/shim.ts': text })).toEqual([]);
    expect(broken({ 'native/sys/ptrace.ts': text, 'adapter/main.ts': `require('koffi')` })).toEqual([
      'koffi native/sys/ptrace.ts',
      'koffi adapter/main.ts',
    ]);
  });

  test('the shim library is named in native/sys only', () => {
    const text = `const library = 'libsavepoint.so';`;
    expect(broken({ 'native/sys/shim.ts': text, 'native/cli/doctor.ts': text })).toEqual(['libsavepoint native/cli/doctor.ts']);
  });

  test('a file has 500 lines at most', () => {
    expect(broken({ 'native/shim/a.c': '\n'.repeat(500) })).toEqual([]);
    expect(broken({ 'native/shim/a.c': '\n'.repeat(501) })).toEqual(['length native/shim/a.c']);
  });

  test('file names are kebab-case', () => {
    expect(broken({ 'native/abi/syscalls-x86-64.ts': '', 'test/unit/a-b.test.ts': '' })).toEqual([]);
    expect(broken({ 'native/base/pageStore.ts': '', 'test/fixtures/two_threads.c': '' })).toEqual([
      'name native/base/pageStore.ts',
      'name test/fixtures/two_threads.c',
    ]);
  });

  test('there are no default exports and no barrels', () => {
    const tree = { 'native/base/a.ts': 'export default 1;', 'native/base/b.ts': 'const b = 1; export { b as default };' };
    expect(broken(tree)).toEqual(['default export native/base/a.ts', 'default export native/base/b.ts']);
    expect(broken({ 'native/base/index.ts': '' })).toEqual(['barrel native/base/index.ts']);
  });
});
