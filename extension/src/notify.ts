/** Messages to the user, each with what can be done. */

import * as vscode from 'vscode';
import { type Advice, adviceFor } from './advice';

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Not awaited by what failed: the message may stay as long as the user likes. */
export function showError(what: string, error: unknown): void {
  const message = describeError(error);
  if (message === 'cancelled') return;
  const advice = adviceFor(message);
  void vscode.window.showErrorMessage(`${what}: ${message}`, ...advice.map(({ label }) => label)).then((chosen) => {
    const found = advice.find(({ label }) => label === chosen);
    if (found !== undefined) follow(found);
  });
}

function follow(advice: Advice): void {
  switch (advice.kind) {
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
