/** What runs in the extension host: the tests by name, the user's answers, and waiting for what the session becomes. */

import * as fs from 'node:fs';
import * as vscode from 'vscode';
import type { Api } from '../../../extension/src/main';
import type { Session } from '../../../extension/src/sessions';

export interface HostResult {
  readonly name: string;
  readonly error?: string;
  readonly ms: number;
}

export interface Outcome {
  readonly results: readonly HostResult[];
  readonly ran: readonly string[];
}

/** Also read where nothing is run, for the names. */
export const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
const LIMIT_MS = 20_000;
const TEST_LIMIT_MS = 60_000;

export function test(name: string, run: () => Promise<void>): void {
  tests.push({ name, run });
}

/** What the user answers next time; each is used once. */
const answers: { readonly kind: string; readonly answer: (...args: any[]) => unknown }[] = [];
/** What was shown and not answered. */
export const messages: string[] = [];

/** Messages are expected, and seen. */
export function forget(): readonly string[] {
  return messages.splice(0);
}

/** Commands that were run, without `savepoint.`. */
const ran = new Set<string>();

const KINDS = ['showInputBox', 'showQuickPick', 'showWarningMessage', 'showErrorMessage', 'showInformationMessage'] as const;

/** The user sits behind these functions. */
function sitDown(): void {
  for (const kind of KINDS) {
    const window = vscode.window as unknown as Record<string, unknown>;
    window[kind] = async (...args: unknown[]): Promise<unknown> => {
      const index = answers.findIndex((one) => one.kind === kind);
      if (index >= 0) return answers.splice(index, 1)[0]!.answer(...args);
      messages.push(`${kind} ${String(args[0])}`);
      return undefined;
    };
  }
}

export function answer(kind: (typeof KINDS)[number], reply: (...args: any[]) => unknown): void {
  answers.push({ kind, answer: reply });
}

export async function api(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>('savepoint.savepoint');
  if (extension === undefined) throw new Error('the extension is not there');
  return await extension.activate();
}

/** Until `holds`, which is asked again whenever a session changes. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const { sessions, view } = await api();
  if (holds()) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => done(() => reject(new Error(`not so within ${LIMIT_MS} ms: ${what}`))), LIMIT_MS);
    const registrations = [
      sessions.onDidChange(check),
      view.onDidChangeTreeData(check),
      view.view.onDidChangeVisibility(check),
      vscode.debug.onDidChangeBreakpoints(check),
    ];
    function done(settle: () => void): void {
      clearTimeout(timer);
      for (const registration of registrations) registration.dispose();
      settle();
    }
    function check(): void {
      if (holds()) done(resolve);
    }
    check();
  });
}

export async function active(): Promise<Session> {
  const { sessions } = await api();
  await until('a session is active', () => sessions.active !== undefined);
  return sessions.active!;
}

export async function command<T = void>(name: string, ...args: unknown[]): Promise<T> {
  ran.add(name);
  return await vscode.commands.executeCommand<T>(`savepoint.${name}`, ...args);
}

const STOP_AGAIN_MS = 3000;

/**
 * A session that is started before the editor has let the last one go may never come. And one of another debugger's may bring a second, which
 * begins when the first was told to stop, or need to be told twice.
 */
export async function stopAll(): Promise<void> {
  const late = vscode.debug.onDidStartDebugSession((session) => void vscode.debug.stopDebugging(session));
  const again = setInterval(() => void vscode.debug.stopDebugging(), STOP_AGAIN_MS);
  try {
    await vscode.debug.stopDebugging();
    await until('no session is left', () => vscode.debug.activeDebugSession === undefined);
  } finally {
    late.dispose();
    clearInterval(again);
  }
}

export async function cleanUp(): Promise<void> {
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  answers.length = 0;
  messages.length = 0;
  await stopAll();
}

/** Waiting for what never comes must not keep the tests after it from being run. */
async function withinLimit(run: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not through within ${TEST_LIMIT_MS} ms`)), TEST_LIMIT_MS);
  });
  await Promise.race([run, over]).finally(() => clearTimeout(timer));
}

export async function runAll(): Promise<void> {
  sitDown();
  await vscode.commands.executeCommand('workbench.view.debug');
  const only = new RegExp(process.env['SAVEPOINT_ONLY'] ?? '');
  const chosen = tests.filter(({ name }) => only.test(name));
  const results: HostResult[] = [];
  for (const { name, run } of chosen) {
    const start = performance.now();
    let error: string | undefined;
    try {
      await withinLimit(run());
      if (answers.length > 0) throw new Error(`the user was not asked: ${answers.map(({ kind }) => kind).join(', ')}`);
      const bad = messages.filter((text) => text.startsWith('showErrorMessage'));
      if (bad.length > 0) throw new Error(bad.join('\n'));
    } catch (cause) {
      const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      error = [text, ...messages.map((message) => `said: ${message}`)].join('\n');
    }
    await cleanUp().catch((cause: unknown) => (error ??= `cleaning up: ${String(cause)}`));
    results.push({ name, ...(error === undefined ? {} : { error }), ms: performance.now() - start });
    const outcome: Outcome = { results, ran: [...ran] };
    fs.writeFileSync(process.env['SAVEPOINT_RESULTS']!, JSON.stringify(outcome));
  }
}
