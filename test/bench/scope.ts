/**
 * What a row may use: the compiled programs, processes that end with the row whatever happens, a way to report a line as soon as
 * it is measured.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { root, sessionMembers } from '../support/debug-server';
import { Debuggee, type ProgramOptions } from '../support/owner-process';
import type { Line } from './lines';

export interface Settings {
  readonly quick: boolean;
}

export interface Row {
  readonly name: string;
  run(scope: Scope, settings: Settings): Promise<void>;
}

export function benchProgram(name: string): string {
  return path.join(root, 'dist/bench', name);
}

export class Scope {
  private readonly endings: (() => Promise<void> | void)[] = [];
  private folderPath: string | undefined;
  private ended = false;

  constructor(readonly report: (line: Line) => void) {}

  /** A private folder of this row. */
  get folder(): string {
    this.mustBeOpen();
    this.folderPath ??= fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-bench-'));
    return this.folderPath;
  }

  /** Done at the row's end, last first; a failure there does not keep the others from their turn. */
  atEnd(act: () => Promise<void> | void): void {
    // The row's time was up while this was starting.
    if (this.ended) void Promise.resolve(act());
    else this.endings.push(act);
  }

  /** A row that was given up goes on until it next asks for something. */
  private mustBeOpen(): void {
    if (this.ended) throw new Error('the row has ended');
  }

  async end(): Promise<void> {
    this.ended = true;
    for (const act of this.endings.reverse()) {
      try {
        await act();
      } catch (error) {
        process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
    if (this.folderPath !== undefined) fs.rmSync(this.folderPath, { recursive: true, force: true });
  }

  /** A program under our owner; `release` ends it before the row's end. */
  async debuggee(options: ProgramOptions): Promise<{ readonly debuggee: Debuggee; readonly release: () => Promise<void> }> {
    this.mustBeOpen();
    const debuggee = await Debuggee.start({ deadline: 60_000, ...options });
    let open = true;
    const release = async (): Promise<void> => {
      if (!open) return;
      open = false;
      await debuggee.end();
    };
    this.atEnd(release);
    return { debuggee, release };
  }

  /** Runs a command to its end; its standard output. Throws with what it said when it fails. */
  async run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const child = spawn(command, [...args], {
      cwd: this.folder,
      env: { ...process.env, LC_ALL: 'C', DEBUGINFOD_URLS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.atEnd(() => endSession(child));
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('latin1')));
    const code = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (status, signal) => resolve(String(signal ?? status)));
    });
    if (code !== '0') throw new Error(`${path.basename(command)} ended with ${code}: ${(errors || output).slice(-800).trim()}`);
    return output;
  }
}

/** The child and all that it left in its session. */
function endSession(child: ChildProcess): void {
  if (child.pid === undefined) return;
  for (const pid of sessionMembers(child.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by itself.
    }
  }
}

/** The numbers behind each name in lines of `name number name number`. */
export function readNumbers(text: string): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const [, name, value] of text.matchAll(/([a-z-]+) ([0-9.]+)/g)) {
    const list = numbers.get(name!) ?? [];
    numbers.set(name!, list);
    list.push(Number(value));
  }
  return numbers;
}

export function numbersOf(numbers: ReadonlyMap<string, number[]>, name: string): number[] {
  const list = numbers.get(name);
  if (list === undefined) throw new Error(`no measurement of '${name}'`);
  return list;
}
