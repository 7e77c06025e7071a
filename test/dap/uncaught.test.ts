/** C++ exceptions that nobody catches: their type and value where std::terminate is called, and at the SIGABRT that follows. */

import { execFileSync } from 'node:child_process';
import { fixture, root } from '../support/cli-session';
import { launching } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const program = fixture('dap-uncaught');
const source = `${root}/test/fixtures/dap-uncaught.h`;

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = launching(() => place);

/** What the client knows of the filter's breakpoint. */
let filter: number;

async function set(run: DapRun, filters: readonly string[]): Promise<void> {
  filter = (await run.ask('setExceptionBreakpoints', { filters })).breakpoints[0].id;
}

const stopping = (args: readonly string[], filters = ['uncaught'], more: Record<string, unknown> = {}): Promise<DapRun> =>
  launched({ program, args, ...more }, (run) => set(run, filters));

const WHAT = 'C++: exception not caught';
const info = (typeName: string, message: string): unknown => ({
  exceptionId: typeName,
  description: `${WHAT}: ${message}`,
  breakMode: 'unhandled',
  details: { typeName, fullTypeName: typeName, message },
});

const KINDS = [
  ['standard', 'std::runtime_error', 'no money'],
  ['derived', 'shop::Bankrupt', 'gone'],
  ['own', 'shop::Failure', '{code = 17}'],
  ['hidden', '(anonymous namespace)::Hidden', '{why = "hidden"}'],
  ['number', 'int', '42'],
  ['text', 'char const*', expect.stringMatching(/^0x[0-9a-f]+ "just words"$/) as string],
  ['again', 'std::out_of_range', 'far out'],
] as const;

async function toldAt(run: DapRun): Promise<unknown> {
  const { threadId, description, hitBreakpointIds } = await run.stopped('exception');
  // The client knows one breakpoint, the filter's.
  expect([description, hitBreakpointIds]).toEqual([WHAT, [filter]]);
  return await run.ask('exceptionInfo', { threadId });
}

it.each(KINDS)('%s: %s', async (kind, type, message) => {
  const run = await stopping([kind]);
  const told = await toldAt(run);
  if (typeof message === 'string') expect(told).toEqual(info(type, message));
  else expect(told).toMatchObject({ exceptionId: type, details: { typeName: type, message } });
  await place.finish(run);
});

it.each(['noexcept', 'thread', 'handler'])('out of a %s', async (where) => {
  const run = await stopping(['standard', where]);
  expect(await toldAt(run)).toEqual(info('std::runtime_error', 'no money'));
  await place.finish(run);
});

it.each([
  ['never', '1 == 2', false],
  ['at each', '1 == 1', true],
])('with a condition that holds %s', async (_, condition, stops) => {
  for (const args of [['standard'], ['standard', 'noexcept']]) {
    const run = await launched({ program, args }, async (one) => {
      const filterOptions = [{ filterId: 'uncaught', condition }];
      const { breakpoints } = await one.ask('setExceptionBreakpoints', { filters: [], filterOptions });
      filter = breakpoints[0].id;
    });
    if (stops) expect(await toldAt(run)).toEqual(info('std::runtime_error', 'no money'));
    else {
      expect(await run.event('exited')).toEqual({ exitCode: 134 });
      await run.event('terminated');
    }
    await place.finish(run);
  }
});

it('of a program that has its runtime inside', async () => {
  const run = await stopping(['standard'], ['uncaught'], { program: fixture('dap-uncaught-static') });
  expect(await toldAt(run)).toEqual(info('std::runtime_error', 'no money'));
  await place.finish(run);
});

it('of a program without symbols', async () => {
  const stripped = `${place.place.directory}/stripped`;
  execFileSync('strip', ['-o', stripped, program]);
  const run = await stopping(['own'], ['uncaught'], { program: stripped });
  expect(await toldAt(run)).toEqual({
    exceptionId: 'shop::Failure',
    description: WHAT,
    breakMode: 'unhandled',
    details: { typeName: 'shop::Failure', fullTypeName: 'shop::Failure' },
  });
  await place.finish(run);
});

it('std::terminate without one', async () => {
  const run = await stopping([]);
  expect(await toldAt(run)).toMatchObject({
    exceptionId: 'std::terminate',
    description: 'std::terminate was called without an exception',
    breakMode: 'unhandled',
  });
  await place.finish(run);
});

it('is told again after going back, and the program is not run for it', async () => {
  const run = await launched({ program, args: ['own'] }, async (one) => {
    await one.breakAt(source, [lineOf(source, 'first stop')]);
    await set(one, ['uncaught']);
  });
  const { threadId } = await run.stopped('breakpoint');
  const { checkpoint } = await run.ask('checkpoint/take');
  for (let round = 0; round < 2; round++) {
    await run.ask('continue', { threadId });
    expect(await toldAt(run)).toEqual(info('shop::Failure', '{code = 17}'));
    const before = await run.ask('checkpoint/take');
    expect(await run.ask('exceptionInfo', { threadId })).toEqual(info('shop::Failure', '{code = 17}'));
    const { changedPages } = await run.ask('checkpoint/compare', { id: before.checkpoint.id });
    expect(changedPages).toBe(0);
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    await run.restored();
    expect(await run.refusal('exceptionInfo', { threadId })).toMatch(/did not stop at an exception/);
  }
  await place.finish(run);
});

describe('at the signal, without the filter for it', () => {
  it('is its cause', async () => {
    const run = await stopping(['derived'], ['signals']);
    const { threadId } = await run.stopped('exception');
    expect(await run.ask('exceptionInfo', { threadId })).toEqual({
      exceptionId: 'SIGABRT',
      description: `Aborted, ${WHAT}: gone (shop::Bankrupt)`,
      breakMode: 'unhandled',
      details: {
        message: 'Aborted',
        typeName: 'SIGABRT',
        innerException: [{ typeName: 'shop::Bankrupt', fullTypeName: 'shop::Bankrupt', message: 'gone' }],
      },
    });
    await place.finish(run);
  });

  it('is its cause out of a noexcept, too', async () => {
    const run = await stopping(['own', 'noexcept'], ['signals']);
    const { threadId } = await run.stopped('exception');
    const { details } = await run.ask('exceptionInfo', { threadId });
    expect(details.innerException).toEqual([
      { typeName: 'shop::Failure', fullTypeName: 'shop::Failure', message: '{code = 17}' },
    ]);
    await place.finish(run);
  });

  it('is not, where the program aborts in a handler', async () => {
    const run = await stopping(['derived', 'caught'], ['signals']);
    const { threadId } = await run.stopped('exception');
    expect(await run.ask('exceptionInfo', { threadId })).toEqual({
      exceptionId: 'SIGABRT',
      description: 'Aborted',
      breakMode: 'unhandled',
      details: { message: 'Aborted', typeName: 'SIGABRT' },
    });
    await place.finish(run);
  });
});
