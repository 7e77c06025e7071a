/** launch.json: what is offered, what F5 does without one, and what the settings add. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { isElectron } from './adapter-factory';
import { findExecutables } from './executables';
import { pickProgram } from './pickers';
import { DEBUG_TYPE } from './sessions';

export class Configurations implements vscode.DebugConfigurationProvider {
  /** For a new launch.json. */
  async provideDebugConfigurations(folder?: vscode.WorkspaceFolder): Promise<vscode.DebugConfiguration[]> {
    const [program] = folder === undefined ? [] : await findExecutables(folder.uri.fsPath);
    const where =
      program === undefined || folder === undefined
        ? '${workspaceFolder}/a.out'
        : `\${workspaceFolder}/${path.relative(folder.uri.fsPath, program.file)}`;
    return [
      { type: DEBUG_TYPE, request: 'launch', name: 'Debug with Savepoint', program: where, args: [], cwd: '${workspaceFolder}' },
    ];
  }

  /** F5 without a launch.json comes with an empty configuration. */
  async resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    const isEmpty = config.type === undefined && config.request === undefined;
    const full: vscode.DebugConfiguration = isEmpty
      ? { ...config, type: DEBUG_TYPE, request: 'launch', name: 'Savepoint' }
      : { ...config };
    if (full.request === 'launch' && typeof full['program'] !== 'string') {
      const folders = folder === undefined ? (vscode.workspace.workspaceFolders ?? []) : [folder];
      const program = await pickProgram(folders);
      // undefined: the start is given up without a word, as the user wished.
      if (program === undefined) return undefined;
      full['program'] = program;
      full['cwd'] ??= folder?.uri.fsPath ?? path.dirname(program);
      full.name ||= path.basename(program);
    }
    if (full.request === 'attach' && ['pid', 'processId', 'target'].every((name) => full[name] === undefined))
      full['pid'] = '${command:savepoint.pickProcess}';
    return full;
  }

  resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration {
    const settings = vscode.workspace.getConfiguration(DEBUG_TYPE, folder);
    const full = { ...config };
    const gdb = settings.get<string>('gdb', '');
    if (gdb !== '') full['gdb'] ??= gdb;
    if (full.request === 'launch') full['console'] ??= settings.get<string>('console', 'internalConsole');
    full['automaticCheckpoints'] ??= automaticFrom(settings);
    // Ours, not the program's.
    if (isElectron() && full.request === 'launch') full['env'] = { ELECTRON_RUN_AS_NODE: null, ...givenVariables(full) };
    return full;
  }
}

/** Either of the two properties, in either form: an object, or cpptools' list of names and values. */
function givenVariables(config: vscode.DebugConfiguration): object {
  const given = (config['env'] ?? config['environment'] ?? {}) as object | readonly { name: string; value: string }[];
  return Array.isArray(given) ? Object.fromEntries(given.map(({ name, value }) => [name, value] as const)) : given;
}

function automaticFrom(settings: vscode.WorkspaceConfiguration): false | Record<string, number> {
  if (!settings.get<boolean>('automaticCheckpoints.enabled', true)) return false;
  return {
    most: settings.get<number>('automaticCheckpoints.most', 100),
    megabytes: settings.get<number>('automaticCheckpoints.megabytes', 512),
    timeShare: settings.get<number>('automaticCheckpoints.timePercent', 20) / 100,
  };
}

/** The programs of the workspace, in the list of the start button. */
export class FoundPrograms implements vscode.DebugConfigurationProvider {
  async provideDebugConfigurations(folder?: vscode.WorkspaceFolder): Promise<vscode.DebugConfiguration[]> {
    if (folder === undefined) return [];
    const found = await findExecutables(folder.uri.fsPath);
    return found.slice(0, 20).map(({ file }) => ({
      type: DEBUG_TYPE,
      request: 'launch',
      name: `Savepoint: ${path.relative(folder.uri.fsPath, file)}`,
      program: file,
      cwd: folder.uri.fsPath,
    }));
  }
}

/** “Debug this executable”: from the explorer's menu, or the palette. */
export async function debugExecutable(uri?: vscode.Uri): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const program = uri?.fsPath ?? (await pickProgram(folders));
  if (program === undefined) return;
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(program)) ?? folders[0];
  await vscode.debug.startDebugging(folder, {
    type: DEBUG_TYPE,
    request: 'launch',
    name: path.basename(program),
    program,
    cwd: folder?.uri.fsPath ?? path.dirname(program),
  });
}
