/** How checkpoints are told to people: labels, places, ages, sizes. Pure: no `vscode`. */

import type { CheckpointRecord } from '../../native/control/schema';

/** `sourceText`: the line where it was taken, when its file could be read. */
export function nameOf(record: CheckpointRecord, sourceText?: string): string {
  const { label, automatic, stop } = record;
  const saysNoMore = label === sourceText || (automatic && sourceText !== undefined && /^stop \d+$/.test(label));
  if (label !== '' && !saysNoMore) return label;
  return shorten(sourceText) ?? stop?.function ?? (stop === undefined ? 'while running' : stop.reason);
}

/** The place comes after it in a narrow side bar. */
const LONGEST = 22;

function shorten(text: string | undefined): string | undefined {
  return text === undefined || text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1).trimEnd()}…`;
}

export function placeOf({ stop }: CheckpointRecord): string | undefined {
  if (stop?.source === undefined) return stop?.function;
  const file = stop.source.slice(stop.source.lastIndexOf('/') + 1);
  return stop.line === undefined ? file : `${file}:${stop.line}`;
}

export function describeThreads(count: number): string {
  return count === 1 ? '1 thread' : `${count} threads`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function describeBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 10 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export function describeAge(createdAt: number, now: number): string {
  const age = Math.max(0, now - createdAt);
  if (age < 10 * SECOND) return 'just now';
  if (age < MINUTE) return `${Math.floor(age / SECOND)} s ago`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  return `${Math.floor(age / HOUR)} h ago`;
}

export function describeRecord(record: CheckpointRecord, now: number): string {
  const parts = [
    placeOf(record),
    describeThreads(record.threads),
    describeAge(record.createdAt, now),
    describeBytes(record.ownBytes),
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

/** Everybody expects that what was printed stays printed; it is told, but is no warning. */
const EXPECTED = /\((?:\/dev\/(?:pts\/\d+|tty\w*|ptmx|console)|pipe:\[\d+\])\)/;

export function warningsOf({ fidelity }: { readonly fidelity: readonly string[] }): readonly string[] {
  return fidelity.filter((sentence) => !EXPECTED.test(sentence));
}
