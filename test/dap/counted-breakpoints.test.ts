/** Conditions and hit conditions of breakpoints that are on no line: data, functions, instructions. */

import { debugRegistersFire, warnOfMissingRegisters } from '../support/debug-registers';
import { program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const fire = debugRegistersFire();
if (!fire) warnOfMissingRegisters('data breakpoints on reads are tested to be refused');

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

async function atFirstStop(): Promise<{ run: DapRun; thread: number }> {
  const run = await place.launched({ program, automaticCheckpoints: false }, (one) =>
    one.breakAt(source, [lineOf(source, 'first stop')]),
  );
  const { threadId } = await run.stopped('breakpoint');
  return { run, thread: threadId };
}

async function go(run: DapRun, thread: number): Promise<void> {
  await run.ask('continue', { threadId: thread });
}

async function ends(run: DapRun): Promise<void> {
  await run.event('exited');
  await run.event('terminated');
  await place.finish(run);
}

describe('data breakpoints', () => {
  async function watching(more: Record<string, unknown>): Promise<{ run: DapRun; thread: number; id: number }> {
    const { run, thread } = await atFirstStop();
    const { dataId } = await run.ask('dataBreakpointInfo', { name: 'global_counter' });
    const { breakpoints } = await run.ask('setDataBreakpoints', { breakpoints: [{ dataId, ...more }] });
    expect(breakpoints).toEqual([expect.objectContaining({ verified: true })]);
    return { run, thread, id: breakpoints[0].id };
  }

  /** What the stops say until the program ends. */
  async function stops(run: DapRun, thread: number, id: number, texts: readonly RegExp[]): Promise<void> {
    for (const expected of texts) {
      await go(run, thread);
      const { text, hitBreakpointIds } = await run.stopped('data breakpoint');
      expect(text).toMatch(expected);
      expect(hitBreakpointIds).toEqual([id]);
    }
    await go(run, thread);
    await ends(run);
  }

  // It is 7, and 5, 2, 3, 5, 8 and 12 are added.
  it.each<[Record<string, unknown>, readonly RegExp[]]>([
    [{ condition: 'global_counter > 20' }, [/17 → 22$/, /22 → 30$/, /30 → 42$/]],
    [{ hitCondition: '4' }, [/17 → 22$/, /22 → 30$/, /30 → 42$/]],
    [{ hitCondition: '> 4' }, [/22 → 30$/, /30 → 42$/]],
    [{ hitCondition: '== 2' }, [/12 → 14$/]],
    [{ hitCondition: '% 3' }, [/14 → 17$/, /30 → 42$/]],
    [{ hitCondition: '< 3' }, [/7 → 12$/, /12 → 14$/]],
    [{ hitCondition: '== 2', condition: 'global_counter > 20' }, [/22 → 30$/]],
    [{ hitCondition: '2', condition: 'global_counter > 20' }, [/22 → 30$/, /30 → 42$/]],
  ])('on writes, %j', async (more, texts) => {
    const { run, thread, id } = await watching({ accessType: 'write', ...more });
    await stops(run, thread, id, texts);
  });

  const reading: readonly [Record<string, unknown>, readonly RegExp[]][] = [
    [{ accessType: 'read' }, [/is 7$/, /is 12$/, /is 14$/, /is 17$/, /is 22$/, /is 30$/]],
    [{ accessType: 'read', hitCondition: '% 4' }, [/is 17$/]],
    [{ accessType: 'readWrite', condition: 'global_counter > 20' }, [/17 → 22$/, /is 22$/, /22 → 30$/, /is 30$/, /30 → 42$/]],
  ];

  it.each(reading)('on reads, %j, or refused when they are set, where no debug register finds reads', async (more, texts) => {
    if (fire) {
      const { run, thread, id } = await watching(more);
      await stops(run, thread, id, texts);
      return;
    }
    const { run, thread } = await atFirstStop();
    const { dataId } = await run.ask('dataBreakpointInfo', { name: 'global_counter' });
    const { breakpoints } = await run.ask('setDataBreakpoints', { breakpoints: [{ dataId, ...more }] });
    expect(breakpoints).toEqual([
      expect.objectContaining({ verified: false, message: expect.stringMatching(/on reads: needs debug registers/) }),
    ]);
    await go(run, thread);
    await ends(run);
  });
});

it.each([
  ['3', undefined, ['1', '2', '3', '4']],
  ['== 2', undefined, ['0']],
  ['% 3', undefined, ['1', '4']],
  ['<= 2', undefined, ['4', '0']],
  ['> 1', 'b > 1', ['2', '3', '4']],
])('a function breakpoint with the hit condition %s and the condition %s', async (hitCondition, condition, values) => {
  const run = await place.launched({ program, automaticCheckpoints: false }, async (one) => {
    const { breakpoints } = await one.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'add', hitCondition, condition }] });
    expect(breakpoints).toEqual([expect.objectContaining({ verified: true })]);
  });
  for (const value of values) {
    const { threadId } = await run.stopped('function breakpoint');
    expect(await run.value('b', threadId)).toBe(value);
    await go(run, threadId);
  }
  await ends(run);
});

it.each([
  [{ condition: '$esi == 3' }, ['3']],
  [{ hitCondition: '5' }, ['3', '4']],
  [{ hitCondition: '% 2' }, ['0', '2', '4']],
  [{ condition: '$esi > 1', hitCondition: '== 3' }, ['3']],
])('an instruction breakpoint with %j', async (more, values) => {
  const { run, thread } = await atFirstStop();
  const instructionReference = /0x[0-9a-f]+/.exec(await run.value('&add', thread))![0];
  const { breakpoints } = await run.ask('setInstructionBreakpoints', { breakpoints: [{ instructionReference, ...more }] });
  expect(breakpoints).toEqual([expect.objectContaining({ verified: true })]);
  for (const value of values) {
    await go(run, thread);
    await run.stopped('instruction breakpoint');
    // The second argument is in its register.
    expect(await run.value('$esi', thread)).toBe(value);
  }
  await go(run, thread);
  await ends(run);
});
