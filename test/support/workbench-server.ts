/**
 * A real VS Code workbench for one test file: code-server with our VSIX installed, and Chromium, in folders of their own. Everything that
 * was started ends with close().
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core';

const root = path.join(__dirname, '../..');

/** Of scripts/workbench.mjs. */
interface Installed {
  readonly node: string;
  readonly codeServer: string;
  readonly vscodeServer: string;
  readonly ready: boolean;
  readonly chromium?: string;
}

function findInstalled(): Installed & { readonly chromium: string } {
  const text = execFileSync(process.execPath, [path.join(root, 'scripts/workbench.mjs'), '--json'], { encoding: 'utf8' });
  const found = JSON.parse(text) as Installed;
  const { chromium: browser } = found;
  if (!found.ready || browser === undefined) throw new Error('no workbench or no Chromium: run `npm run setup -- --test`');
  return { ...found, chromium: browser };
}

const BROWSER_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export function launchBrowser(executablePath = findInstalled().chromium): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: BROWSER_ARGS });
}

export const USER_SETTINGS: Readonly<Record<string, unknown>> = {
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'git.enabled': false,
  'debug.toolBarLocation': 'floating',
  'editor.minimap.enabled': false,
  'workbench.tips.enabled': false,
  'editor.stickyScroll.enabled': false,
  'window.commandCenter': false,
  'debug.allowBreakpointsEverywhere': true,
};

const READY_MS = 90_000;
const STRAYS_MS = 30_000;

export class WorkbenchServer {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-e2e-'));
  port = 0;
  private child: ChildProcess | undefined;
  private browser: Browser | undefined;
  private log = '';

  /** `vsix`: installed first. `direct`: the plain VS Code server, whose in-host test runner works. */
  async start(options: { vsix?: string; direct?: boolean; env?: NodeJS.ProcessEnv } = {}): Promise<void> {
    const installed = findInstalled();
    fs.mkdirSync(path.join(this.directory, 'ud/User'), { recursive: true });
    fs.mkdirSync(path.join(this.directory, 'tmp'), { recursive: true });
    fs.writeFileSync(path.join(this.directory, 'ud/User/settings.json'), JSON.stringify(USER_SETTINGS));
    const env = this.environment(options.env);
    const places = ['--user-data-dir', path.join(this.directory, 'ud'), '--extensions-dir', path.join(this.directory, 'ext')];
    if (options.vsix !== undefined)
      await this.runToEnd(installed.node, [installed.codeServer, '--install-extension', options.vsix, ...places], env);
    this.port = await freePort();
    const words =
      options.direct === true
        ? [
            installed.vscodeServer,
            '--host',
            '127.0.0.1',
            '--port',
            String(this.port),
            '--without-connection-token',
            '--accept-server-license-terms',
            '--server-data-dir',
            path.join(this.directory, 'sd'),
            '--enable-smoke-test-driver',
            ...places,
          ]
        : [
            installed.codeServer,
            '--bind-addr',
            `127.0.0.1:${this.port}`,
            '--auth',
            'none',
            '--disable-telemetry',
            '--disable-update-check',
            '--disable-workspace-trust',
            '--disable-getting-started-override',
            ...places,
          ];
    const child = spawn(installed.node, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    const [browser] = await Promise.all([
      launchBrowser(installed.chromium),
      this.untilReady(options.direct === true ? '/version' : '/healthz'),
    ]);
    this.browser = browser;
  }

  private environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = { ...process.env };
    for (const name of Object.keys(env)) if (/^(VSCODE_|JEST_|PORT$|PASSWORD$|NODE_OPTIONS$)/.test(name)) delete env[name];
    const inside = (name: string): string => path.join(this.directory, name);
    return {
      ...env,
      SHELL: env['SHELL'] ?? '/bin/bash',
      XDG_CONFIG_HOME: inside('config'),
      XDG_DATA_HOME: inside('data'),
      XDG_CACHE_HOME: inside('cache'),
      // Marks all that the workbench starts, so that what is left over can be found.
      SAVEPOINT_TEST_PLACE: this.directory,
      ...more,
    };
  }

  private async runToEnd(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${output}`);
  }

  /** A server that does not listen yet refuses at once; each attempt follows the end of the last one. */
  private async untilReady(where: string): Promise<void> {
    const end = Date.now() + READY_MS;
    while (!(await answers(this.port, where))) {
      if (this.child?.exitCode !== null) throw new Error(`the workbench's server has ended:\n${this.log}`);
      if (Date.now() > end) throw new Error(`the workbench's server does not answer:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** A window of its own: nothing is remembered from another one. */
  async openWindow(query: string, prepare: (page: Page) => Promise<void> = async () => {}): Promise<Page> {
    const context: BrowserContext = await this.browser!.newContext({ viewport: { width: 1400, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(45_000);
    await prepare(page);
    await page.goto(`http://127.0.0.1:${this.port}/?${query}`);
    return page;
  }

  /** Processes that came from this workbench and are no part of the server itself, as `pid command line`. */
  strays(pattern: RegExp): readonly string[] {
    const mark = `SAVEPOINT_TEST_PLACE=${this.directory}`;
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
          const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
          return environment.includes(mark) && pattern.test(line) ? [`${pid} ${line}`] : [];
        } catch {
          return [];
        }
      });
  }

  /** Adapters, gdbs, owners and programs end a moment after their session. */
  async untilNoStrays(): Promise<void> {
    const end = Date.now() + STRAYS_MS;
    const pattern = new RegExp(`savepoint\\.js|\\bgdb\\b|^\\d* *${this.directory}/[\\w-]+/[\\w-]+( |$)`);
    while (this.strays(pattern).length > 0) {
      if (Date.now() > end) throw new Error(`left over:\n${this.strays(pattern).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async close(): Promise<void> {
    await this.browser?.close();
    const { child } = this;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await gone;
      clearTimeout(timer);
    }
    if (process.env['SAVEPOINT_KEEP'] === undefined) fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function answers(port: number, where: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: where }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}

/** Free a moment ago: the server cannot tell a port of its own choice. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
