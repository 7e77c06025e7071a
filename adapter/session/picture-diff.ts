/** What two pictures of a program say together: calls and files matched, variables side by side. Pure. */

import type { ScopeDifference, ThreadDifference, ThreadPlace, VariableDifference } from '../../native/control/schema';
import type { Picture, ShownCall, ShownPlace, ShownVariable } from '../gdb/commands-script';

type ShownScope = { readonly variables: readonly ShownVariable[] };

/** Pairs what has the same key; the order of `after`, and behind its predecessor what only `before` has. */
function pair<T>(before: readonly T[], after: readonly T[], keyOf: (one: T) => string): { readonly a?: T; readonly b?: T }[] {
  const then = new Map(before.map((one) => [keyOf(one), one]));
  const now = new Set(after.map(keyOf));
  const pairs: { a?: T; b?: T }[] = [];
  let left = [...before];
  const takeGone = (): void => {
    while (left[0] !== undefined && !now.has(keyOf(left[0]))) pairs.push({ a: left.shift()! });
  };
  for (const b of after) {
    takeGone();
    const a = then.get(keyOf(b));
    pairs.push(a === undefined ? { b } : { a, b });
    left = left.filter((one) => one !== a);
  }
  takeGone();
  return pairs;
}

function compareVariables(before: ShownScope | undefined, after: ShownScope | undefined): VariableDifference[] {
  return pair(before?.variables ?? [], after?.variables ?? [], ([name]) => name).map(({ a, b }) => {
    const [name] = (b ?? a)!;
    return {
      name,
      ...(a === undefined ? {} : { before: a[1] }),
      ...(b === undefined ? {} : { after: b[1] }),
      changed: a === undefined || b === undefined || a[1] !== b[1] || a[2] !== b[2],
    };
  });
}

/** `file:line`, the file without its folder. */
export function placeText({ source, line }: ShownPlace): string {
  const file = source === undefined ? '?' : source.slice(source.lastIndexOf('/') + 1);
  return line === undefined ? file : `${file}:${line}`;
}

function compareCalls(tid: number, before: readonly ShownCall[], after: readonly ShownCall[]): ScopeDifference[] {
  return pair(before, after, (call) => `${call.function} ${call.cfa}`).map(({ a, b }) => ({
    kind: 'call',
    name: (b ?? a)!.function,
    tid,
    ...(a === undefined ? {} : { before: placeText(a) }),
    ...(b === undefined ? {} : { after: placeText(b) }),
    variables: compareVariables(a, b),
  }));
}

/** Calls of each thread from the innermost on; then of files what changed. */
export function compareScopes(before: Picture, after: Picture): ScopeDifference[] {
  const callsOf = (picture: Picture, tid: number): readonly ShownCall[] =>
    picture.stacks.find((stack) => stack.tid === tid)?.calls ?? [];
  const tids = [...new Set([...before.stacks, ...after.stacks].map(({ tid }) => tid))];
  const calls = tids.flatMap((tid) => compareCalls(tid, callsOf(before, tid), callsOf(after, tid)));
  const files = pair(before.files, after.files, ({ source }) => source)
    // A file of which no call is on the other stack was not looked at there.
    .filter(({ a, b }) => a !== undefined && b !== undefined)
    .map(({ a, b }): ScopeDifference => {
      const name = placeText({ source: b!.source });
      return { kind: 'file', name, variables: compareVariables(a, b).filter(({ changed }) => changed) };
    })
    .filter(({ variables }) => variables.length > 0);
  return [...calls, ...files];
}

/** What debug information says of where threads stand. */
export function placeThreads(threads: readonly ThreadDifference[], before: Picture, after: Picture): ThreadDifference[] {
  const at = (picture: Picture, tid: number, place: ThreadPlace | undefined): ThreadPlace | undefined => {
    const shown = picture.places.find((one) => one.tid === tid);
    if (shown === undefined || place === undefined) return place;
    const { function: name, source, line } = shown;
    return {
      ...place,
      ...(name === null ? {} : { function: name }),
      ...(source === undefined ? {} : { source }),
      ...(line === undefined ? {} : { line }),
    };
  };
  return threads.map((thread) => {
    const then = at(before, thread.tid, thread.before);
    const now = at(after, thread.tid, thread.after);
    return { ...thread, ...(then === undefined ? {} : { before: then }), ...(now === undefined ? {} : { after: now }) };
  });
}

/** What the pictures leave out, in sentences. */
export function omissions(before: Picture, after: Picture): string[] {
  const cut = [before, after].some(
    (picture) => picture.files.some((file) => file.cut) || picture.stacks.some(({ calls }) => calls.some((call) => call.cut)),
  );
  const late = before.late || after.late;
  return [
    ...(cut ? ['variables of scopes that have very many, or that took too long to read'] : []),
    ...(late ? ['places of some threads, which took too long to find'] : []),
  ];
}
