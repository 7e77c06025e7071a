import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { abilities } from '../../../extension/src/session-state';
import type { Session } from '../../../extension/src/sessions';
import { active, answer, api, command, messages, test, until } from './harness';

const folder = process.env['SAVEPOINT_PROJECT']!;
export const source = vscode.Uri.file(path.join(folder, 'sum.c'));
export const program = path.join(folder, 'sum');
const sumLine = Number(process.env['SAVEPOINT_SUM_LINE']);
const printLine = Number(process.env['SAVEPOINT_PRINT_LINE']);

export function breakAt(line: number): void {
  vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(new vscode.Location(source, new vscode.Position(line - 1, 0)))]);
}

async function atFirstStop(more: Record<string, unknown> = {}): Promise<Session> {
  breakAt(sumLine);
  const config = { type: 'savepoint', request: 'launch', name: 'sum', program, automaticCheckpoints: false, ...more };
  assert.equal(await vscode.debug.startDebugging(undefined, config), true);
  const session = await active();
  await until('the first stop', () => session.state.phase === 'stopped');
  return session;
}

async function go(session: Session, request: string): Promise<void> {
  const stop = session.nextStop();
  await session.debug.customRequest(request, { threadId: session.state.stop?.threadId ?? 1 });
  await stop;
}

async function total(session: Session): Promise<string> {
  const threadId = session.state.stop?.threadId;
  const { stackFrames } = await session.debug.customRequest('stackTrace', { threadId, startFrame: 0, levels: 1 });
  const { result } = await session.debug.customRequest('evaluate', { expression: 'total', frameId: stackFrames[0].id });
  return result;
}

async function take(session: Session, name?: string): Promise<number> {
  const before = session.state.list.checkpoints.length;
  if (name !== undefined) answer('showInputBox', () => name);
  await command(name === undefined ? 'take' : 'takeNamed');
  await until('the list has it', () => session.state.list.checkpoints.length > before && !session.state.busy);
  return session.state.presentId!;
}

test('Checkpoint Here: a row, called by its source line, where the program is', async () => {
  const session = await atFirstStop();
  const id = await take(session);
  const { view } = await api();
  await until('the source line was read', () => view.describeRows().some((row) => row.includes('total = add')));
  assert.ok(
    view.describeRows().some((row) => row.startsWith(`${id}  total = add`) && row.endsWith('[here]')),
    view.describeRows().join('\n'),
  );
  const record = session.state.list.checkpoints.find((one) => one.id === id)!;
  assert.equal(record.stop?.line, sumLine);
  assert.equal(record.automatic, false);
});

test('Restore to Snapshot on a row, and Undo Restore', async () => {
  const session = await atFirstStop();
  const id = await take(session, 'first');
  await go(session, 'continue');
  await go(session, 'continue');
  assert.equal(await total(session), '3');
  await command('restoreRow', id);
  assert.equal(await total(session), '0');
  assert.deepEqual([session.state.inPast, session.state.arrival?.at], [true, id]);
  await until('what was left is in the list', () => abilities(session.state).undo);
  await command('undoRestore');
  assert.equal(await total(session), '3');
  assert.equal(session.state.arrival?.from, id);
});

test('Restore to Snapshot from the list: names, lines and ages are shown, the newest first', async () => {
  const session = await atFirstStop();
  await take(session, 'one');
  await go(session, 'continue');
  const two = await take(session, 'two');
  await go(session, 'continue');
  let labels: readonly string[] = [];
  answer('showQuickPick', (items: readonly { label: string; detail?: string }[]) => {
    labels = items.map(({ label }) => label);
    assert.match(items[0]!.detail ?? '', new RegExp(`sum\\.c:${sumLine} · 1 thread · just now`));
    return items[0];
  });
  await command('restore');
  assert.equal(await total(session), '1');
  assert.equal(session.state.presentId, two);
  assert.match(labels[0]!, /two/);
  assert.match(labels[1]!, /one/);
});

test('Restore to the Last Checkpoint asks nothing', async () => {
  const session = await atFirstStop();
  await take(session);
  await go(session, 'continue');
  await command('restoreLast');
  assert.equal(await total(session), '0');
});

test('Rename, Delete, Delete All', async () => {
  const session = await atFirstStop();
  const first = await take(session, 'first');
  await go(session, 'continue');
  const second = await take(session, 'second');
  answer('showInputBox', ({ value }: { value: string }) => {
    assert.equal(value, 'first');
    return 'the beginning';
  });
  await command('rename', first);
  await until('it has its name', () => session.state.list.checkpoints.some(({ label }) => label === 'the beginning'));
  await command('delete', second);
  await until('it is gone', () => session.state.list.checkpoints.every(({ id }) => id !== second));
  answer('showWarningMessage', () => undefined);
  await command('deleteAll');
  assert.ok(session.state.list.checkpoints.some(({ id }) => id === first));
  answer('showWarningMessage', () => 'Delete');
  await command('deleteAll');
  await until('only the entry is left', () => session.state.list.checkpoints.every(({ id }) => id === 0));
});

test('Show What Does Not Go Back', async () => {
  await atFirstStop();
  answer('showQuickPick', (items: readonly { label: string }[]) => {
    assert.match(items.map(({ label }) => label).join('\n'), /\/dev\/pts\/\d+/);
    return undefined;
  });
  await command('preflight');
});

/** The two texts of the comparison that is shown. */
async function comparison(): Promise<{ readonly label: string; readonly before: string; readonly after: string }> {
  const { activeTab } = vscode.window.tabGroups.activeTabGroup;
  assert.ok(activeTab?.input instanceof vscode.TabInputTextDiff, activeTab?.label);
  const { original, modified } = activeTab.input;
  const [before, after] = await Promise.all([original, modified].map((uri) => vscode.workspace.openTextDocument(uri)));
  return { label: activeTab.label, before: before!.getText(), after: after!.getText() };
}

test('Compare with Now: two texts side by side, and the program stays where it is', async () => {
  const session = await atFirstStop();
  const id = await take(session, 'first');
  await go(session, 'continue');
  await go(session, 'continue');
  const known = session.state.list.checkpoints.length;
  await command('compareNow', id);
  const { label, before, after } = await comparison();
  assert.equal(label, `Checkpoint ${id} (first) ↔ Now`);
  assert.match(before, new RegExp(`^ {2}main, sum\\.c:${sumLine}\\n {4}i = 1\\n {4}total = 0$`, 'm'));
  assert.match(after, new RegExp(`^ {2}main, sum\\.c:${sumLine}\\n {4}i = 3\\n {4}total = 3$`, 'm'));
  assert.equal(await total(session), '3');
  assert.deepEqual([session.state.list.checkpoints.length, session.state.inPast], [known, false]);
});

test('Compare with Another Checkpoint: the earlier one is on the left, whichever was chosen first', async () => {
  const session = await atFirstStop();
  const first = await take(session, 'first');
  await go(session, 'continue');
  const second = await take(session, 'second');
  await go(session, 'continue');
  answer('showQuickPick', (items: readonly { label: string }[]) => {
    assert.ok(items.every(({ label }) => !label.includes('second')));
    return items.find(({ label }) => label.includes('first'));
  });
  await command('compareWith', second);
  const { label, before, after } = await comparison();
  assert.equal(label, `Checkpoint ${first} (first) ↔ Checkpoint ${second} (second)`);
  assert.match(before, /total = 0\n/);
  assert.match(after, /total = 1\n/);
});

test('Run to This Line and Checkpoint: there, with a checkpoint, and without the breakpoint for it', async () => {
  const session = await atFirstStop();
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  await command('runToLineAndTake', { lineNumber: printLine, uri: source });
  await until('it has one', () => session.state.list.checkpoints.some(({ stop }) => stop?.line === printLine));
  assert.equal(await total(session), '210');
  assert.equal(vscode.debug.breakpoints.length, 0);
});

test('after the program has ended, a checkpoint brings it back; taking one says why not', async () => {
  const session = await atFirstStop();
  const id = await take(session);
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  await session.debug.customRequest('threads');
  await go(session, 'continue');
  assert.equal(session.state.phase, 'exited');
  await command('take');
  assert.match(messages.join(), /no running program/);
  await command('restoreRow', id);
  assert.equal(session.state.phase, 'stopped');
  assert.equal(await total(session), '0');
});

test('automatic checkpoints are folded, and Step Back goes to them', async () => {
  const session = await atFirstStop({ automaticCheckpoints: { most: 50, megabytes: 100, timeShare: 1e9 } });
  const records = (): number => session.state.list.checkpoints.length;
  for (let stop = 2; stop <= 4; stop++) {
    await until('the stop has its checkpoint', () => records() === stop);
    await go(session, 'continue');
  }
  await until('the last stop has its checkpoint', () => records() === 5);
  const { view } = await api();
  assert.ok(
    view.describeRows().some((row) => row.trim() === '3 automatic'),
    view.describeRows().join('\n'),
  );
  await go(session, 'stepBack');
  assert.equal(await total(session), '3');
  assert.equal(session.state.inPast, true);
});

test('without a session, commands say so', async () => {
  await command('take');
  await command('restore');
  await command('undoRestore');
  await command('compareNow');
  await command('compareWith');
  assert.equal(messages.filter((text) => /No program is being debugged/.test(text)).length, 5);
});
