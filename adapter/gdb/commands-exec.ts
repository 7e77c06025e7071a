/** MI commands that set gdb up, run the program, and end it: one function each. */

import { type GdbClient, LONG_MS, type MiReply, NOTHING, ORDINARY_MS, SYMBOLS_MS } from './client';
import { quoteMi } from './quote';

export type StepUnit = 'line' | 'instruction';

export async function gdbSet(gdb: GdbClient, setting: string): Promise<void> {
  await gdb.send(`-gdb-set ${setting}`);
}

/** gdb (13) dies of a ^C in its disassembler, which is in C: no exception of C++ finds its way through that. */
const DISASSEMBLES = /^\s*(disas\w*|x\s*\/\w*i)\b/;

/** A command as a person would type it; the reply has what it printed. */
export async function consoleCommand(gdb: GdbClient, line: string, limitMs = ORDINARY_MS): Promise<MiReply> {
  const uninterruptible = DISASSEMBLES.test(line);
  return await gdb.send(`-interpreter-exec console ${quoteMi(line)}`, { limitMs, capture: true, uninterruptible });
}

/** Returns when all that gdb has said before has been read. */
export async function hearOut(gdb: GdbClient, limitMs = ORDINARY_MS): Promise<void> {
  await gdb.send(NOTHING, { limitMs });
}

/** Whether gdb has a target still, which it loses with a debug server that ends. */
export async function isConnected(gdb: GdbClient): Promise<boolean> {
  const { text } = await consoleCommand(gdb, 'python print(gdb.selected_inferior().connection is not None)');
  // Beside it, what gdb complains of.
  return !/^False$/m.test(text);
}

export async function fileSymbols(gdb: GdbClient, file: string): Promise<void> {
  await gdb.send(`-file-symbol-file ${quoteMi(file)}`, { limitMs: SYMBOLS_MS });
}

export async function enablePrettyPrinting(gdb: GdbClient): Promise<void> {
  await gdb.send('-enable-pretty-printing');
}

/** `start`: stop at main. */
export async function execRun(gdb: GdbClient, start: boolean): Promise<void> {
  await gdb.send(start ? '-exec-run --start' : '-exec-run', { limitMs: LONG_MS });
}

/** Starts the program, which stands at its first instruction then: a stop with signal 0. */
export async function execStarti(gdb: GdbClient): Promise<void> {
  await consoleCommand(gdb, 'starti', LONG_MS);
}

export async function targetAttach(gdb: GdbClient, pid: number): Promise<void> {
  await gdb.send(`-target-attach ${pid}`, { limitMs: SYMBOLS_MS });
}

/** Connects to a debug server; its program then stands. */
export async function targetSelect(gdb: GdbClient, address: string): Promise<void> {
  await gdb.send(`-target-select extended-remote ${address}`, { limitMs: SYMBOLS_MS });
}

export async function targetDetach(gdb: GdbClient): Promise<void> {
  await gdb.send('-target-detach', { limitMs: LONG_MS });
}

export async function execContinue(gdb: GdbClient): Promise<void> {
  await gdb.send('-exec-continue');
}

export async function execNext(gdb: GdbClient, thread: number, unit: StepUnit): Promise<void> {
  await gdb.send(`${unit === 'line' ? '-exec-next' : '-exec-next-instruction'} --thread ${thread}`);
}

export async function execStep(gdb: GdbClient, thread: number, unit: StepUnit): Promise<void> {
  await gdb.send(`${unit === 'line' ? '-exec-step' : '-exec-step-instruction'} --thread ${thread}`);
}

/** Runs until the frame has returned. gdb refuses for the outermost one. */
export async function execFinish(gdb: GdbClient, thread: number, frame = 0): Promise<void> {
  await gdb.send(`-exec-finish --thread ${thread} --frame ${frame}`);
}

export async function execInterrupt(gdb: GdbClient): Promise<void> {
  await gdb.send('-exec-interrupt --all');
}

/** gdb kills the programs it started, lets go of the others, and ends. */
export async function gdbExit(gdb: GdbClient): Promise<void> {
  await gdb.send('-gdb-exit');
}

/** What could be typed after `text`, which is the beginning of a gdb command. */
export async function complete(gdb: GdbClient, text: string): Promise<readonly string[]> {
  const { fields } = await gdb.send(`-complete ${quoteMi(text)}`);
  const { matches } = fields;
  return Array.isArray(matches) ? matches.filter((match): match is string => typeof match === 'string') : [];
}
