/**
 * The `monitor` commands, as text: one table of what there is, and a parser. Pure. savepoint.py speaks these words; people may.
 */

import { userError } from '../base/errors';

export type MonitorCommand =
  | { readonly kind: 'help' | 'version' | 'restored-json' | 'wanted-json' | 'bell' | 'view-off' }
  /** For tests (SAVEPOINT_TEST_FAULTS): the next take or restore fails at this stage. */
  | { readonly kind: 'fail-at'; readonly stage: string }
  | ProcessCommand;

/** About the checkpoints of one process. */
export type ProcessCommand =
  | { readonly kind: 'list' }
  /** `after`: only those behind this one in the list; a client reads a long list piece by piece. */
  | { readonly kind: 'list-json'; readonly after: number | undefined }
  /** `automatic`: nobody asked for it; front ends show it dimmed and may drop it. */
  | { readonly kind: 'take'; readonly label: string; readonly automatic: boolean }
  /** Answered by the new checkpoint's record, so that the client need not ask for the list. */
  | { readonly kind: 'take-json'; readonly label: string; readonly automatic: boolean }
  | { readonly kind: 'rename'; readonly id: number; readonly label: string }
  | { readonly kind: 'preflight-json' }
  /** `other` undefined: with the present. */
  | { readonly kind: 'compare-json'; readonly id: number; readonly other: number | undefined }
  /** Registers and memory are answered out of a checkpoint from here on, as thread `tid` of it stood (past-view.ts). */
  | { readonly kind: 'view'; readonly id: number; readonly tid: number }
  | { readonly kind: 'details' | 'verify'; readonly id: number }
  | { readonly kind: 'drop'; readonly ids: readonly number[] }
  /** `quietly`: the client asks for the outcome itself (`restored-json`). */
  | { readonly kind: 'restore'; readonly id: number; readonly quietly: boolean };

function readId(word: string | undefined, command: string): number {
  if (word === undefined || word === '') throw userError('monitor-usage', `${command}: which checkpoint? Give its number.`);
  if (!/^\d{1,9}$/.test(word)) throw userError('monitor-usage', `${command}: "${word}" is not a checkpoint number.`);
  return Number(word);
}

interface Word {
  readonly pattern: RegExp;
  /** For `monitor help`; undefined: of no use to people. */
  readonly usage?: string;
  readonly make: (rest: string, more: string) => MonitorCommand;
}

const WORDS: readonly Word[] = [
  {
    pattern: /^checkpoint(?:\s+(.*))?$/s,
    usage: 'checkpoint [LABEL]     save the state of the program',
    make: (label) => ({ kind: 'take', label, automatic: false }),
  },
  {
    pattern: /^info checkpoints$/,
    usage: 'info checkpoints [N]   list them, or tell all about one',
    make: () => ({ kind: 'list' }),
  },
  { pattern: /^info checkpoints\s+(\S+)$/, make: (rest) => ({ kind: 'details', id: readId(rest, 'info checkpoints') }) },
  {
    pattern: /^info checkpoints-json(?:\s+(\S+))?$/,
    make: (rest) => ({ kind: 'list-json', after: rest === '' ? undefined : readId(rest, 'info checkpoints-json') }),
  },
  { pattern: /^restart\s+(\S+)\s+quietly$/, make: (rest) => ({ kind: 'restore', id: readId(rest, 'restart'), quietly: true }) },
  {
    pattern: /^restart(?:\s+(\S+))?$/,
    usage: 'restart N              go back to one: the next "continue" (or any step) does it',
    make: (rest) => ({ kind: 'restore', id: readId(rest, 'restart'), quietly: false }),
  },
  { pattern: /^restored-json$/, make: () => ({ kind: 'restored-json' }) },
  { pattern: /^savepoint-wanted-json$/, make: () => ({ kind: 'wanted-json' }) },
  { pattern: /^savepoint-bell$/, make: () => ({ kind: 'bell' }) },
  {
    pattern: /^delete checkpoint(?:\s+(\S+))?$/,
    usage: 'delete checkpoint N    forget one',
    make: (rest) => ({ kind: 'drop', ids: rest.split(',').map((word) => readId(word, 'delete checkpoint')) }),
  },
  { pattern: /^fail-at\s+(\S+)$/, make: (stage) => ({ kind: 'fail-at', stage }) },
  {
    pattern: /^verify(?:\s+(\S+))?$/,
    usage: 'verify N               compare memory with a checkpoint just taken or gone back to',
    make: (rest) => ({ kind: 'verify', id: readId(rest, 'verify') }),
  },
  {
    pattern: /^savepoint-take-json\s+(automatic|named)(?:\s+(.*))?$/s,
    make: (kind, label) => ({ kind: 'take-json', label, automatic: kind === 'automatic' }),
  },
  {
    pattern: /^savepoint-rename(?:\s+(\S+)(?:\s+(.*))?)?$/s,
    make: (id, label) => ({ kind: 'rename', id: readId(id, 'savepoint-rename'), label }),
  },
  {
    pattern: /^savepoint-compare-json\s+(\S+)(?:\s+(\S+))?$/,
    make: (id, other) => ({
      kind: 'compare-json',
      id: readId(id, 'savepoint-compare-json'),
      other: other === '' ? undefined : readId(other, 'savepoint-compare-json'),
    }),
  },
  { pattern: /^savepoint-view off$/, make: () => ({ kind: 'view-off' }) },
  {
    pattern: /^savepoint-view\s+(\S+)\s+(\d{1,9})$/,
    make: (id, tid) => ({ kind: 'view', id: readId(id, 'savepoint-view'), tid: Number(tid) }),
  },
  { pattern: /^savepoint-preflight-json$/, make: () => ({ kind: 'preflight-json' }) },
  { pattern: /^savepoint-version$/, make: () => ({ kind: 'version' }) },
  { pattern: /^help$/, usage: 'help                   this list', make: () => ({ kind: 'help' }) },
];

export const monitorHelp = `${WORDS.flatMap((word) => (word.usage === undefined ? [] : [word.usage])).join('\n')}\n`;

/** Throws UserError, whose text says what there is. */
export function parseMonitor(line: string): MonitorCommand {
  for (const word of WORDS) {
    const match = word.pattern.exec(line.trim());
    if (match !== null) return word.make((match[1] ?? '').trim(), (match[2] ?? '').trim());
  }
  throw userError('monitor-unknown', `Unknown monitor command "${line}". There are:\n${monitorHelp}`);
}
