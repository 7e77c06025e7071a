import * as path from 'node:path';
import { packed, pictures } from '../support/workbench-setup';
import { Workbench } from '../support/workbench-page';
import { Project, SUM, lineIn } from '../support/workbench-project';
import { WorkbenchServer } from '../support/workbench-server';

const server = new WorkbenchServer();
beforeAll(async () => {
  await server.start({ vsix: packed(server.directory) });
});
afterAll(() => server.close());

async function openProject(project: Project, scenario: string): Promise<Workbench> {
  const page = await server.openWindow(`folder=${encodeURIComponent(project.folder)}`);
  const workbench = new Workbench(page, { folder: pictures, scenario });
  await workbench.ready();
  return workbench;
}

test('(a) stop at a breakpoint, Checkpoint Here, step on, Restore to Snapshot by the toolbar: the variables are back', async () => {
  const project = new Project(path.join(server.directory, 'sum'));
  project.launch({ program: project.program('sum.c', SUM) });
  const workbench = await openProject(project, 'a');
  await workbench.open('sum.c');
  await workbench.breakAt(lineIn(SUM, 'sum'));
  await workbench.page.keyboard.press('F5');
  await workbench.stoppedAt(lineIn(SUM, 'sum'));
  await workbench.picture('stopped');
  await workbench.press('Checkpoint Here');
  await workbench.row('total = add').waitFor();
  await workbench.picture('checkpoint');
  await workbench.press('Continue');
  await workbench.variable('total', '1');
  await workbench.press('Continue');
  await workbench.variable('total', '3');
  await workbench.picture('further');
  await workbench.press('Restore to Snapshot');
  await workbench.choose(/total = add/);
  await workbench.variable('total', '0');
  await workbench.picture('restored');
  await workbench.stop();
  await workbench.page.context().close();
});
