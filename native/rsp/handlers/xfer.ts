/**
 * qXfer: documents and data that gdb reads (and writes) piecewise. A document is made when gdb asks for its beginning and kept
 * until it has been read to its end, so that all pieces are of one state.
 */

import { GONE, type Gone } from '../../base/brands';
import { COLON, COMMA, type Cursor } from '../cursor';
import { FAILED, WRITTEN, generalPid, generalThread, type Context, type Handler, type Reply } from '../context';
import { PACKET_SIZE } from '../client';
import { formatThread } from '../ids';
import { osData } from '../os-data';
import { escapeXml } from '../xml';

/** undefined: no such annex. */
type Source = (context: Context, annex: string) => string | Buffer | undefined | Gone;

function annexPid(context: Context, annex: string): number {
  return annex === '' ? generalPid(context) : Number.parseInt(annex, 16);
}

export function threadsDocument(context: Context): string {
  const lines = context.target.threads().map((thread) => {
    const id = formatThread(thread, context.client.multiprocess);
    return `<thread id="${id}" core="${thread.core}" name="${escapeXml(thread.name)}"/>\n`;
  });
  return `<threads>\n${lines.join('')}</threads>\n`;
}

/** By `object:verb` without `:read`. */
export const SOURCES: Readonly<Record<string, Source>> = {
  features: (context, annex) => {
    if (annex !== 'target.xml') return undefined;
    // Without a process gdb keeps its own idea until it has one, as with gdbserver.
    return context.target.pids().length === 0 ? undefined : context.target.targetXml();
  },
  auxv: (context, annex) => (annex === '' ? context.target.auxv(generalPid(context)) : undefined),
  'exec-file': (context, annex) => {
    const pid = annexPid(context, annex);
    return context.target.pids().includes(pid) ? context.target.execFile(pid) : undefined;
  },
  'libraries-svr4': (context, annex) => context.target.libraries(generalPid(context), annex),
  siginfo: (context, annex) => (annex === '' ? context.target.readSiginfo(generalThread(context)) : undefined),
  threads: (context, annex) => (annex === '' ? threadsDocument(context) : undefined),
  osdata: (_context, annex) => osData(annex),
};

function read(context: Context, object: string, source: Source, args: Cursor): Reply {
  const annex = args.until(COLON);
  const offset = args.number();
  args.expect(COMMA);
  const length = args.number();
  const key = `${object}:${annex}`;
  // gdb reads single fields of a siginfo, of one thread and another, and changes them: each read is answered from the thread.
  const kept = object !== 'siginfo';
  let document = offset === 0 ? undefined : context.documents.get(key);
  if (document === undefined) {
    const made = source(context, annex);
    if (made === GONE || made === undefined) return FAILED;
    document = typeof made === 'string' ? Buffer.from(made, 'utf8') : made;
  }
  if (offset > document.length) return FAILED;
  const piece = document.subarray(offset, offset + length);
  // The first letter says whether this is the last piece, which is known only when it is clear how much fits.
  context.out.text('m');
  const end = offset + context.out.binary(piece, PACKET_SIZE);
  if (end >= document.length) {
    context.documents.delete(key);
    context.out.replaceFirst('l');
  } else if (kept) context.documents.set(key, document);
  return WRITTEN;
}

/** `qXfer:siginfo:write::offset:data`. */
function writeSiginfo(context: Context, args: Cursor): Reply {
  if (args.until(COLON) !== '') return FAILED;
  const offset = args.number();
  args.expect(COLON);
  const data = args.rest();
  const thread = generalThread(context);
  const siginfo = context.target.readSiginfo(thread);
  if (siginfo === GONE || siginfo === undefined || offset + data.length > siginfo.length) return FAILED;
  const changed = Buffer.from(siginfo);
  data.copy(changed, offset);
  return context.target.writeSiginfo(thread, changed) === true ? data.length.toString(16) : FAILED;
}

/** `qXfer:object:read:annex:offset,length` and `qXfer:object:write:annex:offset:data`. */
export const transfer: Handler = (context, args) => {
  args.expect(COLON);
  const object = args.until(COLON);
  const verb = args.until(COLON);
  if (object === 'siginfo' && verb === 'write') return writeSiginfo(context, args);
  const source = Object.hasOwn(SOURCES, object) ? SOURCES[object] : undefined;
  if (source === undefined || verb !== 'read') return '';
  return read(context, object, source, args);
};
