/**
 * What belongs to the process about signals: dispositions and the shared queue.
 */

import { LAST_SIGNAL } from '../../abi/signals';
import { SYS } from '../../abi/syscalls-x86-64';
import type { EngineThread } from '../../owner/engine-host';
import * as ptrace from '../../sys/ptrace';
import { alive } from '../gone';
import type { ScratchRoom } from '../scratch-room';
import type { SignalState } from '../state';

/** The kernel's struct sigaction on 64-bit: handler, flags, restorer, mask. */
export const SIGACTION_SIZE = 32;

export function captureSignals(room: ScratchRoom, worker: EngineThread): SignalState {
  room.clear();
  const at = room.place(LAST_SIGNAL * SIGACTION_SIZE);
  room.run(
    worker,
    Array.from({ length: LAST_SIGNAL }, (_, i) => ({
      nr: SYS.rt_sigaction,
      args: [BigInt(i + 1), 0n, at + BigInt(i * SIGACTION_SIZE), 8n],
    })),
  );
  return { actions: room.read(at, LAST_SIGNAL * SIGACTION_SIZE), pending: alive(ptrace.peekSiginfo(worker.ref.tid, true)) };
}
