/**
 * What belongs to the process as a whole: the break, umask, working directory, timers.
 */

import type { EngineInferior, ProcessAnswers } from '../../owner/engine-host';
import * as proc from '../../sys/proc';
import type { ProcessState } from '../state';

export function captureProcess(inferior: EngineInferior, answers: ProcessAnswers): ProcessState {
  const status = proc.readText(`/proc/${inferior.pid}/status`) ?? '';
  const cwd = proc.readLink(`/proc/${inferior.pid}/cwd`);
  return {
    brk: answers.brk,
    umask: Number.parseInt(proc.statusField(status, 'Umask') ?? '0022', 8),
    cwd: cwd === undefined || cwd.endsWith(' (deleted)') ? undefined : cwd,
    intervalTimers: answers.intervalTimers,
    posixTimers: (proc.readText(`/proc/${inferior.pid}/timers`) ?? '').split('\n').filter((line) => line.startsWith('ID:'))
      .length,
  };
}
