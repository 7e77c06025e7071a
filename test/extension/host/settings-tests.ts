/** Each setting, and what it does to the session that is started with it. */

import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { stopAll, test, until } from './harness';
import { atFirstStop, breakAt, go, lineOf, programOf } from './program';

async function withSettings(values: Readonly<Record<string, unknown>>, run: () => Promise<void>): Promise<void> {
  const settings = vscode.workspace.getConfiguration('savepoint');
  const set = async (name: string, value: unknown): Promise<void> =>
    await settings.update(name, value, vscode.ConfigurationTarget.Global);
  try {
    for (const [name, value] of Object.entries(values)) await set(name, value);
    await run();
  } finally {
    for (const name of Object.keys(values)) await set(name, undefined);
  }
}

/** A program that leaves a mark and becomes another one. */
function marking(name: string, command: string): { readonly file: string; readonly mark: string } {
  const [file, mark] = [`${programOf(name)}.sh`, `${programOf(name)}.mark`];
  fs.writeFileSync(file, `#!/bin/sh\n: >'${mark}'\nexec ${command} "$@"\n`, { mode: 0o755 });
  return { file, mark };
}

for (const [name, command] of [
  ['gdb', 'gdb'],
  ['node', process.execPath],
] as const) {
  test(`setting ${name}: the program of that path is run`, async () => {
    const { file, mark } = marking(name, command);
    await withSettings({ [name]: file }, async () => {
      await atFirstStop();
    });
    assert.ok(fs.existsSync(mark));
  });
}

test('setting trace: the topics that are named go into savepoint.trace in the log folder', async () => {
  const logs = (): string[] =>
    fs
      .readdirSync(path.dirname(process.env['SAVEPOINT_RESULTS']!), { recursive: true, encoding: 'utf8' })
      .filter((name) => path.basename(name) === 'savepoint.trace');
  await atFirstStop();
  await stopAll();
  assert.deepEqual(logs(), []);
  await withSettings({ trace: ['dap'] }, async () => {
    await atFirstStop();
  });
  const [log] = logs();
  assert.ok(log !== undefined);
  const text = fs.readFileSync(path.join(path.dirname(process.env['SAVEPOINT_RESULTS']!), log), 'utf8');
  assert.match(text, /setBreakpoints/);
  assert.doesNotMatch(text, /-break-insert/);
});

test('setting console: the program has a terminal of the editor, unless launch.json says otherwise', async () => {
  await withSettings({ console: 'integratedTerminal' }, async () => {
    const before = vscode.window.terminals.length;
    const other = await atFirstStop({ console: 'internalConsole' });
    assert.deepEqual([other.debug.configuration['console'], vscode.window.terminals.length], ['internalConsole', before]);
    await stopAll();
    const opened = new Promise<vscode.Terminal>((resolve) => {
      const registration = vscode.window.onDidOpenTerminal((terminal) => {
        registration.dispose();
        resolve(terminal);
      });
    });
    const session = await atFirstStop();
    // It stays: with the last terminal the panel closes, and a session that starts then waits for its console for ever.
    const terminal = await opened;
    await until('the entry is in the list', () => session.state.list.checkpoints.length > 0);
    const outputOf = (pid: number | undefined): string => fs.readlinkSync(`/proc/${pid}/fd/1`);
    assert.equal(outputOf(session.state.list.checkpoints[0]!.pid), outputOf(await terminal.processId));
  });
});

test('setting automaticCheckpoints.enabled: without it only the entry is kept', async () => {
  await withSettings({ 'automaticCheckpoints.enabled': false }, async () => {
    const session = await atFirstStop({ automaticCheckpoints: undefined });
    for (let stop = 2; stop <= 3; stop++) await go(session, 'continue');
    await until('the entry is in the list', () => session.state.list.checkpoints.length > 0);
    assert.deepEqual(
      session.state.list.checkpoints.map(({ id }) => id),
      [0],
    );
  });
});

test('settings automaticCheckpoints.most, megabytes, timePercent: how many are kept, and what they may cost', async () => {
  const values = {
    'automaticCheckpoints.most': 2,
    'automaticCheckpoints.megabytes': 50,
    'automaticCheckpoints.timePercent': 100,
  };
  await withSettings(values, async () => {
    const session = await atFirstStop({ automaticCheckpoints: undefined });
    assert.deepEqual(session.debug.configuration['automaticCheckpoints'], { most: 2, megabytes: 50, timeShare: 1 });
    const newest = (): number => Math.max(...session.state.list.checkpoints.map(({ id }) => id));
    await until('the first stop has its checkpoint', () => newest() >= 1);
    for (let stop = 2; stop <= 5; stop++) {
      await go(session, 'continue');
      await until('the stop has its checkpoint', () => newest() >= stop);
    }
    const kept = (): number => session.state.list.checkpoints.filter(({ id, automatic }) => automatic && id !== 0).length;
    await until('two are kept', () => kept() === 2);
  });
});

test('a setting of the folder counts for its sessions', async () => {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  const settings = vscode.workspace.getConfiguration('savepoint', folder);
  await settings.update('automaticCheckpoints.most', 9, vscode.ConfigurationTarget.WorkspaceFolder);
  try {
    breakAt(lineOf('sum', 'sum'));
    const started = new Promise<vscode.DebugSession>((resolve) => {
      const registration = vscode.debug.onDidStartDebugSession((debug) => {
        registration.dispose();
        resolve(debug);
      });
    });
    const config = { type: 'savepoint', request: 'launch', name: 'sum', program: '${workspaceFolder}/sum' };
    await vscode.debug.startDebugging(folder, config);
    const { configuration } = await started;
    assert.equal(configuration['automaticCheckpoints'].most, 9);
    assert.equal(configuration['program'], programOf('sum'));
  } finally {
    await settings.update('automaticCheckpoints.most', undefined, vscode.ConfigurationTarget.WorkspaceFolder);
  }
});
