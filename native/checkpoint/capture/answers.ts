/**
 * What only the process itself can ask the kernel for: signal handlers, interval timers, the break. Asked for by injected calls where the last
 * answer is not known to hold still: entering the program's address space costs more than all the rest of a small checkpoint.
 */

import { LAST_SIGNAL } from '../../abi/signals';
import { SYS } from '../../abi/syscalls-x86-64';
import type { EngineInferior, EngineThread, ProcessAnswers } from '../../owner/engine-host';
import type { Addr } from '../../base/brands';
import { alive } from '../gone';
import type { Mapping } from '../mappings';
import type { ScratchRoom } from '../scratch-room';

/** The kernel's struct sigaction on 64-bit: handler, flags, restorer, mask. */
export const SIGACTION_SIZE = 32;
const SIGACTION_FLAGS = 8;
/** Delivery takes the handler away, without a call. */
const SA_RESETHAND = 0x8000_0000;

/** ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF; sizeof(struct itimerval). */
export const INTERVAL_TIMERS = [0, 1, 2] as const;
export const ITIMERVAL_SIZE = 32;

/** brk(2) moves it; within its last page the break itself may move unseen, and to the program that is all one (glibc passes absolute values). */
function heapEndIn(mappings: readonly Mapping[]): Addr | undefined {
  return mappings.findLast((mapping) => mapping.path === '[heap]')?.end;
}

/** Whether nothing but the calls that the exit filter stops at, and a move of the heap's end, can change the answers. Pure. */
export function holdStill(answers: ProcessAnswers): boolean {
  for (let at = 0; at < answers.actions.length; at += SIGACTION_SIZE) {
    if ((answers.actions.readUInt32LE(at + SIGACTION_FLAGS) & SA_RESETHAND) !== 0) return false;
  }
  return answers.intervalTimers.every((timer) => timer.every((byte) => byte === 0));
}

function knownOf(inferior: EngineInferior, mappings: readonly Mapping[]): ProcessAnswers | undefined {
  const known = inferior.knownAnswers();
  return known?.heapEnd === heapEndIn(mappings) ? known : undefined;
}

/** The break alone, without scratch memory. */
export function askBreak(inferior: EngineInferior, worker: EngineThread, mappings: readonly Mapping[]): Addr {
  return knownOf(inferior, mappings)?.brk ?? alive(inferior.syscall(worker, SYS.brk, 0n));
}

/** `mappings`: as they are now. */
export function askProcess(
  inferior: EngineInferior,
  room: ScratchRoom,
  worker: EngineThread,
  mappings: readonly Mapping[],
): ProcessAnswers {
  const known = knownOf(inferior, mappings);
  if (known !== undefined) return known;
  room.clear();
  const actions = room.place(LAST_SIGNAL * SIGACTION_SIZE);
  const timers = INTERVAL_TIMERS.map(() => room.place(ITIMERVAL_SIZE));
  const [brk] = room.run(worker, [
    { nr: SYS.brk, args: [0n] },
    ...INTERVAL_TIMERS.map((which, i) => ({ nr: SYS.getitimer, args: [BigInt(which), timers[i] ?? 0n] })),
    ...Array.from({ length: LAST_SIGNAL }, (_, i) => ({
      nr: SYS.rt_sigaction,
      args: [BigInt(i + 1), 0n, actions + BigInt(i * SIGACTION_SIZE), 8n],
    })),
  ]);
  const answers: ProcessAnswers = {
    actions: room.read(actions, LAST_SIGNAL * SIGACTION_SIZE),
    intervalTimers: timers.map((at) => room.read(at, ITIMERVAL_SIZE)),
    brk: brk ?? 0n,
    heapEnd: heapEndIn(mappings),
  };
  inferior.noteAnswers(inferior.parking && holdStill(answers) ? answers : undefined);
  return answers;
}
