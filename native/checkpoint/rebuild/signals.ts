/**
 * Dispositions, and signals that were on their way. Queues are emptied and filled by the threads themselves, because the kernel lets only the
 * task itself send signals that look like the kernel's or another process's (rt_sigqueueinfo(2)).
 */

import { LAST_SIGNAL } from '../../abi/signals';
import { SYS } from '../../abi/syscalls-x86-64';
import { SIGINFO } from '../../abi/structs';
import { errnoName } from '../../abi/errno';
import { kernelError } from '../../base/errors';
import type { EngineInferior, EngineThread, RemoteCall } from '../../owner/engine-host';
import * as ptrace from '../../sys/ptrace';
import { SIGACTION_SIZE } from '../capture/answers';
import { alive } from '../gone';
import type { ScratchRoom } from '../scratch-room';
import type { FidelityNote, SignalState, ThreadState } from '../state';

/** SIGKILL and SIGSTOP have no disposition. */
const UNSETTABLE = new Set([9, 19]);

export function rebuildActions(room: ScratchRoom, worker: EngineThread, present: Buffer, target: Buffer): void {
  room.clear();
  const calls: RemoteCall[] = [];
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    const at = (signal - 1) * SIGACTION_SIZE;
    const wanted = target.subarray(at, at + SIGACTION_SIZE);
    if (UNSETTABLE.has(signal) || wanted.equals(present.subarray(at, at + SIGACTION_SIZE))) continue;
    calls.push({ nr: SYS.rt_sigaction, args: [BigInt(signal), room.put(wanted), 0n, 8n] });
  }
  const results = room.run(worker, calls);
  const bad = results.findIndex((result) => result < 0n);
  if (bad >= 0) throw kernelError('rt_sigaction (in the program)', Number(-results[bad]!), errnoName(Number(-results[bad]!)));
}

const sameQueue = (a: readonly Buffer[], b: readonly Buffer[]): boolean =>
  a.length === b.length && a.every((info, i) => info.equals(b[i]!));

/** Takes everything out of the thread's queue (and of the shared one, which rt_sigtimedwait(2) looks at as well). */
function drain(room: ScratchRoom, thread: EngineThread): void {
  const limit = 100;
  for (let round = 0; round < limit; round++) {
    const own = alive(ptrace.peekSiginfo(thread.ref.tid, false)).length;
    const shared = alive(ptrace.peekSiginfo(thread.ref.tid, true)).length;
    if (own + shared === 0) return;
    room.clear();
    const all = room.put(Buffer.alloc(8, 0xff));
    const now = room.put(Buffer.alloc(16));
    const wait: RemoteCall = { nr: SYS.rt_sigtimedwait, args: [all, 0n, now, 8n] };
    if (
      !room
        .run(
          thread,
          Array.from({ length: own + shared }, () => wait),
        )
        .some((result) => result > 0n)
    )
      return;
  }
}

/** Queues siginfos in order; those the kernel would not take. */
function queue(
  room: ScratchRoom,
  thread: EngineThread,
  infos: readonly Buffer[],
  call: (signal: bigint, info: bigint) => RemoteCall,
): Buffer[] {
  const refused: Buffer[] = [];
  for (const info of infos) {
    room.clear();
    const [result] = room.run(thread, [call(BigInt(info.readInt32LE(SIGINFO.si_signo)), room.put(info))]);
    if (result !== 0n) refused.push(info);
  }
  return refused;
}

/** Signals on their way: empties and fills again what differs. */
export function rebuildQueues(
  inferior: EngineInferior,
  room: ScratchRoom,
  worker: EngineThread,
  target: { readonly threads: readonly ThreadState[]; readonly signals: SignalState },
): FidelityNote[] {
  const states = new Map(target.threads.map((state) => [state.ref.serial, state]));
  const live = inferior.threads().filter((thread) => thread.life === 'live' && states.has(thread.ref.serial));
  const shared = alive(ptrace.peekSiginfo(worker.ref.tid, true));
  const differs =
    !sameQueue(shared, target.signals.pending) ||
    live.some((thread) => {
      const state = states.get(thread.ref.serial);
      return state !== undefined && !sameQueue(alive(ptrace.peekSiginfo(thread.ref.tid, false)), state.pending);
    });
  if (!differs) return [];
  for (const thread of live) drain(room, thread);
  const lost: Buffer[] = [];
  const pid = BigInt(inferior.pid);
  for (const thread of live) {
    const state = states.get(thread.ref.serial);
    const tid = BigInt(thread.ref.tid);
    const own = (signal: bigint, info: bigint): RemoteCall => ({ nr: SYS.rt_tgsigqueueinfo, args: [pid, tid, signal, info] });
    if (state !== undefined) lost.push(...queue(room, thread, state.pending, own));
  }
  const leader = live.find((thread) => thread.ref.tid === inferior.pid) ?? worker;
  const all = (signal: bigint, info: bigint): RemoteCall => ({ nr: SYS.rt_sigqueueinfo, args: [pid, signal, info] });
  lost.push(...queue(room, leader, target.signals.pending, all));
  return lost.map((info) => ({
    subject: 'process',
    kind: 'signal',
    sentence: `signal ${info.readInt32LE(SIGINFO.si_signo)} was queued at the checkpoint and could not be queued again`,
  }));
}
