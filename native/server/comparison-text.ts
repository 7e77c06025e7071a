/** A comparison of two states in the words of control/schema.ts. Pure. Lists are cut to a length that fits in a packet; what is left out is said. */

import { PAGE_SIZE, type Addr } from '../base/brands';
import type { Comparison } from '../checkpoint/comparison';
import type { FileDifference, Side, ThreadFacts } from '../checkpoint/differences';
import { FILE_KINDS } from '../checkpoint/file-kinds';
import { isFileBacked, type Mapping } from '../checkpoint/mappings';
import type { FileState } from '../checkpoint/state';
import type {
  CompareArguments,
  CompareResult,
  DescriptorDifference,
  DescriptorState,
  RegionDifference,
  StateSize,
  ThreadDifference,
  ThreadPlace,
} from '../control/schema';

/** Entries of each list. */
const MOST = 100;
/** Of a path or a name, from its end. */
const MOST_TEXT = 100;

const hex = (addr: Addr): string => `0x${addr.toString(16)}`;
const tail = (text: string): string => (text.length <= MOST_TEXT ? text : `…${text.slice(1 - MOST_TEXT)}`);

function placeOf(thread: ThreadFacts | undefined, mappings: readonly Mapping[]): ThreadPlace | undefined {
  if (thread?.pc === undefined) return undefined;
  const { pc } = thread;
  const mapping = mappings.find(({ start, end }) => start <= pc && pc < end);
  if (mapping === undefined || mapping.path === '') return { pc: hex(pc) };
  // Offsets in the file, as addr2line and objdump of a shared library want them, most times.
  const offset = pc - mapping.start + (isFileBacked(mapping) ? mapping.offset : 0n);
  return { pc: hex(pc), module: tail(`${mapping.path.slice(mapping.path.lastIndexOf('/') + 1)}+${hex(offset)}`) };
}

function threadsOf({ threads, before, after }: Comparison): ThreadDifference[] {
  return threads.map(({ ref, name, before: a, after: b }) => {
    const then = placeOf(a, before.mappings);
    const now = placeOf(b, after.mappings);
    return {
      tid: ref.tid,
      name,
      change: a === undefined ? 'new' : b === undefined ? 'gone' : 'moved',
      ...(then === undefined ? {} : { before: then }),
      ...(now === undefined ? {} : { after: now }),
    };
  });
}

function descriptorOf({ kind, target, position, counter }: FileState): DescriptorState {
  return {
    kind,
    target: tail(target),
    ...(FILE_KINDS[kind].positioned ? { position: Number(position) } : {}),
    ...(counter === undefined ? {} : { counter: String(counter) }),
  };
}

function describeFile({ fd, change, before, after }: FileDifference): DescriptorDifference {
  return {
    fd,
    change,
    ...(before === undefined ? {} : { before: descriptorOf(before) }),
    ...(after === undefined ? {} : { after: descriptorOf(after) }),
  };
}

function regionsOf({ mapped, unmapped, changed }: Comparison): RegionDifference[] {
  const all = [
    ...changed.map((region) => ({ ...region, change: 'changed' as const })),
    ...mapped.map((region) => ({ ...region, change: 'mapped' as const, pages: pagesOf(region) })),
    ...unmapped.map((region) => ({ ...region, change: 'unmapped' as const, pages: pagesOf(region) })),
  ].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  return all.map(({ start, end, mapping, change, pages }) => ({
    start: hex(start),
    end: hex(end),
    name: tail(mapping.path),
    change,
    pages,
  }));
}

const pagesOf = ({ start, end }: { readonly start: Addr; readonly end: Addr }): number =>
  Number((end - start) / BigInt(PAGE_SIZE));

function sizeOf({ size, stopThread }: Side & { readonly size: Comparison['before']['size'] }): StateSize {
  const { threads, descriptors, mapped, content } = size;
  const tid = stopThread === undefined ? {} : { tid: stopThread.tid };
  return { threads, descriptors, mappedBytes: Number(mapped), contentBytes: content, ...tid };
}

export function comparisonOf(asked: CompareArguments, comparison: Comparison): CompareResult {
  const omitted: string[] = [];
  const cut = <T>(list: readonly T[], what: string): readonly T[] => {
    if (list.length > MOST) omitted.push(`${list.length - MOST} more ${what}`);
    return list.slice(0, MOST);
  };
  return {
    id: asked.id,
    ...(asked.with === undefined ? {} : { with: asked.with }),
    before: sizeOf(comparison.before),
    after: sizeOf(comparison.after),
    threads: cut(threadsOf(comparison), 'threads'),
    descriptors: cut(comparison.files.map(describeFile), 'descriptors'),
    changedPages: comparison.changed.reduce((sum, { pages }) => sum + pages, 0),
    regions: cut(regionsOf(comparison), 'regions of memory'),
    omitted,
  };
}
