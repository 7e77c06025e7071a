/**
 * Letting the inferior go on, and stopping it.
 */

import { peerError } from '../../base/errors';
import { fromGdbSignal } from '../../abi/gdb-signals';
import type { ResumeEntry, ResumeKind } from '../../owner/ops';
import { SEMICOLON, type Cursor } from '../cursor';
import { OK, type Context, type Handler, type Reply } from '../context';
import { readVCont, type VContAction, type VContEntry } from '../vcont';

/** Without `t`, which is for non-stop only. */
export const answerActions: Handler = () => 'vCont;c;C;s;S;r';

function kernelSignal(gdbSignal: number): number {
  if (gdbSignal === 0) return 0;
  const signal = fromGdbSignal(gdbSignal);
  if (signal === undefined || signal === 0) throw peerError('bad-signal', `no signal ${gdbSignal} here`);
  return signal;
}

function toResumeKind(action: VContAction): ResumeKind {
  switch (action.kind) {
    case 'continue':
    case 'step':
      return action.signal === 0 ? action : { kind: action.kind, signal: kernelSignal(action.signal) };
    case 'range':
      return action;
    case 'stop':
      throw peerError('bad-packet', 'vCont;t is for non-stop only');
  }
}

/** Whether the entry resumes anything: an entry for nobody would mean a stop that never comes. */
function fits(context: Context, { pid, tid }: VContEntry): boolean {
  const { target } = context;
  if (tid !== undefined && target.findThread(pid, tid) !== undefined) return true;
  if (pid === undefined) return tid === undefined && target.pids().length > 0;
  if (!target.pids().includes(pid)) return false;
  // A process that was killed has no threads left but its end still to report.
  return tid === undefined || target.threads(pid).length === 0;
}

export const resume: Handler = (context, args) => {
  const parsed = readVCont(args);
  const entries = parsed.map(({ action, ...whom }): ResumeEntry => ({ ...whom, action: toResumeKind(action) }));
  return context.resume(
    entries,
    parsed.some((entry) => fits(context, entry)),
  );
};

/** The packets from before vCont: one action for the thread that Hc named, nothing for the others unless it named all. */
function resumeOld(context: Context, kind: 'continue' | 'step', signal: number, args: Cursor): Reply {
  if (!args.done) throw peerError('bad-packet', 'resuming at an address is not supported');
  const { pid, tid } = context.selection.forResume;
  const action: ResumeKind = { kind, signal };
  const thread = context.selection.general;
  if (thread === undefined) throw peerError('no-thread', 'nothing to resume');
  // A step with all threads chosen steps the general one and lets the others run, as gdbserver does.
  if (kind === 'step' && typeof tid !== 'number') {
    return context.resume([
      { pid: thread.pid, tid: thread.tid, action },
      { ...(typeof pid === 'number' ? { pid } : {}), action: { kind: 'continue', signal: 0 } },
    ]);
  }
  if (signal !== 0 && typeof tid !== 'number') {
    return context.resume([{ pid: thread.pid, tid: thread.tid, action }, { action: { kind, signal: 0 } }]);
  }
  return context.resume([{ ...(typeof pid === 'number' ? { pid } : {}), ...(typeof tid === 'number' ? { tid } : {}), action }]);
}

export const continueOld: Handler = (context, args) => resumeOld(context, 'continue', 0, args);
export const stepOld: Handler = (context, args) => resumeOld(context, 'step', 0, args);

function withSignal(kind: 'continue' | 'step'): Handler {
  return (context, args) => {
    const signal = kernelSignal(args.number());
    if (args.peek() === SEMICOLON) throw peerError('bad-packet', 'resuming at an address is not supported');
    return resumeOld(context, kind, signal, args);
  };
}

export const continueWithSignalOld = withSignal('continue');
export const stepWithSignalOld = withSignal('step');

/** Comes while the inferior runs, like ^C but with a reply. */
export const interrupt: Handler = (context) => {
  context.target.interrupt();
  return OK;
};
