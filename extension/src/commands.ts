/** The commands on checkpoints: what each asks the user, and the request that follows. */

import * as vscode from 'vscode';
import type { CheckpointRecord } from '../../native/control/schema';
import { addCheckpointBreakpoint } from './checkpoint-breakpoint';
import { type CheckpointsView, VIEW_ID } from './checkpoints-view';
import type { Comparisons } from './comparisons';
import { showError } from './notify';
import { pickCheckpoint } from './pickers';
import { runToLine } from './run-to-line';
import { type Abilities, abilities, findRecord, lastCheckpoint } from './session-state';
import type { Session, Sessions } from './sessions';
import { FOCUSED, type Target, focusedRow, placeOf, sessionIdOf } from './targets';
import { warningsOf } from './texts';
import { ENTRY_ID, recordsIn } from './tree-rows';

const NOTHING_TO_TAKE = 'There is no running program to take a checkpoint of; Restore to Snapshot brings it back.';
const NO_CHECKPOINT = 'There is no checkpoint.';

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
      on('take', (at?: unknown) => this.take(at)),
      on('takeNamed', () => this.takeNamed()),
      on('runToLineAndTake', (at?: unknown) => this.runToLine(at)),
      on('addCheckpointBreakpoint', (at?: unknown) => this.addBreakpoint(at)),
      on('restore', (at?: unknown) => this.restorePicked(at)),
      on('restoreLast', () => this.restoreLast()),
      on('restoreRow', (target: Target) => this.restoreRow(target)),
      on('undoRestore', () => this.undo()),
      on('rename', (target: Target) => this.rename(target)),
      on('delete', (target: Target) => this.drop(target)),
      on('deleteAll', () => this.dropAll()),
      on('deleteGroup', (target: Target) => this.drop(target)),
      on('compareNow', (target: Target) => this.compareNow(target)),
      on('compareWith', (target: Target) => this.compareWith(target)),
      on('preflight', () => this.preflight()),
      on('focusView', () => this.focusView()),
    ];
  }

  /**
   * The session that is meant: that of the row or the call which a menu gave, else the active one. Commands can be called by keyboard and
   * palette when they do not work: then they say why.
   */
  private need(able: keyof Abilities, otherwise: string, given?: unknown): Session | undefined {
    const id = sessionIdOf(given);
    const session = id === undefined ? this.sessions.active : this.sessions.get(id);
    if (session !== undefined && abilities(session.state)[able]) return session;
    if (session?.state.busy === true) return undefined;
    const nothing =
      id === undefined ? 'No program is being debugged by Savepoint.' : 'This program is not debugged by Savepoint.';
    tell(session === undefined ? nothing : otherwise);
    return undefined;
  }

  // --- taking ---

  private async take(given: unknown): Promise<void> {
    const session = this.need('take', NOTHING_TO_TAKE, given);
    if (session !== undefined) await this.takeOf(session);
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
    const session = this.need('take', NOTHING_TO_TAKE);
    if (session === undefined) return;
    const label = await vscode.window.showInputBox({
      title: 'Checkpoint Here',
      prompt: 'A name for the checkpoint',
      placeHolder: 'before the crash',
    });
    if (label !== undefined) await this.takeOf(session, label.trim());
  }

  private async runToLine(given: unknown): Promise<void> {
    const session = this.need('runTo', 'The program has to stand still: pause it first.', given);
    const place = session === undefined ? undefined : placeOf(given);
    if (session === undefined || place === undefined) return;
    try {
      if ((await runToLine(session, place, given)) === 'there') await this.takeOf(session);
    } catch (error) {
      showError('The program does not run to this line', error);
    }
  }

  /** Before a session, too. */
  private addBreakpoint(given: unknown): void {
    const place = placeOf(given);
    if (place === undefined) return tell('Put the cursor into a line of a program first.');
    if (addCheckpointBreakpoint(place)) return;
    tell('This line has a checkpoint breakpoint already.');
  }

  // --- going back ---

  private async restoreRow(target: Target): Promise<void> {
    const session = this.need('restore', NO_CHECKPOINT, target);
    const record = session === undefined ? undefined : await this.recordOf(session, target, 'Restore to Snapshot');
    if (session !== undefined && record !== undefined) await this.restoreTo(session, record);
  }

  private async restorePicked(given: unknown): Promise<void> {
    const session = this.need('restore', NO_CHECKPOINT, given);
    if (session === undefined) return;
    const record = await this.pick(session, 'Restore to Snapshot', lastCheckpoint(session.state)?.id);
    if (record !== undefined) await this.restoreTo(session, record);
  }

  private async restoreLast(): Promise<void> {
    const session = this.need('restore', NO_CHECKPOINT);
    const record = session === undefined ? undefined : lastCheckpoint(session.state);
    if (session !== undefined && record !== undefined) await this.restoreTo(session, record);
  }

  private async undo(): Promise<void> {
    const session = this.need('undo', 'There is no restore to undo.');
    const record = session === undefined ? undefined : findRecord(session.state, session.state.arrival?.from);
    if (session !== undefined && record !== undefined) await this.restoreTo(session, record);
  }

  private async restoreTo(session: Session, record: CheckpointRecord): Promise<void> {
    if (!(await isWanted(record))) return;
    try {
      await session.restore(record.id);
    } catch (error) {
      showError(`The program is not restored to checkpoint ${record.id}`, error);
    }
  }

  private async pick(session: Session, title: string, first?: number, except?: number): Promise<CheckpointRecord | undefined> {
    return await pickCheckpoint(session.state, (record) => this.view.nameOf(record), { title, first, except });
  }

  // --- keeping order ---

  private async rename(target: Target): Promise<void> {
    const session = this.need('restore', NO_CHECKPOINT, target);
    const record = session === undefined ? undefined : await this.recordOf(session, target, 'Rename');
    if (session === undefined || record === undefined) return;
    const label = await vscode.window.showInputBox({
      title: `Rename checkpoint ${record.id}`,
      value: record.label === '' ? this.view.nameOf(record) : record.label,
    });
    if (label === undefined) return;
    await session.rename(record.id, label.trim()).catch((error: unknown) => showError('It was not renamed', error));
  }

  /** A row that stands for several is deleted with all of them. */
  private async drop(target: Target): Promise<void> {
    const session = this.need('restore', NO_CHECKPOINT, target);
    if (session === undefined) return;
    const given = target === FOCUSED ? await focusedRow(this.view.view) : target;
    if (typeof given === 'object' && given.row.kind !== 'checkpoint') {
      const ids = recordsIn(given.row.children).map(({ id }) => id);
      if (await isDeletionWanted('these', ids.length)) await this.dropMany(session, ids);
      return;
    }
    const record = await this.recordOf(session, given, 'Delete');
    if (record !== undefined) await this.dropMany(session, [record.id]);
  }

  private async dropAll(): Promise<void> {
    const session = this.need('restore', NO_CHECKPOINT);
    if (session === undefined) return;
    const ids = session.state.list.checkpoints.map(({ id }) => id).filter((id) => id !== ENTRY_ID);
    if (ids.length === 0) return tell('There is only the entry, which Restart needs.');
    if (await isDeletionWanted('all', ids.length)) await this.dropMany(session, ids);
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
      target,
    );
    const record = session === undefined ? undefined : await this.recordOf(session, target, 'Compare with Now');
    if (session !== undefined && record !== undefined) await this.showComparison(session, record, undefined);
  }

  private async compareWith(target: Target): Promise<void> {
    const session = this.need(
      'compareTwo',
      'Two checkpoints are compared while the program stands still: pause it, or take another one.',
      target,
    );
    const one = session === undefined ? undefined : await this.recordOf(session, target, 'Compare');
    if (session === undefined || one === undefined) return;
    const other = await this.pick(session, `Compare Checkpoint ${one.id} with`, undefined, one.id);
    if (other === undefined) return;
    // The earlier one is on the left.
    const [before, after] = one.id < other.id ? [one, other] : [other, one];
    await this.showComparison(session, before, after);
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

  /** The view is there from the first session on, until there is one of another debugger. */
  private async focusView(): Promise<void> {
    await vscode.commands.executeCommand(`${VIEW_ID}.focus`);
    if (!this.view.view.visible && this.sessions.active === undefined)
      tell('The checkpoints are shown in Run and Debug, while a program is being debugged by Savepoint.');
  }

  // --- whom a command means ---

  /** Without a row the user is asked, and Enter takes the selected one. */
  private async recordOf(session: Session, target: Target, title: string): Promise<CheckpointRecord | undefined> {
    const given = target === FOCUSED ? await focusedRow(this.view.view) : target;
    if (given === undefined) {
      const [selected] = this.view.view.selection;
      return await this.pick(session, title, selected?.row.kind === 'checkpoint' ? selected.row.record.id : undefined);
    }
    if (typeof given === 'object' && given.row.kind !== 'checkpoint') {
      tell('This row stands for several checkpoints: choose one of them.');
      return undefined;
    }
    const id = typeof given === 'number' ? given : given.row.kind === 'checkpoint' ? given.row.record.id : undefined;
    const record = findRecord(session.state, id);
    if (record === undefined) tell('This checkpoint is not there any more.');
    return record;
  }
}

/** Not awaited: it may stay as long as the user likes. */
function tell(message: string): void {
  void vscode.window.showInformationMessage(message);
}

async function isDeletionWanted(which: 'these' | 'all', count: number): Promise<boolean> {
  const question = `Delete ${count === 1 ? 'the checkpoint' : `${which} ${count} checkpoints`}? The program itself stays as it is.`;
  return (await vscode.window.showWarningMessage(question, { modal: true }, 'Delete')) === 'Delete';
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
