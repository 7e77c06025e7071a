/**
 * `npm test`: sets up, checks types, lint and format, runs jest, and ends with one line `N passed, N failed, N skipped`.
 *
 * Set-up failing, typecheck, lint and format each count as one test. Arguments go to jest (`npm test -- test/rsp`); with
 * arguments only jest runs. The exit code is 1 when anything failed or when no test ran.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Failure, root, run, runMain } from './lib.mjs';
import { setup } from './setup.mjs';
import { findChromium, findWorkbench } from './workbench.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

const checks = [
  { name: 'typecheck', command: 'tsc', args: ['-p', '.', '--noEmit'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware'] },
  { name: 'format', command: 'prettier', args: ['--check', '.'] },
];

/**
 * @param {string[]} jestArgs
 * @returns {Promise<number>}
 */
async function main(jestArgs) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  let ran = false;
  if (await trySetup()) {
    if (!haveWorkbench()) {
      if (process.env.CI) count.failed += 1;
      process.env.SAVEPOINT_WITHOUT_WORKBENCH = '1';
    }
    if (jestArgs.length === 0) add(count, await runChecks());
    const tests = await runJest(jestArgs);
    ran = tests.passed + tests.failed > 0;
    add(count, tests);
    if (!ran) console.log('\nno test ran');
  } else {
    count.failed += 1;
  }
  console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  return ran && count.failed === 0 ? 0 : 1;
}

async function trySetup() {
  try {
    await setup({ test: true });
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.log(error.message);
    return false;
  }
}

/** Whether the tests in the editor can be run; when not, nobody overlooks it. */
function haveWorkbench() {
  if (findChromium() !== undefined && findWorkbench().ready) return true;
  const line = '*'.repeat(78);
  const what = process.env.CI ? 'which counts as a failure here (CI is set)' : 'which is no failure unless CI is set';
  console.log(`\n${line}\n* THE EXTENSION IS NOT TESTED: Chromium or the workbench is missing,\n* ${what}.`);
  console.log(`* As root: npm run setup -- --test; else: sudo apt-get install chromium\n${line}\n`);
  return false;
}

/** @returns {Promise<Count>} */
async function runChecks() {
  const results = await Promise.all(checks.map(({ command, args }) => run(binary(command), args)));
  let failed = 0;
  for (const [i, { code, output }] of results.entries()) {
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${checks[i].name}`);
    if (code === 0) continue;
    failed += 1;
    console.log(output);
  }
  return { passed: checks.length - failed, failed, skipped: 0 };
}

/** So many files may have failed for want of time, on a machine that was busy with others; more are not chance. */
const SECOND_CHANCES = 4;

/**
 * Runs the tests. Files that failed run once more, alone: what passes then is named as unsteady, and counts as passed.
 * @param {string[]} args
 * @returns {Promise<Count>}
 */
async function runJest(args) {
  const first = await runFirst(args);
  const failed = first.files.filter((file) => file.count.failed > 0);
  if (failed.length === 0 || failed.length > SECOND_CHANCES || first.broken) return sum(first);
  console.log(`\nagain, alone: ${failed.map((file) => path.relative(root, file.name)).join(', ')}`);
  const second = await runOnce(['--runInBand', '--runTestsByPath', ...failed.map((file) => file.name)]);
  const steady = first.files.filter((file) => file.count.failed === 0);
  for (const { name, count } of second.files) {
    if (count.failed === 0) console.log(`*** UNSTEADY: ${path.relative(root, name)} failed beside others and passed alone ***`);
  }
  return sum({ files: [...steady, ...second.files], broken: second.broken });
}

/**
 * The tests in the extension's host follow when the others are through: two minutes alone, beside others many times that, for the editor
 * and the browser want both CPUs. At the end, what the whole run has proved.
 * @param {string[]} args
 * @returns {Promise<Report>}
 */
async function runFirst(args) {
  if (args.length > 0) return runOnce(['--maxWorkers=2', ...args]);
  process.env.SAVEPOINT_WHOLE_RUN = '1';
  fs.rmSync(path.join(root, 'dist/dap-traffic'), { recursive: true, force: true });
  const alone = process.env.SAVEPOINT_WITHOUT_WORKBENCH ? ['traffic'] : ['extension', 'traffic'];
  const reports = [await runOnce(['--maxWorkers=2', '--ignoreProjects', ...alone])];
  for (const project of alone) reports.push(await runOnce(['--runInBand', '--selectProjects', project]));
  return { files: reports.flatMap(({ files }) => files), broken: reports.some(({ broken }) => broken) };
}

/** @typedef {{ files: { name: string, count: Count }[], broken: boolean }} Report `broken`: jest failed without naming a test */

/**
 * @param {string[]} args
 * @returns {Promise<Report>}
 */
async function runOnce(args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-test-'));
  try {
    const report = path.join(folder, 'report.json');
    const { code } = await run(binary('jest'), ['--json', `--outputFile=${report}`, ...args], { show: true });
    return readReport(report, code);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A test file that could not be run counts as one failed test.
 * @param {string} report
 * @param {number} code jest's exit code
 * @returns {Report}
 */
function readReport(report, code) {
  if (!fs.existsSync(report)) return { files: [], broken: true };
  /** @type {{ testResults: { name: string, status: string, assertionResults: { status: string }[] }[] }} */
  const json = JSON.parse(fs.readFileSync(report, 'utf8'));
  const files = json.testResults.map(({ name, status, assertionResults }) => {
    /** @param {string} wanted */
    const having = (wanted) => assertionResults.filter((result) => result.status === wanted).length;
    const passed = having('passed');
    const failed = having('failed');
    const unnamed = status === 'failed' && failed === 0 ? 1 : 0;
    return { name, count: { passed, failed: failed + unnamed, skipped: assertionResults.length - passed - failed } };
  });
  return { files, broken: code !== 0 && files.every((file) => file.count.failed === 0) };
}

/**
 * @param {Report} report
 * @returns {Count}
 */
function sum(report) {
  const total = { passed: 0, failed: report.broken ? 1 : 0, skipped: 0 };
  for (const { count } of report.files) add(total, count);
  return total;
}

/**
 * @param {Count} total
 * @param {Count} more
 */
function add(total, more) {
  total.passed += more.passed;
  total.failed += more.failed;
  total.skipped += more.skipped;
}

/** @param {string} name a command that node_modules provides */
function binary(name) {
  return path.join(root, 'node_modules/.bin', name);
}

await runMain(() => main(process.argv.slice(2)));
