/**
 * Processes: starting, attaching to, letting go of and ending them.
 */

import type { StopReport } from '../../owner/ops';
import { peerError } from '../../base/errors';
import { COLON, SEMICOLON } from '../cursor';
import { FAILED, OK, SILENT, generalPid, type Context, type Handler, type Reply } from '../context';

/** What `?` says before the first stop of this connection: the process was launched or attached to before gdb came. */
function presentStop(context: Context): StopReport | undefined {
  const thread = context.target.currentThread();
  return thread === undefined ? undefined : { kind: 'stopped', thread, signal: 5, detail: { kind: 'none' } };
}

export const answerHalted: Handler = (context) => {
  const report = context.lastStop() ?? presentStop(context);
  // W00 is gdbserver's answer, too, when there is no process.
  return report === undefined ? 'W00' : context.answerStop(report);
};

function start(context: Context, report: StopReport): Reply {
  const reply = context.answerStop(report);
  if (report.kind === 'stopped') context.hooks.afterStart(report.thread.pid);
  return reply;
}

/**
 * `vRun;file;arg…`. The reply only tells gdb the thread; gdb then reads everything anew, so a restore needs no library
 * event here, and its note cannot be shown (gdb would take an O packet for the reply).
 */
export const run: Handler = (context, args) => {
  args.expect(SEMICOLON);
  const program = args.hexText(SEMICOLON);
  const words: string[] = [];
  while (!args.done) words.push(args.hexText(SEMICOLON));
  const restored = context.hooks.beforeRun();
  if (restored !== undefined) {
    if (restored.note !== undefined) context.log(restored.note);
    return context.answerStop(restored.report);
  }
  return start(context, context.target.launch(context.launch.specFor(program, words)));
};

/** `R XX`: starts the last program again, without a reply; gdb asks `?` next. */
export const restart: Handler = (context) => {
  if (!context.extended) return '';
  const spec = context.launch.specFor('', []);
  for (const pid of [...context.target.pids()]) {
    context.target.kill(pid);
    context.letGo(pid, 'killed');
  }
  start(context, context.target.launch(spec));
  return SILENT;
};

export const attach: Handler = (context, args) => {
  args.expect(SEMICOLON);
  const pid = args.number();
  args.finish();
  const report = context.target.attach(pid);
  context.attached.add(pid);
  return start(context, report);
};

function knownPid(context: Context, pid: number): number {
  if (!context.target.pids().includes(pid)) throw peerError('no-process', `no process ${pid}`);
  return pid;
}

export const killProcess: Handler = (context, args) => {
  args.expect(SEMICOLON);
  const pid = knownPid(context, args.number());
  context.target.kill(pid);
  context.letGo(pid, 'killed');
  return OK;
};

export const killAll: Handler = (context) => {
  for (const pid of [...context.target.pids()]) {
    context.target.kill(pid);
    context.letGo(pid, 'killed');
  }
  return SILENT;
};

/** `D` or `D;pid`. */
export const detach: Handler = (context, args) => {
  const pid = args.skip(SEMICOLON) ? knownPid(context, args.number()) : generalPid(context);
  context.target.detach(pid);
  context.letGo(pid, 'detached');
  return OK;
};

/** `qAttached` or `qAttached:pid`: decides whether gdb offers to kill or to detach at its end. */
export const answerAttached: Handler = (context, args) => {
  const pid = args.skip(COLON) ? args.number() : generalPid(context);
  if (!context.target.pids().includes(pid)) return FAILED;
  return context.attached.has(pid) ? '1' : '0';
};
