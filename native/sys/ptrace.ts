/**
 * ptrace(2) with types: the only file that makes a ptrace request from TypeScript. Everything about a tracee answers GONE when the
 * kernel says ESRCH (killed meanwhile, or not stopped any more because it was killed); other failures throw KernelError.
 */

import { GONE, type Gone, type Tid } from '../base/brands';
import { kernelError } from '../base/errors';
import { errnoName } from '../abi/errno';
import {
  PTRACE_CONT,
  PTRACE_DETACH,
  PTRACE_GETEVENTMSG,
  PTRACE_GETREGS,
  PTRACE_GETSIGINFO,
  PTRACE_GETSIGMASK,
  PTRACE_GET_RSEQ_CONFIGURATION,
  PTRACE_INTERRUPT,
  PTRACE_LISTEN,
  PTRACE_PEEKSIGINFO,
  PTRACE_POKEUSER,
  PTRACE_SEIZE,
  PTRACE_SETREGS,
  PTRACE_SETSIGINFO,
  PTRACE_SETSIGMASK,
  PTRACE_SINGLESTEP,
  PTRACE_SYSCALL,
} from '../abi/ptrace';
import { TRAP_BRKPT, TRAP_TRACE } from '../abi/flags';
import { SIGTRAP, signalName } from '../abi/signals';
import { SIGINFO } from '../abi/structs';
import { told } from './ptrace-trace';
import { bind } from './shim';

const raw = bind<(request: number, tid: number, addr: bigint | number, data: bigint | number) => number | bigint>(
  'int64_t sp_ptrace(int request, int tid, uint64_t addr, uint64_t data)',
);
const rawBuffer = bind<(request: number, tid: number, addr: bigint | number, data: Buffer) => number | bigint>(
  'int64_t sp_ptrace_buf(int request, int tid, uint64_t addr, void *data)',
);
const regsetGet = bind<(tid: number, type: number, buf: Buffer, length: number) => number>(
  'int64_t sp_regset_get(int tid, int type, void *buf, int length)',
);
const regsetSet = bind<(tid: number, type: number, buf: Buffer, length: number) => number>(
  'int64_t sp_regset_set(int tid, int type, void *buf, int length)',
);
const peekUserRaw = bind<(tid: number, offset: number, value: Buffer) => number>(
  'int sp_peek_user(int tid, uint64_t offset, void *value)',
);
const interruptAllRaw = bind<(tids: Buffer, count: number, results: Buffer) => void>(
  'void sp_interrupt_all(void *tids, int count, void *results)',
);
const tgkillRaw = bind<(pid: number, tid: number, signal: number) => number>('int sp_tgkill(int pid, int tid, int signal)');

const ESRCH = 3;
/** Bytes of siginfo_t on Linux. */
export const SIGINFO_SIZE = 128;
const SIGSET_SIZE = 8;

/** Turns a raw result into itself, GONE, or a thrown KernelError. */
function check(result: number | bigint, call: string, tid: Tid): number | Gone {
  const value = Number(result);
  if (value >= 0) return value;
  if (value === -ESRCH) return GONE;
  throw kernelError(call, -value, errnoName(-value), `thread ${tid}`);
}

const orGone = (result: number | Gone): string => (result === GONE ? ': gone' : '');

export type ResumeRequest = 'continue' | 'step' | 'syscall' | 'listen';
const REQUEST: Record<ResumeRequest, number> = {
  continue: PTRACE_CONT,
  step: PTRACE_SINGLESTEP,
  syscall: PTRACE_SYSCALL,
  listen: PTRACE_LISTEN,
};

/** Lets a stopped tracee run; `signal` is delivered when it stands in a signal-delivery stop. */
export function resume(tid: Tid, how: ResumeRequest, signal: number): true | Gone {
  const result = check(raw(REQUEST[how], tid, 0, signal), `PTRACE_${how.toUpperCase()}`, tid);
  told?.(`${how} ${tid}${signal === 0 ? '' : `, ${signalName(signal)}`}${orGone(result)}`);
  return result === GONE ? GONE : true;
}

/** Asks a running tracee for a PTRACE_EVENT_STOP. Also GONE when it stands in no state to be asked. */
export function interrupt(tid: Tid): true | Gone {
  const result = check(raw(PTRACE_INTERRUPT, tid, 0, 0), 'PTRACE_INTERRUPT', tid);
  told?.(`interrupt ${tid}${orGone(result)}`);
  return result === GONE ? GONE : true;
}

/** The same for many; those that are gone (or in no state to be asked). */
export function interruptAll(tids: readonly Tid[]): ReadonlySet<Tid> {
  const room = Buffer.alloc(8 * tids.length);
  const results = room.subarray(4 * tids.length);
  tids.forEach((tid, i) => room.writeInt32LE(tid, 4 * i));
  interruptAllRaw(room, tids.length, results);
  const gone = new Set(tids.filter((tid, i) => check(results.readInt32LE(4 * i), 'PTRACE_INTERRUPT', tid) === GONE));
  told?.(`interrupt ${tids.map((tid) => `${tid}${orGone(gone.has(tid) ? GONE : 0)}`).join(', ')}`);
  return gone;
}

/** Returns 0 or the errno: the caller has advice for EPERM. */
export function seize(tid: Tid, options: number): number {
  const errno = -Number(raw(PTRACE_SEIZE, tid, 0, options));
  told?.(`seize ${tid}${errno === 0 ? '' : `: ${errnoName(errno)}`}`);
  return errno;
}

export function detach(tid: Tid, signal: number): true | Gone {
  const result = check(raw(PTRACE_DETACH, tid, 0, signal), 'PTRACE_DETACH', tid);
  told?.(`detach ${tid}${signal === 0 ? '' : `, ${signalName(signal)}`}${orGone(result)}`);
  return result === GONE ? GONE : true;
}

export function getGp(tid: Tid, size: number): Buffer | Gone {
  const regs = Buffer.alloc(size);
  return check(rawBuffer(PTRACE_GETREGS, tid, 0, regs), 'PTRACE_GETREGS', tid) === GONE ? GONE : regs;
}

export function setGp(tid: Tid, regs: Buffer): true | Gone {
  return check(rawBuffer(PTRACE_SETREGS, tid, 0, regs), 'PTRACE_SETREGS', tid) === GONE ? GONE : true;
}

/** Room for every XSAVE component known to Linux (AMX tiles are 8 KiB). */
const REGSET_ROOM = 16384;
const regsetRoom = Buffer.alloc(REGSET_ROOM);

export function getFp(tid: Tid, regset: number): Buffer | Gone {
  const n = check(regsetGet(tid, regset, regsetRoom, REGSET_ROOM), 'PTRACE_GETREGSET', tid);
  return n === GONE ? GONE : Buffer.from(regsetRoom.subarray(0, n));
}

export function setFp(tid: Tid, regset: number, regs: Buffer): true | Gone {
  return check(regsetSet(tid, regset, regs, regs.length), 'PTRACE_SETREGSET', tid) === GONE ? GONE : true;
}

export function getSiginfo(tid: Tid): Buffer | Gone {
  const info = Buffer.alloc(SIGINFO_SIZE);
  return check(rawBuffer(PTRACE_GETSIGINFO, tid, 0, info), 'PTRACE_GETSIGINFO', tid) === GONE ? GONE : info;
}

/**
 * The SIGTRAP of a single step: after an instruction (TRAP_TRACE), or at the exit of a system call (TRAP_BRKPT; the breakpoint instruction
 * itself gives SI_KERNEL).
 */
export function isStepTrap(info: Buffer): boolean {
  const code = info.readInt32LE(SIGINFO.si_code);
  return info.readInt32LE(SIGINFO.si_signo) === SIGTRAP && (code === TRAP_TRACE || code === TRAP_BRKPT);
}

export function setSiginfo(tid: Tid, info: Buffer): true | Gone {
  return check(rawBuffer(PTRACE_SETSIGINFO, tid, 0, info), 'PTRACE_SETSIGINFO', tid) === GONE ? GONE : true;
}

export function getSigmask(tid: Tid): Buffer | Gone {
  const mask = Buffer.allocUnsafe(SIGSET_SIZE);
  return check(rawBuffer(PTRACE_GETSIGMASK, tid, SIGSET_SIZE, mask), 'PTRACE_GETSIGMASK', tid) === GONE ? GONE : mask;
}

export function setSigmask(tid: Tid, mask: Buffer): true | Gone {
  return check(rawBuffer(PTRACE_SETSIGMASK, tid, SIGSET_SIZE, mask), 'PTRACE_SETSIGMASK', tid) === GONE ? GONE : true;
}

/** The new task's id, the former tid of an exec, the seccomp return data, or the exit status. */
export function getEventMessage(tid: Tid): number | Gone {
  const message = Buffer.alloc(8);
  if (check(rawBuffer(PTRACE_GETEVENTMSG, tid, 0, message), 'PTRACE_GETEVENTMSG', tid) === GONE) return GONE;
  return Number(message.readBigUInt64LE());
}

/** Mostly nothing is queued, and this is asked of every thread at every stop: no fresh memory for the answer. */
const PEEK_BATCH = 32;
const peekRoom = Buffer.alloc(PEEK_BATCH * SIGINFO_SIZE);
const peekArgs = Buffer.alloc(16);

/** Signals queued and not delivered yet: of the thread, or (`shared`) of the process. Oldest first. */
export function peekSiginfo(tid: Tid, shared: boolean): Buffer[] | Gone {
  const found: Buffer[] = [];
  for (;;) {
    peekArgs.writeBigUInt64LE(BigInt(found.length), 0);
    peekArgs.writeUInt32LE(shared ? 1 : 0, 8);
    peekArgs.writeInt32LE(PEEK_BATCH, 12);
    const n = check(peek(tid, peekArgs, peekRoom), 'PTRACE_PEEKSIGINFO', tid);
    if (n === GONE) return GONE;
    for (let i = 0; i < n; i++) found.push(Buffer.from(peekRoom.subarray(i * SIGINFO_SIZE, (i + 1) * SIGINFO_SIZE)));
    if (n < PEEK_BATCH) return found;
  }
}

const rawPointers = bind<(request: number, tid: number, addr: Buffer, data: Buffer) => number | bigint>(
  'int64_t sp_ptrace_two(int request, int tid, void *addr, void *data)',
);
function peek(tid: Tid, args: Buffer, room: Buffer): number | bigint {
  return rawPointers(PTRACE_PEEKSIGINFO, tid, args, room);
}

export interface RseqRegistration {
  readonly pointer: bigint;
  readonly size: number;
  readonly signature: number;
  readonly flags: number;
}

/** struct ptrace_rseq_configuration. */
const rseqRoom = Buffer.alloc(24);

/** The thread's rseq registration (pointer 0: none). Linux >= 5.13; undefined where the kernel lacks the request. */
export function getRseq(tid: Tid): RseqRegistration | undefined | Gone {
  const result = Number(rawBuffer(PTRACE_GET_RSEQ_CONFIGURATION, tid, rseqRoom.length, rseqRoom));
  if (result === -ESRCH) return GONE;
  if (result < 0) return undefined;
  return {
    pointer: rseqRoom.readBigUInt64LE(0),
    size: rseqRoom.readUInt32LE(8),
    signature: rseqRoom.readUInt32LE(12),
    flags: rseqRoom.readUInt32LE(16),
  };
}

export function pokeUser(tid: Tid, offset: number, value: bigint): true | Gone {
  return check(raw(PTRACE_POKEUSER, tid, offset, value), 'PTRACE_POKEUSER', tid) === GONE ? GONE : true;
}

export function peekUser(tid: Tid, offset: number): bigint | Gone {
  const value = Buffer.alloc(8);
  return check(peekUserRaw(tid, offset, value), 'PTRACE_PEEKUSER', tid) === GONE ? GONE : value.readBigUInt64LE();
}

/** tgkill(2); signal 0 asks whether the thread is there. */
export function tgkill(pid: number, tid: Tid, signal: number): true | Gone {
  const result = check(tgkillRaw(pid, tid, signal), 'tgkill', tid);
  if (signal !== 0) told?.(`tgkill ${tid}, ${signalName(signal)}${orGone(result)}`);
  return result === GONE ? GONE : true;
}
