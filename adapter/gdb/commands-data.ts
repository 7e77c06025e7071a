/** MI commands that look at the stopped program: threads, frames, memory, registers, code, files. One function each. */

import { isFamily } from '../../native/base/errors';
import { type GdbClient, LONG_MS } from './client';
import { type MiTuple, isTuple, listOf, needText, numberOf, textOf, tupleOf, tuplesOf } from './mi-values';
import { quoteMi } from './quote';

export interface GdbFrame {
  readonly level: number;
  readonly address: bigint;
  readonly function: string | undefined;
  readonly file: string | undefined;
  readonly fullName: string | undefined;
  readonly line: number | undefined;
  /** The library, of a frame without a source. */
  readonly from: string | undefined;
}

export function readFrame(tuple: MiTuple): GdbFrame {
  const address = textOf(tuple, 'addr') ?? '';
  return {
    level: numberOf(tuple, 'level') ?? 0,
    address: /^0x[0-9a-f]+$/i.test(address) ? BigInt(address) : 0n,
    function: textOf(tuple, 'func'),
    file: textOf(tuple, 'file'),
    fullName: textOf(tuple, 'fullname'),
    line: numberOf(tuple, 'line'),
    from: textOf(tuple, 'from'),
  };
}

export interface GdbThread {
  readonly id: number;
  readonly targetId: string;
  readonly name: string | undefined;
}

export async function threadInfo(gdb: GdbClient): Promise<{ threads: readonly GdbThread[]; current: number | undefined }> {
  const { fields } = await gdb.send('-thread-info');
  return {
    threads: tuplesOf(fields, 'threads').map((tuple) => ({
      id: Number(needText(tuple, 'id')),
      targetId: textOf(tuple, 'target-id') ?? '',
      name: textOf(tuple, 'name'),
    })),
    current: numberOf(fields, 'current-thread-id'),
  };
}

export async function stackListFrames(gdb: GdbClient, thread: number, low: number, high: number): Promise<readonly GdbFrame[]> {
  const { fields } = await gdb.send(`-stack-list-frames --thread ${thread} ${low} ${high}`);
  return tuplesOf(fields, 'stack').map(readFrame);
}

/** At most `most`, however deep the stack is. */
export async function stackInfoDepth(gdb: GdbClient, thread: number, most: number): Promise<number> {
  const { fields } = await gdb.send(`-stack-info-depth --thread ${thread} ${most}`);
  return Number(needText(fields, 'depth'));
}

export interface GdbVariable {
  readonly name: string;
  readonly isArgument: boolean;
  readonly type: string | undefined;
  /** undefined: of a structure, a union or an array. */
  readonly value: string | undefined;
}

/** Innermost block first: of variables with one name, the first is the one that the name means. */
export async function stackListVariables(gdb: GdbClient, thread: number, frame: number): Promise<readonly GdbVariable[]> {
  const { fields } = await gdb.send(`-stack-list-variables --thread ${thread} --frame ${frame} --simple-values`);
  return tuplesOf(fields, 'variables').map((tuple) => ({
    name: needText(tuple, 'name'),
    isArgument: textOf(tuple, 'arg') === '1',
    type: textOf(tuple, 'type'),
    value: textOf(tuple, 'value'),
  }));
}

/** Arguments of the frames low..high as `name=value`, by frame. */
export async function stackListArguments(
  gdb: GdbClient,
  thread: number,
  low: number,
  high: number,
): Promise<readonly string[][]> {
  const { fields } = await gdb.send(`-stack-list-arguments --thread ${thread} --simple-values ${low} ${high}`);
  return tuplesOf(fields, 'stack-args').map((tuple) =>
    tuplesOf(tuple, 'args').map((arg) => `${textOf(arg, 'name')}=${textOf(arg, 'value') ?? '…'}`),
  );
}

/** A thread and a frame that an expression is looked at in; undefined: gdb's own. */
export interface Where {
  readonly thread: number;
  readonly frame: number;
}

export const whereWords = (where: Where | undefined): string =>
  where === undefined ? '' : `--thread ${where.thread} --frame ${where.frame} `;

export async function evaluateExpression(gdb: GdbClient, expression: string, where?: Where): Promise<string> {
  const { fields } = await gdb.send(`-data-evaluate-expression ${whereWords(where)}${quoteMi(expression)}`);
  return textOf(fields, 'value') ?? '';
}

/** One run of readable bytes. */
export interface MemoryRun {
  readonly address: bigint;
  readonly bytes: Buffer;
}

export async function readMemory(gdb: GdbClient, address: bigint, count: number): Promise<readonly MemoryRun[]> {
  const { fields } = await gdb.send(`-data-read-memory-bytes 0x${address.toString(16)} ${count}`);
  return tuplesOf(fields, 'memory').map((tuple) => ({
    address: BigInt(needText(tuple, 'begin')),
    bytes: Buffer.from(needText(tuple, 'contents'), 'hex'),
  }));
}

export async function writeMemory(gdb: GdbClient, address: bigint, bytes: Buffer): Promise<void> {
  await gdb.send(`-data-write-memory-bytes 0x${address.toString(16)} ${bytes.toString('hex')}`);
}

/** By number; unused numbers are empty. */
export async function listRegisterNames(gdb: GdbClient): Promise<readonly string[]> {
  const { fields } = await gdb.send('-data-list-register-names');
  return listOf(fields, 'register-names').map((name) => (typeof name === 'string' ? name : ''));
}

export async function listRegisterValues(
  gdb: GdbClient,
  where: Where,
  format: 'N' | 'x',
  numbers: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const { fields } = await gdb.send(
    `-data-list-register-values ${whereWords(where)}--skip-unavailable ${format} ${numbers.join(' ')}`,
  );
  return new Map(
    tuplesOf(fields, 'register-values').map((tuple) => [Number(needText(tuple, 'number')), textOf(tuple, 'value') ?? '']),
  );
}

export interface GdbInstruction {
  readonly address: bigint;
  readonly function: string | undefined;
  readonly offset: number | undefined;
  readonly bytes: string | undefined;
  readonly text: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

export type CodeRange =
  /** The function around an address. */
  { readonly around: bigint } | { readonly start: bigint; readonly end: bigint };

export async function disassemble(gdb: GdbClient, range: CodeRange): Promise<readonly GdbInstruction[]> {
  const hex = (address: bigint): string => `0x${address.toString(16)}`;
  const words = 'around' in range ? `-a ${hex(range.around)}` : `-s ${hex(range.start)} -e ${hex(range.end)}`;
  const { fields } = await gdb.send(`-data-disassemble ${words} -- 5`, { uninterruptible: true });
  const found: GdbInstruction[] = [];
  for (const entry of listOf(fields, 'asm_insns')) {
    if (!isTuple(entry)) continue;
    // With sources: {line, file, line_asm_insn=[…]}; where there are none: the instruction itself.
    const inner = textOf(entry, 'address') === undefined ? tuplesOf(entry, 'line_asm_insn') : [entry];
    for (const tuple of inner) {
      found.push({
        address: BigInt(needText(tuple, 'address')),
        function: textOf(tuple, 'func-name'),
        offset: numberOf(tuple, 'offset'),
        bytes: textOf(tuple, 'opcodes'),
        text: textOf(tuple, 'inst') ?? '',
        file: textOf(entry, 'fullname') ?? textOf(entry, 'file'),
        line: numberOf(entry, 'line'),
      });
    }
  }
  // By source line they come in the order of lines.
  return found.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

export interface GdbLibrary {
  readonly id: string;
  readonly file: string;
  readonly hasSymbols: boolean;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export function readLibrary(tuple: MiTuple): GdbLibrary {
  const [range] = tuplesOf(tuple, 'ranges');
  return {
    id: needText(tuple, 'id'),
    file: textOf(tuple, 'host-name') ?? textOf(tuple, 'target-name') ?? needText(tuple, 'id'),
    hasSymbols: textOf(tuple, 'symbols-loaded') === '1',
    from: range === undefined ? undefined : textOf(range, 'from'),
    to: range === undefined ? undefined : textOf(range, 'to'),
  };
}

export async function listSharedLibraries(gdb: GdbClient): Promise<readonly GdbLibrary[]> {
  const { fields } = await gdb.send('-file-list-shared-libraries', { limitMs: LONG_MS });
  return tuplesOf(fields, 'shared-libraries').map(readLibrary);
}

export async function listSourceFiles(gdb: GdbClient): Promise<readonly string[]> {
  const { fields } = await gdb.send('-file-list-exec-source-files', { limitMs: LONG_MS });
  const names = tuplesOf(fields, 'files').map((tuple) => textOf(tuple, 'fullname') ?? textOf(tuple, 'file') ?? '');
  return [...new Set(names)].filter((name) => name !== '');
}

/** Lines of a file that have code, in order; empty: gdb knows no such file. */
export async function symbolListLines(gdb: GdbClient, file: string): Promise<readonly number[]> {
  const found = await gdb.send(`-symbol-list-lines ${quoteMi(file)}`, { limitMs: LONG_MS }).catch((error: unknown) => {
    if (isFamily(error, 'peer') && error.code === 'gdb-error') return undefined;
    throw error;
  });
  if (found === undefined) return [];
  const lines = tuplesOf(found.fields, 'lines').map((tuple) => numberOf(tuple, 'line') ?? 0);
  return [...new Set(lines)].filter((line) => line > 0).sort((a, b) => a - b);
}

/** The variables outside functions that a source file defines. */
export async function globalsOfFile(gdb: GdbClient, fullName: string): Promise<readonly string[]> {
  const { fields } = await gdb.send('-symbol-info-variables', { limitMs: LONG_MS });
  const debug = tupleOf(fields, 'symbols') === undefined ? [] : tuplesOf(tupleOf(fields, 'symbols') as MiTuple, 'debug');
  const found = debug
    .filter((file) => (textOf(file, 'fullname') ?? textOf(file, 'filename')) === fullName)
    .flatMap((file) => tuplesOf(file, 'symbols').map((symbol) => needText(symbol, 'name')));
  return [...new Set(found)];
}
