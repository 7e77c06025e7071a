/** Exception breakpoints: C++ and signals, and what is told of what was thrown. */

import { fixture, root } from '../support/cli-session';
import { launching, line, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const cpp = fixture('dap-cpp');
const throwing = fixture('dap-throw');
const throwingSource = `${root}/test/fixtures/dap-throw.cc`;
const throwingLine = (comment: string): number => lineOf(throwingSource, comment);

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = launching(() => place);

interface Filter {
  readonly filterId: string;
  readonly condition?: string;
}

const throwingWith = (filterOptions: readonly Filter[], args: readonly string[] = []): Promise<DapRun> =>
  launched({ program: throwing, args }, async (one) => {
    const { breakpoints } = await one.ask('setExceptionBreakpoints', { filters: [], filterOptions });
    expect(breakpoints).toEqual(filterOptions.map(() => expect.objectContaining({ verified: true })));
  });

async function ends(run: DapRun): Promise<void> {
  await run.event('exited');
  await run.event('terminated');
  await place.finish(run);
}

async function go(run: DapRun, threadId: number): Promise<void> {
  await run.ask('continue', { threadId });
}

/** Where in our own source: what throws and catches is the library. */
async function lineInSource(run: DapRun, threadId: number): Promise<number> {
  const { stackFrames } = await run.ask('stackTrace', { threadId });
  return stackFrames.find((frame: { source?: { path: string } }) => frame.source?.path === throwingSource).line;
}

describe('exceptions', () => {
  it('of C++ stop where they are thrown and caught', async () => {
    const run = await launched({ program: cpp }, (one) =>
      one.ask('setExceptionBreakpoints', {
        filters: [],
        filterOptions: [{ filterId: 'throw' }, { filterId: 'catch' }, { filterId: 'signals' }],
      }),
    );
    const { threadId, description } = await run.stopped('exception');
    expect(description).toBe('C++: exception thrown');
    expect(await run.ask('exceptionInfo', { threadId })).toMatchObject({
      exceptionId: 'std::runtime_error',
      description: 'C++: exception thrown: one',
      breakMode: 'always',
      details: { typeName: 'std::runtime_error', message: 'one' },
    });
    await go(run, threadId);
    expect((await run.stopped('exception')).description).toBe('C++: exception caught');
    await go(run, threadId);
    await ends(run);
  });

  const thrown = [
    ['std::runtime_error', 'no money', 'throws a standard one'],
    ['shop::Failure', '{code = 17}', 'throws its own'],
    ['shop::Bankrupt', 'gone', 'throws a derived one'],
    ['int', '42', 'throws a number'],
  ] as const;

  it.each(['throw', 'rethrow'])('%s stops at each, and tells type and value', async (filterId) => {
    const run = await throwingWith([{ filterId }]);
    for (const [typeName, message, where] of thrown) {
      const { threadId, description } = await run.stopped('exception');
      const what = filterId === 'throw' ? 'C++: exception thrown' : 'C++: exception rethrown';
      expect(description).toBe(what);
      expect(await run.ask('exceptionInfo', { threadId })).toEqual({
        exceptionId: typeName,
        description: `${what}: ${message}`,
        breakMode: 'always',
        details: { typeName, fullTypeName: typeName, message },
      });
      expect(await lineInSource(run, threadId)).toBe(throwingLine(filterId === 'throw' ? where : 'throws on'));
      await go(run, threadId);
    }
    await ends(run);
  });

  it('of C++ stop only when their condition holds', async () => {
    const run = await throwingWith([
      { filterId: 'throw', condition: 'caught == 3' },
      { filterId: 'catch', condition: 'caught == 4' },
    ]);
    const first = await run.stopped('exception');
    expect(first.description).toBe('C++: exception thrown');
    expect(await lineInSource(run, first.threadId)).toBe(throwingLine('throws a number'));
    await go(run, first.threadId);
    const caught = await run.stopped('exception');
    expect(caught.description).toBe('C++: exception caught');
    expect(await run.ask('exceptionInfo', { threadId: caught.threadId })).toMatchObject({ exceptionId: 'int' });
    expect(await run.value('caught', caught.threadId)).toBe('4');
    await go(run, caught.threadId);
    await ends(run);
  });

  it('with a condition that cannot be read are told as not set, and do not stop', async () => {
    const run = await launched({ program: throwing }, async (one) => {
      const filterOptions = [
        { filterId: 'throw', condition: 'no_such_name == 1' },
        { filterId: 'signals', condition: 'often' },
      ];
      const { breakpoints } = await one.ask('setExceptionBreakpoints', { filters: [], filterOptions });
      expect(breakpoints).toEqual([
        { verified: false, message: expect.stringMatching(/no_such_name/) },
        { verified: false, message: expect.stringMatching(/"often" is not the name of a signal/) },
      ]);
    });
    // As before, signals that would end the program stop it.
    for (const name of ['SIGUSR1', 'SIGUSR2']) {
      const { threadId, description } = await run.stopped('exception');
      expect(description).toBe(name);
      await go(run, threadId);
    }
    await ends(run);
  });

  it.each([
    ['SIGUSR2', ['SIGUSR2']],
    ['SIGUSR1, SIGUSR2', ['SIGUSR1', 'SIGUSR2']],
    ['SIGSEGV', []],
  ])('signals named %s stop the program, and others do not', async (condition, names) => {
    const run = await throwingWith([{ filterId: 'signals', condition }]);
    for (const name of names) {
      const { threadId, description } = await run.stopped('exception');
      expect(description).toBe(name);
      expect(await run.ask('exceptionInfo', { threadId })).toMatchObject({
        exceptionId: name,
        details: { typeName: name, message: expect.stringMatching(/^User defined signal \d$/) },
      });
      await go(run, threadId);
    }
    await ends(run);
  });

  it('of C++ that nobody catches stop before the program is aborted', async () => {
    const run = await launched({ program: cpp, args: ['two'] }, (one) =>
      one.ask('setExceptionBreakpoints', { filters: ['uncaught', 'signals'] }),
    );
    const { threadId, description } = await run.stopped('exception');
    expect(description).toBe('C++: exception not caught');
    expect(await run.ask('exceptionInfo', { threadId })).toMatchObject({ breakMode: 'unhandled' });
    await run.disconnect();
  });

  it('signals stop the program, and say where', async () => {
    const run = await launched({ args: ['crash'] }, (one) => one.ask('setExceptionBreakpoints', { filters: ['signals'] }));
    const { threadId, description, text } = await run.stopped('exception');
    expect([description, text]).toEqual(['SIGSEGV', 'Segmentation fault']);
    expect((await run.top(threadId)).line).toBe(line('crash'));
    expect(await run.ask('exceptionInfo', { threadId })).toMatchObject({
      exceptionId: 'SIGSEGV',
      description: expect.stringContaining('0x10'),
    });
    await go(run, threadId);
    expect(await run.event('exited')).toEqual({ exitCode: 139 });
    await run.event('terminated');
    await run.disconnect();
  });

  it('signals that the client does not want stopped at do not stop it', async () => {
    const run = await launched({ args: ['abort'] }, (one) => one.ask('setExceptionBreakpoints', { filters: [] }));
    expect(await run.event('exited')).toEqual({ exitCode: 134 });
    await run.event('terminated');
    await run.disconnect();
  });

  it('there is no information about one at another stop', async () => {
    const run = await launched({}, (one) => one.breakAt(source, [line('first stop')]));
    const { threadId } = await run.stopped('breakpoint');
    expect(await run.refusal('exceptionInfo', { threadId })).toMatch(/did not stop at an exception/);
    await run.disconnect();
  });
});
