/**
 * Threads as they stand: registers, masks, and what each has registered with the kernel. Memory is captured afterwards, because a call made
 * in a thread lets the kernel write its rseq area.
 */

import type { Addr } from '../../base/brands';
import { PR_GET_TID_ADDRESS } from '../../abi/flags';
import { SYS } from '../../abi/syscalls-x86-64';
import type { EngineInferior, EngineThread, Registrations } from '../../owner/engine-host';
import * as proc from '../../sys/proc';
import * as ptrace from '../../sys/ptrace';
import { robustListHead } from '../../sys/robust-list';
import { alive, ProcessGone } from '../gone';
import type { ScratchRoom } from '../scratch-room';
import type { ThreadState } from '../state';

/** sizeof(stack_t). */
const ALTSTACK_SIZE = 24;

/**
 * Registers as a restore shall set them. A call that waits with a restart block, or gave up with EINTR because of our stop, is made one that is
 * issued again: the block belongs to the task as it is now and would be stale (restart_syscall(2)).
 */
function savedGp(inferior: EngineInferior, thread: EngineThread): Buffer {
  const gp = Buffer.from(alive(thread.gp()));
  const { arch } = inferior;
  const verdict = arch.restart(gp);
  const behind = thread.callBehindRestart();
  if (verdict === 'restart-block' && arch.syscallNumber(gp) === SYS.restart_syscall && behind !== undefined)
    arch.setSyscallNumber(gp, behind);
  if (verdict === 'restart-block' || verdict === 'final-eintr') arch.markRestartNoHand(gp);
  return gp;
}

function robustHead(tid: number): Addr {
  const head = robustListHead(tid);
  if (head === undefined) throw new ProcessGone(`thread ${tid}`);
  return head;
}

/** sigaltstack(2): the kernel takes such a stack away while a handler runs, without a call. */
const SS_AUTODISARM = 0x8000_0000;

/** What the thread is registered with, asked for by injected calls where the answer is not known to hold still. */
function registrationsOf(inferior: EngineInferior, room: ScratchRoom, thread: EngineThread): Registrations {
  const known = thread.knownRegistrations();
  if (known !== undefined) return known;
  room.clear();
  const word = room.place(8);
  const stack = room.place(ALTSTACK_SIZE);
  const [told] = room.run(thread, [
    { nr: SYS.prctl, args: [BigInt(PR_GET_TID_ADDRESS), word] },
    { nr: SYS.sigaltstack, args: [0n, stack] },
  ]);
  const altstack = room.read(stack, ALTSTACK_SIZE);
  const answer = { tidAddress: told === 0n ? room.read(word, 8).readBigUInt64LE() : undefined, altstack };
  remember(inferior, thread, answer);
  return answer;
}

/** Keeps an answer, unless it may change without our seeing it. */
export function remember(inferior: EngineInferior, thread: EngineThread, answer: Registrations): void {
  const holds = inferior.parking && (answer.altstack.readUInt32LE(8) & SS_AUTODISARM) === 0;
  thread.noteRegistrations(holds ? answer : undefined);
}

function captureThread(inferior: EngineInferior, room: ScratchRoom, thread: EngineThread): ThreadState {
  const { tid } = thread.ref;
  const gp = savedGp(inferior, thread);
  const fp = Buffer.from(alive(thread.fp()));
  const sigmask = alive(thread.sigmask());
  return {
    ref: thread.ref,
    gp,
    fp,
    sigmask,
    robustHead: robustHead(tid),
    rseq: alive(ptrace.getRseq(tid)),
    ...registrationsOf(inferior, room, thread),
    name: proc.threadName(thread.ref.pid, tid),
    inHand: thread.signalInHand(),
    // The trap of a step of ours that a group stop has overtaken is not the program's.
    pending: alive(ptrace.peekSiginfo(tid, false)).filter((info) => !ptrace.isStepTrap(info)),
  };
}

export function captureThreads(inferior: EngineInferior, room: ScratchRoom): ThreadState[] {
  return inferior
    .threads()
    .filter((thread) => thread.life === 'live')
    .map((thread) => captureThread(inferior, room, thread));
}
