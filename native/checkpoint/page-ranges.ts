/** From mappings to what the page store is told: ranges with a class, split where a part was mapped anew. Pure. */

import type { PageClass, PageRange } from '../sys/pages';
import { classify, isWritable, type Mapping, type Range } from './mappings';

const CLASS: Readonly<Partial<Record<ReturnType<typeof classify>, PageClass>>> = { anon: 'anon', file: 'file', shared: 'shared' };

/** How the store keeps the pages of a mapping; undefined: it keeps none. */
export const pageClassOf = (mapping: Mapping): PageClass | undefined => CLASS[classify(mapping)];

/** Rollable mappings in address order. `except`: working memory of ours. */
export function pageRanges(mappings: readonly Mapping[], except?: Range, fresh: readonly Range[] = []): PageRange[] {
  const ranges: PageRange[] = [];
  for (const mapping of mappings) {
    const pageClass = pageClassOf(mapping);
    if (pageClass === undefined) continue;
    if (except !== undefined && mapping.start < except.end && mapping.end > except.start) continue;
    const whole = { class: pageClass, writable: isWritable(mapping) };
    let at = mapping.start;
    for (const part of fresh) {
      if (part.end <= at || part.start >= mapping.end) continue;
      if (part.start > at) ranges.push({ ...whole, start: at, end: part.start });
      const start = part.start > at ? part.start : at;
      const end = part.end < mapping.end ? part.end : mapping.end;
      ranges.push({ ...whole, start, end, fresh: true });
      at = end;
    }
    if (at < mapping.end) ranges.push({ ...whole, start: at, end: mapping.end });
  }
  return ranges;
}
