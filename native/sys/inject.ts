/**
 * System calls made inside a tracee (native/shim/inject-x86-64.c). The tracee must stand in a signal-type stop.
 */

import { GONE, type Addr, type Gone, type Tid } from '../base/brands';
import { kernelError } from '../base/errors';
import { errnoName } from '../abi/errno';
import { told } from './ptrace-trace';
import { bind } from './shim';

const injectCall = bind<(tid: number, at: bigint, call: Buffer, stop: Buffer) => number>(
  'int sp_inject_call(int tid, uint64_t syscall_at, void *call, void *stop)',
);
const injectBatch = bind<
  (tid: number, code: bigint, table: bigint, memFd: number, calls: Buffer, count: number, stop: Buffer) => number
>('int sp_inject_batch(int tid, uint64_t code_at, uint64_t table_at, int mem_fd, void *calls, int count, void *stop)');

const ESRCH = 3;
/** Bytes of one entry of the table that the batch code walks. */
export const CALL_SIZE = 64;

export interface CallSpec {
  readonly nr: number;
  readonly args: readonly bigint[];
}

/** `death`: the wait status with which the tracee ended under the call, to be handled like any other (0: it was gone already). */
export interface Died {
  readonly gone: Gone;
  readonly death: number;
}

function encode(calls: readonly CallSpec[]): Buffer {
  const table = Buffer.alloc(calls.length * CALL_SIZE);
  calls.forEach((call, i) => {
    table.writeBigUInt64LE(BigInt(call.nr), i * CALL_SIZE);
    call.args.forEach((arg, k) => table.writeBigUInt64LE(BigInt.asUintN(64, arg), i * CALL_SIZE + 8 + 8 * k));
  });
  return table;
}

function outcome(result: number, stop: Buffer, what: string, tid: Tid): Died | undefined {
  if (result === 0) return undefined;
  const status = stop.readInt32LE(0);
  if (result === -ESRCH) return { gone: GONE, death: status };
  const where = status === 0 ? '' : `, stopped by 0x${status.toString(16)}`;
  throw kernelError(what, -result, errnoName(-result), `thread ${tid}${where}`);
}

/** One call at a syscall instruction of the tracee's own. The raw result: negative is -errno. */
export function callIn(tid: Tid, syscallAt: Addr, call: CallSpec): bigint | Died {
  const table = encode([call]);
  const stop = Buffer.alloc(4);
  const result = injectCall(tid, syscallAt, table, stop);
  told?.(`call ${call.nr} in ${tid}: ${result === 0 ? table.readBigInt64LE(56) : errnoName(-result)}`);
  return outcome(result, stop, `remote system call ${call.nr}`, tid) ?? table.readBigInt64LE(56);
}

/** Many calls by the batch code at `codeAt`, whose table is `tableAt`. */
export function batchIn(tid: Tid, codeAt: Addr, tableAt: Addr, memFd: number, calls: readonly CallSpec[]): bigint[] | Died {
  const table = encode(calls);
  const stop = Buffer.alloc(4);
  const result = injectBatch(tid, codeAt, tableAt, memFd, table, calls.length, stop);
  told?.(`calls ${calls.map(({ nr }) => nr).join(' ')} in ${tid}${result === 0 ? '' : `: ${errnoName(-result)}`}`);
  const died = outcome(result, stop, 'remote batch', tid);
  return died ?? calls.map((_call, i) => table.readBigInt64LE(i * CALL_SIZE + 56));
}
