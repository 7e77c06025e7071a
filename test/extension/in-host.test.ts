/**
 * Runs test/extension/host/ in the extension host of a real VS Code server; each of its tests is one here.
 * SAVEPOINT_ONLY: a pattern of the names of those that are wanted.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildSync } from 'esbuild';
import type { Page } from 'playwright-core';
import { NOTES, Project, SUM, WAIT } from '../support/workbench-project';
import { WorkbenchServer } from '../support/workbench-server';
import { WindowDoor } from './window-door';
import { type HostResult, type Outcome, tests } from './host/harness';
import { COMMANDS } from './host/states-tests';
import './host/commands-tests';
import './host/starting-tests';
import './host/settings-tests';

// Here only the tests' names are read. They run where there is a `vscode`.
jest.mock('vscode', () => ({}), { virtual: true });

// Less than two minutes alone; others may be at work beside it.
jest.setTimeout(420_000);

const root = path.join(__dirname, '../..');
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'extension/package.json'), 'utf8')) as {
  contributes: { commands: { command: string; title: string }[] };
};
const commands = manifest.contributes.commands.map(({ command }) => command.replace('savepoint.', ''));

const server = new WorkbenchServer();
let page: Page | undefined;
const door = new WindowDoor(() => page!, {
  category: 'Savepoint',
  titles: manifest.contributes.commands
    .filter(({ command }) => COMMANDS[command.replace('savepoint.', '')] !== 'in a source')
    .map(({ title }) => title),
});

const only = process.env['SAVEPOINT_ONLY'];
let results: readonly HostResult[] = [];
let ran: readonly string[] = [];
let said: readonly string[] = [];

beforeAll(async () => {
  const outcome = path.join(server.directory, 'results.json');
  said = await runInHost(outcome);
  if (fs.existsSync(outcome)) ({ results, ran } = JSON.parse(fs.readFileSync(outcome, 'utf8')) as Outcome);
});

afterAll(async () => {
  await server.close();
  await door.close();
});

/** What was said in the window's console. */
async function runInHost(outcome: string): Promise<readonly string[]> {
  const extension = path.join(server.directory, 'extension');
  fs.cpSync(path.join(root, 'dist/vscode'), extension, { recursive: true });
  // Within the extension, so that both see one `vscode`, and the tests can sit at the user's place.
  const bundle = path.join(extension, 'dist/tests.js');
  buildSync({
    entryPoints: [path.join(__dirname, 'host/run.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
  });
  const project = new Project(path.join(server.directory, 'project'));
  project.program('sum.c', SUM);
  project.program('wait.c', WAIT);
  project.program('notes.c', NOTES);
  project.file('other.js', "console.log('other');\n");
  const socket = path.join(server.directory, 'window');
  await door.listen(socket);
  await server.start({
    direct: true,
    env: { SAVEPOINT_RESULTS: outcome, SAVEPOINT_PROJECT: project.folder, SAVEPOINT_WINDOW: socket },
  });
  const remote = (name: string): string => `vscode-remote://127.0.0.1:${server.port}${name}`;
  const payload = JSON.stringify([
    ['extensionDevelopmentPath', remote(extension)],
    ['extensionTestsPath', remote(bundle)],
  ]);
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const query = `folder=${encodeURIComponent(project.folder)}&payload=${encodeURIComponent(payload)}`;
    server
      .openWindow(query, async (opened) => {
        page = opened;
        await opened.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) =>
          lines.push(`${type} ${args.join(' ')}`),
        );
        await opened.exposeFunction('codeAutomationExit', () => resolve());
      })
      .catch(reject);
  });
  return lines;
}

test.each(tests.map(({ name }) => name).filter((name) => new RegExp(only ?? '').test(name)))('%s', (name) => {
  const result = results.find((one) => one.name === name);
  if (result === undefined) throw new Error(`it was not run\n${said.join('\n')}`);
  if (result.error !== undefined) throw new Error(result.error);
});

test('every command of package.json has its states and a test', () => {
  expect(Object.keys(COMMANDS).sort()).toEqual([...commands].sort());
  if (only === undefined) expect(commands.filter((name) => !ran.includes(name))).toEqual([]);
});

test('nothing is left of the sessions', () => server.untilNoStrays());
