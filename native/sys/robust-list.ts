/**
 * get_robust_list(2) of another thread: needs only the right to ptrace it.
 */

import type { Addr, Tid } from '../base/brands';
import { bind } from './shim';

const raw = bind<(tid: number, head: Buffer, length: Buffer) => number>('int sp_robust_list(int tid, void *head, void *length)');

/** Address of the thread's robust list head; 0 when it has none; undefined when it is gone. */
export function robustListHead(tid: Tid): Addr | undefined {
  const head = Buffer.alloc(8);
  return raw(tid, head, Buffer.alloc(8)) < 0 ? undefined : head.readBigUInt64LE();
}
