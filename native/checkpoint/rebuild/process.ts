/**
 * What belongs to the process as a whole: umask, working directory, interval timers (the break is part of the mappings).
 */

import { SYS } from '../../abi/syscalls-x86-64';
import type { EngineThread, RemoteCall } from '../../owner/engine-host';
import { INTERVAL_TIMERS } from '../capture/answers';
import type { ScratchRoom } from '../scratch-room';
import type { FidelityNote, ProcessState } from '../state';

const ITIMER_NAMES = ['ITIMER_REAL', 'ITIMER_VIRTUAL', 'ITIMER_PROF'];

export function rebuildProcess(
  room: ScratchRoom,
  worker: EngineThread,
  present: ProcessState,
  target: ProcessState,
): FidelityNote[] {
  room.clear();
  const calls: RemoteCall[] = [];
  const names: string[] = [];
  if (present.umask !== target.umask) {
    calls.push({ nr: SYS.umask, args: [BigInt(target.umask)] });
    names.push('umask');
  }
  if (target.cwd !== undefined && present.cwd !== target.cwd) {
    calls.push({ nr: SYS.chdir, args: [room.put(Buffer.from(`${target.cwd}\0`))] });
    names.push(`the working directory ${target.cwd}`);
  }
  INTERVAL_TIMERS.forEach((which, i) => {
    const wanted = target.intervalTimers[i];
    if (wanted === undefined || wanted.equals(present.intervalTimers[i] ?? Buffer.alloc(0))) return;
    calls.push({ nr: SYS.setitimer, args: [BigInt(which), room.put(wanted), 0n] });
    names.push(ITIMER_NAMES[i] ?? 'an interval timer');
  });
  const results = room.run(worker, calls);
  return names
    .filter((_name, i) => results[i]! < 0n)
    .map((name) => ({ subject: 'process', kind: 'setting', sentence: `${name} could not be set back` }));
}
