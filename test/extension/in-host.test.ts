/** Runs test/extension/host/ in the extension host of a real VS Code server; each of its tests is one here. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildSync } from 'esbuild';
import { Project, SUM, lineIn } from '../support/workbench-project';
import { WorkbenchServer } from '../support/workbench-server';
import type { HostResult } from './host/harness';

jest.setTimeout(400_000);

const root = path.join(__dirname, '../..');
const server = new WorkbenchServer();
afterAll(() => server.close());

test('every command and state, in the extension host', async () => {
  execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'pipe' });
  const extension = path.join(server.directory, 'extension');
  fs.cpSync(path.join(root, 'dist/vscode'), extension, { recursive: true });
  // Within the extension, so that both see one `vscode`, and the tests can sit at the user's place.
  const tests = path.join(extension, 'dist/tests.js');
  buildSync({
    entryPoints: [path.join(__dirname, 'host/run.ts')],
    outfile: tests,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
  });
  const project = new Project(path.join(server.directory, 'project'));
  project.program('sum.c', SUM);
  const file = path.join(server.directory, 'results.json');
  await server.start({
    direct: true,
    env: {
      SAVEPOINT_RESULTS: file,
      SAVEPOINT_PROJECT: project.folder,
      SAVEPOINT_SUM_LINE: String(lineIn(SUM, 'sum')),
      SAVEPOINT_PRINT_LINE: String(lineIn(SUM, 'print')),
    },
  });
  const remote = (name: string): string => `vscode-remote://127.0.0.1:${server.port}${name}`;
  const payload = JSON.stringify([
    ['extensionDevelopmentPath', remote(extension)],
    ['extensionTestsPath', remote(tests)],
  ]);
  const said: string[] = [];
  const code = await new Promise<number>((resolve, reject) => {
    const query = `folder=${encodeURIComponent(project.folder)}&payload=${encodeURIComponent(payload)}`;
    server
      .openWindow(query, async (page) => {
        await page.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) => said.push(`${type} ${args.join(' ')}`));
        await page.exposeFunction('codeAutomationExit', (status: number) => resolve(status));
      })
      .catch(reject);
  });
  const { results, done } = JSON.parse(fs.readFileSync(file, 'utf8')) as { results: readonly HostResult[]; done: boolean };
  const failures = results.filter(({ error }) => error !== undefined).map(({ name, error }) => `${name}: ${error}`);
  expect(failures).toEqual([]);
  expect({ code, done, some: results.length > 10, said: code === 0 ? [] : said }).toEqual({
    code: 0,
    done: true,
    some: true,
    said: [],
  });
  await server.untilNoStrays();
});
