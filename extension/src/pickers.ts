/** Asks the user for a program of the workspace, a process of this machine, or a checkpoint. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import type { CheckpointRecord } from '../../native/control/schema';
import { findExecutables } from './executables';
import { type ProcessInfo, listProcesses } from './processes';
import type { SessionState } from './session-state';
import { describeAge, describeRecord, warningsOf } from './texts';

type ProgramItem = vscode.QuickPickItem & { readonly file?: string };

/** undefined: the user does not want to. */
export async function pickProgram(folders: readonly vscode.WorkspaceFolder[]): Promise<string | undefined> {
  const found = await Promise.all(
    folders.map(async (folder) => (await findExecutables(folder.uri.fsPath)).map((one) => ({ ...one, folder }))),
  );
  const items: ProgramItem[] = found.flat().map(({ file, modifiedAt, folder }) => ({
    label: `$(play) ${path.basename(file)}`,
    description: [folders.length > 1 ? folder.name : '', path.dirname(path.relative(folder.uri.fsPath, file))]
      .filter((part) => part !== '' && part !== '.')
      .join('/'),
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

/** Newest first, those that somebody asked for before the automatic ones; `first` is the one that Enter takes. */
export async function pickCheckpoint(
  state: SessionState,
  nameOf: (record: CheckpointRecord) => string,
  { title, first, except }: { readonly title: string; readonly first?: number | undefined; readonly except?: number | undefined },
): Promise<CheckpointRecord | undefined> {
  const all = state.list.checkpoints.filter(({ id }) => id !== except).sort((a, b) => b.id - a.id);
  const entries = (records: readonly CheckpointRecord[]): (vscode.QuickPickItem & { record: CheckpointRecord })[] =>
    records.map((record) => ({
      record,
      label: `${warningsOf(record).length > 0 ? '$(warning)' : '$(device-camera)'} ${record.id}  ${nameOf(record)}`,
      description: record.id === state.presentId ? 'you are here' : '',
      detail: describeRecord(record, Date.now()),
    }));
  const named = entries(all.filter(({ automatic }) => !automatic));
  named.sort((a, b) => Number(b.record.id === first) - Number(a.record.id === first));
  const automatic = entries(all.filter((record) => record.automatic));
  const separator = { label: 'automatic', kind: vscode.QuickPickItemKind.Separator };
  const items: vscode.QuickPickItem[] = [...named, ...(automatic.length > 0 ? [separator] : []), ...automatic];
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: 'Which checkpoint? (name, line, age)',
    matchOnDetail: true,
  });
  return (chosen as { record?: CheckpointRecord } | undefined)?.record;
}
