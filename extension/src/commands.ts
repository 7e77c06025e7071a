/** The commands on checkpoints: what each asks the user, and the request that follows. */

import * as vscode from 'vscode';
import type { CheckpointRecord } from '../../native/control/schema';
import { addCheckpointBreakpoint } from './checkpoint-breakpoint';
import type { CheckpointsView, RowRef } from './checkpoints-view';
import type { Comparisons } from './comparisons';
import { showError } from './notify';
import { runToLine } from './run-to-line';
import { type Abilities, abilities, findRecord, lastCheckpoint } from './session-state';
import type { Session, Sessions } from './sessions';
import { describeRecord, warningsOf } from './texts';
import { ENTRY_ID } from './tree-rows';

/** A row, its number, or (toolbar, palette, keyboard) nothing. */
type Target = RowRef | number | undefined;

export class Commands {
  constructor(
    private readonly sessions: Sessions,
    private readonly view: CheckpointsView,
    private readonly comparisons: Comparisons,
  ) {}

  register(): vscode.Disposable[] {
    const on = (name: string, run: (...args: never[]) => unknown): vscode.Disposable =>
      vscode.commands.registerCommand(`savepoint.${name}`, run as (...args: unknown[]) => unknown);
    return [
      on('take', () => this.take()),
      on('takeNamed', () => this.takeNamed()),
      on('runToLineAndTake', (at?: unknown) => this.runToLine(at)),
      on('addCheckpointBreakpoint', (at?: unknown) => this.addBreakpoint(at)),
      on('restore', () => this.restorePicked()),
      on('restoreLast', () => this.restoreLast()),
      on('restoreRow', (target: Target) => this.restore(target)),
      on('undoRestore', () => this.undo()),
      on('rename', (target: Target) => this.rename(target)),
      on('delete', (target: Target) => this.drop(target)),
      on('deleteAll', () => this.dropAll()),
      on('deleteGroup', (target: RowRef) => this.dropGroup(target)),
      on('compareNow', (target: Target) => this.compareNow(target)),
      on('compareWith', (target: Target) => this.compareWith(target)),
      on('preflight', () => this.preflight()),
      on('focusView', () => vscode.commands.executeCommand('savepoint.checkpoints.focus')),
    ];
  }

  /** Commands can be called by keyboard and palette when they do not work: then they say why. */
  private need(able: keyof Abilities, otherwise: string): Session | undefined {
    const { active } = this.sessions;
    if (active !== undefined && abilities(active.state)[able]) return active;
    if (active?.state.busy === true) return undefined;
    void vscode.window.showInformationMessage(active === undefined ? 'No program is being debugged by Savepoint.' : otherwise);
    return undefined;
  }

  // --- taking ---

  private async take(label?: string): Promise<void> {
    const session = this.need('take', 'There is no running program to take a checkpoint of; Restore to Snapshot brings it back.');
    if (session !== undefined) await this.takeOf(session, label);
  }

  private async takeOf(session: Session, label?: string): Promise<void> {
    try {
      const { checkpoint } = await session.take(label);
      void this.view.reveal(checkpoint.id);
    } catch (error) {
      showError('No checkpoint was taken', error);
    }
  }

  private async takeNamed(): Promise<void> {
    const label = await vscode.window.showInputBox({
      title: 'Checkpoint Here',
      prompt: 'A name for the checkpoint',
      placeHolder: 'before the crash',
    });
    if (label !== undefined) await this.take(label.trim());
  }

  private async runToLine(given: unknown): Promise<void> {
    const session = this.need('runTo', 'The program has to stand still: pause it first.');
    const place = session === undefined ? undefined : placeOf(given);
    if (session === undefined || place === undefined) return;
    try {
      if ((await runToLine(session, place)) === 'there') await this.takeOf(session);
    } catch (error) {
      showError('The program does not run to this line', error);
    }
  }

  /** Before a session, too. */
  private addBreakpoint(given: unknown): void {
    const place = placeOf(given);
    if (place === undefined) return void vscode.window.showInformationMessage('Put the cursor into a line of a program first.');
    if (addCheckpointBreakpoint(place)) return;
    void vscode.window.showInformationMessage('This line has a checkpoint breakpoint already.');
  }

  // --- going back ---

  /** By keyboard no row is given: the selected one is meant. */
  private async restore(target: Target): Promise<void> {
    const session = this.need('restore', 'There is no checkpoint to go back to.');
    const record = session === undefined ? undefined : this.find(session, target ?? this.view.view.selection[0]);
    if (session === undefined) return;
    if (record === undefined) return await this.restorePicked();
    if (!(await isWanted(record))) return;
    try {
      await session.restore(record.id);
    } catch (error) {
      showError(`The program is not restored to checkpoint ${record.id}`, error);
    }
  }

  private async restorePicked(): Promise<void> {
    const session = this.need('restore', 'There is no checkpoint to go back to.');
    if (session === undefined) return;
    const record = await this.pick(session, 'Restore to Snapshot', lastCheckpoint(session.state)?.id);
    if (record !== undefined) await this.restore(record.id);
  }

  private async restoreLast(): Promise<void> {
    const session = this.need('restore', 'There is no checkpoint to go back to.');
    const record = session === undefined ? undefined : lastCheckpoint(session.state);
    if (record !== undefined) await this.restore(record.id);
  }

  private async undo(): Promise<void> {
    const session = this.need('undo', 'There is no restore to undo.');
    const from = session?.state.arrival?.from;
    if (from !== undefined) await this.restore(from);
  }

  /** Newest first, those that somebody asked for before the automatic ones; `first` is the one that Enter takes. */
  private async pick(session: Session, title: string, first?: number, except?: number): Promise<CheckpointRecord | undefined> {
    const all = session.state.list.checkpoints.filter(({ id }) => id !== except).sort((a, b) => b.id - a.id);
    const entries = (records: readonly CheckpointRecord[]): (vscode.QuickPickItem & { record: CheckpointRecord })[] =>
      records.map((record) => ({
        record,
        label: `${warningsOf(record).length > 0 ? '$(warning)' : '$(device-camera)'} ${record.id}  ${this.view.nameOf(record)}`,
        description: record.id === session.state.presentId ? 'you are here' : '',
        detail: describeRecord(record, Date.now()),
      }));
    const named = entries(all.filter(({ automatic }) => !automatic));
    named.sort((a, b) => Number(b.record.id === first) - Number(a.record.id === first));
    const automatic = entries(all.filter((record) => record.automatic));
    const separator = { label: 'automatic', kind: vscode.QuickPickItemKind.Separator };
    const items: vscode.QuickPickItem[] = [...named, ...(automatic.length > 0 ? [separator] : []), ...automatic];
    const chosen = await vscode.window.showQuickPick(items, {
      title,
      placeHolder: 'Which checkpoint? (name, line, age)',
      matchOnDetail: true,
    });
    return (chosen as { record?: CheckpointRecord } | undefined)?.record;
  }

  // --- keeping order ---

  private async rename(target: Target): Promise<void> {
    const [session, record] = await this.chosen(target, 'Rename');
    if (session === undefined || record === undefined) return;
    const label = await vscode.window.showInputBox({
      title: `Rename checkpoint ${record.id}`,
      value: record.label === '' ? this.view.nameOf(record) : record.label,
    });
    if (label === undefined) return;
    await session.rename(record.id, label.trim()).catch((error: unknown) => showError('It was not renamed', error));
  }

  private async drop(target: Target): Promise<void> {
    const [session, record] = await this.chosen(target, 'Delete');
    if (session !== undefined && record !== undefined) await this.dropMany(session, [record.id]);
  }

  private async dropGroup({ row, sessionId }: RowRef): Promise<void> {
    const session = this.sessions.get(sessionId);
    if (session === undefined || row.kind !== 'automatic') return;
    const ids = row.children.flatMap((child) => (child.kind === 'checkpoint' ? [child.record.id] : []));
    await this.dropMany(session, ids);
  }

  private async dropAll(): Promise<void> {
    const session = this.need('restore', 'There is no checkpoint.');
    if (session === undefined) return;
    const ids = session.state.list.checkpoints.map(({ id }) => id).filter((id) => id !== ENTRY_ID);
    if (ids.length === 0) return void vscode.window.showInformationMessage('There is only the entry, which Restart needs.');
    const answer = await vscode.window.showWarningMessage(
      `Delete ${ids.length === 1 ? 'the checkpoint' : `all ${ids.length} checkpoints`}? The program itself stays as it is.`,
      { modal: true },
      'Delete',
    );
    if (answer === 'Delete') await this.dropMany(session, ids);
  }

  private async dropMany(session: Session, ids: readonly number[]): Promise<void> {
    try {
      for (const id of ids) await session.drop(id);
    } catch (error) {
      showError('Not deleted', error);
    }
  }

  // --- comparing ---

  private async compareNow(target: Target): Promise<void> {
    const session = this.need(
      'compareNow',
      'Only a program that stands still can be compared with a checkpoint: pause it first.',
    );
    const record = session === undefined ? undefined : await this.oneOf(session, target, 'Compare with Now');
    if (session !== undefined && record !== undefined) await this.showComparison(session, record, undefined);
  }

  private async compareWith(target: Target): Promise<void> {
    const session = this.need(
      'compareTwo',
      'Two checkpoints are compared while the program stands still: pause it, or take another one.',
    );
    const one = session === undefined ? undefined : await this.oneOf(session, target, 'Compare');
    if (session === undefined || one === undefined) return;
    const other = await this.pick(session, `Compare Checkpoint ${one.id} with`, undefined, one.id);
    if (other === undefined) return;
    // The earlier one is on the left.
    const [before, after] = one.id < other.id ? [one, other] : [other, one];
    await this.showComparison(session, before, after);
  }

  private async oneOf(session: Session, target: Target, title: string): Promise<CheckpointRecord | undefined> {
    return this.find(session, target ?? this.view.view.selection[0]) ?? (await this.pick(session, title));
  }

  /** `after` undefined: the present. */
  private async showComparison(session: Session, before: CheckpointRecord, after: CheckpointRecord | undefined): Promise<void> {
    const nameOf = (record: CheckpointRecord): string => `Checkpoint ${record.id} (${this.view.nameOf(record)})`;
    try {
      const result = await session.compare({ id: before.id, ...(after === undefined ? {} : { with: after.id }) });
      await this.comparisons.show(result, { before: nameOf(before), after: after === undefined ? 'Now' : nameOf(after) });
    } catch (error) {
      showError(`Checkpoint ${before.id} is not compared`, error);
    }
  }

  // --- what does not go back ---

  private async preflight(): Promise<void> {
    const session = this.need('take', 'There is no running program to look at.');
    if (session === undefined) return;
    try {
      const { possible, reason, fidelity } = await session.preflight();
      if (!possible) return void vscode.window.showWarningMessage(`No checkpoint can be taken now: ${reason ?? 'refused'}`);
      const items = fidelity.map((label) => ({ label: `$(circle-slash) ${label}` }));
      const nothing = [{ label: '$(check) Everything goes back that a checkpoint can hold' }];
      await vscode.window.showQuickPick(items.length === 0 ? nothing : items, {
        title: 'What does not go back',
        placeHolder: 'A checkpoint taken now would not bring these back',
      });
    } catch (error) {
      showError('What does not go back is not known', error);
    }
  }

  // --- whom a command means ---

  private async chosen(target: Target, title: string): Promise<readonly [Session?, CheckpointRecord?]> {
    const session = this.need('restore', 'There is no checkpoint.');
    if (session === undefined) return [];
    return [session, await this.oneOf(session, target, title)];
  }

  private find(session: Session, target: Target): CheckpointRecord | undefined {
    if (typeof target === 'number') return findRecord(session.state, target);
    return target?.row.kind === 'checkpoint' ? findRecord(session.state, target.row.record.id) : undefined;
  }
}

/** From the line numbers' menu, a frame of the call stack, or the cursor. */
function placeOf(given: unknown): vscode.Location | undefined {
  if (typeof given === 'object' && given !== null && 'frameLocation' in given) {
    const { range, source } = given.frameLocation as { range?: { startLineNumber: number }; source?: { path?: string } };
    if (range === undefined || source?.path === undefined) return undefined;
    return new vscode.Location(vscode.Uri.file(source.path), new vscode.Position(range.startLineNumber - 1, 0));
  }
  if (typeof given === 'object' && given !== null && 'lineNumber' in given && 'uri' in given) {
    const { lineNumber, uri } = given as { lineNumber: number; uri: vscode.Uri };
    return new vscode.Location(uri, new vscode.Position(lineNumber - 1, 0));
  }
  const editor = vscode.window.activeTextEditor;
  return editor === undefined ? undefined : new vscode.Location(editor.document.uri, editor.selection.active);
}

/** Asks, when the user wants to be asked, before files and the like are left as they are. */
async function isWanted(record: CheckpointRecord): Promise<boolean> {
  const warnings = warningsOf(record);
  const settings = vscode.workspace.getConfiguration('savepoint');
  if (warnings.length === 0 || settings.get<string>('files', 'show') !== 'ask') return true;
  const detail = `Does not go back:\n${warnings.join('\n')}`;
  const question = `Restore to checkpoint ${record.id}?`;
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, 'Restore')) === 'Restore';
}
