/**
 * Which events a test has to ask for, and which belong to what it did anyway: to a launch, an end, a request of its own. And what no order of
 * events may say: of a thread that ends twice, of a library that nobody has loaded. Pure.
 */

import type { DapEvent } from './dap-session';

export type Happened =
  | { readonly kind: 'request'; readonly command: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly kind: 'event'; readonly event: DapEvent };

/** As many of these come as there were requests that cause one; more have to be asked for. */
const CAUSED: Readonly<Record<string, readonly string[]>> = {
  initialized: ['launch', 'attach'],
  process: ['launch', 'attach'],
  capabilities: ['attach'],
  'checkpoint/changed taken': ['checkpoint/take', 'checkpoint/restore', 'restartFrame'],
  'checkpoint/changed restored': ['checkpoint/restore', 'stepBack', 'reverseContinue', 'restart', 'restartFrame'],
  'checkpoint/changed renamed': ['checkpoint/rename'],
  'checkpoint/changed dropped': ['checkpoint/drop', 'cancel'],
};

/** They come with the program's own doings, as often as these do; `contradictions` looks whether they are true. */
const TOLD = ['thread', 'module', 'loadedSource'];

const reasonOf = ({ body }: DapEvent): string => String(body?.['reason'] ?? '');

/** Complaints have to be looked at; a program's output, and the debugger's chat, need not. */
function isChat({ event, body }: DapEvent): boolean {
  return event === 'output' && body?.['category'] !== 'stderr';
}

function kindOf(event: DapEvent): string {
  return event.event === 'checkpoint/changed' ? `${event.event} ${reasonOf(event)}` : event.event;
}

const isAutomatic = (happened: readonly Happened[]): boolean =>
  happened.some(
    (one) =>
      one.kind === 'request' &&
      (one.command === 'launch' || one.command === 'attach') &&
      one.args['automaticCheckpoints'] !== false,
  );

/** Of `left`, which no test has asked for, those that it should have. `strict`: nothing excuses these. */
export function surplus(happened: readonly Happened[], left: readonly DapEvent[], strict: readonly string[] = []): string[] {
  const automatic = isAutomatic(happened);
  const count = new Map<string, number>();
  for (const one of happened) {
    if (one.kind === 'event') count.set(kindOf(one.event), (count.get(kindOf(one.event)) ?? 0) + 1);
  }
  const isExcused = (event: DapEvent): boolean => {
    if (strict.includes(event.event)) return false;
    if (TOLD.includes(event.event) || isChat(event)) return true;
    const kind = kindOf(event);
    if (automatic && /^checkpoint\/changed (taken|dropped)$/.test(kind)) return true;
    const causes = CAUSED[kind];
    if (causes === undefined) return false;
    const asked = happened.filter((one) => one.kind === 'request' && causes.includes(one.command)).length;
    return count.get(kind)! <= asked;
  };
  return left.filter((event) => !isExcused(event)).map(({ event, body }) => `${event} ${JSON.stringify(body ?? {})}`);
}

/** Kinds of things whose coming and going is told by events alone (sources are in a list that was there before). */
interface Things {
  readonly comes: readonly string[];
  readonly changes: readonly string[];
  readonly goes: readonly string[];
  name(event: DapEvent): unknown;
}

const THINGS: Readonly<Record<string, Things>> = {
  thread: { comes: ['started'], changes: [], goes: ['exited'], name: ({ body }) => body?.['threadId'] },
  module: {
    comes: ['new'],
    changes: ['changed'],
    goes: ['removed'],
    name: ({ body }) => (body?.['module'] as { id: unknown } | undefined)?.id,
  },
  'checkpoint/changed': {
    comes: ['taken'],
    changes: ['renamed', 'restored'],
    goes: ['dropped'],
    name: ({ body }) => body?.['id'],
  },
};

/** The entry's checkpoint is there without a word. */
const ENTRY = 0;

/** What the events say that cannot be. */
export function contradictions(happened: readonly Happened[]): string[] {
  const there = new Map<string, Set<unknown>>(Object.keys(THINGS).map((kind) => [kind, new Set()]));
  const found: string[] = [];
  for (const one of happened) {
    if (one.kind !== 'event') continue;
    const { event } = one;
    const reason = reasonOf(event);
    const threads = there.get('thread')!;
    if (event.event === 'stopped' && reason !== 'exit' && !threads.has(event.body?.['threadId']))
      found.push(`a stop of thread ${String(event.body?.['threadId'])}, which is not there`);
    if (event.event === 'exited' && threads.size > 0)
      found.push(`the program has ended, and has the threads ${[...threads].join()}`);
    const set = there.get(event.event);
    const things = THINGS[event.event];
    if (set === undefined || things === undefined) continue;
    const name = things.name(event);
    const isThere = set.has(name) || (event.event === 'checkpoint/changed' && name === ENTRY);
    if (event.event === 'checkpoint/changed' && reason === 'lost') set.clear();
    else if (things.comes.includes(reason) ? isThere : !isThere)
      found.push(`${event.event} ${reason} ${String(name)}, which is ${isThere ? '' : 'not '}there`);
    if (things.comes.includes(reason)) set.add(name);
    if (things.goes.includes(reason)) set.delete(name);
  }
  return found;
}
