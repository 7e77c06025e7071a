/**
 * What belongs to the process as a whole: the break, umask, working directory, interval timers.
 */

import { SYS } from '../../abi/syscalls-x86-64';
import type { EngineInferior, EngineThread } from '../../owner/engine-host';
import * as proc from '../../sys/proc';
import type { ScratchRoom } from '../scratch-room';
import type { ProcessState } from '../state';

/** ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF; sizeof(struct itimerval). */
export const INTERVAL_TIMERS = [0, 1, 2] as const;
export const ITIMERVAL_SIZE = 32;

export function captureProcess(inferior: EngineInferior, room: ScratchRoom, worker: EngineThread): ProcessState {
  room.clear();
  const timers = INTERVAL_TIMERS.map(() => room.place(ITIMERVAL_SIZE));
  const [brk] = room.run(worker, [
    { nr: SYS.brk, args: [0n] },
    ...INTERVAL_TIMERS.map((which, i) => ({ nr: SYS.getitimer, args: [BigInt(which), timers[i] ?? 0n] })),
  ]);
  const status = proc.readText(`/proc/${inferior.pid}/status`) ?? '';
  const cwd = proc.readLink(`/proc/${inferior.pid}/cwd`);
  return {
    brk: brk ?? 0n,
    umask: Number.parseInt(proc.statusField(status, 'Umask') ?? '0022', 8),
    cwd: cwd === undefined || cwd.endsWith(' (deleted)') ? undefined : cwd,
    intervalTimers: timers.map((at) => room.read(at, ITIMERVAL_SIZE)),
    posixTimers: (proc.readText(`/proc/${inferior.pid}/timers`) ?? '').split('\n').filter((line) => line.startsWith('ID:'))
      .length,
  };
}
