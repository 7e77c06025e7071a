/**
 * What the next vRun starts: the default program, and what gdb said about environment, folder, shell and address space.
 */

import { userError } from '../base/errors';
import type { LaunchSpec } from '../owner/ops';
import { splitRedirections } from './redirect';

export interface DefaultProgram {
  readonly program: string;
  readonly args: readonly string[];
}

export class LaunchSettings {
  startupWithShell = true;
  disableRandomization = true;
  /** undefined: the owner's own folder. */
  cwd: string | undefined;
  private readonly added = new Map<string, string>();
  private readonly removed = new Set<string>();

  /** `environment`: what gdb's edits are applied to. */
  constructor(
    private program: DefaultProgram | undefined,
    private readonly wrapper: readonly string[] | undefined,
    private readonly environment: () => readonly string[],
  ) {}

  resetEnvironment(): void {
    this.added.clear();
    this.removed.clear();
  }

  setVariable(name: string, value: string): void {
    this.removed.delete(name);
    this.added.set(name, value);
  }

  unsetVariable(name: string): void {
    this.added.delete(name);
    this.removed.add(name);
  }

  /**
   * The launch for vRun's words. An empty program means the last one (with its arguments when none are given), as gdb manual says of vRun.
   * Throws UserError when there is none or a redirection is wrong.
   */
  specFor(program: string, words: readonly string[]): LaunchSpec {
    const chosen = this.choose(program, words);
    const split = this.startupWithShell ? splitRedirections(chosen.args) : { args: chosen.args, redirect: [] };
    this.program = chosen;
    const env = this.env();
    return {
      program: chosen.program,
      args: split.args,
      disableRandomization: this.disableRandomization,
      ...(env === undefined ? {} : { env }),
      ...(this.cwd === undefined ? {} : { cwd: this.cwd }),
      ...(split.redirect.length === 0 ? {} : { redirect: split.redirect }),
      ...(this.wrapper === undefined ? {} : { wrapper: this.wrapper }),
    };
  }

  private choose(program: string, words: readonly string[]): DefaultProgram {
    if (program !== '') return { program, args: words };
    if (this.program === undefined) {
      throw userError('no-program', 'no program to run: use "file PROGRAM" or "set remote exec-file PROGRAM" in gdb');
    }
    return words.length === 0 ? this.program : { program: this.program.program, args: words };
  }

  private env(): readonly string[] | undefined {
    if (this.added.size === 0 && this.removed.size === 0) return undefined;
    const kept = this.environment().filter((entry) => {
      const name = entry.slice(0, entry.indexOf('='));
      return !this.removed.has(name) && !this.added.has(name);
    });
    return [...kept, ...[...this.added].map(([name, value]) => `${name}=${value}`)];
  }
}
