/** `npm run vscode`, as somebody who tries it: the address in a browser, the password, the sample project, F5, and ^C. */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { MarkedProcesses } from '../support/marked-processes';
import { Workbench } from '../support/workbench-page';
import { launchBrowser } from '../support/workbench-server';
import { pictures } from '../support/workbench-setup';

jest.setTimeout(240_000);

const root = path.join(__dirname, '../..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-try-'));
const marked = new MarkedProcesses();

afterEach(() => marked.killAll());
afterAll(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

class Script {
  private readonly child: ChildProcess;
  said = '';
  readonly ended: Promise<number | null>;

  /** Words after `npm run vscode --`. A desktop of whoever runs the tests is not the script's. */
  constructor(words: readonly string[], env: NodeJS.ProcessEnv) {
    const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, BROWSER: _browser, ...rest } = process.env;
    this.child = spawn(process.execPath, [path.join(root, 'scripts/vscode.mjs'), '--keep-in', folder, ...words], {
      env: { ...rest, ...marked.environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.said);
      if (found !== null) return found;
      const more = new Promise((resolve) => this.child.stdout!.once('data', () => resolve('more')));
      if ((await Promise.race([more, this.ended])) !== 'more') throw new Error(`${pattern} was not said:\n${this.said}`);
    }
  }

  /** As a terminal does, and `kill`. */
  async end(signal: 'SIGINT' | 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return await this.ended;
  }
}

test('npm run vscode opens the address with $BROWSER; behind the password are the extension and a program to try it on', async () => {
  const seen = path.join(folder, 'opened');
  const opener = path.join(folder, 'opener');
  fs.writeFileSync(opener, `#!/bin/sh\necho "$1" >${seen}.new && mv ${seen}.new ${seen}\n`, { mode: 0o755 });
  const script = new Script([], { BROWSER: `${opener} %s:another` });
  const [, address] = await script.until(/^ +(http:\/\/127\.0\.0\.1:\d+\/\?folder=\S+)$/m);
  const [, password] = await script.until(/^ +password: (\S+)$/m);
  await script.until(/is being opened in your browser/);

  const browser = await launchBrowser();
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(45_000);
  const workbench = new Workbench(page, { folder: pictures, scenario: 'try' });
  try {
    await page.goto(address!);
    await workbench.picture('login');
    await page.locator('input[type=password]').fill(password!);
    await page.keyboard.press('Enter');
    await workbench.ready();
    await workbench.open('orders.cpp');
    await page.keyboard.press('F5');
    await workbench.callStack('main');
    await workbench.toolbar('Continue').waitFor();
    await workbench.press('Checkpoint Here');
    await workbench.row('you are here').waitFor();
    await workbench.picture('checkpoint');
  } finally {
    await workbench.close();
    await browser.close();
  }
  expect(fs.readFileSync(seen, 'utf8').trim()).toBe(address);
  expect(await script.end('SIGINT')).toBe(0);
  await marked.allEnded();
});

test('--no-open, with a folder of one’s own; a port that is taken is told; SIGTERM ends it', async () => {
  const own = path.join(folder, 'own');
  fs.mkdirSync(own);
  const script = new Script(['--no-open', own], { BROWSER: '/bin/false' });
  const [, address] = await script.until(/^ +(http:\/\/127\.0\.0\.1:\d+\/)\?folder=\S+own$/m);
  await script.until(/^Open this address in a browser:$/m);
  expect((await fetch(address!)).status).toBe(200);
  const port = new URL(address!).port;
  const second = new Script(['--no-open', '--port', port, own], {});
  expect(await second.ended).toBe(1);
  expect(second.said).toMatch(/EADDRINUSE/);
  expect(await script.end('SIGTERM')).toBe(0);
  await marked.allEnded();
});

test('--sample makes the project that .vscode/launch.json debugs the extension on, and nothing else', async () => {
  const tasks = JSON.parse(fs.readFileSync(path.join(root, '.vscode/tasks.json'), 'utf8')).tasks as readonly {
    label: string;
    args: readonly string[];
  }[];
  const { args } = tasks.find(({ label }) => label === 'sample project')!;
  const empty = fs.mkdtempSync(path.join(folder, 'sample-'));
  const script = new Script([...args.slice(1), '--keep-in', empty], {});
  expect(await script.ended).toBe(0);
  expect(script.said.trim()).toBe(path.join(empty, 'orders'));
  expect(fs.readdirSync(empty)).toEqual(['orders']);
  expect(fs.readdirSync(path.join(empty, 'orders')).sort()).toEqual(['.vscode', 'orders', 'orders.cpp']);
});
