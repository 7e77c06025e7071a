/**
 * What fits nowhere else: monitor commands, signals that need no stop, thread-local storage.
 */

import { GONE } from '../../base/brands';
import { describeFailure } from '../failures';
import { fromGdbSignal } from '../../abi/gdb-signals';
import { COLON, COMMA, SEMICOLON, type Cursor } from '../cursor';
import { HEX_PAYLOAD } from '../client';
import { FAILED, OK, WRITTEN, type Context, type Handler, type Reply } from '../context';
import { readThreadSpec } from '../ids';

/** Text for gdb's console, as the reply to qRcmd; what does not fit in a packet is cut, with a note. */
function answerConsole(context: Context, text: string): Reply {
  if (text === '') return OK;
  let bytes: Buffer = Buffer.from(text.endsWith('\n') ? text : `${text}\n`, 'utf8');
  const room = HEX_PAYLOAD - 32;
  if (bytes.length > room) bytes = Buffer.concat([bytes.subarray(0, room), Buffer.from('\n[cut]\n')]);
  context.out.hexBytes(bytes);
  return WRITTEN;
}

/**
 * `qRcmd,hex`: a monitor command. An error is its text as well, not E01: gdb would show "Protocol error" and no reason.
 */
export const monitor: Handler = (context, args) => {
  args.expect(COMMA);
  const line = args.hexText().trim();
  if (line === 'last-error') return answerConsole(context, context.lastError() ?? 'no error so far');
  try {
    return answerConsole(context, context.hooks.monitor(line, context.selection.pid));
  } catch (error) {
    const failure = describeFailure(error, `monitor ${line}`);
    if (!failure.shown) throw error;
    context.out.begin();
    return answerConsole(context, failure.text);
  }
};

/** `e;10;…`, gdb's numbers. */
function readSignals(args: Cursor): ReadonlySet<number> {
  args.expect(COLON);
  const signals = new Set<number>();
  while (!args.done) {
    const signal = fromGdbSignal(args.number());
    // gdb also names signals that Linux has not.
    if (signal !== undefined && signal !== 0) signals.add(signal);
    if (!args.done) args.expect(SEMICOLON);
  }
  return signals;
}

/** `QPassSignals:e;10;…`: go to the program without a stop. */
export const passSignals: Handler = (context, args) => {
  context.target.setPassSignals(readSignals(args));
  return OK;
};

/** `QProgramSignals:e;10;…`: the program may see these; others are not taken along by a detach. */
export const programSignals: Handler = (context, args) => {
  context.target.setProgramSignals(readSignals(args));
  return OK;
};

/** `qGetTLSAddr:thread,offset,link-map`. */
export const tlsAddress: Handler = (context, args) => {
  args.expect(COLON);
  const spec = readThreadSpec(args);
  args.expect(COMMA);
  const offset = args.address();
  args.expect(COMMA);
  const linkMap = args.address();
  const thread = context.selection.find(spec);
  if (thread === undefined) return FAILED;
  const addr = context.target.tlsAddress(thread, offset, linkMap);
  // Never the empty reply: gdb would not ask again in this session.
  return addr === GONE || addr === undefined ? FAILED : addr.toString(16);
};
