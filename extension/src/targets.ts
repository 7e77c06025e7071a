/** Whom a command means: the row, call or session that a menu gave it, or what has the keyboard's focus. */

import * as vscode from 'vscode';
import type { RowRef } from './checkpoints-view';

/** package.json gives it to the commands of the view's keys. */
export const FOCUSED = 'focused';

/** What a command on checkpoints may be given: a row by its menu, a number, the word of the keys, or (palette, toolbar) nothing of these. */
export type Target = RowRef | number | typeof FOCUSED | undefined;

/** Of rows, and of what the call stack's menu gives. */
export function sessionIdOf(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || !('sessionId' in given)) return undefined;
  return typeof given.sessionId === 'string' ? given.sessionId : undefined;
}

/**
 * The row with the keyboard's focus, which then is the selected one, too. The arrow keys move the focus only, and extensions are told of the
 * selection only: the editor's own command on the focused row, which changes the selection and opens nothing, shows which row it is.
 */
export async function focusedRow(view: vscode.TreeView<RowRef>): Promise<RowRef | undefined> {
  const before = view.selection;
  await vscode.commands.executeCommand('list.toggleSelection');
  const after = view.selection;
  const toggled = after.find((ref) => !before.includes(ref)) ?? before.find((ref) => !after.includes(ref));
  if (toggled === undefined) return before[0];
  await view.reveal(toggled, { select: true, focus: false });
  return toggled;
}

/** From the line numbers' menu, a frame of the call stack, or the cursor. */
export function placeOf(given: unknown): vscode.Location | undefined {
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
