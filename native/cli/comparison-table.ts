/** What people read of a comparison on a terminal: four short tables. Pure. */

import { countThreads, formatBytes } from '../base/units';
import type { CompareResult, DescriptorState, RegionDifference, StateSize, ThreadPlace } from '../control/schema';
import { table } from './control-text';

export function comparisonText(result: CompareResult): string {
  const names = [`checkpoint ${result.id}`, result.with === undefined ? 'now' : `checkpoint ${result.with}`] as const;
  const parts = [
    table([
      ['', 'THREADS', 'DESCRIPTORS', 'MAPPED', 'CONTENT'],
      sizeRow(names[0], result.before),
      sizeRow(names[1], result.after),
    ]),
    section('Threads', result.threads, ({ tid, name, change, before, after }) => [
      `  ${tid}`,
      name,
      change,
      arrow(before, after, placeText),
    ]),
    section('Descriptors', result.descriptors, ({ fd, change, before, after }) => [
      `  ${fd}`,
      change,
      change === 'moved' ? movedText(before!, after!) : arrow(before, after, ({ target }) => target),
    ]),
    section(`Memory (${countPages(result.changedPages)} with another content)`, result.regions, regionRow),
    ...result.omitted.map((text) => `Not shown: ${text}.`),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

const countPages = (n: number): string => `${n} page${n === 1 ? '' : 's'}`;

function sizeRow(name: string, { threads, descriptors, mappedBytes, contentBytes }: StateSize): string[] {
  return [name, countThreads(threads), String(descriptors), formatBytes(mappedBytes), formatBytes(contentBytes)];
}

function section<T>(title: string, list: readonly T[], row: (one: T) => readonly string[]): string {
  return list.length === 0 ? `${title}: no difference` : `${title}\n${table(list.map(row))}`;
}

/** What there is of the two, with an arrow between when there are both. */
function arrow<T>(before: T | undefined, after: T | undefined, text: (one: T) => string): string {
  return [before, after].flatMap((one) => (one === undefined ? [] : [text(one)])).join(' -> ');
}

const placeText = ({ pc, module }: ThreadPlace): string => module ?? pc;

function movedText(before: DescriptorState, after: DescriptorState): string {
  const [a, b] = [before, after].map(({ position, counter }) => counter ?? String(position ?? '-'));
  return `${before.target}  ${a} -> ${b}`;
}

function regionRow({ start, end, name, change, pages }: RegionDifference): string[] {
  return [`  ${start}-${end}`, change, countPages(pages), name === '' ? 'anonymous' : name];
}
