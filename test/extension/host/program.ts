/** The programs of the tests and how they come to a stop. */

import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Session } from '../../../extension/src/sessions';
import { answer, api, command, until } from './harness';

const folder = (): string => process.env['SAVEPOINT_PROJECT']!;

export const programOf = (name: string): string => path.join(folder(), name);
export const sourceOf = (name: string): vscode.Uri => vscode.Uri.file(path.join(folder(), `${name}.c`));

/** The line that ends with the comment. */
export function lineOf(name: string, comment: string): number {
  const lines = fs.readFileSync(sourceOf(name).fsPath, 'utf8').split('\n');
  return lines.findIndex((line) => line.endsWith(`// ${comment}`)) + 1;
}

export function breakAt(line: number, name = 'sum'): void {
  const location = new vscode.Location(sourceOf(name), new vscode.Position(line - 1, 0));
  vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(location)]);
}

export async function start(name: string, more: Record<string, unknown> = {}): Promise<Session> {
  const program = programOf(name);
  const config = { type: 'savepoint', request: 'launch', name, program, cwd: folder(), automaticCheckpoints: false, ...more };
  const started = new Promise<vscode.DebugSession>((resolve) => {
    const registration = vscode.debug.onDidStartDebugSession((debug) => {
      if (debug.name !== name) return;
      registration.dispose();
      resolve(debug);
    });
  });
  assert.equal(await vscode.debug.startDebugging(undefined, config), true);
  const { id } = await started;
  const { sessions } = await api();
  return sessions.get(id)!;
}

export async function atFirstStop(more: Record<string, unknown> = {}): Promise<Session> {
  breakAt(lineOf('sum', 'sum'));
  const session = await start('sum', more);
  await until('the first stop', () => session.state.phase === 'stopped');
  return session;
}

/** Until it waits for a file that never comes. */
export async function whileRunning(): Promise<Session> {
  const session = await start('wait');
  await until('it runs', () => session.state.phase === 'running');
  return session;
}

/** To its end, which a checkpoint keeps from being the session's. */
export async function atExit(): Promise<Session> {
  const session = await atFirstStop();
  await take(session);
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  await go(session, 'continue');
  assert.equal(session.state.phase, 'exited');
  return session;
}

/** A request that ends with a stop. */
export async function go(session: Session, request: string): Promise<void> {
  const stop = session.nextStop();
  await session.debug.customRequest(request, { threadId: session.state.stop?.threadId ?? 1 });
  await stop;
}

export async function valueOf(session: Session, expression: string): Promise<string> {
  const threadId = session.state.stop?.threadId;
  const { stackFrames } = await session.debug.customRequest('stackTrace', { threadId, startFrame: 0, levels: 1 });
  const { result } = await session.debug.customRequest('evaluate', { expression, frameId: stackFrames[0].id });
  return result;
}

/** The new checkpoint's number. */
export async function take(session: Session, name?: string): Promise<number> {
  const newest = (): number => Math.max(0, ...session.state.list.checkpoints.map(({ id }) => id));
  const before = newest();
  if (name !== undefined) answer('showInputBox', () => name);
  await command(name === undefined ? 'take' : 'takeNamed');
  await until('the list has it', () => newest() > before && !session.state.busy);
  return newest();
}

export async function restore(session: Session, id: number): Promise<void> {
  const stop = session.nextStop();
  await command('restoreRow', id);
  await stop;
}
