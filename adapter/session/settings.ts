/** What the client says in `launch` and `attach`: checked, with a sentence for each mistake. Reads the file system, starts nothing. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { userError } from '../../native/base/errors';
import { type AutomaticLimits, DEFAULT_LIMITS } from './thinning';

export type ConsoleKind = 'internalConsole' | 'integratedTerminal' | 'externalTerminal';

export interface SetupCommand {
  readonly text: string;
  readonly ignoreFailures: boolean;
}

export interface CommonSettings {
  readonly gdb: string | undefined;
  readonly initFiles: boolean;
  readonly setupCommands: readonly SetupCommand[];
  readonly sourceFileMap: ReadonlyMap<string, string>;
  readonly symbolFile: string | undefined;
  readonly debugFileDirectory: string | undefined;
  readonly automatic: AutomaticLimits | undefined;
  /** After the program's end: `end` the session, `stay` to go back, `auto`: stay when the user has taken a checkpoint. */
  readonly onExit: 'end' | 'stay' | 'auto';
}

/** Where a program that is started stops by itself: `start` is its first instruction, before its libraries are there. */
export type StopAt = 'nowhere' | 'main' | 'start';

export interface LaunchSettings extends CommonSettings {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** null: not in the environment. */
  readonly env: ReadonlyMap<string, string | null>;
  readonly stopAt: StopAt;
  readonly console: ConsoleKind;
  readonly disableASLR: boolean;
  readonly followFork: 'parent' | 'child';
}

/** What is attached to. */
export type AttachTo =
  | { readonly kind: 'process'; readonly pid: number }
  /** A `savepoint gdbserver` (or another server of gdb's protocol): `host:port`, or the path of a unix socket. */
  | { readonly kind: 'server'; readonly address: string };

export interface AttachSettings extends CommonSettings {
  readonly to: AttachTo;
  readonly program: string | undefined;
}

type Raw = Readonly<Record<string, unknown>>;

export function readLaunch(raw: Raw): LaunchSettings {
  const program = readProgram(raw['program']);
  if (program === undefined) throw userError('launch-program', 'launch: "program" is missing: the path of the program to debug');
  const cwd = readText(raw, 'cwd') ?? path.dirname(program);
  if (!isDirectory(cwd)) throw userError('launch-cwd', `launch: "cwd" is "${cwd}", which is no directory`);
  return {
    ...readCommon(raw),
    program,
    args: readArgs(raw['args']),
    cwd: path.resolve(cwd),
    env: readEnv(raw),
    stopAt: readStopAt(raw),
    console: readChoice(
      raw,
      'console',
      ['internalConsole', 'integratedTerminal', 'externalTerminal'] as const,
      'internalConsole',
    ),
    disableASLR: readFlag(raw, 'disableASLR', true),
    followFork: readChoice(raw, 'followFork', ['parent', 'child'] as const, 'parent'),
  };
}

/** Of the names that others have, those of gdb's own adapter, which means by them what it does here; where both are wanted, main. */
function readStopAt(raw: Raw): StopAt {
  const atMain = [readFlag(raw, 'stopAtEntry', false), readFlag(raw, 'stopAtBeginningOfMainSubprogram', false)];
  const atStart = readFlag(raw, 'stopOnEntry', false);
  return atMain.includes(true) ? 'main' : atStart ? 'start' : 'nowhere';
}

export function readAttach(raw: Raw): AttachSettings {
  return { ...readCommon(raw), to: readAttachTo(raw), program: readProgram(raw['program']) };
}

function readAttachTo(raw: Raw): AttachTo {
  const address = readText(raw, 'target') ?? readText(raw, 'miDebuggerServerAddress');
  const given = raw['pid'] ?? raw['processId'];
  if (address !== undefined && given !== undefined && given !== null)
    throw userError('attach-target', 'attach: give "pid" (a process of this machine) or "target" (a debug server), not both');
  if (address !== undefined) {
    if (/^[^\s:]*:\d{1,5}$|^\[[^\s\]]+\]:\d{1,5}$|^\/\S*$/.test(address)) return { kind: 'server', address };
    throw userError('attach-target', `attach: "target" is "${address}"; it is host:port, or the path of a unix socket`);
  }
  const pid = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) {
    throw userError(
      'attach-pid',
      `attach: "pid" ${given === undefined ? 'is missing' : `is ${JSON.stringify(given)}`}; it is the id of a running process (or give "target": host:port of a debug server)`,
    );
  }
  if (!fs.existsSync(`/proc/${pid}`)) throw userError('attach-gone', `attach: there is no process ${pid}`);
  return { kind: 'process', pid };
}

function readCommon(raw: Raw): CommonSettings {
  return {
    gdb: readText(raw, 'gdb') ?? readText(raw, 'gdbPath'),
    initFiles: readFlag(raw, 'initFiles', false),
    setupCommands: readSetup(raw['setupCommands']),
    sourceFileMap: readMap(raw, 'sourceFileMap'),
    symbolFile: readText(raw, 'symbolFile'),
    debugFileDirectory: readText(raw, 'debugFileDirectory'),
    automatic: readAutomatic(raw['automaticCheckpoints']),
    onExit: readChoice(raw, 'onExit', ['auto', 'end', 'stay'] as const, 'auto'),
  };
}

function readProgram(given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  if (typeof given !== 'string') throw userError('launch-program', `"program" is ${JSON.stringify(given)}, not a path`);
  const program = path.resolve(given);
  let stat: fs.Stats;
  try {
    stat = fs.statSync(program);
  } catch (cause) {
    const denied = (cause as NodeJS.ErrnoException).code === 'EACCES';
    throw userError(
      'launch-program',
      `"program" ${denied ? 'cannot be reached' : 'does not exist'}: ${program}${denied ? '' : ' (has it been built?)'}`,
    );
  }
  if (stat.isDirectory()) throw userError('launch-program', `"program" is a directory: ${program}`);
  checkFormat(program);
  return program;
}

const ELF = Buffer.from('\x7fELF', 'latin1');
const EM_X86_64 = 62;

function checkFormat(program: string): void {
  try {
    fs.accessSync(program, fs.constants.X_OK);
  } catch {
    throw userError('launch-program', `"program" may not be executed: ${program} (chmod +x?)`);
  }
  const head = Buffer.alloc(20);
  const fd = fs.openSync(program, 'r');
  try {
    fs.readSync(fd, head, 0, head.length, 0);
  } finally {
    fs.closeSync(fd);
  }
  if (head.subarray(0, 2).toString('latin1') === '#!') {
    throw userError(
      'launch-program',
      `"program" is a script: ${program}; give the interpreter as the program and the script in "args"`,
    );
  }
  if (!head.subarray(0, 4).equals(ELF)) throw userError('launch-program', `"program" is not an executable program: ${program}`);
  if (head[4] !== 2)
    throw userError(
      'launch-program',
      `"program" is a 32-bit program: ${program}; only x86-64 is debugged (compile it with -m64)`,
    );
  if (head.readUInt16LE(18) !== EM_X86_64) {
    throw userError('launch-program', `"program" is built for another machine than x86-64: ${program}`);
  }
}

function readArgs(given: unknown): readonly string[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) return given.map(textOf);
  throw userError('launch-args', `launch: "args" is ${JSON.stringify(given)}, not a list of words`);
}

function readEnv(raw: Raw): ReadonlyMap<string, string | null> {
  const file = readText(raw, 'envFile');
  const env = new Map<string, string | null>(file === undefined ? [] : readEnvFile(file));
  const given = raw['env'] ?? raw['environment'];
  if (given === undefined || given === null) return env;
  if (Array.isArray(given)) {
    for (const entry of given as readonly Raw[]) env.set(textOf(entry['name']), textOf(entry['value']));
  } else if (typeof given === 'object') {
    for (const [name, value] of Object.entries(given)) env.set(name, value === null ? null : textOf(value));
  } else throw userError('launch-env', `launch: "env" is ${JSON.stringify(given)}, not an object with a value for each name`);
  const wrong = [...env.keys()].find((name) => name === '' || /[=\s\0]/.test(name));
  if (wrong !== undefined) throw userError('launch-env', `launch: "${wrong}" cannot be the name of an environment variable`);
  return env;
}

/** NAME=VALUE a line; `#` and `export` as in a shell's file; quotes around a value are taken off. */
function readEnvFile(file: string): [string, string][] {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (cause) {
    throw userError('launch-env', `launch: "envFile" cannot be read: ${(cause as Error).message}`);
  }
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const match = /^\s*(?:export\s+)?([^#=\s]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match === null) return [];
    return [[match[1] as string, (match[2] as string).replace(/^(["'])(.*)\1$/, '$2')]];
  });
}

function readSetup(given: unknown): readonly SetupCommand[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw userError('launch-setup', 'launch: "setupCommands" is a list of gdb commands');
  return given.map((entry: unknown) => {
    if (typeof entry === 'string') return { text: entry, ignoreFailures: false };
    const { text, ignoreFailures } = (entry ?? {}) as Raw;
    if (typeof text !== 'string') throw userError('launch-setup', 'launch: an entry of "setupCommands" has no "text"');
    return { text, ignoreFailures: ignoreFailures === true };
  });
}

/** true, false, or an object with limits. */
function readAutomatic(given: unknown): AutomaticLimits | undefined {
  if (given === false) return undefined;
  if (given === undefined || given === null || given === true) return DEFAULT_LIMITS;
  if (typeof given !== 'object')
    throw userError('launch-automatic', '"automaticCheckpoints" is true, false, or an object with limits');
  const raw = given as Raw;
  const number = (name: string, fallback: number): number => {
    const value = raw[name];
    if (value === undefined) return fallback;
    if (typeof value !== 'number' || !(value > 0))
      throw userError('launch-automatic', `"automaticCheckpoints.${name}" is a number above 0`);
    return value;
  };
  return {
    most: number('most', DEFAULT_LIMITS.most),
    megabytes: number('megabytes', DEFAULT_LIMITS.megabytes),
    timeShare: number('timeShare', DEFAULT_LIMITS.timeShare),
  };
}

/** Numbers and the like are written as they are; what has no text is written as JSON. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : `${value as string | number | boolean}`;
}

function readText(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw userError('launch-type', `"${name}" is ${JSON.stringify(value)}, not a text`);
  return value;
}

function readFlag(raw: Raw, name: string, fallback: boolean): boolean {
  const value = raw[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'boolean') throw userError('launch-type', `"${name}" is ${JSON.stringify(value)}, not true or false`);
  return value;
}

function readChoice<T extends string>(raw: Raw, name: string, choices: readonly T[], fallback: T): T {
  const value = raw[name];
  if (value === undefined || value === null) return fallback;
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw userError('launch-type', `"${name}" is ${JSON.stringify(value)}; there are ${choices.join(', ')}`);
  return found;
}

function readMap(raw: Raw, name: string): ReadonlyMap<string, string> {
  const value = raw[name];
  if (value === undefined || value === null) return new Map();
  if (typeof value !== 'object')
    throw userError('launch-type', `"${name}" is an object: the path in the program, and where it is here`);
  return new Map(Object.entries(value as Raw).map(([from, to]) => [from, textOf(to)]));
}

function isDirectory(name: string): boolean {
  try {
    return fs.statSync(name).isDirectory();
  } catch {
    return false;
  }
}
