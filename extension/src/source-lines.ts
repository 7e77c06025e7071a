/** The text of source lines, read from disk once, and again when the file was saved here; what is not read yet is told of later. */

import * as vscode from 'vscode';

export class SourceLines implements vscode.Disposable {
  private readonly files = new Map<string, readonly string[]>();
  private readonly reads = new vscode.EventEmitter<void>();
  readonly onDidRead = this.reads.event;
  private readonly registration = vscode.workspace.onDidSaveTextDocument(({ uri }) => this.files.delete(uri.fsPath));

  /** undefined: not known, or not yet. `line` counts from 1. */
  textOf(file: string | undefined, line: number | undefined): string | undefined {
    if (file === undefined || line === undefined) return undefined;
    const known = this.files.get(file);
    if (known === undefined) void this.read(file);
    const text = known?.[line - 1]?.trim();
    return text === undefined || text === '' ? undefined : text;
  }

  private async read(file: string): Promise<void> {
    // Empty while it is being read, and when it cannot be.
    this.files.set(file, []);
    try {
      const content = await vscode.workspace.fs.readFile(vscode.Uri.file(file));
      this.files.set(file, Buffer.from(content).toString('utf8').split(/\r?\n/));
    } catch {
      return;
    }
    this.reads.fire();
  }

  dispose(): void {
    this.registration.dispose();
    this.reads.dispose();
  }
}
