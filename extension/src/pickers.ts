/** Asks the user for a program of the workspace, or a process of this machine. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { describeAge } from './texts';
import { findExecutables } from './executables';
import { type ProcessInfo, listProcesses } from './processes';

type ProgramItem = vscode.QuickPickItem & { readonly file?: string };

/** undefined: the user does not want to. */
export async function pickProgram(folders: readonly vscode.WorkspaceFolder[]): Promise<string | undefined> {
  const found = await Promise.all(
    folders.map(async (folder) => (await findExecutables(folder.uri.fsPath)).map((one) => ({ ...one, folder }))),
  );
  const items: ProgramItem[] = found.flat().map(({ file, modifiedAt, folder }) => ({
    label: `$(play) ${path.basename(file)}`,
    description: path.join(folders.length > 1 ? folder.name : '', path.dirname(path.relative(folder.uri.fsPath, file))),
    detail: `built ${describeAge(modifiedAt, Date.now())}`,
    file,
  }));
  const other: ProgramItem = { label: '$(folder-opened) Another program…' };
  if (items.length === 0) return await openProgram(folders);
  const chosen = await vscode.window.showQuickPick([...items, other], {
    title: 'Debug a program with Savepoint',
    placeHolder: 'Which program? (those found in the workspace, newest first)',
    matchOnDescription: true,
  });
  if (chosen === undefined) return undefined;
  return chosen.file ?? (await openProgram(folders));
}

async function openProgram(folders: readonly vscode.WorkspaceFolder[]): Promise<string | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: 'The program to debug',
      openLabel: 'Debug',
      ...(folders[0] === undefined ? {} : { defaultUri: folders[0].uri }),
    })) ?? [];
  return uri?.fsPath;
}

export async function pickProcess(): Promise<string | undefined> {
  const items = (await listProcesses(process.getuid?.() ?? 0)).map((info: ProcessInfo) => ({
    label: info.name,
    description: String(info.pid),
    detail: info.command,
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Attach with Savepoint',
    placeHolder: 'Which process? (newest first)',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.description;
}
