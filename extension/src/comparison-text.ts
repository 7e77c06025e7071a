/**
 * A comparison as two texts, one for each state, for an editor that shows them side by side. Pure: no `vscode`.
 *
 * What is the same in both stands in the same lines, so that what differs is what the editor marks.
 */

import type {
  CompareResult,
  DescriptorDifference,
  DescriptorState,
  RegionDifference,
  ScopeDifference,
  StateSize,
  ThreadDifference,
  ThreadPlace,
  VariableDifference,
} from '../../native/control/schema';
import { describeBytes } from './texts';

export interface Sides {
  readonly before: string;
  readonly after: string;
}

/** One line, or several, in either text; undefined: it has none. */
interface Entry {
  readonly before?: string;
  readonly after?: string;
}

const both = (text: string): Entry => ({ before: text, after: text });
const BLANK = both('');
const PAGE = 4096;
const UNSEEN = '  (differs in a part that is not shown)';

export function renderComparison(result: CompareResult): Sides {
  const entries = [
    ...section('Variables', variables(result)),
    ...section('Threads', threads(result)),
    ...section('Descriptors', descriptors(result)),
    ...section('Memory', memory(result)),
    ...(result.omitted.length === 0
      ? []
      : section(
          'Not shown',
          result.omitted.map((text) => both(`  ${text}`)),
        )),
  ];
  const text = (side: keyof Sides): string =>
    `${entries
      .flatMap((entry) => entry[side] ?? [])
      .join('\n')
      .trimEnd()}\n`;
  return { before: text('before'), after: text('after') };
}

const section = (title: string, entries: readonly Entry[]): Entry[] => [both(title), BLANK, ...entries, BLANK];

// --- variables ---

function variables({ scopes }: CompareResult): Entry[] {
  if (scopes === undefined) return [both('  The program has ended: variables cannot be looked at.')];
  if (scopes.length === 0) return [both('  None: where the threads stand there is no debug information.')];
  const several = new Set(scopes.flatMap(({ tid }) => tid ?? [])).size > 1;
  return scopes.flatMap((scope) => [...scopeEntries(scope, several), BLANK]).slice(0, -1);
}

function scopeEntries(scope: ScopeDifference, several: boolean): Entry[] {
  const { kind, name, tid, before, after } = scope;
  if (kind === 'file') return [both(`  Globals of ${name} that differ`), ...scope.variables.map(variableEntry)];
  const title = (place: string): string => `  ${name}, ${place}${several && tid !== undefined ? `, thread ${tid}` : ''}`;
  return [of(before, after, title), ...scope.variables.map(variableEntry)];
}

function variableEntry({ name, before, after, changed }: VariableDifference): Entry {
  const unseen = changed && before === after;
  const line = (value: string): string => `    ${name} = ${value.replaceAll('\n', '\n    ')}`;
  return { ...of(before, after, line), ...(unseen && after !== undefined ? { after: `${line(after)}${UNSEEN}` } : {}) };
}

/** The same words for either side that there is. */
function of<T>(before: T | undefined, after: T | undefined, write: (one: T) => string): Entry {
  return {
    ...(before === undefined ? {} : { before: write(before) }),
    ...(after === undefined ? {} : { after: write(after) }),
  };
}

// --- threads ---

function threads({ threads: list, before, after }: CompareResult): Entry[] {
  const count = of(before, after, ({ threads: n }: StateSize) => `  ${n} ${n === 1 ? 'thread' : 'threads'}`);
  const same = list.length === 0 ? [both('  All stand where they stood.')] : [];
  return [count, ...same, ...list.map(threadEntry)];
}

function threadEntry({ tid, name, before, after }: ThreadDifference): Entry {
  return of(before, after, (place) => `  ${tid} ${name}: ${placeText(place)}`);
}

export function placeText({ pc, module, function: name, source, line }: ThreadPlace): string {
  const file = source?.slice(source.lastIndexOf('/') + 1);
  const where = file === undefined ? (module ?? pc) : line === undefined ? file : `${file}:${line}`;
  return name === undefined ? where : `${name}, ${where}`;
}

// --- descriptors ---

function descriptors({ descriptors: list, before, after }: CompareResult): Entry[] {
  const count = of(before, after, ({ descriptors: n }: StateSize) => `  ${n} open`);
  return [count, ...(list.length === 0 ? [both('  All are what they were.')] : []), ...list.map(descriptorEntry)];
}

function descriptorEntry({ fd, before, after }: DescriptorDifference): Entry {
  return of(before, after, (state) => `  ${fd}: ${descriptorText(state)}`);
}

function descriptorText({ kind, target, position, counter }: DescriptorState): string {
  const at = position === undefined ? '' : `, at byte ${position}`;
  return `${kind} ${target}${at}${counter === undefined ? '' : `, counter ${counter}`}`;
}

// --- memory ---

function memory({ before, after, changedPages, regions }: CompareResult): Entry[] {
  const pages = changedPages === 0 ? 'nothing has' : `${describeBytes(changedPages * PAGE)} (${countPages(changedPages)}) have`;
  return [
    of(before, after, ({ mappedBytes }: StateSize) => `  ${describeBytes(mappedBytes)} mapped`),
    of(before, after, ({ contentBytes }: StateSize) => `  ${describeBytes(contentBytes)} with a content of its own`),
    { after: `  Of what both have, ${pages} another content.` },
    ...regions.map(regionEntry),
  ];
}

const countPages = (n: number): string => `${n} ${n === 1 ? 'page' : 'pages'}`;

function regionEntry({ start, end, name, change, pages }: RegionDifference): Entry {
  const line = `  ${start}-${end} ${name === '' ? 'anonymous' : name}`;
  switch (change) {
    case 'mapped':
      return { after: `${line}, ${describeBytes(pages * PAGE)}` };
    case 'unmapped':
      return { before: `${line}, ${describeBytes(pages * PAGE)}` };
    case 'changed':
      return { before: line, after: `${line}: ${countPages(pages)} changed` };
  }
}
