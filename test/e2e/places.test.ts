/** Every place where the editor shows a command of ours, clicked, and every key, pressed. */

import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { scenarios } from '../support/scenarios';
import type { Workbench } from '../support/workbench-page';
import { Project, SUM, WAIT, lineIn } from '../support/workbench-project';

const { server, openProject } = scenarios();

const at = lineIn(SUM, 'sum');

async function stopInSum(scenario: string, more: Record<string, unknown> = {}): Promise<Workbench> {
  const project = new Project(path.join(server.directory, scenario));
  project.launch({ program: project.program('sum.c', SUM), ...more });
  const workbench = await openProject(project, scenario);
  await workbench.open('sum.c');
  await workbench.breakAt(at);
  await workbench.page.keyboard.press('F5');
  await workbench.stoppedAt(at);
  return workbench;
}

/** The Checkpoints view needs its room. */
async function makeRoom(workbench: Workbench): Promise<void> {
  await workbench.command('Savepoint: Show the Checkpoints');
  for (const pane of ['Watch', 'Breakpoints']) await workbench.collapse(pane);
}

test('(j) menus: of the explorer, a line number, a call, a row, and the buttons of the view', async () => {
  const project = new Project(path.join(server.directory, 'j'));
  project.program('sum.c', SUM);
  project.file('Makefile', 'all: sum\n');
  const workbench = await openProject(project, 'j');
  await workbench.open('sum.c');
  expect(await workbench.explorerOffers('Makefile', 'Debug This Executable')).toBe(false);
  expect(await workbench.explorerOffers('sum', 'Debug This Executable')).toBe(true);
  await workbench.breakAt(at);
  await workbench.explorerMenu('sum', 'Debug This Executable');
  await workbench.stoppedAt(at);
  await workbench.expand('Locals');
  await makeRoom(workbench);
  await workbench.variable('total', '0');

  await workbench.pressInView('Checkpoint Here');
  await workbench.row(/\d+ {2}total = add.*you are here/).waitFor();
  await workbench.viewMenu('Checkpoint Here with a Name');
  await workbench.type('by the menu');
  await workbench.row('by the menu').waitFor();
  await workbench.picture('named');

  await workbench.lineMenu(at - 6);
  await workbench.picture('line-menu');
  await workbench.menuItem('Run to This Line and Checkpoint');
  await workbench.stoppedAt(at - 6);
  await workbench.row(/return total;.*you are here/).waitFor();

  await workbench.callMenu(/^main/, 'Run to This Line and Checkpoint');
  await workbench.stoppedAt(at);
  await workbench.variable('i', '2');
  await workbench.picture('run-to-the-call');

  await workbench.callMenu(/^main/, 'Restore to Snapshot');
  await workbench.choose('by the menu');
  await workbench.variable('i', '1');
  await workbench.pressInView('Undo Restore');
  await workbench.variable('i', '2');
  await workbench.rowAction('by the menu', 'Restore to Snapshot');
  await workbench.variable('i', '1');

  await workbench.viewMenu('Show What Does Not Go Back');
  await workbench.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: '/dev/pts/' }).waitFor();
  await workbench.picture('preflight');
  await workbench.page.keyboard.press('Escape');

  await workbench.rowMenu('by the menu', 'Rename Checkpoint');
  await workbench.type('another name');
  await workbench.row('another name').waitFor();
  await workbench.rowMenu('another name', 'Delete Checkpoint');
  await workbench.row('another name').waitFor({ state: 'hidden' });
  await workbench.pressInView('Delete All Checkpoints');
  await workbench.picture('delete-all');
  await workbench.dialog(/Delete all \d+ checkpoints\?/, 'Delete');
  await workbench.row(/^1/).waitFor({ state: 'hidden' });
  expect(await workbench.errorsShown()).toEqual([]);
  await workbench.stop();
  await server.untilNoStrays();
});

test('(k) keys: Ctrl+F8 and its like, and in the tree F2, Delete and Ctrl+Enter on the row with the focus', async () => {
  const workbench = await stopInSum('k', { automaticCheckpoints: { most: 50, megabytes: 100, timeShare: 1e9 } });
  const { keyboard } = workbench.page;
  await workbench.expand('Locals');
  await makeRoom(workbench);
  await keyboard.press('Control+F8');
  await workbench.row('2  total = add').waitFor();
  for (const total of ['1', '3', '6']) {
    await keyboard.press('F5');
    await workbench.variable('total', total);
    await workbench.row('you are here').waitFor();
  }
  await keyboard.press('Control+F8');
  await workbench.row('6  total = add').waitFor();
  await keyboard.press('Control+Shift+F8');
  await workbench.choose('2  total = add');
  await workbench.variable('total', '0');
  await keyboard.press('Control+Alt+F8');
  await workbench.variable('total', '6');

  // Rows: entry, 1, 2, the group of 3 to 5, 6.
  await workbench.command('Savepoint: Show the Checkpoints');
  await workbench.row('3 automatic').waitFor();
  await workbench.picture('rows');
  await workbench.moveTo('Home', '1  total', '2  total');
  await keyboard.press('F2');
  await workbench.type('by the key');
  await workbench.row('by the key').waitFor();
  await workbench.focusedRow('by the key');
  await keyboard.press('Control+Enter');
  await workbench.variable('total', '0');
  await workbench.moveTo('Home', '1  total', 'by the key', 'automatic');
  await keyboard.press('F2');
  await workbench.notification('stands for several checkpoints');
  await keyboard.press('Delete');
  await workbench.picture('delete-the-group');
  await workbench.dialog(/Delete these \d checkpoints\?/, 'Delete');
  await workbench.row('automatic').waitFor({ state: 'hidden' });
  await workbench.moveTo('End', '6  total');
  await keyboard.press('Delete');
  await workbench.row('6  total').waitFor({ state: 'hidden' });
  await workbench.row('by the key').waitFor();
  await workbench.picture('deleted');
  await workbench.stop();
  await server.untilNoStrays();
});

test('(p) the walkthrough: its pictures are there, and its links do what they say', async () => {
  const project = new Project(path.join(server.directory, 'p'));
  project.program('wait.c', WAIT);
  const workbench = await openProject(project, 'p');
  const { page } = workbench;
  const failed: string[] = [];
  page.on('response', (response) => {
    if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
  });
  await workbench.command('Welcome: Open Walkthrough');
  await workbench.choose('Get started with Savepoint');
  const steps = page.locator('.getting-started-step');
  const titles = ['Debug a program', 'Checkpoint Here', 'Restore to Snapshot', 'Try another way'];
  for (const title of titles) {
    await steps.filter({ hasText: title }).first().click();
    await page.locator('.getting-started-step.expanded').filter({ hasText: title }).waitFor();
    await workbench.pictureLoads(page.locator('.getting-started-media img'));
    await workbench.picture('step');
  }
  await page.locator('.getting-started-step.expanded').getByText('Show the Checkpoints').click();
  await workbench.notification('while a program is being debugged');
  await steps.filter({ hasText: 'Debug a program' }).first().click();
  await page.locator('.getting-started-step.expanded').getByText('Debug This Executable').click();
  await workbench.choose('wait');
  await workbench.console('waiting');
  await workbench.stop();
  expect(failed.filter((one) => one.includes('vscode-'))).toEqual([]);
  await server.untilNoStrays();
});

test('(q) an empty Checkpoints view says what it is for, and its button takes the first one', async () => {
  const project = new Project(path.join(server.directory, 'q'));
  const program = project.program('wait.c', WAIT);
  const child = spawn(program, { cwd: project.folder, stdio: 'ignore' });
  try {
    project.launch({ request: 'attach', pid: child.pid, stopAtEntry: true, automaticCheckpoints: false });
    const workbench = await openProject(project, 'q');
    await workbench.open('wait.c');
    await workbench.page.keyboard.press('F5');
    await workbench.toolbar('Continue').waitFor();
    await makeRoom(workbench);
    const button = workbench.checkpoints.locator('.monaco-button').filter({ hasText: 'Checkpoint Here' });
    await button.waitFor();
    await workbench.picture('welcome');
    await button.click();
    await workbench.row('you are here').waitFor();
    await button.waitFor({ state: 'hidden' });
    await workbench.picture('first');
    expect(await workbench.errorsShown()).toEqual([]);
    await workbench.command('Debug: Disconnect');
    await workbench.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    expect(child.exitCode).toBe(null);
  } finally {
    child.kill('SIGKILL');
  }
  await server.untilNoStrays();
});
