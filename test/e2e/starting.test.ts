/** The ways to a session: F5 with and without launch.json, a new launch.json, snippets, the list of the start button, several folders. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { scenarios } from '../support/scenarios';
import { Project, SUM, lineIn } from '../support/workbench-project';

const { server, openWindow } = scenarios();

const at = lineIn(SUM, 'sum');

test('(n) F5 in a folder without a launch.json: with nothing open, with a source open; then a launch.json made by the editor', async () => {
  const project = new Project(path.join(server.directory, 'n'));
  fs.rmSync(path.join(project.folder, '.vscode'), { recursive: true });
  project.program('sum.c', SUM);
  const workbench = await openWindow(`folder=${encodeURIComponent(project.folder)}`, 'n');
  const { page } = workbench;
  await workbench.pressUntil('F5', page.locator('.quick-input-widget'));
  await workbench.picture('debuggers');
  await workbench.choose('Savepoint', 'Which program?');
  await workbench.picture('programs');
  await workbench.choose('sum');
  await workbench.console('total 210');
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });

  await workbench.open('sum.c');
  await workbench.breakAt(at);
  await page.keyboard.press('F5');
  await workbench.choose('sum');
  await workbench.stoppedAt(at);
  await workbench.stop();

  await page.getByText('create a launch.json file').click();
  await workbench.inEditor('"Debug with Savepoint"');
  await workbench.picture('launch-json');
  await untilSaved(project, 'Debug with Savepoint');
  expect(configurationsIn(project)).toEqual([
    {
      type: 'savepoint',
      request: 'launch',
      name: 'Debug with Savepoint',
      program: '${workspaceFolder}/sum',
      args: [],
      cwd: '${workspaceFolder}',
    },
  ]);
  await page.keyboard.press('F5');
  await workbench.stoppedAt(at);
  await workbench.stop();

  await workbench.command('Debug: Add Configuration');
  await workbench.suggestion('Savepoint: Attach');
  await workbench.inEditor('savepoint.pickProcess');
  await workbench.picture('snippet');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+S');
  await untilSaved(project, 'Attach with Savepoint');
  expect(configurationsIn(project)).toContainEqual({
    type: 'savepoint',
    request: 'attach',
    name: 'Attach with Savepoint',
    pid: '${command:savepoint.pickProcess}',
  });

  await workbench.command('Debug: Select and Start Debugging');
  await workbench.picture('start-button');
  await page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'Savepoint (gdb' }).click();
  await page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'Savepoint: sum' }).waitFor();
  await workbench.picture('found');
  await workbench.choose('Savepoint: sum');
  await workbench.stoppedAt(at);
  await workbench.stop();
  expect(await workbench.errorsShown()).toEqual([]);
  await server.untilNoStrays();
});

const fileOf = (project: Project): string => path.join(project.folder, '.vscode/launch.json');

/** The editor tells nobody when it has written the file. */
async function untilSaved(project: Project, text: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (!fs.readFileSync(fileOf(project), 'utf8').includes(text)) {
    if (Date.now() > end) throw new Error(`launch.json does not say ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** launch.json has comments. */
function configurationsIn(project: Project): unknown {
  const text = fs.readFileSync(fileOf(project), 'utf8');
  return (JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as { configurations: unknown }).configurations;
}

test('(o) two folders in one workspace: each launch.json means its own folder, and the programs of both are offered', async () => {
  const folder = path.join(server.directory, 'o');
  for (const [name, first] of [
    ['one', '1'],
    ['two', '1000'],
  ] as const) {
    const project = new Project(path.join(folder, name));
    project.program(`${name}.c`, SUM.replace('total = 0', `total = ${first}`));
    project.launch({ program: `\${workspaceFolder}/${name}`, cwd: '${workspaceFolder}' });
  }
  const workspace = path.join(folder, 'both.code-workspace');
  fs.writeFileSync(workspace, JSON.stringify({ folders: [{ path: 'one' }, { path: 'two' }] }));
  const workbench = await openWindow(`workspace=${encodeURIComponent(workspace)}`, 'o');
  for (const [name, first] of [
    ['one', '1'],
    ['two', '1000'],
  ] as const) {
    await workbench.open(`${name}.c`);
    await workbench.breakAt(at);
    await workbench.start('Debug', name);
    await workbench.stoppedAt(at);
    await workbench.expand('Locals');
    await workbench.variable('total', first);
    await workbench.stop();
  }
  await workbench.command('Savepoint: Debug This Executable');
  const offered = workbench.page.locator('.quick-input-list .monaco-list-row');
  for (const name of ['one', 'two']) await offered.filter({ hasText: new RegExp(`${name}\\s*${name}`) }).waitFor();
  await workbench.picture('programs');
  await workbench.choose('two');
  await workbench.stoppedAt(at);
  await workbench.variable('total', '1000');
  await workbench.stop();
  expect(await workbench.errorsShown()).toEqual([]);
  await server.untilNoStrays();
});
