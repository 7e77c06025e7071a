/**
 * The words of `savepoint dap`. An editor that knows gdb's own adapter starts `gdb -i=dap` with words of gdb's: they mean the same here, so that
 * only the program's name has to be changed (`gdb -i=dap`: gdb manual, "Debugger Adapter Protocol"). Pure.
 */

import { userError } from '../base/errors';
import { ENDS_OPTIONS } from './gdb-args';

/** `commands`: of gdb's, before those of `setupCommands`. */
export type ServePlan = { readonly kind: 'serve'; readonly commands: readonly string[] } & DapDoor;

export type DapPlan = { readonly kind: 'help' } | ServePlan;

export type DapDoor =
  | { readonly door: 'stdio' }
  | { readonly door: 'socket'; readonly path: string }
  /** On 127.0.0.1; 0: any free one. */
  | { readonly door: 'port'; readonly port: number };

/** gdb's short names, and what is understood of its long ones. */
const MEANINGS: Readonly<Record<string, 'interpreter' | 'command' | 'nothing' | 'help' | 'socket' | 'port'>> = {
  i: 'interpreter',
  interpreter: 'interpreter',
  ex: 'command',
  'eval-command': 'command',
  iex: 'command',
  'init-eval-command': 'command',
  q: 'nothing',
  quiet: 'nothing',
  silent: 'nothing',
  // Start-up files are read when launch.json says so.
  nx: 'nothing',
  nh: 'nothing',
  h: 'help',
  help: 'help',
  socket: 'socket',
  port: 'port',
};

const OPTION = /^--?([a-z-]+)(?:=(.*))?$/s;

/** Is `gdb` with these words an adapter? Editors that start one say nothing of a program: it comes with `launch`. */
export function asksForDap(argv: readonly string[]): boolean {
  const programs = argv.findIndex((word) => ENDS_OPTIONS.test(word));
  return argv.slice(0, programs < 0 ? undefined : programs).some((word, index) => {
    const [, name, value = argv[index + 1]] = OPTION.exec(word) ?? [];
    return name !== undefined && MEANINGS[name] === 'interpreter' && value === 'dap';
  });
}

export function planDap(argv: readonly string[]): DapPlan {
  const commands: string[] = [];
  let door: DapDoor = { door: 'stdio' };
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    const [, name = '', joined] = OPTION.exec(word) ?? [];
    const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
    if (meaning === undefined) throw userError('usage', `savepoint dap: unknown word "${word}" (savepoint dap --help)`);
    if (meaning === 'help') return { kind: 'help' };
    if (meaning === 'nothing') continue;
    const value = joined ?? argv[++index];
    if (value === undefined) throw userError('usage', `savepoint dap: ${word} needs a value`);
    if (meaning === 'command') commands.push(value);
    else if (meaning === 'interpreter') mustBeDap(value);
    else if (door.door !== 'stdio') throw userError('usage', 'savepoint dap: one --socket or one --port');
    else door = meaning === 'socket' ? { door: 'socket', path: value } : { door: 'port', port: portOf(value) };
  }
  return { kind: 'serve', commands, ...door };
}

function mustBeDap(interpreter: string): void {
  if (interpreter !== 'dap')
    throw userError('usage', `savepoint dap: interpreter "${interpreter}": savepoint gdb has the others`);
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw userError('usage', `savepoint dap: "${text}" is not a port`);
  return Number(text);
}
