/** The command lines of the control commands. Pure. */

import { userError } from '../base/errors';
import { nearestName } from './nearest-name';
import { parseListen } from './listen-option';

export const controlCommands = [
  'list-sessions',
  'checkpoint',
  'list',
  'restore',
  'drop',
  'rename',
  'compare',
  'preflight',
  'watch',
] as const;
export type ControlCommand = (typeof controlCommands)[number];

export interface ControlPlan {
  /** An owner's or a program's process id, or a socket's path. */
  readonly session?: string;
  readonly connect?: { readonly host: string; readonly port: number };
  readonly tokenFile?: string;
  readonly json: boolean;
  readonly label?: string;
  /** `restore`: the present is not kept. */
  readonly discard: boolean;
  readonly operands: readonly string[];
}

const VALUES = ['--session', '--connect', '--token-file', '--label'] as const;
const FLAGS = ['--json', '--discard'] as const;
const ONLY: Readonly<Record<string, ControlCommand>> = { '--label': 'checkpoint', '--discard': 'restore' };
/** Operands: the fewest and the most. */
const OPERANDS: Readonly<Record<ControlCommand, readonly [number, number, string]>> = {
  'list-sessions': [0, 0, ''],
  checkpoint: [0, 0, 'a label is given with --label'],
  list: [0, 0, ''],
  restore: [1, 1, 'the number of a checkpoint is wanted (savepoint list)'],
  drop: [1, 10_000, 'the numbers of checkpoints are wanted (savepoint list)'],
  rename: [2, 2, 'a number and a new label are wanted'],
  compare: [1, 2, 'the number of a checkpoint is wanted, or two (savepoint list)'],
  preflight: [0, 0, ''],
  watch: [0, 0, ''],
};

export function planControl(command: ControlCommand, argv: readonly string[]): ControlPlan {
  const given = new Map<string, string>();
  const operands: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (!word.startsWith('--') || word === '--') {
      operands.push(...(word === '--' ? argv.slice(index + 1) : [word]));
      if (word === '--') break;
      continue;
    }
    const [name, joined] = split(word);
    const only = ONLY[name];
    const known = [...VALUES, ...FLAGS].includes(name as (typeof VALUES)[number]) && (only === undefined || only === command);
    if (!known) throw unknownOption(command, name);
    if (FLAGS.includes(name as (typeof FLAGS)[number])) {
      given.set(name, '');
      continue;
    }
    const value = joined ?? argv[++index];
    if (value === undefined) throw userError('usage', `${command}: ${name} needs a value`);
    given.set(name, value);
  }
  const [fewest, most, hint] = OPERANDS[command];
  if (operands.length < fewest || operands.length > most)
    throw userError('usage', `${command}: ${hint === '' ? `"${operands[0]}" is too much` : hint}; savepoint ${command} --help`);
  const session = given.get('--session');
  const connect = given.get('--connect');
  const tokenFile = given.get('--token-file');
  const label = given.get('--label');
  if (session !== undefined && connect !== undefined)
    throw userError('usage', `${command}: --session and --connect exclude each other`);
  return {
    ...(session === undefined ? {} : { session }),
    ...(connect === undefined ? {} : { connect: readAddress(connect) }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(label === undefined ? {} : { label }),
    json: given.has('--json'),
    discard: given.has('--discard'),
    operands,
  };
}

function split(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function unknownOption(command: ControlCommand, name: string): Error {
  const options = [...VALUES, ...FLAGS].filter((option) => (ONLY[option] ?? command) === command);
  const near = nearestName(name, options);
  return userError(
    'usage',
    `${command}: there is no option ${name}${near === undefined ? '' : `; did you mean ${near}?`} (savepoint ${command} --help)`,
  );
}

function readAddress(text: string): { readonly host: string; readonly port: number } {
  try {
    const { host, port } = parseListen(text);
    if (port > 0) return { host, port };
  } catch {
    // Said below, by this option's name.
  }
  throw userError('usage', `--connect ${text}: HOST:PORT is wanted, as the server has told it`);
}

export function readCheckpointId(word: string): number {
  if (!/^\d{1,9}$/.test(word))
    throw userError('usage', `"${word}" is not the number of a checkpoint (savepoint list shows them)`);
  return Number(word);
}
