/**
 * Which requests and events of the adapter are exercised by which tests, read from the tests' text: a request counts where its reply must be a
 * success (`ask` and `begin` throw otherwise), an event where it is waited for. The tables of docs/debug-adapter.md are made of it.
 */

export interface Source {
  /** The file's. */
  readonly name: string;
  readonly text: string;
}

const REQUESTS = /\b(?:ask|begin)\(\s*'([\w/]+)'/g;
const EVENTS = /\bevent\(\s*'([\w/]+)'/g;
/** In the adapter's sources. */
const SENT = /\bclient\s*\.send\(\s*'([\w/]+)'/g;

/** Helpers of DapRun that wait for an event, or look at what events brought. */
const WAITING: Readonly<Record<string, RegExp>> = {
  stopped: /\.stopped\(/,
  output: /\.(printed|said)\(|\brun\.(output|console)\b/,
};

const namesIn = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1]!);

export function eventsSent(adapter: readonly string[]): string[] {
  return [...new Set(adapter.flatMap((text) => namesIn(text, SENT)))].sort();
}

export function testsOfRequest(request: string, sources: readonly Source[]): string[] {
  return sources.filter(({ text }) => namesIn(text, REQUESTS).includes(request)).map(({ name }) => name);
}

export function testsOfEvent(event: string, sources: readonly Source[]): string[] {
  const helper = WAITING[event];
  return sources
    .filter(({ text }) => namesIn(text, EVENTS).includes(event) || helper?.test(text) === true)
    .map(({ name }) => name);
}

/** A table for the documentation; which tests they are would change with every test. */
export function tableOf(kind: string, rows: readonly (readonly [string, readonly string[]])[]): string {
  const cells = rows.map(([name, tests]) => `| \`${name}\` | ${tests.length > 0 ? '✓' : ''} |`);
  return [`| ${kind} | tested |`, '| --- | --- |', ...cells].join('\n');
}
