/**
 * The jest projects: `unit` for pure files, the others against the real owner, gdb and compiled fixtures.
 * One of them: `npx jest --selectProjects rsp`, or by path: `npm test -- test/rsp`.
 */

/** @type {NonNullable<import('jest').Config['transform']>} */
const transform = {
  '\\.ts$': [
    '@swc/jest',
    {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
      sourceMaps: 'inline',
      swcrc: false,
    },
  ],
};

/** @param {string} name also the folder below test/ */
function project(name) {
  return {
    displayName: name,
    rootDir: __dirname,
    testEnvironment: 'node',
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
    testTimeout: 60_000,
    moduleFileExtensions: ['ts', 'mjs', 'cjs', 'js', 'json', 'node'],
    modulePathIgnorePatterns: [
      '<rootDir>/dist/',
      '<rootDir>/extension/package.json',
      '<rootDir>/scripts/workbench/',
      '<rootDir>/test/fixtures/build/',
    ],
    transform,
  };
}

/** A project whose tests need dist/ and the compiled fixtures. */
function builtProject(/** @type {string} */ name) {
  return { ...project(name), globalSetup: '<rootDir>/test/support/global-setup.mjs' };
}

/** They need a VS Code workbench and Chromium; scripts/test.mjs says so where these are missing. */
const inWorkbench = process.env.SAVEPOINT_WITHOUT_WORKBENCH ? [] : ['e2e', 'extension'];

/** What only a whole run can prove; scripts/test.mjs runs it at the end. */
const afterAll = process.env.SAVEPOINT_WHOLE_RUN ? ['traffic'] : [];

/** @type {import('jest').Config} */
module.exports = {
  testTimeout: 60_000,
  watchman: false,
  projects: [
    project('unit'),
    ...afterAll.map(project),
    ...['rsp', 'gdb', 'checkpoint', 'cli', 'control', 'dap', 'real', ...inWorkbench].map(builtProject),
  ],
};
