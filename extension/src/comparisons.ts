/** Comparisons as documents that nobody can write to: two texts in VS Code's own diff editor. */

import * as vscode from 'vscode';
import type { CompareResult } from '../../native/control/schema';
import { renderComparison } from './comparison-text';

const SCHEME = 'savepoint-comparison';
const OVER = 'This comparison is gone. Make it anew: "Compare with Now" at a checkpoint of the Checkpoints view.\n';

export class Comparisons implements vscode.TextDocumentContentProvider, vscode.Disposable {
  /** By the document's address; forgotten when the document is closed. */
  private readonly texts = new Map<string, string>();
  private serial = 0;
  private readonly registrations: readonly vscode.Disposable[];

  constructor() {
    this.registrations = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(uri.toString())),
    ];
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    // After the window was loaded anew an old tab may still be there.
    return this.texts.get(uri.toString()) ?? OVER;
  }

  /** `names`: of the two states. */
  async show(result: CompareResult, names: { readonly before: string; readonly after: string }): Promise<void> {
    this.serial += 1;
    const { before, after } = renderComparison(result);
    const title = `${names.before} ↔ ${names.after}`;
    await vscode.commands.executeCommand('vscode.diff', this.keep(names.before, before), this.keep(names.after, after), title, {
      preview: false,
    } satisfies vscode.TextDocumentShowOptions);
  }

  private keep(name: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name.replaceAll('/', '∕')}`, query: String(this.serial) });
    this.texts.set(uri.toString(), text);
    return uri;
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
  }
}
