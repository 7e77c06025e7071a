/** What other adapters over gdb/MI were seen to do wrong (design/editor.md, section 5) must not happen here. Parser faults: test/unit/mi-parser. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = (args: Record<string, unknown>, set?: (run: DapRun) => Promise<unknown>): Promise<DapRun> =>
  place.launched({ program, ...args }, set);

it('a program that prints partial lines does not disturb breakpoints that are set meanwhile', async () => {
  const run = await launched({ args: ['partial'] });
  await run.printed(/\./);
  for (let round = 0; round < 15; round++) {
    const { breakpoints } = await run.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: round % 2 === 0 ? 'deep' : 'add' }],
    });
    expect(breakpoints[0]).toMatchObject({ verified: true });
  }
  await run.event('exited');
  await run.event('terminated');
  expect(run.output.match(/\./g)).toHaveLength(300 + 1);
  await run.disconnect();
  await place.expectNothingLeft();
});

it('Step Back without an earlier stop is an error and no silent success', async () => {
  const run = await launched({ stopAtEntry: true, automaticCheckpoints: false });
  const { threadId } = await run.stopped('entry');
  await run.ask('stepBack', { threadId });
  await run.stopped('goto');
  expect(await run.refusal('stepBack', { threadId })).toMatch(/no earlier stop/);
  await run.disconnect();
});

it('a data breakpoint that cannot be set has one reply, without success for it', async () => {
  const run = await launched({}, (one) => one.breakAt(source, [lineOf(source, 'first stop')]));
  await run.stopped('breakpoint');
  const { breakpoints } = await run.ask('setDataBreakpoints', { breakpoints: [{ dataId: '*(int *) $nothing.x' }] });
  expect(breakpoints).toEqual([expect.objectContaining({ verified: false })]);
  await run.disconnect();
});

it('a stop that nobody announced is told: a breakpoint in a function that an expression calls', async () => {
  const run = await launched({}, (one) => one.breakAt(source, [lineOf(source, 'first stop'), lineOf(source, 'in add')]));
  const { threadId } = await run.stopped('breakpoint');
  expect(await run.refusal('evaluate', { expression: 'add(20, 30)', context: 'repl' })).toMatch(/stopped|signaled|returning/i);
  await run.stopped('breakpoint');
  expect(await run.value('a', threadId)).toBe('20');
  await run.disconnect();
});

it('a fork is no stop, and the parent is debugged on', async () => {
  const run = await place.start();
  await run.initialize();
  await run.launch({ program: '/bin/sh', args: ['-c', '/bin/true; echo parent'] });
  await run.event('exited');
  await run.event('terminated');
  expect(run.output).toBe('parent\n');
  await run.disconnect();
});

describe('an internal error', () => {
  const state = (): string => `${place.place.directory}/state`;
  const environment = (): NodeJS.ProcessEnv => ({ XDG_STATE_HOME: state(), SAVEPOINT_TEST_FAULTS: '1' });

  it.each(['request', 'elsewhere'])(
    'in a %s leaves the trace in a file that is named, and the session goes on',
    async (where) => {
      const run = await place.start({ env: environment() });
      await run.initialize();
      await run.launch({ program, automaticCheckpoints: false }, () => run.breakAt(source, [lineOf(source, 'first stop')]));
      const { threadId } = await run.stopped('breakpoint');
      const said = await run.refusal('savepoint/fault', { where });
      if (where === 'elsewhere') await run.said(/internal error/);
      const [, file] = /trace is in (\S+)/.exec(where === 'request' ? said : run.console)!;
      expect(said + run.console).toMatch(/internal error: a fault asked for by a test/);
      expect(path.dirname(file!)).toBe(`${state()}/savepoint`);
      expect(fs.statSync(file!).mode & 0o777).toBe(0o600);
      const text = fs.readFileSync(file!, 'utf8');
      for (const topic of ['dap > ', 'mi > ', 'mi < ', 'state ', 'internal error: a fault asked for'])
        expect(text).toContain(topic);
      const times = text.match(/^\d+\.\d{6}/gm)!.map(Number);
      expect([...times].sort((a, b) => a - b)).toEqual(times);
      expect(await run.value('p.x', threadId)).toBe('1');
      await run.disconnect();
      await place.expectNothingLeft();
    },
  );
});

it('what goes over each wire is written into one file, by one clock', async () => {
  const file = `${place.place.directory}/trace`;
  const run = await place.start({ env: { SAVEPOINT_TRACE: 'all', SAVEPOINT_TRACE_FILE: file } });
  await run.initialize();
  await run.launch({ program });
  await run.event('exited');
  await run.event('terminated');
  expect(run.output).not.toMatch(/ rsp | state /);
  await run.disconnect();
  await place.expectNothingLeft();
  const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const topics = new Set(lines.map((line) => line.split(' ')[1]));
  expect([...topics].sort()).toEqual(expect.arrayContaining(['dap', 'mi', 'rsp', 'state']));
  // The owner's answer to gdb lies between the adapter's command and gdb's reply.
  const index = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
  expect(index(/ mi > \d+-exec-run/)).toBeLessThan(index(/ rsp .*vRun/));
  expect(index(/ rsp .*vRun/)).toBeLessThan(index(/ mi < \*stopped/));
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

it('100 MB of output come whole, in order, and the session answers meanwhile', async () => {
  const run = await launched({ args: ['flood', '100'], automaticCheckpoints: false });
  await run.printed(/x{900}\n/);
  for (let round = 0; round < 10; round++) expect((await run.ask('threads')).threads).toHaveLength(1);
  await run.event('exited');
  await run.event('terminated');
  expect(run.printedBytes).toBeGreaterThan(100_000_000);
  expect(run.output).toMatch(/x\nend of flood\n$/);
  const names = run.traffic.map((text) => /"event":"(\w+)"/.exec(text)?.[1]);
  expect(names.lastIndexOf('output')).toBeLessThan(names.lastIndexOf('exited'));
  await run.disconnect();
  await place.expectNothingLeft();
});
