import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { breakAt, lineOf, programOf, sourceOf } from './program';
import { active, answer, command, test, until } from './harness';

const breakInSum = (): void => breakAt(lineOf('sum', 'sum'));

test('F5 without a launch.json offers the programs of the workspace', async () => {
  breakInSum();
  let offered: readonly string[] = [];
  answer('showQuickPick', (items: readonly { label: string; file?: string }[]) => {
    offered = items.flatMap(({ file }) => (file === undefined ? [] : [path.basename(file)]));
    return items.find(({ file }) => file === programOf('sum'));
  });
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  await vscode.debug.startDebugging(folder, { type: 'savepoint', request: 'launch', name: '' });
  const session = await active();
  await until('it stops', () => session.state.phase === 'stopped');
  assert.ok(offered.includes('sum'), offered.join());
  assert.equal(session.debug.configuration['program'], programOf('sum'));
});

test('giving no program starts nothing', async () => {
  answer('showQuickPick', () => undefined);
  const started = await vscode.debug.startDebugging(undefined, { type: 'savepoint', request: 'launch', name: 'none' });
  assert.equal(started, false);
});

test('Debug This Executable from the palette offers the programs of the workspace', async () => {
  breakInSum();
  answer('showQuickPick', () => undefined);
  await command('debugExecutable');
  answer('showQuickPick', (items: readonly { file?: string }[]) => items.find(({ file }) => file === programOf('sum')));
  await command('debugExecutable');
  const session = await active();
  await until('it stops', () => session.state.phase === 'stopped');
  assert.equal(session.debug.name, 'sum');
});

test('Debug This Executable', async () => {
  breakInSum();
  await command('debugExecutable', vscode.Uri.file(programOf('sum')));
  const session = await active();
  await until('it stops', () => session.state.phase === 'stopped');
});

test('an empty configuration means the program that is chosen, where the source of one is open', async () => {
  breakInSum();
  await vscode.window.showTextDocument(sourceOf('sum'));
  answer('showQuickPick', (items: readonly { file?: string }[]) => items.find(({ file }) => file === programOf('sum')));
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  await vscode.debug.startDebugging(folder, {} as vscode.DebugConfiguration);
  const session = await active();
  await until('it stops', () => session.state.phase === 'stopped');
  const { type, request, program, cwd } = session.debug.configuration;
  assert.deepEqual([type, request, program, cwd], ['savepoint', 'launch', programOf('sum'), folder?.uri.fsPath]);
});

test('Pick a Process gives the number of the one that is chosen', async () => {
  answer('showQuickPick', (items: readonly { description: string }[]) =>
    items.find(({ description }) => description === String(process.ppid)),
  );
  assert.equal(await command<string>('pickProcess'), String(process.ppid));
});

test('attaching asks for a process, takes a checkpoint, and leaves the process alive', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  try {
    answer('showQuickPick', (items: readonly { label: string; description: string }[]) => {
      const found = items.find(({ description }) => description === String(child.pid));
      assert.equal(found?.label, 'sleep');
      return found;
    });
    await vscode.debug.startDebugging(undefined, { type: 'savepoint', request: 'attach', name: 'attach', stopAtEntry: true });
    const session = await active();
    await until('it is stopped', () => session.state.phase === 'stopped');
    await command('take');
    await until('it has one', () => session.state.list.checkpoints.some(({ pid }) => pid === child.pid));
    const ended = new Promise<void>((resolve) => {
      const registration = vscode.debug.onDidTerminateDebugSession(() => {
        registration.dispose();
        resolve();
      });
    });
    // What the button does; vscode.debug.stopDebugging asks for the program's end, attached to or not.
    await vscode.commands.executeCommand('workbench.action.debug.disconnect');
    await ended;
    assert.equal(child.kill(0), true);
  } finally {
    child.kill('SIGKILL');
  }
});

test('attaching to a server asks for no process', async () => {
  const socket = path.join(path.dirname(programOf('sum')), 'server.sock');
  const savepoint = path.join(vscode.extensions.getExtension('savepoint.savepoint')!.extensionPath, 'dist/savepoint.js');
  const server = spawn(process.execPath, [savepoint, 'gdbserver', '--once', socket, programOf('sum')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  try {
    let said = '';
    await new Promise<void>((resolve) => {
      server.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Listening')) resolve();
      });
    });
    breakInSum();
    await vscode.debug.startDebugging(undefined, {
      type: 'savepoint',
      request: 'attach',
      name: 'server',
      target: socket,
      program: programOf('sum'),
    });
    const session = await active();
    await until('it stops at the breakpoint', () => session.state.stop?.reason === 'breakpoint');
    await command('take');
    await until('it has a checkpoint', () => session.state.list.checkpoints.some(({ automatic }) => !automatic));
    await vscode.debug.stopDebugging(session.debug);
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
});
