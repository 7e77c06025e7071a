/**
 * What went over the wire in the adapter's tests: which requests were answered with success, which refused where a test asked for that, and
 * which events came. Every test file leaves its part in dist/dap-traffic; test/traffic puts them together after a whole run.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { root } from './cli-session';

export const trafficFolder = path.join(root, 'dist/dap-traffic');

export interface Traffic {
  readonly answered: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  readonly events: ReadonlySet<string>;
}

/** Of this test file. */
export const seen = { answered: new Set<string>(), refused: new Set<string>(), events: new Set<string>() };

export function keepTraffic(testFile: string): void {
  const lists = Object.fromEntries(Object.entries(seen).map(([kind, names]) => [kind, [...names]]));
  fs.mkdirSync(trafficFolder, { recursive: true });
  fs.writeFileSync(path.join(trafficFolder, `${path.basename(testFile, '.ts')}.json`), JSON.stringify(lists));
}

export function readTraffic(folder = trafficFolder): Traffic {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const parts = names.map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as Record<string, string[]>);
  const all = (kind: keyof Traffic): Set<string> => new Set(parts.flatMap((part) => part[kind] ?? []));
  return { answered: all('answered'), refused: all('refused'), events: all('events') };
}

/** Names of the events in the adapter's sources. */
export function eventsSent(sources: readonly string[]): string[] {
  const names = sources.flatMap((text) => [...text.matchAll(/\bclient\s*\.send\(\s*'([\w/]+)'/g)].map((match) => match[1]!));
  return [...new Set(names)].sort();
}

export interface Offered {
  readonly requests: readonly string[];
  readonly events: readonly string[];
}

/** What no test has had an answer to, or has received. */
export function missing({ requests, events }: Offered, traffic: Traffic): string[] {
  return [...requests.filter((name) => !traffic.answered.has(name)), ...events.filter((name) => !traffic.events.has(name))];
}

/** The tables for the documentation. */
export function tablesOf({ requests, events }: Offered, traffic: Traffic): string {
  const row = (name: string, ...marks: readonly boolean[]): string =>
    `| \`${name}\` | ${marks.map((mark) => (mark ? '✓' : '')).join(' | ')} |`;
  return [
    '| request | answered | refused |\n| --- | --- | --- |',
    ...requests.map((name) => row(name, traffic.answered.has(name), traffic.refused.has(name))),
    '\n| event | received |\n| --- | --- |',
    ...events.map((name) => row(name, traffic.events.has(name))),
  ].join('\n');
}
