/** Every request that the adapter answers and every event that it sends has a test, and the documentation's tables say which. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeRoutes } from '../../adapter/session/routes';
import type { Session } from '../../adapter/session/session';
import { type Source, eventsSent, tableOf, testsOfEvent, testsOfRequest } from '../support/dap-coverage';

const root = path.join(__dirname, '../..');
const read = (...names: string[]): string => fs.readFileSync(path.join(root, ...names), 'utf8');

const tests = fs.readdirSync(path.join(root, 'test/dap')).map((name) => path.join('test/dap', name));
const sources: readonly Source[] = [...tests, 'test/support/dap-session.ts'].map((name) => ({ name, text: read(name) }));
const adapter = (fs.readdirSync(path.join(root, 'adapter'), { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read('adapter', name));

/** Answered with a reason why not: that is their test. */
const REFUSED = ['terminateThreads'];

const requests = Object.keys(makeRoutes({ core: {} } as unknown as Session, () => false))
  .filter((name) => !REFUSED.includes(name))
  .sort()
  .map((name) => [name, testsOfRequest(name, sources)] as const);
const events = eventsSent(adapter).map((name) => [name, testsOfEvent(name, sources)] as const);

test('every request and every event has a test', () => {
  const untested = [...requests, ...events].filter(([, found]) => found.length === 0).map(([name]) => name);
  expect(untested).toEqual([]);
  expect(requests.length).toBeGreaterThan(40);
  expect(events.length).toBeGreaterThan(12);
});

test('the tables in docs/debug-adapter.md are these', () => {
  const file = path.join(root, 'docs/debug-adapter.md');
  const wanted = `${tableOf('request', requests)}\n\n${tableOf('event', events)}`;
  const text = fs.readFileSync(file, 'utf8');
  const block = /(<!-- made by test\/unit\/dap-coverage -->\n)([^]*?)(\n<!-- end -->)/;
  // As jest does with its snapshots: `WRITE_TABLES=1 npx jest test/unit/dap-coverage`.
  if (process.env['WRITE_TABLES'] !== undefined)
    fs.writeFileSync(
      file,
      text.replace(block, (_, a, __, c) => `${a}${wanted}${c}`),
    );
  expect(block.exec(fs.readFileSync(file, 'utf8'))?.[2]).toBe(wanted);
});

test('a request counts only where a success is expected, an event only where it is waited for', () => {
  const text =
    "await run.ask('next'); await run.refusal('goto', {}); await run.begin(\n 'attach'); await run.event('module'); run.stopped();";
  const one = [{ name: 'one', text }];
  const count = (names: readonly string[], find: typeof testsOfRequest): string[] =>
    names.filter((name) => find(name, one).length > 0);
  expect(count(['next', 'goto', 'attach', 'module'], testsOfRequest)).toEqual(['next', 'attach']);
  expect(count(['next', 'module', 'stopped', 'output'], testsOfEvent)).toEqual(['module', 'stopped']);
  expect(eventsSent(["this.core.client.send('a'); client\n.send('b/c')", "client.send('a')"])).toEqual(['a', 'b/c']);
});
