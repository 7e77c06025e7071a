/** How the debug adapter is started: the bundled `savepoint dap`, by a Node that is there. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { DEBUG_TYPE } from './sessions';

export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  constructor(
    private readonly extensionPath: string,
    private readonly logFolder: string,
  ) {}

  createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
    const settings = vscode.workspace.getConfiguration(DEBUG_TYPE, session.workspaceFolder);
    const node = settings.get<string>('node', '');
    const trace = settings.get<readonly string[]>('trace', []);
    return new vscode.DebugAdapterExecutable(
      node === '' ? process.execPath : node,
      [path.join(this.extensionPath, 'dist', 'savepoint.js'), 'dap'],
      {
        env: {
          // The desktop's own process is Electron, which is a Node only when told so.
          ...(node === '' && isElectron() ? { ELECTRON_RUN_AS_NODE: '1' } : {}),
          ...(trace.length === 0 ? {} : this.traceTo(trace)),
        },
      },
    );
  }

  /** The editor reads nothing of an adapter's standard error, and the owner's is the program's: all of them write into one file. */
  private traceTo(topics: readonly string[]): Record<string, string> {
    fs.mkdirSync(this.logFolder, { recursive: true });
    return { SAVEPOINT_TRACE: topics.join(','), SAVEPOINT_TRACE_FILE: path.join(this.logFolder, 'savepoint.trace') };
  }
}

export function isElectron(): boolean {
  return process.versions['electron'] !== undefined;
}
