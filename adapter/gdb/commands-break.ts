/** MI commands about breakpoints, watchpoints and catchpoints: one function each, and what their replies say. */

import type { GdbClient } from './client';
import { evaluateExpression } from './commands-data';
import { consoleCommand } from './commands-exec';
import { type MiTuple, listOf, needText, numberOf, textOf, tupleOf, tuplesOf, isTuple } from './mi-values';
import { quoteMi } from './quote';

export interface GdbBreakpoint {
  readonly number: number;
  readonly type: string;
  /** No place in the program yet: it will be set when a library brings it. */
  readonly pending: boolean;
  /** Of the first place, when there are many. */
  readonly address: string | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly function: string | undefined;
  /** How often it was reached. */
  readonly times: number;
  readonly temporary: boolean;
  readonly places: number;
}

export function readBreakpoint(tuple: MiTuple): GdbBreakpoint {
  const places = tuplesOf(tuple, 'locations');
  const where = places[0] ?? tuple;
  return {
    number: Number.parseInt(needText(tuple, 'number'), 10),
    type: textOf(tuple, 'type') ?? 'breakpoint',
    pending: textOf(tuple, 'pending') !== undefined || textOf(tuple, 'addr') === '<PENDING>',
    address: textOf(where, 'addr')?.startsWith('0x') === true ? textOf(where, 'addr') : undefined,
    file: textOf(where, 'fullname') ?? textOf(where, 'file'),
    line: numberOf(where, 'line'),
    function: textOf(where, 'func'),
    times: numberOf(tuple, 'times') ?? 0,
    temporary: textOf(tuple, 'disp') === 'del',
    places: places.length === 0 ? 1 : places.length,
  };
}

/** Where: a line of a file, a function, or an address. */
export type Place =
  | { readonly kind: 'line'; readonly file: string; readonly line: number }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'address'; readonly address: string };

export interface BreakOptions {
  readonly condition?: string;
  /** Stops that are passed over first. */
  readonly ignore?: number;
  readonly temporary?: boolean;
  /** Fail when there is no such place, instead of waiting for a library with it. */
  readonly mustExist?: boolean;
}

export async function breakInsert(gdb: GdbClient, place: Place, options: BreakOptions = {}): Promise<GdbBreakpoint> {
  const words = ['-break-insert'];
  if (options.mustExist !== true) words.push('-f');
  if (options.temporary === true) words.push('-t');
  if (options.condition !== undefined) words.push('-c', quoteMi(options.condition));
  if (options.ignore !== undefined && options.ignore > 0) words.push('-i', String(options.ignore));
  switch (place.kind) {
    case 'line':
      words.push('--source', quoteMi(place.file), '--line', String(place.line));
      break;
    case 'function':
      words.push('--function', quoteMi(place.name));
      break;
    case 'address':
      words.push(quoteMi(`*${place.address}`));
  }
  const { fields } = await gdb.send(words.join(' '));
  return onlyBreakpoint(fields);
}

/** Of mi2 with many places the first value is the breakpoint itself. */
function onlyBreakpoint(fields: MiTuple): GdbBreakpoint {
  const tuple = tupleOf(fields, 'bkpt') ?? listOf(fields, 'bkpt').find(isTuple) ?? {};
  return readBreakpoint(tuple);
}

export async function breakDelete(gdb: GdbClient, numbers: readonly number[]): Promise<void> {
  if (numbers.length > 0) await gdb.send(`-break-delete ${numbers.join(' ')}`);
}

export async function breakInfo(gdb: GdbClient, number: number): Promise<GdbBreakpoint> {
  const { fields } = await gdb.send(`-break-info ${number}`);
  const [tuple] = tuplesOf(tupleOf(fields, 'BreakpointTable') ?? {}, 'body');
  return readBreakpoint(tuple ?? {});
}

export type Access = 'write' | 'read' | 'readWrite';

/** Returns its number. */
export async function breakWatch(gdb: GdbClient, expression: string, access: Access): Promise<number> {
  const flag = { write: '', read: '-r ', readWrite: '-a ' }[access];
  const { fields } = await gdb.send(`-break-watch ${flag}${quoteMi(expression)}`);
  const tuple = tupleOf(fields, 'wpt') ?? tupleOf(fields, 'hw-rwpt') ?? tupleOf(fields, 'hw-awpt') ?? {};
  return Number(needText(tuple, 'number'));
}

export async function breakCondition(gdb: GdbClient, number: number, condition: string): Promise<void> {
  await gdb.send(`-break-condition ${number} ${quoteMi(condition)}`);
}

export async function breakAfter(gdb: GdbClient, number: number, count: number): Promise<void> {
  await gdb.send(`-break-after ${number} ${count}`);
}

export type CppCatch = 'throw' | 'rethrow' | 'catch';

export async function catchCpp(gdb: GdbClient, what: CppCatch): Promise<number> {
  const { fields } = await gdb.send(`-catch-${what}`);
  return onlyBreakpoint(fields).number;
}

/** Of signals by their names. Returns its number. */
export async function catchSignals(gdb: GdbClient, names: readonly string[]): Promise<number> {
  await consoleCommand(gdb, `catch signal ${names.join(' ')}`);
  return Number(await evaluateExpression(gdb, '$bpnum'));
}
