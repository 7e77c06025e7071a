/**
 * Z and z: breakpoints and watchpoints of the general thread's process.
 */

import type { PointAnswer, PointKind } from '../../owner/ops';
import { COMMA, type Cursor } from '../cursor';
import { FAILED, OK, generalPid, type Context, type Handler, type Reply } from '../context';

/** By the digit after Z. */
const KINDS: readonly PointKind[] = ['software', 'hardware', 'watch', 'rwatch', 'awatch'];

const REPLY: Readonly<Record<PointAnswer, string>> = { ok: OK, unsupported: '', failed: FAILED };

function change(context: Context, args: Cursor, verb: 'insertPoint' | 'removePoint'): Reply {
  const kind = KINDS[args.number()];
  if (kind === undefined) return '';
  args.expect(COMMA);
  const addr = args.address();
  args.expect(COMMA);
  const length = args.number();
  // Conditions and commands (`;X…`, `;cmds:…`) are not offered; taking the point without them would be wrong.
  args.finish();
  return REPLY[context.target[verb](generalPid(context), kind, addr, length)];
}

export const insert: Handler = (context, args) => change(context, args, 'insertPoint');
export const remove: Handler = (context, args) => change(context, args, 'removePoint');
