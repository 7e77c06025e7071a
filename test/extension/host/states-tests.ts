/**
 * Each state that the user can be in, and what the editor then offers: commands in the palette, buttons of the toolbar, the view, the status bar.
 * A new command gets its line in COMMANDS, and a test that runs it: test/extension/in-host.test.ts compares both with package.json.
 */

import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { api, command, forget, test, until } from './harness';
import { atExit, atFirstStop, go, programOf, restore, start, take, whileRunning } from './program';
import { shows } from './window';

/** The editor keeps the type of the last session as its `debugType`: the view stays until there is one of another type. */
type StateName = 'nothing' | 'after' | 'running' | 'stopped' | 'exited' | 'past' | 'other';

/**
 * In which states the palette offers it; `never`: it needs a row, or is asked for by launch.json; `in a source`: wherever the cursor is in
 * one, which is not looked at here.
 */
export const COMMANDS: Readonly<Record<string, readonly StateName[] | 'always' | 'never' | 'in a source'>> = {
  take: ['running', 'stopped', 'past'],
  takeNamed: ['running', 'stopped', 'past'],
  preflight: ['running', 'stopped', 'past'],
  runToLineAndTake: ['stopped', 'past'],
  restore: ['running', 'stopped', 'exited', 'past'],
  restoreLast: ['running', 'stopped', 'exited', 'past'],
  restoreRow: 'never',
  undoRestore: ['past'],
  rename: ['running', 'stopped', 'exited', 'past'],
  delete: ['running', 'stopped', 'exited', 'past'],
  deleteGroup: 'never',
  deleteAll: ['running', 'stopped', 'exited', 'past'],
  compareNow: ['stopped', 'past'],
  // Each program has the checkpoint of its start.
  compareWith: ['exited', 'past'],
  addCheckpointBreakpoint: 'in a source',
  focusView: ['after', 'running', 'stopped', 'exited', 'past'],
  debugExecutable: 'always',
  pickProcess: 'never',
};

/** What a command says where the palette does not offer it; keys and other extensions can still call it. */
const SAYS: Readonly<Record<string, RegExp>> = {
  take: /no running program/,
  preflight: /no running program/,
  runToLineAndTake: /has to stand still/,
  undoRestore: /no restore to undo/,
};
const NO_SESSION = /No program is being debugged/;

const titleOf = (name: string): string => {
  const { contributes } = vscode.extensions.getExtension('savepoint.savepoint')!.packageJSON;
  return contributes.commands.find(({ command: id }: { command: string }) => id === `savepoint.${name}`).title;
};

async function showsState(state: StateName, statusBar = ''): Promise<void> {
  const offered = Object.entries(COMMANDS).filter(
    ([, where]) => where === 'always' || (typeof where === 'object' && where.includes(state)),
  );
  const names = offered.map(([name]) => name);
  const ours = state !== 'nothing' && state !== 'after' && state !== 'other';
  const buttons = ['take', 'restore'].map((name) => [titleOf(name), names.includes(name)] as const);
  await shows({
    palette: names.map(titleOf),
    toolbar: ours ? Object.fromEntries(buttons) : {},
    statusBar,
    view: ours || state === 'after',
  });
  for (const name of Object.keys(SAYS).filter((one) => !names.includes(one))) {
    await command(name);
    const said = forget().join();
    assert.match(said, ours ? SAYS[name]! : NO_SESSION, `${name} in state ${state} says: ${said}`);
  }
}

test('state: no session yet', () => showsState('nothing'));

test('state: running, with a checkpoint', async () => {
  const session = await whileRunning();
  await take(session);
  await showsState('running');
});

test('state: stopped, and no session any more', async () => {
  await atFirstStop();
  await showsState('stopped');
  await vscode.debug.stopDebugging();
  await until('it has ended', () => vscode.debug.activeDebugSession === undefined);
  await showsState('after');
});

test('state: exited, and held by a checkpoint', async () => {
  await atExit();
  await showsState('exited');
});

test('state: restored, in the past', async () => {
  const session = await atFirstStop();
  const id = await take(session);
  await go(session, 'continue');
  await restore(session, id);
  await until('what was left is in the list', () => session.state.list.checkpoints.some(({ id: one }) => one > id));
  await showsState('past', `in snapshot ${id} ← ${session.state.arrival?.from}`);
  await go(session, 'continue');
  await shows({ statusBar: '' });
});

test('state: two sessions, each with its own', async () => {
  const { sessions, view } = await api();
  const first = await atFirstStop();
  const id = await take(first, 'of the first');
  await go(first, 'continue');
  await restore(first, id);
  // A session that runs leaves the one that stands in front, until that ends.
  const second = await start('wait');
  await until('it runs', () => second.state.phase === 'running');
  await showsState('past', `in snapshot ${id} ← ${first.state.arrival?.from}`);
  assert.match(view.describeRows().join(), /of the first/);
  await vscode.debug.stopDebugging(first.debug);
  await until('the other one is the active one', () => sessions.active === second);
  assert.deepEqual(view.describeRows(), []);
  await take(second, 'of the second');
  await showsState('running');
  assert.match(view.describeRows().join(), /of the second/);
});

test('state: a session of another debugger', async () => {
  const program = `${programOf('other')}.js`;
  const config = { type: 'node', request: 'launch', name: 'other', program, stopOnEntry: true };
  assert.equal(await vscode.debug.startDebugging(undefined, config), true);
  await showsState('other');
});
