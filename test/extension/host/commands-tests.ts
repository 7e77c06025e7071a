/** Every command, and what it does to the program. */

import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { abilities } from '../../../extension/src/session-state';
import { answer, api, command, messages, test, until } from './harness';
import { atExit, atFirstStop, breakAt, go, lineOf, restore, sourceOf, start, take, valueOf } from './program';

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
  assert.equal(record.stop?.line, lineOf('sum', 'sum'));
  assert.equal(record.automatic, false);
});

test('Restore to Snapshot on a row, and Undo Restore', async () => {
  const session = await atFirstStop();
  const id = await take(session, 'first');
  await go(session, 'continue');
  await go(session, 'continue');
  assert.equal(await valueOf(session, 'total'), '3');
  await restore(session, id);
  assert.equal(await valueOf(session, 'total'), '0');
  assert.deepEqual([session.state.inPast, session.state.arrival?.at], [true, id]);
  await until('what was left is in the list', () => abilities(session.state).undo);
  await command('undoRestore');
  assert.equal(await valueOf(session, 'total'), '3');
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
    assert.match(items[0]!.detail ?? '', new RegExp(`sum\\.c:${lineOf('sum', 'sum')} · 1 thread · just now`));
    return items[0];
  });
  await command('restore');
  assert.equal(await valueOf(session, 'total'), '1');
  assert.equal(session.state.presentId, two);
  assert.match(labels[0]!, /two/);
  assert.match(labels[1]!, /one/);
});

test('Restore to the Last Checkpoint asks nothing', async () => {
  const session = await atFirstStop();
  await take(session);
  await go(session, 'continue');
  await command('restoreLast');
  assert.equal(await valueOf(session, 'total'), '0');
});

test('with the setting "ask", a restore that leaves a file as it is names the file first', async () => {
  const settings = vscode.workspace.getConfiguration('savepoint');
  await settings.update('files', 'ask', vscode.ConfigurationTarget.Global);
  try {
    breakAt(lineOf('notes', 'note'), 'notes');
    const session = await start('notes');
    await until('the first stop', () => session.state.phase === 'stopped');
    const id = await take(session);
    await go(session, 'continue');
    answer('showWarningMessage', (question: string, { modal, detail }: vscode.MessageOptions) => {
      assert.equal(question, `Restore to checkpoint ${id}?`);
      assert.equal(modal, true);
      assert.match(detail!, /^Does not go back:\n.*notes\.txt/);
      return undefined;
    });
    await command('restoreRow', id);
    assert.equal(await valueOf(session, 'i'), '2');
    answer('showWarningMessage', () => 'Restore');
    await restore(session, id);
    assert.equal(await valueOf(session, 'i'), '1');
  } finally {
    await settings.update('files', undefined, vscode.ConfigurationTarget.Global);
  }
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
  assert.match(before, new RegExp(`^ {2}main, sum\\.c:${lineOf('sum', 'sum')}\\n {4}i = 1\\n {4}total = 0$`, 'm'));
  assert.match(after, new RegExp(`^ {2}main, sum\\.c:${lineOf('sum', 'sum')}\\n {4}i = 3\\n {4}total = 3$`, 'm'));
  assert.equal(await valueOf(session, 'total'), '3');
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

test('Add Checkpoint Breakpoint: once a line, and the program leaves a checkpoint at each pass', async () => {
  const line = lineOf('sum', 'sum');
  for (let times = 0; times < 2; times++) await command('addCheckpointBreakpoint', { lineNumber: line, uri: sourceOf('sum') });
  assert.equal(vscode.debug.breakpoints.length, 1);
  breakAt(lineOf('sum', 'print'));
  const session = await start('sum');
  await until('it is past the loop', () => session.state.phase === 'stopped');
  assert.equal(session.state.stop?.reason, 'breakpoint');
  await until(
    'all passes are there',
    () => session.state.list.checkpoints.filter(({ stop }) => stop?.line === line).length === 20,
  );
});

/** What the editor gives from each menu. */
const places: Readonly<Record<string, (line: number) => unknown>> = {
  'the line numbers': (line) => ({ lineNumber: line, uri: sourceOf('sum') }),
  'a frame of the call stack': (line) => ({
    frameLocation: { range: { startLineNumber: line }, source: { path: sourceOf('sum').fsPath } },
  }),
};

for (const [menu, placeAt] of Object.entries(places)) {
  test(`Run to This Line and Checkpoint, from ${menu}: there, with a checkpoint, and without the breakpoint for it`, async () => {
    const session = await atFirstStop();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    const line = lineOf('sum', 'print');
    await command('runToLineAndTake', placeAt(line));
    await until('it has one', () => session.state.list.checkpoints.some(({ stop }) => stop?.line === line));
    assert.equal(await valueOf(session, 'total'), '210');
    assert.equal(vscode.debug.breakpoints.length, 0);
  });
}

test('the menu of a call means the session of that call, also when another one is in front', async () => {
  const first = await atFirstStop();
  breakAt(lineOf('notes', 'note'), 'notes');
  const second = await start('notes');
  await until('the other one stops', () => second.state.phase === 'stopped');
  const { sessions } = await api();
  assert.equal(sessions.active, first);
  const call = { sessionId: second.debug.id, threadId: 'thread', frameId: 'frame', frameName: 'main' };
  await command('take', call);
  const named = (session: typeof first): number => session.state.list.checkpoints.filter(({ automatic }) => !automatic).length;
  await until('it has its checkpoint', () => named(second) === 1);
  assert.equal(named(first), 0);
  await command('take', { ...call, sessionId: 'of another debugger' });
  assert.match(messages.join(), /This program is not debugged by Savepoint/);
  await vscode.debug.stopDebugging(second.debug);
});

test('a row tells where, how many threads, how old, how big; what is in the past looks like it; warnings have their reasons', async () => {
  breakAt(lineOf('notes', 'note'), 'notes');
  const session = await start('notes');
  await until('the first stop', () => session.state.phase === 'stopped');
  const id = await take(session, 'first');
  const { view } = await api();
  const item = (): vscode.TreeItem => {
    const all = [...view.getChildren()];
    for (const ref of all) all.push(...view.getChildren(ref));
    const found = all.find(({ row }) => row.kind === 'checkpoint' && row.record.id === id);
    assert.ok(found, 'the row is there');
    return view.getTreeItem(found);
  };
  const place = `notes\\.c:${lineOf('notes', 'note')}`;
  const { label, description, tooltip, accessibilityInformation } = item();
  assert.equal(label, `${id}  first`);
  assert.match(String(description), new RegExp(`^you are here · ${place} · 1 thread · just now · \\d+ KiB$`));
  assert.match((tooltip as vscode.MarkdownString).value, /\*\*What does not go back\*\*[^]*notes\\?\.txt/);
  assert.equal((item().iconPath as vscode.ThemeIcon).id, 'warning');
  assert.match(
    accessibilityInformation!.label,
    new RegExp(
      `^Checkpoint ${id}, first, you are here, at ${place}, 1 thread, just now, does not go back exactly: .*notes\\.txt`,
    ),
  );
  await go(session, 'continue');
  await until('it is left', () => !String(item().description).startsWith('you are here'));
  await restore(session, id);
  await until('it is in the past', () => String(item().description).startsWith('you are here, in the past'));
  assert.equal(view.provideFileDecoration(item().resourceUri!)?.badge, '◀');
});

test('a command on a row, without a row, asks for it, and the selected one is the first', async () => {
  const session = await atFirstStop();
  const first = await take(session, 'first');
  await go(session, 'continue');
  await take(session, 'second');
  const { view } = await api();
  await view.reveal(first);
  await until('the row is selected', () => {
    const [selected] = view.view.selection;
    return selected?.row.kind === 'checkpoint' && selected.row.record.id === first;
  });
  await go(session, 'continue');
  answer('showQuickPick', (items: readonly { label: string }[]) => {
    assert.match(items[0]!.label, /first/);
    return items[0];
  });
  const stop = session.nextStop();
  await command('restoreRow');
  await stop;
  assert.deepEqual([session.state.arrival?.at, await valueOf(session, 'total')], [first, '0']);
});

test("the editor's Reverse goes to the checkpoint before, Restart to the start of the same process", async () => {
  const session = await atFirstStop();
  const pidOf = (): number | undefined => session.state.list.checkpoints[0]?.pid;
  await take(session, 'first');
  const pid = pidOf();
  await go(session, 'continue');
  await go(session, 'continue');
  const back = session.nextStop();
  await vscode.commands.executeCommand('workbench.action.debug.reverseContinue');
  await back;
  assert.equal(await valueOf(session, 'total'), '0');
  await go(session, 'continue');
  const again = session.nextStop();
  await vscode.commands.executeCommand('workbench.action.debug.restart');
  await again;
  assert.equal(await valueOf(session, 'total'), '0');
  assert.deepEqual([typeof pid, pidOf()], ['number', pid]);
});

test('after the program has ended, a checkpoint brings it back', async () => {
  const session = await atExit();
  await restore(session, session.state.list.checkpoints.at(-1)!.id);
  assert.equal(session.state.phase, 'stopped');
  assert.equal(await valueOf(session, 'total'), '0');
});

test('automatic checkpoints are folded, Step Back goes to them, and they are deleted together', async () => {
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
  assert.equal(await valueOf(session, 'total'), '3');
  assert.equal(session.state.inPast, true);
  const [group] = view.getChildren().filter(({ row }) => row.kind === 'automatic');
  assert.ok(group, view.describeRows().join('\n'));
  const left = records() - group.row.children.length;
  answer('showWarningMessage', (question: string) => {
    assert.equal(question, `Delete these ${group.row.children.length} checkpoints? The program itself stays as it is.`);
    return undefined;
  });
  await command('deleteGroup', group);
  assert.equal(records(), left + group.row.children.length);
  answer('showWarningMessage', () => 'Delete');
  await command('deleteGroup', group);
  await until('they are gone', () => records() === left);
});

test('a branch is deleted with all that is in it, after a question', async () => {
  const session = await atFirstStop();
  const first = await take(session, 'first');
  await go(session, 'continue');
  const kept = await take(session, 'kept');
  await restore(session, first);
  await go(session, 'continue');
  const gone = await take(session, 'gone');
  const { view } = await api();
  await until('there is a branch', () => view.describeRows().some((row) => row.trim() === 'Branch'));
  const [branch] = view.getChildren().flatMap((ref) => view.getChildren(ref));
  assert.equal(branch?.row.kind, 'branch');
  answer('showWarningMessage', (question: string, { modal }: vscode.MessageOptions) => {
    assert.deepEqual([question, modal], ['Delete the checkpoint? The program itself stays as it is.', true]);
    return 'Delete';
  });
  await command('deleteGroup', branch);
  const ids = (): readonly number[] => session.state.list.checkpoints.map(({ id }) => id);
  await until('it is gone', () => !ids().includes(gone));
  assert.ok(ids().includes(kept) && ids().includes(first));
});

test('Show the Checkpoints', async () => {
  await atFirstStop();
  const { view } = await api();
  await vscode.commands.executeCommand('workbench.view.explorer');
  await until('it is not seen', () => !view.view.visible);
  await command('focusView');
  await until('it is seen', () => view.view.visible);
});
