/** How the debug adapter is started: the bundled `savepoint dap`, by a Node that is there. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { DEBUG_TYPE } from './sessions';

export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  constructor(private readonly extensionPath: string) {}

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
          ...(trace.length === 0 ? {} : { SAVEPOINT_TRACE: trace.join(',') }),
        },
      },
    );
  }
}

export function isElectron(): boolean {
  return process.versions['electron'] !== undefined;
}
