/** Questions to our script inside gdb (native/gdb/dap.py), for what MI has no command: one function each. */

import { type GdbClient, LONG_MS, MARK, ORDINARY_MS, SYMBOLS_MS } from './client';
import type { Where } from './commands-data';
import { needText } from './mi-values';

async function ask(gdb: GdbClient, word: string, question: object, limitMs = ORDINARY_MS): Promise<unknown> {
  const data = Buffer.from(JSON.stringify(question)).toString('hex');
  // What gdb may print meanwhile is nothing for the user.
  const { fields } = await gdb.send(`-savepoint-ask ${word} ${data}`, { limitMs, capture: true });
  return JSON.parse(needText(fields, 'answer'));
}

/** A breakpoint that decides in gdb whether it stops. Returns its number. */
export async function breakScripted(gdb: GdbClient, wanted: object): Promise<number> {
  return ((await ask(gdb, 'break', wanted)) as { number: number }).number;
}

/** Whether reads of it can be found where the program runs. */
export async function findsReads(gdb: GdbClient, expression: string): Promise<boolean> {
  return (await ask(gdb, 'reads', { expression })) === true;
}

/** What a function's call is known by, in whatever state of the program. Only the script looks inside. */
export interface KnownCall {
  readonly name: string;
  /** The function's first instruction, as `0x…`. */
  readonly entry: string;
}

/** undefined: the frame is none of a function that was called (inlined, a signal handler's, the outermost). */
export async function callOfFrame(gdb: GdbClient, thread: number, frame: number): Promise<KnownCall | undefined> {
  return ((await ask(gdb, 'call', { thread, frame })) as KnownCall | null) ?? undefined;
}

/** Where the present state is, seen from a call: at its first instruction, in it, or neither. */
export async function placeInCall(gdb: GdbClient, call: KnownCall): Promise<'entry' | 'inside' | 'outside'> {
  return (await ask(gdb, 'place', { call })) as 'entry' | 'inside' | 'outside';
}

/** A breakpoint where this very call begins, or at the `index`th that is like it. Returns its number. */
export async function breakAtCall(gdb: GdbClient, call: KnownCall, index?: number): Promise<number> {
  return ((await ask(gdb, 'entry', { call, ...(index === undefined ? {} : { index }) })) as { number: number }).number;
}

export interface CallTarget {
  readonly name: string;
  readonly address: string;
}

/** What the rest of the frame's line calls, as far as the code names it. */
export async function callsOfLine(gdb: GdbClient, thread: number, frame: number): Promise<readonly CallTarget[]> {
  return (await ask(gdb, 'calls', { thread, frame })) as CallTarget[];
}

/** A breakpoint in a function, for when the thread's present frame calls it. Returns its number. */
export async function breakInCalled(gdb: GdbClient, thread: number, target: CallTarget): Promise<number> {
  return ((await ask(gdb, 'into', { thread, ...target })) as { number: number }).number;
}

/** Deletes one of these breakpoints. Returns which call came nearest, counted from 1, where that was asked for and there was one. */
export async function endScriptBreakpoint(gdb: GdbClient, number: number): Promise<number | undefined> {
  return ((await ask(gdb, 'end', { number })) as { best?: number }).best;
}

/** Elements of an array, as a variable object would show each. */
export interface ArrayElements {
  readonly type: string;
  /** Each has something inside, a null pointer excepted. */
  readonly opens: boolean;
  readonly values: readonly string[];
}

/** The elements from..to, as many as there are. undefined: these need variable objects (structures, text, pretty printers). */
export async function listElements(
  gdb: GdbClient,
  expression: string,
  where: Where | undefined,
  page: { readonly from: number; readonly to: number; readonly hex: boolean },
): Promise<ArrayElements | undefined> {
  return ((await ask(gdb, 'elements', { expression, ...where, ...page })) as ArrayElements | null) ?? undefined;
}

/** `monitor LINE`, a word to the debug server. Returns its text. */
export async function monitor(gdb: GdbClient, line: string): Promise<string> {
  return (await ask(gdb, 'monitor', { line }, LONG_MS)) as string;
}

/** Reads a program's file. false: it has no debug information. */
export async function loadProgramFile(gdb: GdbClient, file: string): Promise<boolean> {
  return (await ask(gdb, 'load', { file }, SYMBOLS_MS)) === true;
}

export type ShownVariable = readonly [name: string, text: string, unshown?: string];

export interface ShownPlace {
  readonly source?: string;
  readonly line?: number;
}

export interface ShownCall extends ShownPlace {
  readonly function: string;
  /** The caller's stack pointer, as `0x…`: with the function it tells calls apart. */
  readonly cfa: string;
  readonly variables: readonly ShownVariable[];
  readonly cut: boolean;
}

/** What a state of the program looks like. A variable's third part stands for what its text does not show. */
export interface Picture {
  readonly stacks: readonly { readonly tid: number; readonly calls: readonly ShownCall[] }[];
  readonly files: readonly { readonly source: string; readonly variables: readonly ShownVariable[]; readonly cut: boolean }[];
  readonly places: readonly ({ readonly tid: number; readonly function: string | null } & ShownPlace)[];
  /** Not everything was looked at: it took too long. */
  readonly late: boolean;
}

/**
 * The present, or a checkpoint (which is not gone back to): calls of the threads in `stacks`, and where those in `places` stand. Threads by
 * the kernel's ids.
 */
export async function pictureOf(
  gdb: GdbClient,
  wanted: { readonly checkpoint: number | null; readonly stacks: readonly number[]; readonly places: readonly number[] },
): Promise<Picture> {
  return (await ask(gdb, 'picture', wanted, LONG_MS)) as Picture;
}

/** Makes sure that gdb sees the program itself, after a picture that failed. */
export async function seeThePresent(gdb: GdbClient): Promise<void> {
  await ask(gdb, 'live', {});
}

/** Of a C++ exception, as far as it is known. */
export interface Thrown {
  readonly type?: string;
  readonly value?: string;
}

/** Of the one whose throw or catch the thread stands at. */
export async function thrownBy(gdb: GdbClient, thread: number): Promise<Thrown> {
  return (await ask(gdb, 'thrown', { thread })) as Thrown;
}

/**
 * Of the one that ends the program, where the thread stands in std::terminate or in what that calls. `nothing`: it was called without an exception;
 * undefined: the thread stands elsewhere.
 */
export async function uncaughtBy(gdb: GdbClient, thread: number): Promise<(Thrown & { readonly nothing?: boolean }) | undefined> {
  return ((await ask(gdb, 'uncaught', { thread })) as Thrown | null) ?? undefined;
}

/** gdb's own process id. The first question: it fails where the script could not be loaded. */
export async function gdbProcessId(gdb: GdbClient): Promise<number> {
  return (await ask(gdb, 'pid', {})) as number;
}

/** What the script says of a place that the program has passed: a log point, or where a checkpoint was taken. */
export interface Passing {
  readonly log: string;
  readonly source?: string;
  readonly line?: number;
  /** The server's record, and where and why. */
  readonly checkpoint?: unknown;
  readonly stop?: unknown;
}

/** What the script says when a checkpoint was gone back to, whoever wanted it. */
export interface Returned {
  readonly returned: string;
  /** What could not be brought back, as far as that is news. */
  readonly notes: readonly string[];
}

/** A file whose symbols gdb has read. */
export interface Read {
  readonly read: string;
}

/** undefined: a console record that is something else. */
export function readTold(text: string): Passing | Returned | Read | undefined {
  if (!text.startsWith(`${MARK}{`)) return undefined;
  try {
    return JSON.parse(text.slice(1)) as Passing | Returned | Read;
  } catch {
    return undefined;
  }
}
