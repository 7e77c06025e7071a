/** Lines of the debug console that belong together come as a group, which is ended whatever happens; every session of a test is held to that. */

import { launching, line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = launching(() => place);

async function atFirstStop(more: Record<string, unknown> = {}): Promise<{ run: DapRun; thread: number }> {
  const run = await launched(more, (one) => one.breakAt(source, [line('first stop')]));
  return { run, thread: (await run.stopped('breakpoint')).threadId };
}

const setup = (run: DapRun): unknown => run.groups().groups.find(({ heading }) => heading === 'Setup commands');

describe('setup commands', () => {
  it('are one group, with what each of them said', async () => {
    const { run } = await atFirstStop({
      setupCommands: ['set $silent = 1', 'echo one\\ntwo\\n', { text: 'nonsense', ignoreFailures: true }, 'print 6 * 7'],
    });
    expect(setup(run)).toEqual({
      heading: 'Setup commands',
      folded: false,
      lines: ['one\ntwo', expect.stringMatching(/^setup command "nonsense": Undefined command/), '$1 = 42'],
    });
    await place.finish(run);
  });

  it('that say nothing are none', async () => {
    const { run } = await atFirstStop({ setupCommands: ['set $silent = 1'] });
    expect(setup(run)).toBeUndefined();
    await place.finish(run);
  });

  it.each([
    ['fails', 'nonsense', /setup command "nonsense"/],
    ['ends gdb', 'python import os, signal; os.kill(os.getpid(), signal.SIGKILL)', /SIGKILL/],
  ])('one that %s ends the group all the same', async (_, wrong, sentence) => {
    const run = await place.start();
    await run.initialize();
    expect(await run.refusal('launch', { program, setupCommands: ['print 6 * 7', wrong] })).toMatch(sentence);
    expect(setup(run)).toMatchObject({ lines: ['$1 = 42'] });
    expect(run.groups().faults).toEqual([]);
    await place.finish(run);
  });

  it('that are cancelled end the group all the same', async () => {
    const run = await place.start();
    await run.initialize({ supportsProgressReporting: true });
    const forever = 'python import threading; threading.Event().wait(3600)';
    const answer = run.refusal('launch', { program, setupCommands: ['print 6 * 7', forever] });
    const { progressId } = await run.event('progressStart');
    await run.ask('cancel', { progressId });
    expect(await answer).toBe('cancelled');
    await run.event('progressEnd');
    await run.event('output', (body) => body.group === 'end');
    expect(setup(run)).toMatchObject({ lines: ['$1 = 42'] });
    await place.finish(run);
  });
});

describe('what a restore could not bring back', () => {
  const notes = (run: DapRun): readonly unknown[] =>
    run.groups().groups.filter(({ lines }) => lines[0]!.startsWith('Not rolled back'));
  const group = (folded: boolean): unknown => ({
    heading: expect.stringMatching(/^Switching to checkpoint [01] \(process \d+\), [\d.]+ ms\.$/),
    folded,
    lines: expect.arrayContaining([expect.stringMatching(/^Not rolled back: fds? 0/)]),
  });

  it('is a folded group, once', async () => {
    const { run } = await atFirstStop();
    const { checkpoint } = await run.ask('checkpoint/take');
    expect(checkpoint.fidelity).not.toEqual([]);
    for (let round = 0; round < 2; round++) {
      await run.ask('checkpoint/restore', { id: checkpoint.id });
      await run.restored();
      if (round === 0) await run.event('output', (body) => body.group === 'end');
    }
    expect(notes(run)).toEqual([group(true)]);
    expect(run.console.match(/Switching to/g)).toHaveLength(1);
    await place.finish(run);
  });

  it('is an open one below the words of a typed restart', async () => {
    const { run } = await atFirstStop();
    await run.ask('evaluate', { expression: 'restart 0', context: 'repl' });
    await run.restored();
    await run.event('checkpoint/changed', ({ reason }) => reason === 'restored');
    await run.event('output', (body) => body.group === 'end');
    expect(notes(run)).toEqual([group(false)]);
    await run.ask('evaluate', { expression: 'restart 0', context: 'repl' });
    await run.restored();
    await run.event('checkpoint/changed', ({ reason }) => reason === 'restored');
    // No news, no group.
    await run.event('output', (body) => body.output.startsWith('Switching to checkpoint 0 ') && body.group === undefined);
    expect(notes(run)).toHaveLength(1);
    await place.finish(run);
  });
});

it('the last words of a gdb that ends are a group, when they are many', async () => {
  const { run } = await atFirstStop();
  const end = (words: string): string => `-exec python import os; os.write(2, b"${words}"); os.kill(os.getpid(), 9)`;
  await run.refusal('evaluate', { expression: end('out of memory\\nlost\\n'), context: 'repl' });
  await run.event('terminated');
  for (let lines = 0; lines < 4; lines++) await run.event('output', ({ category }) => category === 'stderr');
  expect(run.groups().groups).toEqual([{ heading: 'The debugger has ended:', folded: false, lines: ['out of memory', 'lost'] }]);
  await run.disconnect();
  const other = await atFirstStop();
  await other.run.refusal('evaluate', { expression: end(''), context: 'repl' });
  await other.run.event('terminated');
  expect(other.run.console).toMatch(/^The debugger has ended: gdb ended by SIGKILL$/m);
  expect(other.run.groups().groups).toEqual([]);
  await other.run.disconnect();
  await place.expectNothingLeft();
});
