/** MI variable objects: a value that gdb keeps open, with its children. One function each command. */

import type { GdbClient } from './client';
import { type Where, whereWords } from './commands-data';
import { type MiTuple, needText, numberOf, textOf, tuplesOf } from './mi-values';
import { quoteMi } from './quote';

export interface VarObject {
  readonly name: string;
  /** How its parent calls it; undefined: it has none. */
  readonly expression: string | undefined;
  readonly value: string;
  /** undefined: it groups others (`public`). */
  readonly type: string | undefined;
  readonly childCount: number;
  /** A pretty printer makes it: the number of children is not known before they are asked for. */
  readonly dynamic: boolean;
  readonly hasMore: boolean;
  /** `array`, `map` or `string`. */
  readonly hint: string | undefined;
}

function readVarObject(tuple: MiTuple): VarObject {
  return {
    name: needText(tuple, 'name'),
    expression: textOf(tuple, 'exp'),
    value: textOf(tuple, 'value') ?? '',
    type: textOf(tuple, 'type'),
    childCount: numberOf(tuple, 'numchild') ?? 0,
    dynamic: textOf(tuple, 'dynamic') === '1',
    hasMore: textOf(tuple, 'has_more') === '1',
    hint: textOf(tuple, 'displayhint'),
  };
}

/** Of what a printer made inside another one, gdb does not say whether it has children: it may. */
function readChild(tuple: MiTuple): VarObject {
  const object = readVarObject(tuple);
  const isOpen = object.dynamic && object.hint !== 'string' && textOf(tuple, 'has_more') === undefined;
  return isOpen ? { ...object, hasMore: true } : object;
}

export async function varCreate(gdb: GdbClient, expression: string, where: Where | undefined): Promise<VarObject> {
  const { fields } = await gdb.send(`-var-create ${whereWords(where)}- * ${quoteMi(expression)}`);
  return readVarObject(fields);
}

export async function varListChildren(
  gdb: GdbClient,
  name: string,
  from: number,
  to: number,
): Promise<{ children: readonly VarObject[]; hasMore: boolean }> {
  const { fields } = await gdb.send(`-var-list-children --all-values ${quoteMi(name)} ${from} ${to}`);
  return { children: tuplesOf(fields, 'children').map(readChild), hasMore: textOf(fields, 'has_more') === '1' };
}

export async function varEvaluate(gdb: GdbClient, name: string, format: 'natural' | 'hexadecimal'): Promise<string> {
  const { fields } = await gdb.send(`-var-evaluate-expression -f ${format} ${quoteMi(name)}`);
  return textOf(fields, 'value') ?? '';
}

/** An expression that means the same by itself; undefined: there is none (children of pretty printers). */
export async function varPathExpression(gdb: GdbClient, name: string): Promise<string | undefined> {
  const { fields } = await gdb.send(`-var-info-path-expression ${quoteMi(name)}`);
  return textOf(fields, 'path_expr');
}

/** Returns the value as it is then. */
export async function varAssign(gdb: GdbClient, name: string, expression: string): Promise<string> {
  const { fields } = await gdb.send(`-var-assign ${quoteMi(name)} ${quoteMi(expression)}`);
  return textOf(fields, 'value') ?? '';
}

export async function varDelete(gdb: GdbClient, name: string): Promise<void> {
  await gdb.send(`-var-delete ${quoteMi(name)}`);
}
