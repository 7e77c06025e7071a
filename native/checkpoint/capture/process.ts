/**
 * What belongs to the process as a whole: the break, umask, working directory, timers; its children, by name only.
 */

import type { EngineInferior, ProcessAnswers } from '../../owner/engine-host';
import * as proc from '../../sys/proc';
import type { ChildProcess, ProcessState } from '../state';

export function captureProcess(inferior: EngineInferior, answers: ProcessAnswers): ProcessState {
  const status = proc.readText(`/proc/${inferior.pid}/status`) ?? '';
  const cwd = proc.readLink(`/proc/${inferior.pid}/cwd`);
  return {
    brk: answers.brk,
    umask: Number.parseInt(proc.statusField(status, 'Umask') ?? '0022', 8),
    cwd: cwd === undefined || cwd.endsWith(' (deleted)') ? undefined : cwd,
    intervalTimers: answers.intervalTimers,
    ...captureLimits(inferior),
  };
}

/** What is not brought back, only named. */
export function captureLimits(inferior: EngineInferior): Pick<ProcessState, 'posixTimers' | 'children'> {
  const timers = (proc.readText(`/proc/${inferior.pid}/timers`) ?? '').split('\n').filter((line) => line.startsWith('ID:'));
  return { posixTimers: timers.length, children: inferior.mayHaveChildren ? readChildren(inferior) : [] };
}

/** proc(5): each thread has a list of those it has made. A kernel without CONFIG_PROC_CHILDREN has no such file. */
function readChildren(inferior: EngineInferior): ChildProcess[] {
  const texts = inferior.threads().map(({ ref }) => proc.readText(`/proc/${inferior.pid}/task/${ref.tid}/children`) ?? '');
  const pids = texts.flatMap((text) => text.split(' ')).filter((word) => word.trim() !== '');
  inferior.mayHaveChildren = pids.length > 0;
  return pids.map((pid) => ({ pid: Number(pid), name: (proc.readText(`/proc/${Number(pid)}/comm`) ?? '?').trim() }));
}
