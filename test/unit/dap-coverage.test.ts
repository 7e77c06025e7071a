/** What the proof of the adapter's traffic rests on (test/traffic), and the part of it that needs no traffic. */

import { type Traffic, eventsSent, missing, tablesOf } from '../support/dap-coverage';
import { documentedTables, offered } from '../support/dap-offered';

const traffic = (answered: string[], refused: string[], events: string[]): Traffic => ({
  answered: new Set(answered),
  refused: new Set(refused),
  events: new Set(events),
});

test('the tables in docs/debug-adapter.md name every request and every event', () => {
  const names = [...documentedTables().matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]);
  expect(names).toEqual([...offered.requests, ...offered.events]);
  expect(offered.requests.length).toBeGreaterThan(40);
  expect(offered.events.length).toBeGreaterThan(12);
});

test('events are found in sources wherever they are sent', () => {
  expect(eventsSent(["this.core.client.send('a'); client\n.send('b/c')", "client.send('a')"])).toEqual(['a', 'b/c']);
});

test('a request that was only refused is missing, and an event that never came', () => {
  const some = traffic(['next'], ['next', 'goto'], ['stopped']);
  const all = { requests: ['goto', 'next'], events: ['stopped', 'thread'] };
  expect(missing(all, some)).toEqual(['goto', 'thread']);
  expect(tablesOf(all, some).split('\n')).toEqual([
    '| request | answered | refused |',
    '| --- | --- | --- |',
    '| `goto` |  | ✓ |',
    '| `next` | ✓ | ✓ |',
    '',
    '| event | received |',
    '| --- | --- |',
    '| `stopped` | ✓ |',
    '| `thread` |  |',
  ]);
});
