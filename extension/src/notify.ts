/** Messages to the user, each with what can be done. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { type Advice, type Facts, adviceFor } from './advice';

/** The folder of the pages that "Show Me How" opens. */
const HELP = path.join(__dirname, '..', 'help');

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Not awaited by what failed: the message may stay as long as the user likes. */
export function showError(what: string, error: unknown, facts?: Facts): void {
  const message = describeError(error);
  if (message === 'cancelled') return;
  const advice = adviceFor(message, facts);
  offer(advice, vscode.window.showErrorMessage(`${what}: ${message}`, ...advice.map(({ label }) => label)));
}

/** What is worth a word only because something can be done about it. */
export function showAdvised(message: string): void {
  const advice = adviceFor(message);
  if (advice.length > 0) offer(advice, vscode.window.showWarningMessage(message, ...advice.map(({ label }) => label)));
}

function offer(advice: readonly Advice[], choice: Thenable<string | undefined>): void {
  void choice.then((chosen) => {
    const found = advice.find(({ label }) => label === chosen);
    if (found !== undefined) follow(found);
  });
}

function follow(advice: Advice): void {
  switch (advice.kind) {
    case 'page':
      void vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.file(path.join(HELP, `${advice.page}.md`)));
      return;
    case 'terminal': {
      // Typed, not run: it may want a password, and it is the user's machine.
      const terminal = vscode.window.createTerminal('Savepoint');
      terminal.show();
      terminal.sendText(advice.command, false);
      return;
    }
    case 'settings':
      void vscode.commands.executeCommand('workbench.action.openSettings', advice.setting);
      return;
    case 'command':
      void vscode.commands.executeCommand(advice.command);
  }
}
