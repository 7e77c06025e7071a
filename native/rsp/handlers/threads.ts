/**
 * Which threads there are, and which one the other packets are about.
 */

import { COMMA } from '../cursor';
import { FAILED, OK, WRITTEN, type Context, type Handler, type Reply } from '../context';
import { formatThread, readThreadSpec } from '../ids';

const LOWER_C = 0x63;
const LOWER_G = 0x67;

/** Ids in one reply of qfThreadInfo: far below the packet size. */
const IDS_AT_ONCE = 2000;

/** `Hg thread`, `Hc thread`. */
export const select: Handler = (context, args) => {
  const operation = args.take();
  const spec = readThreadSpec(args);
  if (operation === LOWER_C) {
    context.selection.forResume = spec;
    return OK;
  }
  if (operation !== LOWER_G) return '';
  const thread = context.selection.find(spec);
  if (thread === undefined) return FAILED;
  context.selection.general = thread;
  return OK;
};

/** `T thread`: is it alive? */
export const answerAlive: Handler = (context, args) => {
  const { pid, tid } = readThreadSpec(args);
  if (typeof tid !== 'number') return FAILED;
  return context.target.findThread(typeof pid === 'number' ? pid : undefined, tid) === undefined ? FAILED : OK;
};

export const answerCurrent: Handler = (context) => {
  const thread = context.selection.general;
  return thread === undefined ? FAILED : `QC${formatThread(thread, context.client.multiprocess)}`;
};

function listMore(context: Context): Reply {
  const now = context.threadsToList.slice(0, IDS_AT_ONCE);
  context.threadsToList = context.threadsToList.slice(IDS_AT_ONCE);
  if (now.length === 0) return 'l';
  context.out.text('m');
  context.out.text(now.map((thread) => formatThread(thread, context.client.multiprocess)).join(','));
  return WRITTEN;
}

export const listFirst: Handler = (context) => {
  context.threadsToList = context.target.threads();
  return listMore(context);
};

export const listNext: Handler = listMore;

/** `qThreadExtraInfo,thread`: what "info threads" shows for clients that do not read qXfer:threads. */
export const answerExtraInfo: Handler = (context, args) => {
  args.expect(COMMA);
  const spec = readThreadSpec(args);
  const thread = context.selection.find(spec);
  const view = context.target.threads(thread?.pid).find((candidate) => candidate.tid === thread?.tid);
  if (view === undefined) return FAILED;
  context.out.hexBytes(Buffer.from(view.name, 'utf8'));
  return WRITTEN;
};
