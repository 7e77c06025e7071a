/** The extension's entry: all wiring, read top to bottom. It holds no debug logic; that is the adapter's. */

import * as vscode from 'vscode';
import { AdapterFactory } from './adapter-factory';
import { CheckpointsView } from './checkpoints-view';
import { Commands } from './commands';
import { Comparisons } from './comparisons';
import { Configurations, FoundPrograms, debugExecutable } from './configuration';
import { Indicators } from './indicators';
import { pickProcess } from './pickers';
import { DEBUG_TYPE, Sessions } from './sessions';
import { SourceLines } from './source-lines';

/** What the tests look at. */
export interface Api {
  readonly sessions: Sessions;
  readonly view: CheckpointsView;
}

export function activate(context: vscode.ExtensionContext): Api {
  const sessions = new Sessions();
  const lines = new SourceLines();
  const view = new CheckpointsView(sessions, lines);
  const comparisons = new Comparisons();
  const { Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
  context.subscriptions.push(
    sessions,
    lines,
    view,
    comparisons,
    new Indicators(sessions),
    vscode.debug.registerDebugAdapterDescriptorFactory(
      DEBUG_TYPE,
      new AdapterFactory(context.extensionPath, context.logUri.fsPath),
    ),
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, new Configurations()),
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, new FoundPrograms(), Dynamic),
    vscode.commands.registerCommand('savepoint.pickProcess', pickProcess),
    vscode.commands.registerCommand('savepoint.debugExecutable', debugExecutable),
    ...new Commands(sessions, view, comparisons).register(),
  );
  return { sessions, view };
}
