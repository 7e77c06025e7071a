/** What shows the state outside the view: the context keys that enable commands, and the status bar. */

import * as vscode from 'vscode';
import { type Abilities, type SessionState, abilities, describePast } from './session-state';
import type { Sessions } from './sessions';

const KEYS = {
  take: 'savepoint.canTake',
  restore: 'savepoint.canRestore',
  undo: 'savepoint.canUndo',
  compareNow: 'savepoint.canCompareNow',
  compareTwo: 'savepoint.canCompareTwo',
  runTo: 'savepoint.canRunTo',
} as const satisfies Record<keyof Abilities, string>;

/** A command that is done sooner does not switch the buttons off and on: each change of a key makes the editor draw its toolbars again. */
const SHORT_MS = 300;

const NAMES = Object.keys(KEYS) as readonly (keyof Abilities)[];

export class Indicators implements vscode.Disposable {
  private told: Abilities | undefined;
  /** Set while a command is under way that may still be a short one. */
  private patience: NodeJS.Timeout | undefined;
  private readonly item: vscode.StatusBarItem;
  private readonly registration: vscode.Disposable;

  constructor(private readonly sessions: Sessions) {
    this.item = vscode.window.createStatusBarItem('savepoint.past', vscode.StatusBarAlignment.Left, 50);
    this.item.name = 'Savepoint';
    this.item.command = 'savepoint.restore';
    this.registration = sessions.onDidChange(() => this.update());
    this.update();
  }

  private update(): void {
    const state = this.sessions.active?.state;
    this.tellAbilities(state);
    this.tellPast(state);
  }

  private tellAbilities(state: SessionState | undefined): void {
    if (state?.busy === true && this.told !== undefined) {
      this.patience ??= setTimeout(() => this.setKeys(abilities(this.sessions.active?.state)), SHORT_MS);
      return;
    }
    clearTimeout(this.patience);
    this.patience = undefined;
    this.setKeys(abilities(state));
  }

  private setKeys(now: Abilities): void {
    for (const name of NAMES) {
      if (this.told?.[name] !== now[name]) void vscode.commands.executeCommand('setContext', KEYS[name], now[name]);
    }
    this.told = now;
  }

  private tellPast(state: SessionState | undefined): void {
    const past = state === undefined ? undefined : describePast(state);
    if (past === undefined) return this.item.hide();
    this.item.text = `$(history) ${past}`;
    this.item.tooltip = 'The program is in the past. It goes on live from here; Undo Restore brings back where it was.';
    this.item.accessibilityInformation = { label: `The program is ${past.replace('←', 'from')}` };
    this.item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
    this.item.show();
  }

  dispose(): void {
    clearTimeout(this.patience);
    this.item.dispose();
    this.registration.dispose();
  }
}
