/**
 * vCont's action list, parsed (pure; gdb manual, "Packets", vCont).
 */

import type { Addr, Pid, Tid } from '../base/brands';
import { peerError } from '../base/errors';
import { COLON, COMMA, SEMICOLON, type Cursor } from './cursor';
import { readThreadSpec } from './ids';

export type VContAction =
  /** Signals are gdb's numbers; 0 is none. */
  | { readonly kind: 'continue'; readonly signal: number }
  | { readonly kind: 'step'; readonly signal: number }
  | { readonly kind: 'range'; readonly start: Addr; readonly end: Addr }
  /** Non-stop only. */
  | { readonly kind: 'stop' };

export interface VContEntry {
  /** undefined: any. */
  readonly pid?: Pid;
  readonly tid?: Tid;
  readonly action: VContAction;
}

const PLAIN: Readonly<Record<string, VContAction>> = {
  c: { kind: 'continue', signal: 0 },
  s: { kind: 'step', signal: 0 },
  t: { kind: 'stop' },
};

function readAction(letter: string, cursor: Cursor): VContAction {
  switch (letter) {
    case 'c':
    case 's':
    case 't':
      return PLAIN[letter];
    case 'C':
      return { kind: 'continue', signal: cursor.number() };
    case 'S':
      return { kind: 'step', signal: cursor.number() };
    case 'r': {
      const start = cursor.address();
      cursor.expect(COMMA);
      return { kind: 'range', start, end: cursor.address() };
    }
    default:
      throw peerError('bad-packet', `bad packet: vCont action '${letter}'`);
  }
}

/** Reads `;action[:thread];action[:thread]…` to the end; at least one action. */
export function readVCont(cursor: Cursor): VContEntry[] {
  const entries: VContEntry[] = [];
  do {
    cursor.expect(SEMICOLON);
    const action = readAction(String.fromCharCode(cursor.take()), cursor);
    if (!cursor.skip(COLON)) {
      entries.push({ action });
      continue;
    }
    const { pid, tid } = readThreadSpec(cursor);
    entries.push({
      action,
      ...(typeof pid === 'number' ? { pid } : {}),
      ...(typeof tid === 'number' ? { tid } : {}),
    });
  } while (!cursor.done);
  return entries;
}
