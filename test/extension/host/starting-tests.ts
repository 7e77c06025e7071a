import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { breakAt, program } from './commands-tests';
import { active, answer, command, test, until } from './harness';

const line = Number(process.env['SAVEPOINT_SUM_LINE']);

test('F5 without a launch.json offers the programs of the workspace', async () => {
  breakAt(line);
  let offered: readonly string[] = [];
  answer('showQuickPick', (items: readonly { label: string; file?: string }[]) => {
    offered = items.flatMap(({ file }) => (file === undefined ? [] : [path.basename(file)]));
    return items.find(({ file }) => file === program);
  });
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  await vscode.debug.startDebugging(folder, { type: 'savepoint', request: 'launch', name: '' });
  const session = await active();
  await until('it stops', () => session.state.phase === 'stopped');
  assert.ok(offered.includes('sum'), offered.join());
  assert.equal(session.debug.configuration['program'], program);
});

test('giving no program starts nothing', async () => {
  answer('showQuickPick', () => undefined);
  const started = await vscode.debug.startDebugging(undefined, { type: 'savepoint', request: 'launch', name: 'none' });
  assert.equal(started, false);
});

test('Debug This Executable', async () => {
  breakAt(line);
  await command('debugExecutable', vscode.Uri.file(program));
  const session = await active();
  await until('it stops', () => session.state.phase === 'stopped');
});

test('settings are what launch.json does not say', async () => {
  breakAt(line);
  const settings = vscode.workspace.getConfiguration('savepoint');
  await settings.update('automaticCheckpoints.most', 7, vscode.ConfigurationTarget.Global);
  try {
    await vscode.debug.startDebugging(undefined, { type: 'savepoint', request: 'launch', name: 'sum', program });
    const session = await active();
    assert.deepEqual(session.debug.configuration['automaticCheckpoints'], { most: 7, megabytes: 512, timeShare: 0.2 });
    assert.equal(session.debug.configuration['console'], 'internalConsole');
    await until('it stops', () => session.state.phase === 'stopped');
  } finally {
    await settings.update('automaticCheckpoints.most', undefined, vscode.ConfigurationTarget.Global);
  }
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
    await vscode.debug.stopDebugging();
    assert.equal(child.kill(0), true);
  } finally {
    child.kill('SIGKILL');
  }
});
