/** What MI records consist of, and how fields are read from them. Pure. */

import { peerError } from '../../native/base/errors';

export type MiValue = string | MiTuple | MiList;
export interface MiTuple {
  readonly [name: string]: MiValue;
}
/** `names`: only of a list of results (`[frame={…},frame={…}]`), one for each value. */
export type MiList = readonly MiValue[] & { readonly names?: readonly string[] };

export type StreamKind = 'console' | 'target' | 'log';

export type MiRecord =
  | { readonly kind: 'prompt' }
  | { readonly kind: 'stream'; readonly stream: StreamKind; readonly text: string }
  | {
      /** result `^`, exec `*`, status `+`, notify `=`. */
      readonly kind: 'result' | 'exec' | 'status' | 'notify';
      readonly token: number | undefined;
      /** `done`, `stopped`, `thread-created` … */
      readonly name: string;
      readonly fields: MiTuple;
    };

export type MiEvent = Extract<MiRecord, { token: number | undefined }>;

export const isTuple = (value: MiValue | undefined): value is MiTuple =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** undefined: not there, or no string. */
export function textOf(tuple: MiTuple, name: string): string | undefined {
  const value = Object.hasOwn(tuple, name) ? tuple[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

export function needText(tuple: MiTuple, name: string): string {
  const value = textOf(tuple, name);
  if (value === undefined) throw peerError('mi-field', `gdb's reply has no "${name}": ${JSON.stringify(tuple).slice(0, 200)}`);
  return value;
}

export function numberOf(tuple: MiTuple, name: string): number | undefined {
  const text = textOf(tuple, name);
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

export function tupleOf(tuple: MiTuple, name: string): MiTuple | undefined {
  const value = Object.hasOwn(tuple, name) ? tuple[name] : undefined;
  return isTuple(value) ? value : undefined;
}

/** Empty when it is not there. gdb writes an empty list as `[]` and, in some replies, as `{}`. */
export function listOf(tuple: MiTuple, name: string): readonly MiValue[] {
  const value = Object.hasOwn(tuple, name) ? tuple[name] : undefined;
  return Array.isArray(value) ? (value as MiList) : [];
}

export function tuplesOf(tuple: MiTuple, name: string): readonly MiTuple[] {
  return listOf(tuple, name).filter(isTuple);
}
