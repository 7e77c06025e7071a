/**
 * The `savepoint` command: a table of subcommands. Errors become one line on standard error and exit status 2 here, nowhere else.
 *
 * Commands that load native code are imported when they are called: `savepoint gdb --version` needs none of it.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { describeError, isFamily, userError } from '../base/errors';
import { type ControlCommand, controlCommands } from './control-args';
import { controlHelp } from './control-help';
import { asksForDap, planDap } from './dap-args';
import { planGdbserver } from './gdbserver-args';
import { dapHelp, doctorHelp, gdbHelp, gdbserverHelp, mainHelp } from './help';
import { nearestName } from './nearest-name';
import { removePrivateDirectory } from './private-directory';
import { VERSION } from './version';

interface Subcommand {
  run(argv: string[]): Promise<number> | number;
  /** Missing: internal, in no help. */
  readonly help?: string;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  gdb: {
    run: async (argv) => (asksForDap(argv) ? await runDap(argv) : await (await import('./gdb')).runGdb(argv)),
    help: gdbHelp,
  },
  gdbserver: {
    run: async (argv) => {
      const plan = planGdbserver(argv);
      if (plan.kind === 'help') return print(gdbserverHelp);
      if (plan.kind === 'version') return print(`savepoint gdbserver ${VERSION}`);
      return (await import('../compose')).runGdbserver(argv);
    },
    help: gdbserverHelp,
  },
  dap: { run: runDap, help: dapHelp },
  doctor: {
    run: async (argv) => (argv[0] === '--help' ? print(doctorHelp) : (await import('./doctor')).runDoctor(argv)),
    help: doctorHelp,
  },
  ...Object.fromEntries(
    controlCommands.map((name) => [name, { run: (argv) => runControl(name, argv), help: controlHelp[name] }]),
  ),
  terminal: { run: async (argv) => await (await import('./program-terminal')).runTerminal(argv) },
  owner: {
    run: async (argv) => {
      try {
        return (await import('../compose')).runOwner(argv);
      } finally {
        const socket = argv[argv.indexOf('--socket') + 1];
        if (socket !== undefined && argv.includes('--lifeline')) removePrivateDirectory(path.dirname(socket));
      }
    },
  },
  help: { run: (argv) => showHelp(argv[0]), help: mainHelp },
  version: { run: () => print(`savepoint ${VERSION}`), help: mainHelp },
};

const aliases: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version', '-V': 'version' };

/** Exit statuses: the command's own; 2 for wrong usage or an error of ours. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const [word, ...rest] = argv;
  try {
    if (word === undefined) {
      print(mainHelp);
      return 2;
    }
    // In gdb's place: `savepoint -i=dap`.
    if (word.startsWith('-') && asksForDap(argv)) return await runDap(argv);
    return await find(aliases[word] ?? word).run(rest);
  } catch (error) {
    fs.writeSync(2, `savepoint: ${describeError(error)}\n`);
    return isFamily(error, 'bug') ? 70 : 2;
  }
}

async function runDap(argv: readonly string[]): Promise<number> {
  const plan = planDap(argv);
  return plan.kind === 'help' ? print(dapHelp) : await (await import('./dap')).runDap(plan);
}

/** They are a bundle of their own, with what they need of npm. */
async function runControl(name: ControlCommand, argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) return print(controlHelp[name]);
  const file = path.join(__dirname, 'control-client.js');
  if (!fs.existsSync(file))
    throw userError('no-control', 'control-client.js is missing beside savepoint.js: run `npm run build`');
  const client = require(file) as { runControl(name: ControlCommand, argv: readonly string[]): Promise<number> };
  return await client.runControl(name, argv);
}

function find(name: string): Subcommand {
  const found = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(subcommands).filter((key) => subcommands[key]?.help !== undefined);
  const near = nearestName(name, known);
  throw userError(
    'unknown-command',
    `there is no command "${name}"${near === undefined ? '' : `; did you mean "${near}"?`} (savepoint --help lists them)`,
    {
      name,
    },
  );
}

function showHelp(name: string | undefined): number {
  if (name === undefined) return print(mainHelp);
  return print(find(name).help ?? mainHelp);
}

function print(text: string): number {
  fs.writeSync(1, `${text}\n`);
  return 0;
}
