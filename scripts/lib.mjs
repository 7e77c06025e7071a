/**
 * What the scripts share: running a command, writing a file whole, and build steps that are skipped while nothing changed.
 *
 * It uses Node's built-in modules only, because setup.mjs needs it before anything is installed.
 * A step is fresh when its stamp holds the hash of all that goes in and the hash of the files that came out.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const dist = path.join(root, 'dist');

/** A failure whose message says all: whoever shows it, no stack is shown. */
export class Failure extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.stack = message;
  }
}

/** @param {string} url the import.meta.url of the asking script */
export function isMain(url) {
  return process.argv[1] !== undefined && pathToFileURL(fs.realpathSync(process.argv[1])).href === url;
}

/**
 * Runs a script's main function: a Failure becomes one message and exit code 1.
 * @param {() => Promise<number | void>} main resolves to the exit code
 */
export async function runMain(main) {
  ignoreClosedPipes();
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** A reader that went away (`npm test | head`) must not end the run: what it does not read is dropped. */
function ignoreClosedPipes() {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/**
 * Runs a command in the project's folder, without input.
 *
 * The command writes to pipes of ours, never straight to our own output, so that it never meets a closed pipe.
 * @param {string} command
 * @param {string[]} args
 * @param {{ show?: boolean, env?: NodeJS.ProcessEnv }} [options] show: pass the output on while it comes
 * @returns {Promise<{ code: number, output: string }>} code is 127 when it could not be started, 128 + n after signal n
 */
export function run(command, args, options = {}) {
  const colour = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...colour, ...options.env },
    });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout.on('data', (chunk) => (options.show ? process.stdout.write(chunk) : chunks.push(chunk)));
    child.stderr.on('data', (chunk) => (options.show ? process.stderr.write(chunk) : chunks.push(chunk)));
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}\n` }));
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString();
      if (signal) resolve({ code: 128, output: `${output}${command}: ended by ${signal}\n` });
      else resolve({ code: code ?? 1, output });
    });
  });
}

/**
 * Runs a command that has to succeed.
 * @param {string} command
 * @param {string[]} args
 * @param {{ show?: boolean, env?: NodeJS.ProcessEnv }} [options]
 */
export async function runOrFail(command, args, options = {}) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new Failure(`${output}\`${[command, ...args].join(' ')}\` failed with code ${code}`);
}

/**
 * The files below a folder of the project, as sorted absolute paths; none when the folder is missing.
 * @param {string} folder
 * @param {RegExp} pattern matched against the file's name
 * @returns {string[]}
 */
export function listFiles(folder, pattern) {
  /** @type {string[]} */
  const found = [];
  if (!fs.existsSync(folder)) return found;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...listFiles(file, pattern));
    else if (pattern.test(entry.name)) found.push(file);
  }
  return found.sort();
}

/** @param {string} file a name beside `file` that no other run of ours uses */
export function temporaryName(file) {
  return path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
}

/**
 * Writes a file so that others see the old one or the whole new one.
 * @param {string} file
 * @param {string | Uint8Array} content
 */
export function writeWhole(file, content) {
  const temporary = temporaryName(file);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, file);
}

/**
 * One hash over names and contents; a missing file counts as such.
 * @param {string[]} files
 * @param {string} [more] what else decides the result, e.g. flags
 */
export function hashFiles(files, more = '') {
  const hash = createHash('sha256').update(more);
  for (const file of files) {
    hash.update(`\0${path.relative(root, file)}\0`);
    hash.update(fs.existsSync(file) ? fs.readFileSync(file) : 'missing');
  }
  return hash.digest('hex');
}

/**
 * Does a build step unless its stamp says that inputs and outputs are the same as after it was last done.
 * @param {{ stamp: string, inputs: string[], more?: string, outputs: string[], act: () => void | Promise<void> }} step
 * @returns {Promise<boolean>} true when it was done, false when it was fresh
 */
export async function runStep({ stamp, inputs, more, outputs, act }) {
  const wanted = hashFiles(inputs, more);
  const past = fs.existsSync(stamp) ? fs.readFileSync(stamp, 'utf8') : '';
  if (past === `${wanted} ${hashFiles(outputs)}\n` && outputs.every((file) => fs.existsSync(file))) return false;
  await act();
  writeWhole(stamp, `${wanted} ${hashFiles(outputs)}\n`);
  return true;
}

/**
 * Compiles with the system's compiler into one output file, written whole.
 * @param {string} compiler may carry arguments, as in CC="ccache gcc"
 * @param {string[]} args without -o
 * @param {string} output
 */
export async function compile(compiler, args, output) {
  const [command, ...first] = compiler.split(/\s+/).filter(Boolean);
  const temporary = temporaryName(output);
  fs.mkdirSync(path.dirname(output), { recursive: true });
  try {
    await runOrFail(command, [...first, ...args, '-o', temporary]);
    fs.renameSync(temporary, output);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}
