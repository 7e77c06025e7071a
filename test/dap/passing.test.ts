/** Checkpoints that are taken as the program passes: log points with `{checkpoint}`, and exception filters. */

import { fixture, root } from '../support/cli-session';
import { launching, line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const cpp = fixture('dap-cpp');
const cppSource = `${root}/test/fixtures/dap-cpp.cc`;

const BIG = { program: fixture('dap-big'), source: `${root}/test/fixtures/dap-big.c` };

interface Listed {
  readonly id: number;
  readonly label: string;
  readonly automatic: boolean;
  readonly stop?: Record<string, unknown>;
}

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = async (...args: Parameters<ReturnType<typeof launching>>): Promise<DapRun> => {
  const run = await launching(() => place)(...args);
  // They are looked at in the list; one test looks at the events.
  run.mayGet('checkpoint/changed');
  return run;
};

/** All but the entry's. */
async function taken(run: DapRun): Promise<Listed[]> {
  const { checkpoints } = await run.ask('checkpoint/list');
  return (checkpoints as Listed[]).filter(({ id }) => id !== 0);
}

async function restore(run: DapRun, id: number): Promise<number> {
  await run.ask('checkpoint/restore', { id, saveCurrent: false });
  return (await run.restored()).threadId as number;
}

describe('a log point with {checkpoint}', () => {
  it('takes one each time it is hit, without a stop, and each can be gone back to', async () => {
    const run = await launched({}, (one) =>
      one.breakAt(source, [{ line: line('in loop'), logMessage: '{checkpoint} at i = {i}' }, line('print')]),
    );
    const { threadId } = await run.stopped('breakpoint');
    expect(run.console.match(/^checkpoint \d+ at i = \d$/gm)).toEqual(
      [1, 2, 3, 4, 5].map((id) => `checkpoint ${id} at i = ${id - 1}`),
    );
    const all = await taken(run);
    expect(all.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    for (const record of all)
      expect(record).toMatchObject({
        label: 'p.y = add(p.y, i); /* in loop */',
        automatic: false,
        stop: { reason: 'breakpoint', threadId, source, line: line('in loop'), function: 'main' },
      });
    for (const id of [3, 1]) {
      const thread = await restore(run, id);
      expect((await run.top(thread)).line).toBe(line('in loop'));
      expect(await run.value('i', thread)).toBe(String(id - 1));
    }
    // From there it passes the same line again.
    await run.breakAt(source, [line('print')]);
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    expect(await run.value('p.y', threadId)).toBe('12');
    await place.finish(run);
  });

  it('gives it the name that is wanted, and counts conditions and hits as any other', async () => {
    const run = await launched({}, (one) =>
      one.breakAt(source, [
        {
          line: line('in loop'),
          condition: 'i > 0',
          hitCondition: '% 2',
          logMessage: 'kept: {checkpoint: pass {i}}; {checkpoint}',
        },
        { line: line('deepest'), logMessage: '{ checkpoint }' },
        line('print'),
      ]),
    );
    await run.stopped('breakpoint');
    expect(run.console.match(/^.*checkpoint \d.*$/gm)).toEqual([
      'kept: checkpoint 1; checkpoint 1',
      'kept: checkpoint 2; checkpoint 2',
      'checkpoint 3',
    ]);
    expect((await taken(run)).map(({ label }) => label)).toEqual(['pass 2', 'pass 4', 'return 0; /* deepest */']);
    await place.finish(run);
  });

  it('leaves names of the program as they are', async () => {
    const run = await launched({}, (one) =>
      one.breakAt(source, [
        { line: line('in add'), logMessage: '{(checkpoint)} {checkpoint::x} {checkpoints}' },
        line('in loop'),
      ]),
    );
    await run.stopped('breakpoint');
    expect(run.console).toMatch(/<No symbol "checkpoint" in current context\.> <.*> <No symbol "checkpoints"/);
    expect(await taken(run)).toEqual([]);
    await place.finish(run);
  });

  it('tells of each by an event, and lets a step that passes it go on', async () => {
    const run = await place.start({ strict: ['checkpoint/changed'] });
    await run.initialize();
    await run.launch({ program, automaticCheckpoints: false }, () =>
      run.breakAt(source, [line('first stop'), { line: line('in add'), logMessage: '{checkpoint}' }]),
    );
    const { threadId } = await run.stopped('breakpoint');
    await run.ask('next', { threadId });
    await run.stopped('step');
    expect((await run.top(threadId)).line).toBeGreaterThan(line('first stop'));
    expect(await run.event('checkpoint/changed')).toEqual({ reason: 'taken', id: 1, currentId: 1 });
    await place.finish(run);
  });

  it('keeps no more of them than the limit, says so, and never drops one that was renamed', async () => {
    const run = await place.start();
    await run.initialize();
    await run.launch({ program, automaticCheckpoints: { most: 3, timeShare: 1e-9 } }, () =>
      run.breakAt(source, [{ line: line('in add'), logMessage: '{checkpoint}' }, line('first stop'), line('in loop')]),
    );
    const { threadId } = await run.stopped('breakpoint');
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    const [first] = await taken(run).then((all) => all.filter(({ automatic }) => !automatic));
    await run.ask('checkpoint/rename', { id: first!.id, label: 'mine' });
    await run.breakAt(source, [{ line: line('in add'), logMessage: '{checkpoint}' }, line('print')]);
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    await run.said(/3 and 512 MiB are kept/);
    for (let i = 0; i < 2; i++) await run.event('checkpoint/changed', ({ reason }) => reason === 'dropped');
    const named = (await taken(run)).filter(({ automatic }) => !automatic);
    expect(named.map(({ label }) => label)).toEqual(['mine', ...Array(3).fill('int sum = a + b; /* in add */')]);
    expect(run.console.match(/are kept/g)).toHaveLength(1);
    await run.disconnect();
  });

  it('keeps the session after the end of the program, which a checkpoint then brings back', async () => {
    const run = await launched({ args: ['exit3'] }, (one) =>
      one.breakAt(source, [{ line: line('print'), logMessage: '{checkpoint: before the end}' }]),
    );
    await run.event('exited');
    await run.stopped('exit');
    const [record] = await taken(run);
    const thread = await restore(run, record!.id);
    expect((await run.top(thread)).line).toBe(line('print'));
    await place.finish(run);
  });

  it('says why there is none, and lets the program go on', async () => {
    const run = await place.start({ env: { SAVEPOINT_STORE_LIMIT: '4M' } });
    await run.initialize();
    const { program: big, source: bigSource } = BIG;
    await run.launch({ program: big, args: ['64', '5'], automaticCheckpoints: false }, () =>
      run.breakAt(bigSource, [{ line: lineOf(bigSource, 'written'), logMessage: 'tried: {checkpoint}' }]),
    );
    await run.event('exited');
    await run.event('terminated');
    expect(run.console.match(/^tried: no checkpoint \(.*page store.*\)$/gm)).toHaveLength(5);
    expect(run.output).toMatch(/sound after 5 rounds/);
    await place.finish(run);
  });

  it('passed hundreds of times without a stop between, keeps within the limit', async () => {
    const run = await place.start();
    await run.initialize();
    const { program: big, source: bigSource } = BIG;
    await run.launch({ program: big, args: ['1', '300'], automaticCheckpoints: { most: 20, timeShare: 1e-9 } }, () =>
      run.breakAt(bigSource, [{ line: lineOf(bigSource, 'written'), logMessage: '{checkpoint}' }, lineOf(bigSource, 'looked')]),
    );
    await run.stopped('breakpoint');
    expect(run.console.match(/^checkpoint \d+$/gm)).toHaveLength(300);
    let kept = 300;
    // What is over the limit goes a few at a time.
    for (; kept > 20; kept--) await run.event('checkpoint/changed', ({ reason }) => reason === 'dropped');
    const named = (await taken(run)).filter(({ automatic }) => !automatic);
    expect(named.length).toBeLessThanOrEqual(20);
    expect(named.at(-1)!.id).toBe(300);
    const thread = await restore(run, named[0]!.id);
    expect(await run.value('round_number', thread)).toBe(String(named[0]!.id - 1));
    await run.breakAt(bigSource, []);
    await run.ask('continue', { threadId: thread });
    await run.event('exited');
    await run.stopped('exit');
    expect(run.output).toMatch(/sound after 300 rounds/);
    await run.disconnect();
  });
});

describe('the filter "checkpoint when thrown"', () => {
  const filters = (run: DapRun, ...options: readonly Record<string, string>[]): Promise<unknown> =>
    run.ask('setExceptionBreakpoints', { filters: [], filterOptions: options });

  it('leaves a checkpoint at each throw, and the one that ended the program can be gone back to', async () => {
    const run = await launched({ program: cpp, args: ['the last one'] }, (one) => filters(one, { filterId: 'throwCheckpoint' }));
    expect(await run.event('exited')).toEqual({ exitCode: 134 });
    await run.stopped('exit');
    expect(run.console.match(/^checkpoint \d: throw std::runtime_error$/gm)).toHaveLength(2);
    const [, last] = await taken(run);
    expect(last).toMatchObject({
      label: 'throw std::runtime_error',
      stop: { reason: 'exception', source: cppSource, line: lineOf(cppSource, 'throws'), function: 'fail' },
    });
    const threadId = await restore(run, last!.id);
    const { stackFrames } = await run.ask('stackTrace', { threadId });
    const frame = stackFrames.find(({ name }: { name: string }) => name.startsWith('fail'));
    expect(frame.line).toBe(lineOf(cppSource, 'throws'));
    const { what } = await run.locals(frame.id);
    expect(what!.value).toMatch(/the last one/);
    await place.finish(run);
  });

  it('stands beside the ones that stop, and has a condition', async () => {
    const condition = '$_siginfo.si_signo != 0 && 1 == 0';
    const run = await launched({ program: cpp }, (one) =>
      filters(one, { filterId: 'throwCheckpoint', condition }, { filterId: 'catch' }),
    );
    const { threadId, description } = await run.stopped('exception');
    expect(description).toBe('C++: exception caught');
    expect(await taken(run)).toEqual([]);
    await run.ask('continue', { threadId });
    await run.event('exited');
    await run.event('terminated');
    await place.finish(run);
  });

  it('is refused with a condition that cannot be read, and then does nothing', async () => {
    let reply: { breakpoints: readonly Record<string, unknown>[] } | undefined;
    const run = await launched({ program: cpp }, async (one) => {
      reply = (await filters(one, { filterId: 'throwCheckpoint', condition: '1 +' })) as typeof reply;
    });
    expect(reply?.breakpoints).toEqual([{ verified: false, message: expect.stringMatching(/syntax error/) }]);
    await run.event('exited');
    await run.event('terminated');
    await place.finish(run);
  });

  it('of signals leaves one before the signal is dealt with', async () => {
    const run = await launched({ args: ['crash'] }, (one) =>
      filters(one, { filterId: 'signalsCheckpoint', condition: 'SIGSEGV' }),
    );
    expect(await run.event('exited')).toEqual({ exitCode: 139 });
    await run.stopped('exit');
    const [record] = await taken(run);
    expect(record).toMatchObject({ label: 'SIGSEGV', stop: { reason: 'exception', line: line('crash'), function: 'end' } });
    const thread = await restore(run, record!.id);
    expect((await run.top(thread)).line).toBe(line('crash'));
    await place.finish(run);
  });
});
