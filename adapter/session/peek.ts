/**
 * What is in a variable object whose value gdb gives as `{...}` or `[3]`: its first children, as gdb writes them in a whole value. Only so it is
 * known, too, whether what a pretty printer made inside another one has children: gdb says that of the outermost only.
 */

import type { GdbClient } from '../gdb/client';
import { type VarObject, varListChildren } from '../gdb/commands-var';
import { isCharArray } from './types';

/** So many in a list are looked into; of a long one, who wants to know opens them. */
export const MOST_PEEKED = 100;
/** Of more, the rest is `…`. */
const MOST_SHOWN = 6;
/** Of one child's value. */
const LONGEST = 40;

/** `public`, `private` and the like, which are no children but groups of them. */
export const isGroup = (object: VarObject): boolean =>
  object.type === undefined && /^(public|private|protected)$/.test(object.expression ?? '');

/** Which variant of Rust's enum it is; the variant itself is there by its name. */
export const isDiscriminant = (object: VarObject): boolean =>
  object.expression === '<anonymous union>' && object.childCount === 0 && !object.dynamic;

/** Not texts, which are shown whole: Go's are structures to MI. Nor long arrays: MI would make an object of every element. */
const isHidden = ({ value, type = '', hint, childCount }: VarObject): boolean =>
  hint !== 'string' &&
  type !== 'string' &&
  !isCharArray(type) &&
  (value === '{...}' || (/^\[\d+\]$/.test(value) && childCount <= MOST_PEEKED));

/** The same with a value for people, and with the truth about its children. */
export async function peek(gdb: GdbClient, object: VarObject): Promise<VarObject> {
  if (!isHidden(object)) return object;
  const { children, hasMore } = await firstChildren(gdb, object);
  if (children.length === 0) return { ...object, hasMore: false, value: '{}' };
  const parts = object.hint === 'map' ? pairs(children) : children.map(describeChild);
  return { ...object, hasMore: true, value: `{${parts.join(', ')}${hasMore ? ', …' : ''}}` };
}

interface Children {
  readonly children: readonly VarObject[];
  readonly hasMore: boolean;
}

async function firstChildren(gdb: GdbClient, { name, childCount }: VarObject): Promise<Children> {
  const { children, hasMore } = await varListChildren(gdb, name, 0, MOST_SHOWN);
  const flat: VarObject[] = [];
  let isCut = hasMore || childCount > MOST_SHOWN;
  for (const child of children) {
    if (isDiscriminant(child)) continue;
    if (!isGroup(child)) flat.push(child);
    else {
      const inner = await firstChildren(gdb, child);
      flat.push(...inner.children);
      isCut ||= inner.hasMore;
    }
  }
  return { children: flat.slice(0, MOST_SHOWN), hasMore: isCut || flat.length > MOST_SHOWN };
}

const short = (value: string): string => (value.length <= LONGEST ? value : `${value.slice(0, LONGEST)}…`);

function describeChild({ expression = '', value, type }: VarObject): string {
  if (/^\[?\d+\]?$/.test(expression)) return short(value);
  return `${type === expression ? `<${expression}>` : expression} = ${short(value)}`;
}

function pairs(children: readonly VarObject[]): string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < children.length; i += 2)
    found.push(`[${short(children[i]!.value)}] = ${short(children[i + 1]!.value)}`);
  return found;
}
