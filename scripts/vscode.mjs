/**
 * `npm run vscode`: the real VS Code workbench in a browser, with the extension and a sample project, to try it by hand.
 *
 * It listens on loopback only, behind a password that is new each time; everything it writes is in one folder.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile, dist, Failure, root, run, runMain, writeWhole } from './lib.mjs';
import { packExtension } from './package.mjs';
import { findWorkbench, installWorkbench } from './workbench.mjs';

const help = `npm run vscode [-- --port N] [-- --no-open] [-- --keep-in DIR] [-- FOLDER]

  --port N       the port on 127.0.0.1 (default: a free one)
  --no-open      tell the address only; else it is opened with $BROWSER, or with xdg-open where there is a desktop
  --keep-in DIR  where all goes that it writes: settings, the sample project (default: dist/try)
  --sample       only make the sample project, and tell where it is
  FOLDER         open this folder instead of the sample project`;

const settings = {
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  // The sample stops at main, which alone does not bring the call stack and the Checkpoints view to light.
  'debug.openDebug': 'openOnSessionStart',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

/**
 * The program of the demo, with a launch.json.
 * @param {string} folder
 */
async function makeSample(folder) {
  const sample = path.join(folder, 'orders');
  const source = path.join(sample, 'orders.cpp');
  writeWhole(source, fs.readFileSync(path.join(root, 'examples/orders/orders.cpp')));
  const launch = {
    type: 'savepoint',
    request: 'launch',
    name: 'orders',
    program: '${workspaceFolder}/orders',
    stopAtEntry: true,
  };
  const file = path.join(sample, '.vscode/launch.json');
  if (!fs.existsSync(file)) writeWhole(file, `${JSON.stringify({ version: '0.2.0', configurations: [launch] }, null, 2)}\n`);
  await compile(process.env.CXX || 'c++', ['-g', '-O0', '-pthread', source], path.join(sample, 'orders'));
  return sample;
}

async function main() {
  const { values, positionals } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      port: { type: 'string', default: '0' },
      'no-open': { type: 'boolean', default: false },
      sample: { type: 'boolean', default: false },
      'keep-in': { type: 'string', default: path.join(dist, 'try') },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const folder = path.resolve(values['keep-in']);
  if (values.sample) {
    console.log(await makeSample(folder));
    return 0;
  }
  await installWorkbench();
  const opened = positionals[0] === undefined ? await makeSample(folder) : path.resolve(positionals[0]);
  const vsix = await packExtension(path.join(folder, 'savepoint.vsix'));
  const { node, codeServer } = findWorkbench();
  const places = ['--user-data-dir', path.join(folder, 'user'), '--extensions-dir', path.join(folder, 'extensions')];
  const user = path.join(folder, 'user/User/settings.json');
  if (!fs.existsSync(user)) writeWhole(user, `${JSON.stringify(settings, null, 2)}\n`);
  const env = environment(folder);
  const installed = await run(node, [codeServer, '--install-extension', vsix, '--force', ...places], { env });
  if (installed.code !== 0) throw new Failure(`${installed.output}vscode: the extension was not installed`);
  const browser = values['no-open'] ? undefined : browserCommand(process.env);
  return await serve(node, [codeServer, ...places], opened, values.port, env, browser);
}

/**
 * How an address is opened: $BROWSER as xdg-open(1) reads it (a list with colons; %s: the address), or the desktop's own way.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[] | undefined} undefined: there is nothing to open it with
 */
function browserCommand(env) {
  const wanted = env.BROWSER?.split(':').find(Boolean);
  if (wanted !== undefined) return wanted.split(/\s+/);
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ['xdg-open'] : undefined;
}

/**
 * It lives on by itself. What goes wrong is told, no more: the address stands in the terminal.
 * @param {string[]} browser
 * @param {string} address
 */
function openIn([command, ...args], address) {
  const place = args.findIndex((word) => word.includes('%s'));
  const words = place < 0 ? [...args, address] : args.map((word) => word.replace('%s', address));
  const child = spawn(command, words, { detached: true, stdio: 'ignore' });
  child.on('error', (error) => console.log(`It was not opened by itself (${error.message}).`));
  child.unref();
}

/**
 * @param {string} folder
 * @returns {NodeJS.ProcessEnv}
 */
function environment(folder) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (/^(VSCODE_|PORT$|PASSWORD$|HASHED_PASSWORD$)/.test(name)) delete env[name];
  for (const name of ['config', 'data', 'cache']) env[`XDG_${name.toUpperCase()}_HOME`] = path.join(folder, name);
  return { ...env, SHELL: env.SHELL || '/bin/bash' };
}

/**
 * @param {string} node
 * @param {string[]} words
 * @param {string} opened
 * @param {string} port
 * @param {NodeJS.ProcessEnv} env
 * @param {string[] | undefined} browser
 * @returns {Promise<number>}
 */
function serve(node, words, opened, port, env, browser) {
  const password = randomBytes(9).toString('base64url');
  const options = ['--bind-addr', `127.0.0.1:${port}`, '--auth', 'password', '--disable-telemetry', '--disable-update-check'];
  options.push('--disable-workspace-trust', '--disable-getting-started-override');
  return new Promise((resolve, reject) => {
    const child = spawn(node, [...words, ...options, opened], {
      env: { ...env, PASSWORD: password },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      const address = /HTTP server listening on (http:\/\/\S+)/.exec(text)?.[1];
      if (address === undefined) return;
      const full = `${address.replace(/\/$/, '')}/?folder=${encodeURIComponent(opened)}`;
      const how = browser === undefined ? 'Open this address in a browser' : 'It is being opened in your browser';
      console.log(`\n${how}:\n\n  ${full}\n  password: ${password}\n`);
      console.log('There press F5, and Checkpoint Here in the debug toolbar. ^C here ends it.');
      if (browser !== undefined) openIn(browser, full);
    });
    child.on('error', (error) => reject(new Failure(`vscode: ${error.message}`)));
    child.on('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 0));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGTERM'));
  });
}

await runMain(main);
