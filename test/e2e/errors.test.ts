import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { scenarios } from '../support/scenarios';
import { BIG, Project, SUM, lineIn } from '../support/workbench-project';

/** A program whose parent traces it: nobody else may. */
const TRACED = `#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdio.h>

int main(void) {
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    printf("%d\\n", getpid());
    fflush(stdout);
    for (;;) pause();
  }
  wait(NULL);
  return 0;
}
`;

const { server, openProject } = scenarios({ SAVEPOINT_STORE_LIMIT: '64M' });

test('(f) no gdb, no permission, and a refused checkpoint: each says why and what to do', async () => {
  const project = new Project(path.join(server.directory, 'f'));
  const traced = project.program('traced.c', TRACED);
  const tracer = spawn(traced, { stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = await firstLine(tracer);
  try {
    project.launch(
      { name: 'without gdb', program: project.program('sum.c', SUM), gdb: '/nowhere/gdb' },
      { name: 'not ours', request: 'attach', pid },
      { name: 'big', program: project.program('big.c', BIG) },
    );
    const workbench = await openProject(project, 'f');
    await workbench.open('big.c');
    await workbench.breakAt(lineIn(BIG, 'full'));
    await workbench.start('without gdb');
    const told = await workbench.notification('/nowhere/gdb');
    await told.getByText('Set the path of gdb').waitFor();
    await workbench.picture('no-gdb');
    await workbench.start('not ours');
    const refused = await workbench.notification(/traced already by process \d+ \(traced\)/);
    await workbench.picture('no-permission');
    await refused.getByText('Show Me How').click();
    await workbench.helpPage('the program is being traced already');
    await workbench.picture('show-me-how');
    await workbench.start('big');
    await workbench.stoppedAt(lineIn(BIG, 'full'));
    await workbench.press('Checkpoint Here');
    const toast = await workbench.notification('No checkpoint was taken');
    expect(await toast.textContent()).toMatch(/page store/);
    await toast.getByText('Delete all checkpoints').waitFor();
    await workbench.picture('refused');
    await workbench.stop();
  } finally {
    process.kill(pid, 'SIGKILL');
    tracer.kill('SIGKILL');
  }
  await server.untilNoStrays();
});

test("(f) another user's process: the kernel says no, and the message says whose it is and what helps", async () => {
  const project = new Project(path.join(server.directory, 'f-user'));
  // Root may attach to everything: there the adapter and all that it starts are an ordinary user's.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    for (const folder of [server.directory, path.join(server.directory, 'ext')]) fs.chmodSync(folder, 0o755);
    const node = project.file(
      'node',
      `#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups ${process.execPath} "$@"\n`,
    );
    fs.chmodSync(node, 0o755);
    project.file('.vscode/settings.json', JSON.stringify({ 'savepoint.node': node }));
  }
  const other = isRoot ? spawn('sleep', ['1000'], { stdio: 'ignore' }) : undefined;
  try {
    project.launch({ name: 'not ours', request: 'attach', pid: other?.pid ?? 1 });
    project.program('sum.c', SUM);
    const workbench = await openProject(project, 'f-user');
    await workbench.open('sum.c');
    await workbench.start('not ours');
    const refused = await workbench.notification(
      /no permission to attach to process \d+: it belongs to user 0; run as that user or as root/,
    );
    await workbench.picture('no-permission');
    await refused.getByText('Show Me How').click();
    await workbench.helpPage("the program is another user's");
    await workbench.picture('show-me-how');
    expect(other?.exitCode ?? null).toBe(null);
  } finally {
    other?.kill('SIGKILL');
  }
  await server.untilNoStrays();
});

test('(g) the window is loaded anew in the middle of a session: nothing of the session is left', async () => {
  const project = new Project(path.join(server.directory, 'g'));
  const program = project.program('sum.c', SUM);
  project.launch({ program });
  const workbench = await openProject(project, 'g');
  await workbench.open('sum.c');
  await workbench.breakAt(lineIn(SUM, 'sum'));
  await workbench.start('Debug');
  await workbench.stoppedAt(lineIn(SUM, 'sum'));
  await workbench.press('Checkpoint Here');
  await workbench.row(/total = add/).waitFor();
  expect(server.strays(new RegExp(`^${program}`))).toHaveLength(1);
  await workbench.page.reload();
  await server.untilNoStrays();
  await workbench.page.locator('.view-line').first().waitFor();
  await workbench.picture('reloaded');
});

function firstLine(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.setEncoding('utf8').once('data', (text: string) => resolve(Number(text)));
  });
}
