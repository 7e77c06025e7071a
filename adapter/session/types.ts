/** What gdb's names of types tell. Pure. */

import type { VarObject } from '../gdb/commands-var';

/** Structures, unions, classes and arrays have children; references may be to one. */
export function isAggregate(type: string): boolean {
  return /^(const |volatile )*(struct|union|class) [^*]*$/.test(type) || type.includes('[') || type.trimEnd().endsWith('&');
}

/** `opens`: to something that can be looked at. */
export function pointerOf(type: string): 'none' | 'address' | 'opens' {
  const bare = type
    .replace(/\b(const|volatile|restrict)\b/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (bare.includes('(*)(')) return 'address';
  if (/\(\*\)\s*\[/.test(bare)) return 'opens';
  if (!bare.endsWith('*')) return 'none';
  return /^void ?\*$/.test(bare) ? 'address' : 'opens';
}

/** Of `int [300]`: 300; of `int [2][3]`: 2; of `int (*[2])(int)`: 2; of Rust's `[i32; 3]`: 3. */
export function declaredLength(type: string): number | undefined {
  const other = /^\[.*; (\d+)\]$|\(\*+\[(\d+)\]/.exec(type);
  if (other !== null) return Number(other[1] ?? other[2]);
  const match = /\[(\d+)\]/.exec(type);
  if (match === null || /\*\s*$/.test(type) || type.includes('(')) return undefined;
  return Number(match[1]);
}

/** Also by a typedef, where the type does not show it. */
export function isArray({ type, value, dynamic }: VarObject): boolean {
  return !dynamic && type !== undefined && (declaredLength(type) !== undefined || /^\[\d+\]$/.test(value));
}

export function isExpandable(object: VarObject): boolean {
  if (object.childCount === 0 && !object.hasMore) return false;
  return !(object.type !== undefined && pointerOf(object.type) !== 'none' && object.value === '0x0');
}

export const isCharArray = (type: string): boolean => /^(const |volatile |unsigned |signed )*char \[\d+\]$/.test(type);

/** `int [3]` to `int (*)[3]`, `int (*)(int)` to `int (**)(int)`, `int &` to `int *`. */
export function pointerTo(type: string): string {
  const bare = type.replace(/\s*&+\s*$/, '');
  if (bare.includes('(*')) return bare.replace('(*', '(**');
  const array = bare.indexOf('[');
  return array < 0 ? `${bare} *` : `${bare.slice(0, array).trimEnd()} (*)${bare.slice(array)}`;
}
