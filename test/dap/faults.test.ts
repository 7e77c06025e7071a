/** What other adapters over gdb/MI were seen to do wrong (design/editor.md, section 5) must not happen here. Parser faults: test/unit/mi-parser. */

import { fixture, root } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';
import { Random, baseSeed } from '../support/random';

const program = fixture('dap-basic');
const source = `${root}/test/fixtures/dap-basic.c`;

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

async function launched(args: Record<string, unknown>, set: (run: DapRun) => Promise<unknown> = async () => {}): Promise<DapRun> {
  const run = await place.start();
  await run.initialize();
  await run.launch({ program, ...args }, () => set(run));
  return run;
}

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
  run.expectNoOther();
  await place.expectNothingLeft();
});

it('Step Back without an earlier stop is an error and no silent success', async () => {
  const run = await launched({ stopAtEntry: true, automaticCheckpoints: false });
  const { threadId } = await run.stopped('entry');
  await run.ask('stepBack', { threadId });
  await run.stopped('goto');
  expect(await run.refusal('stepBack', { threadId })).toMatch(/no earlier stop/);
  await run.disconnect();
  run.expectNoOther();
});

it('a data breakpoint that cannot be set has one reply, without success for it', async () => {
  const run = await launched({}, (one) => one.breakAt(source, [lineOf(source, 'first stop')]));
  await run.stopped('breakpoint');
  const { breakpoints } = await run.ask('setDataBreakpoints', { breakpoints: [{ dataId: '*(int *) $nothing.x' }] });
  expect(breakpoints).toEqual([expect.objectContaining({ verified: false })]);
  await run.disconnect();
  run.expectNoOther();
});

it('a stop that nobody announced is told: a breakpoint in a function that an expression calls', async () => {
  const run = await launched({}, (one) => one.breakAt(source, [lineOf(source, 'first stop'), lineOf(source, 'in add')]));
  const { threadId } = await run.stopped('breakpoint');
  expect(await run.refusal('evaluate', { expression: 'add(20, 30)', context: 'repl' })).toMatch(/stopped|signaled|returning/i);
  await run.stopped('breakpoint');
  expect(await run.value('a', threadId)).toBe('20');
  await run.disconnect();
  run.expectNoOther();
});

it('a fork is no stop, and the parent is debugged on', async () => {
  const run = await place.start();
  await run.initialize();
  await run.launch({ program: '/bin/sh', args: ['-c', '/bin/true; echo parent'] });
  await run.event('exited');
  await run.event('terminated');
  expect(run.output).toBe('parent\n');
  await run.disconnect();
  run.expectNoOther();
});

it('two hundred requests at random have each one reply, and the values are those of a model', async () => {
  const random = new Random(baseSeed);
  const run = await launched({ automaticCheckpoints: { timeShare: 1e9 } }, (one) =>
    one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] }),
  );
  const { threadId } = await run.stopped('function breakpoint');
  await run.ask('setFunctionBreakpoints', { breakpoints: [] });
  await run.breakAt(source, [lineOf(source, 'print')]);
  const kept = new Map<number, string>();
  const state = async (): Promise<string> => {
    const frame = await run.top(threadId);
    return `${frame.name}:${frame.line} ${(await run.ask('evaluate', { expression: 'global_counter', frameId: frame.id, context: 'watch' })).result}`;
  };
  for (let i = 0; i < 40; i++) {
    const atEnd = (await run.top(threadId)).line >= lineOf(source, 'print');
    const what = kept.size === 0 ? 0 : atEnd ? 3 : random.below(5);
    if (what === 0) {
      const { checkpoint } = await run.ask('checkpoint/take', { label: `round ${i}` });
      kept.set(checkpoint.id, await state());
    } else if (what < 3) {
      await run.ask(what === 1 ? 'next' : 'stepIn', { threadId });
      await run.stopped();
    } else {
      const ids = [...kept.keys()];
      const id = ids[random.below(ids.length)]!;
      await run.ask('checkpoint/restore', { id, saveCurrent: random.below(2) === 0 });
      await run.stopped('goto');
      expect([baseSeed, id, await state()]).toEqual([baseSeed, id, kept.get(id)]);
    }
  }
  await run.disconnect();
  run.expectNoOther();
  await place.expectNothingLeft();
});
