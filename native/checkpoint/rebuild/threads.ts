/**
 * Threads back: registers, and what each had registered with the kernel. Only differences are applied.
 *
 * The order matters. Taking an rseq area out of the kernel makes it write there, so that comes before memory is rolled back; putting one in
 * comes after, with the area looking as the kernel wants it (rseq(2): cpu_id uninitialised).
 */

import { PR_SET_NAME } from '../../abi/flags';
import { errnoName } from '../../abi/errno';
import { SYS } from '../../abi/syscalls-x86-64';
import { kernelError } from '../../base/errors';
import type { EngineInferior, EngineThread, RemoteCall } from '../../owner/engine-host';
import * as io from '../../sys/io';
import type { RseqRegistration } from '../../sys/ptrace';
import { remember } from '../capture/threads';
import { alive } from '../gone';
import type { ScratchRoom } from '../scratch-room';
import type { ThreadState } from '../state';

const RSEQ_UNREGISTER = 1n;
/** struct rseq: cpu_id_start 0, cpu_id 4, rseq_cs 8. */
const RSEQ_HEAD = 16;
const RSEQ_CPU_ID_UNINITIALIZED = -1;
const ROBUST_HEAD_SIZE = 24n;
const NAME_SIZE = 16;
/** stack_t: ss_sp 0, ss_flags 8, ss_size 16. SS_ONSTACK is an answer, not a setting. */
const SS_ONSTACK = 1;

const bySerial = <T extends { readonly ref: { readonly serial: number } }>(list: readonly T[]): ReadonlyMap<number, T> =>
  new Map(list.map((item) => [item.ref.serial, item]));

const isRegistered = (rseq: RseqRegistration | undefined): rseq is RseqRegistration => rseq !== undefined && rseq.pointer !== 0n;

function sameRseq(a: RseqRegistration | undefined, b: RseqRegistration | undefined): boolean {
  if (!isRegistered(a) || !isRegistered(b)) return isRegistered(a) === isRegistered(b);
  return a.pointer === b.pointer && a.size === b.size && a.signature === b.signature;
}

function must(results: readonly bigint[], what: readonly string[], tid: number): void {
  const bad = results.findIndex((result) => result < 0n);
  if (bad < 0) return;
  const errno = Number(-results[bad]!);
  throw kernelError(`${what[bad]} (in the program)`, errno, errnoName(errno), `thread ${tid}`);
}

/** Before memory: rseq areas that the target does not have. */
export function unregisterThreads(
  inferior: EngineInferior,
  room: ScratchRoom,
  present: readonly ThreadState[],
  target: readonly ThreadState[],
): void {
  const wanted = bySerial(target);
  for (const thread of inferior.threads()) {
    const now = bySerial(present).get(thread.ref.serial)?.rseq;
    if (thread.life !== 'live' || !isRegistered(now) || sameRseq(now, wanted.get(thread.ref.serial)?.rseq)) continue;
    const args = [now.pointer, BigInt(now.size), RSEQ_UNREGISTER, BigInt(now.signature)];
    must(room.run(thread, [{ nr: SYS.rseq, args }]), ['rseq(RSEQ_FLAG_UNREGISTER)'], thread.ref.tid);
  }
}

/** Registers and masks; nothing reaches the kernel that is there already. */
export function rebuildRegisters(inferior: EngineInferior, target: readonly ThreadState[]): void {
  const wanted = bySerial(target);
  for (const thread of inferior.threads()) {
    const state = wanted.get(thread.ref.serial);
    if (state === undefined) continue;
    if (!alive(thread.gp()).equals(state.gp)) thread.setGp(Buffer.from(state.gp));
    if (!alive(thread.fp()).equals(state.fp)) thread.setFp(Buffer.from(state.fp));
  }
}

export function rebuildMasks(inferior: EngineInferior, target: readonly ThreadState[]): void {
  const wanted = bySerial(target);
  for (const thread of inferior.threads()) {
    const state = wanted.get(thread.ref.serial);
    if (state !== undefined && !alive(thread.sigmask()).equals(state.sigmask)) thread.setSigmask(Buffer.from(state.sigmask));
  }
}

/** sp, size and flags that can be set. */
function altstackSetting(altstack: Buffer): Buffer {
  const setting = Buffer.from(altstack);
  setting.writeUInt32LE(setting.readUInt32LE(8) & ~SS_ONSTACK, 8);
  setting.writeUInt32LE(0, 12);
  return setting;
}

function registerRseq(inferior: EngineInferior, room: ScratchRoom, thread: EngineThread, rseq: RseqRegistration): void {
  const kept = Buffer.alloc(RSEQ_HEAD);
  io.pread(inferior.memFd, kept, rseq.pointer);
  const clean = Buffer.alloc(RSEQ_HEAD);
  clean.writeInt32LE(RSEQ_CPU_ID_UNINITIALIZED, 4);
  io.pwrite(inferior.memFd, clean, rseq.pointer);
  const args = [rseq.pointer, BigInt(rseq.size), BigInt(rseq.flags), BigInt(rseq.signature)];
  must(room.run(thread, [{ nr: SYS.rseq, args }]), ['rseq'], thread.ref.tid);
  // The critical section it was in, if any: the kernel looks at it when the thread runs on, and rightly aborts it.
  if (kept.readBigUInt64LE(8) !== 0n) io.pwrite(inferior.memFd, kept.subarray(8), rseq.pointer + 8n);
}

/** `before`: how the thread was registered when the restore began; undefined: it was parked, and has nothing. */
function registerThread(
  inferior: EngineInferior,
  room: ScratchRoom,
  thread: EngineThread,
  state: ThreadState,
  before?: ThreadState,
): void {
  room.clear();
  const calls: RemoteCall[] = [];
  const names: string[] = [];
  const add = (name: string, nr: number, ...args: bigint[]): void => {
    calls.push({ nr, args });
    names.push(name);
  };
  if (state.tidAddress !== undefined && state.tidAddress !== (before?.tidAddress ?? 0n)) {
    add('set_tid_address', SYS.set_tid_address, state.tidAddress);
  }
  if (state.robustHead !== (before?.robustHead ?? 0n))
    add('set_robust_list', SYS.set_robust_list, state.robustHead, ROBUST_HEAD_SIZE);
  const altstack = altstackSetting(state.altstack);
  if (before === undefined || !altstackSetting(before.altstack).equals(altstack)) {
    add('sigaltstack', SYS.sigaltstack, room.put(altstack), 0n);
  }
  if (before?.name !== state.name) {
    const name = Buffer.alloc(NAME_SIZE);
    name.write(state.name, 'latin1');
    add('prctl(PR_SET_NAME)', SYS.prctl, BigInt(PR_SET_NAME), room.put(name));
  }
  thread.noteRegistrations(undefined);
  must(room.run(thread, calls), names, thread.ref.tid);
  remember(inferior, thread, { tidAddress: state.tidAddress, altstack: state.altstack });
  if (isRegistered(state.rseq) && !sameRseq(before?.rseq, state.rseq)) registerRseq(inferior, room, thread, state.rseq);
}

/** After memory. */
export function registerThreads(
  inferior: EngineInferior,
  room: ScratchRoom,
  present: readonly ThreadState[],
  target: readonly ThreadState[],
): void {
  const before = bySerial(present);
  const wanted = bySerial(target);
  for (const thread of inferior.threads()) {
    const state = wanted.get(thread.ref.serial);
    if (state !== undefined) registerThread(inferior, room, thread, state, before.get(thread.ref.serial));
  }
}
