/**
 * Thread ids on the wire (gdb manual, "Packets", thread-id syntax): `TID`, `pPID.TID`, `pPID`, all in hex; -1 is all, 0 any.
 */

import type { Pid, ThreadRef, Tid } from '../base/brands';
import { peerError } from '../base/errors';
import { DOT, MINUS, type Cursor } from './cursor';

const LOWER_P = 0x70;
const ONE = 0x31;

/** `any`: the server may choose; `all`: every one. */
export interface ThreadSpec {
  readonly pid: Pid | 'any' | 'all';
  readonly tid: Tid | 'any' | 'all';
}

function readId(cursor: Cursor): number | 'any' | 'all' {
  if (cursor.skip(MINUS)) {
    if (!cursor.skip(ONE)) throw peerError('bad-packet', 'bad packet: thread id -1 expected');
    return 'all';
  }
  const id = cursor.number();
  return id === 0 ? 'any' : id;
}

/** Without `p` the process is any (a client without multiprocess), or all when the thread is -1. */
export function readThreadSpec(cursor: Cursor): ThreadSpec {
  if (!cursor.skip(LOWER_P)) {
    const tid = readId(cursor);
    return { pid: tid === 'all' ? 'all' : 'any', tid };
  }
  const pid = readId(cursor);
  return { pid, tid: cursor.skip(DOT) ? readId(cursor) : 'all' };
}

/** As gdb wants to read it. */
export function formatThread(thread: Pick<ThreadRef, 'pid' | 'tid'>, multiprocess: boolean): string {
  const tid = thread.tid.toString(16);
  return multiprocess ? `p${thread.pid.toString(16)}.${tid}` : tid;
}
