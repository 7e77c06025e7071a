import * as fs from 'node:fs';
import * as path from 'node:path';
import { lineOf } from '../support/source-lines';
import { scenarios } from '../support/scenarios';
import type { Workbench } from '../support/workbench-page';
import { BIG, CRASH, Project, SUM, THROW, WAIT, lineIn } from '../support/workbench-project';

const { server, openProject } = scenarios();

const at = lineIn(SUM, 'sum');

async function stopInSum(scenario: string): Promise<Workbench> {
  const project = new Project(path.join(server.directory, scenario));
  project.launch({ program: project.program('sum.c', SUM) });
  const workbench = await openProject(project, scenario);
  await workbench.open('sum.c');
  await workbench.breakAt(at);
  await workbench.page.keyboard.press('F5');
  await workbench.stoppedAt(at);
  await workbench.expand('Locals');
  await workbench.variable('total', '0');
  return workbench;
}

test('(a) stop at a breakpoint, Checkpoint Here, step on, Restore to Snapshot by the toolbar: the variables are back', async () => {
  const workbench = await stopInSum('a');
  await workbench.picture('stopped');
  await workbench.press('Checkpoint Here');
  await workbench.row('2  total = add').waitFor();
  await workbench.picture('checkpoint');
  await workbench.press('Continue');
  await workbench.variable('total', '1');
  await workbench.press('Continue');
  await workbench.variable('total', '3');
  await workbench.press('Restore to Snapshot');
  await workbench.picture('choose');
  await workbench.choose('2  total = add');
  await workbench.variable('total', '0');
  await workbench.callStackTitle('Restored to checkpoint 2');
  await workbench.statusBar('in snapshot 2 ← 4');
  await workbench.picture('restored');
  await workbench.command('Savepoint: Undo Restore');
  await workbench.variable('total', '3');
  await workbench.callStackTitle('Restored to checkpoint 4');
  await workbench.statusBar('in snapshot 4 ← 2');
  await workbench.press('Continue');
  await workbench.callStackTitle('Paused on breakpoint');
  await workbench.stop();
  await server.untilNoStrays();
});

test('(b) a crash, Restore to Snapshot, a data breakpoint, and live on to the culprit', async () => {
  const project = new Project(path.join(server.directory, 'b'));
  project.launch({ program: project.program('crash.c', CRASH, ['-no-pie']) });
  const workbench = await openProject(project, 'b');
  await workbench.open('crash.c');
  await workbench.breakAt(lineIn(CRASH, 'open'));
  await workbench.page.keyboard.press('F5');
  await workbench.stoppedAt(lineIn(CRASH, 'open'));
  await workbench.press('Checkpoint Here');
  await workbench.row('puts("market open")').waitFor();
  await workbench.press('Continue');
  await workbench.stoppedAt(lineIn(CRASH, 'crash'));
  await workbench.callStack('SIGSEGV');
  await workbench.picture('crashed');
  await workbench.press('Restore to Snapshot');
  await workbench.choose('puts("market open")');
  await workbench.stoppedAt(lineIn(CRASH, 'open'));
  await workbench.expand('Globals of the file');
  await workbench.expand('book');
  await workbench.breakOnChange('best');
  await workbench.press('Continue');
  await workbench.stoppedAt(lineIn(CRASH, 'noted'));
  await workbench.callStack(/data breakpoint/i);
  await workbench.callStack('note');
  await workbench.picture('culprit');
  await workbench.stop();
  await server.untilNoStrays();
});

test('(c) two branches with edited variables: the tree shows both, and one can jump between them', async () => {
  const workbench = await stopInSum('c');
  const take = async (name: string): Promise<void> => {
    await workbench.command('Savepoint: Checkpoint Here with a Name');
    await workbench.type(name);
    await workbench.row(name).waitFor();
  };
  await take('fork');
  await workbench.setVariable('total', '100');
  await workbench.press('Continue');
  await workbench.variable('total', '101');
  await take('one hundred');
  await workbench.rowAction('fork', 'Restore to Snapshot');
  await workbench.variable('total', '0');
  await workbench.setVariable('total', '500');
  await workbench.press('Continue');
  await workbench.variable('total', '501');
  await take('five hundred');
  await workbench.row('Branch').waitFor();
  for (const pane of ['Watch', 'Breakpoints']) await workbench.collapse(pane);
  await workbench.row('one hundred').waitFor();
  await workbench.picture('branches');
  await workbench.press('Restore to Snapshot');
  await workbench.choose('one hundred');
  await workbench.variable('total', '101');
  await workbench.picture('first-branch');
  await workbench.press('Restore to Snapshot');
  await workbench.choose('five hundred');
  await workbench.variable('total', '501');
  await workbench.stop();
  await server.untilNoStrays();
});

test('(d) a checkpoint while the program runs, its exit, and a restore after that', async () => {
  const project = new Project(path.join(server.directory, 'd'));
  project.launch({ program: project.program('wait.c', WAIT), cwd: project.folder });
  const workbench = await openProject(project, 'd');
  await workbench.open('wait.c');
  await workbench.page.keyboard.press('F5');
  await workbench.console('waiting');
  await workbench.press('Checkpoint Here');
  await workbench.row('while running').waitFor();
  await workbench.toolbar('Pause').waitFor();
  await workbench.picture('running');
  const go = project.file('go', '');
  await workbench.callStack('ended with status 3');
  await workbench.picture('ended');
  fs.rmSync(go);
  await workbench.press('Restore to Snapshot');
  await workbench.choose('while running');
  await workbench.callStack('main');
  await workbench.callStackTitle('Restored to checkpoint 1');
  await workbench.statusBar('in snapshot 1');
  await workbench.picture('back');
  await workbench.stop();
  await server.untilNoStrays();
});

test('(e) Step Back through ten stops', async () => {
  const workbench = await stopInSum('e');
  const states: { line: number; total: string }[] = [{ line: at, total: '0' }];
  for (let step = 1; step <= 10; step++) {
    await workbench.press('Step Over');
    const line = step % 2 === 0 ? at : at - 1;
    const rounds = Math.ceil(step / 2);
    const total = String((rounds * (rounds + 1)) / 2);
    await workbench.stoppedAt(line);
    await workbench.variable('total', total);
    states.push({ line, total });
  }
  await workbench.picture('ten-steps');
  for (let step = 9; step >= 0; step--) {
    await workbench.press('Step Back');
    await workbench.stoppedAt(states[step]!.line);
    await workbench.variable('total', states[step]!.total);
  }
  await workbench.picture('back-at-the-first');
  // The editor asks for frames and variables of stops that are over by then: no trouble of the user's.
  expect(await workbench.errorsShown()).toEqual([]);
  await workbench.stop();
  await server.untilNoStrays();
});

test('(h) Add Checkpoint Breakpoint: the program leaves checkpoints where it passes, without a stop, and one goes back to them', async () => {
  const project = new Project(path.join(server.directory, 'h'));
  project.launch({ program: project.program('sum.c', SUM) });
  const workbench = await openProject(project, 'h');
  await workbench.open('sum.c');
  await workbench.breakAt(lineIn(SUM, 'print'));
  await workbench.lineMenu(at);
  await workbench.picture('menu');
  await workbench.menuItem('Add Checkpoint Breakpoint');
  await workbench.page.locator('.codicon-debug-breakpoint-log').first().waitFor();
  await workbench.page.keyboard.press('F5');
  await workbench.stoppedAt(lineIn(SUM, 'print'));
  await workbench.console('checkpoint 20');
  for (const pane of ['Watch', 'Breakpoints']) await workbench.collapse(pane);
  await workbench.command('Savepoint: Show the Checkpoints');
  await workbench.row('2  total = add').waitFor();
  await workbench.picture('passed');
  await workbench.press('Restore to Snapshot');
  await workbench.choose('20  total = add');
  await workbench.stoppedAt(at);
  await workbench.expand('Locals');
  await workbench.variable('i', '20');
  await workbench.variable('total', '190');
  await workbench.picture('restored');
  await workbench.stop();
  await server.untilNoStrays();
});

test('(i) Compare with Now, at a row of the Checkpoints view: then and now side by side, in the diff editor', async () => {
  const project = new Project(path.join(server.directory, 'i'));
  const fixture = path.join(__dirname, '../fixtures/compare.c');
  project.launch({ program: project.program('compare.c', fs.readFileSync(fixture, 'utf8')) });
  const workbench = await openProject(project, 'i');
  await workbench.open('compare.c');
  for (const stop of ['first stop', 'second stop']) await workbench.breakAt(lineOf(fixture, stop));
  await workbench.page.keyboard.press('F5');
  await workbench.expand('Locals');
  await workbench.variable('list', '0x0');
  await workbench.press('Checkpoint Here');
  await workbench.row('counter++').waitFor();
  await workbench.press('Continue');
  await workbench.console('own 105');
  await workbench.toolbar('Continue').waitFor();
  for (const pane of ['Watch', 'Breakpoints']) await workbench.collapse(pane);
  await workbench.rowMenu('counter++', 'Compare with Now');
  await workbench.differs('devnull = -1', 'devnull = 4');
  await workbench.picture('variables');
  await workbench.page.locator('.monaco-diff-editor .editor.modified .view-lines').click();
  await workbench.page.keyboard.press('Control+End');
  await workbench.differs('3: file /tmp/savepoint-compare', '4: character device /dev/null');
  await workbench.picture('descriptors-memory');
  expect(await workbench.errorsShown()).toEqual([]);
  await workbench.stop();
  await server.untilNoStrays();
});

test('(l) checkpoint when an exception is thrown: switched on in the Breakpoints view, it leaves one without a stop', async () => {
  const project = new Project(path.join(server.directory, 'l'));
  project.launch({ program: project.program('throw.cpp', THROW), automaticCheckpoints: false });
  const workbench = await openProject(project, 'l');
  await workbench.open('throw.cpp');
  for (const line of ['begin', 'print']) await workbench.breakAt(lineIn(THROW, line));
  await workbench.page.keyboard.press('F5');
  await workbench.stoppedAt(lineIn(THROW, 'begin'));
  await workbench.collapse('Watch');
  await workbench.checkException('C++: checkpoint when thrown');
  await workbench.picture('switched-on');
  await workbench.press('Continue');
  await workbench.stoppedAt(lineIn(THROW, 'print'));
  await workbench.collapse('Breakpoints');
  await workbench.command('Savepoint: Show the Checkpoints');
  await workbench.row(/^1 /).waitFor();
  await workbench.picture('thrown');
  await workbench.rowAction(/^1 /, 'Restore to Snapshot');
  await workbench.callStackTitle('Restored to checkpoint 1');
  await workbench.callStack('parse');
  await workbench.expand('Locals');
  await workbench.variable('i', '3');
  await workbench.picture('back-at-the-throw');
  expect(await workbench.errorsShown()).toEqual([]);
  await workbench.stop();
  await server.untilNoStrays();
});

test('(m) a take that lasts long shows its progress; cancelled, it leaves no checkpoint, and the program whole', async () => {
  const project = new Project(path.join(server.directory, 'm'));
  const big = BIG.replace('256u << 20', '2048ul << 20');
  project.launch({ program: project.program('big.c', big), automaticCheckpoints: false });
  const workbench = await openProject(project, 'm');
  await workbench.open('big.c');
  for (const line of ['full', 'end']) await workbench.breakAt(lineIn(big, line));
  await workbench.page.keyboard.press('F5');
  await workbench.stoppedAt(lineIn(big, 'full'));
  for (const pane of ['Watch', 'Breakpoints']) await workbench.collapse(pane);
  await workbench.command('Savepoint: Show the Checkpoints');
  await workbench.row('entry').waitFor();
  await workbench.press('Checkpoint Here');
  const progress = await workbench.notification('Taking a checkpoint');
  await workbench.picture('progress');
  await progress.getByText('Cancel').click();
  await progress.waitFor({ state: 'hidden' });
  await workbench.press('Continue');
  await workbench.stoppedAt(lineIn(big, 'end'));
  expect(await workbench.checkpoints.locator('.monaco-list-row').count()).toBe(1);
  expect(await workbench.errorsShown()).toEqual([]);
  await workbench.picture('cancelled');
  await workbench.press('Checkpoint Here');
  await workbench.row('you are here').waitFor();
  await workbench.stop();
  await server.untilNoStrays();
});
