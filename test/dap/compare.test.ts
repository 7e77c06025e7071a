/** Comparing a checkpoint with the present or another one: what is shown of the past is what was, and nothing is changed by looking. */

import type { CompareResult, ScopeDifference } from '../../native/control/schema';
import { fixture, root } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';
import { captureMemory, compareMemory } from '../support/proc-memory';
import { lineOf } from '../support/source-lines';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const sourceOf = (name: string): string => `${root}/test/fixtures/${name}`;

async function start(program: string, file: string, comments: readonly string[]): Promise<{ run: DapRun; thread: number }> {
  const run = await place.start();
  await run.initialize();
  const lines = comments.map((comment) => lineOf(sourceOf(file), comment));
  await run.launch({ program: fixture(program), automaticCheckpoints: false }, () => run.breakAt(sourceOf(file), lines));
  const { threadId } = await run.stopped('breakpoint');
  return { run, thread: threadId };
}

async function toNext(run: DapRun, thread: number): Promise<void> {
  await run.ask('continue', { threadId: thread });
  await run.stopped('breakpoint');
}

async function take(run: DapRun): Promise<number> {
  return (await run.ask('checkpoint/take')).checkpoint.id;
}

async function compare(run: DapRun, id: number, other?: number): Promise<CompareResult> {
  return await run.ask('checkpoint/compare', { id, ...(other === undefined ? {} : { with: other }) });
}

const scope = (result: CompareResult, name: string): ScopeDifference => {
  const found = result.scopes?.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name} in ${JSON.stringify(result.scopes?.map((one) => one.name))}`);
  return found;
};

/** `before -> after` of each that changed. */
const changes = (found: ScopeDifference): Record<string, string> =>
  Object.fromEntries(
    found.variables
      .filter(({ changed }) => changed)
      .map(({ name, before, after }) => [name, `${before ?? 'none'} -> ${after ?? 'none'}`.replace(/\s+/g, ' ')]),
  );

/** What a program has printed, as variables: `own 100 counter 7`. */
const printed = (run: DapRun): Record<string, string>[] =>
  [...run.output.matchAll(/^(\w+ \S+(?: \w+ \S+)*)\r?$/gm)].map(([, text]) =>
    Object.fromEntries([...text!.matchAll(/(\w+) (\S+)/g)].map(([, name, value]) => [name!, value!])),
  );

describe('a program in C', () => {
  it('is compared with the present: variables, threads, descriptors, memory; and is left as it is', async () => {
    const { run, thread } = await start('compare', 'compare.c', ['first stop', 'second stop']);
    const line = (comment: string): number => lineOf(sourceOf('compare.c'), comment);
    const id = await take(run);
    await toNext(run, thread);
    const { pid } = (await run.ask('checkpoint/list')).checkpoints[0];
    const frame = await run.top(thread);
    const { scopes } = await run.ask('scopes', { frameId: frame.id });
    const registers = await run.ask('evaluate', { expression: '-exec info all-registers', context: 'repl' });
    const memory = captureMemory(pid);
    const result = await compare(run, id);

    const main = scope(result, 'main');
    expect(main).toMatchObject({
      kind: 'call',
      before: `compare.c:${line('first stop')}`,
      after: `compare.c:${line('second stop')}`,
    });
    expect(changes(main)).toEqual({
      p: expect.stringMatching(/^\{ x = 1, y = 2, name = 0x\w+ "origin" \} -> \{ x = 6, y = 6, name = 0x\w+ "moved" \}$/),
      list: expect.stringMatching(/^0x0 -> 0x/),
      '*list': 'none -> { next = 0x0, value = 42 }',
      room: expect.stringMatching(/\\001.* -> .*\\002/),
      devnull: '-1 -> 4',
      other: expect.stringMatching(/^0 -> /),
    });
    expect(main.variables.find(({ name }) => name === 'fd')).toEqual({ name: 'fd', before: '3', after: '3', changed: false });
    // Held against what the program itself has said at either time.
    const [then, now] = printed(run);
    const files = changes(scope(result, 'compare.c'));
    for (const name of ['own', 'counter', 'ratio'])
      expect([name, files[name]]).toEqual([name, `${then![name]} -> ${now![name]}`]);
    expect(files['text']).toMatch(/^"first".* -> "second"/);
    expect(files['many']).toBe('{0 <repeats 1000 times>} -> {0 <repeats 900 times>, 4, 0 <repeats 99 times>}');

    // In which line is open: a worker says that it is there before it sleeps.
    const waiting = { function: 'worker', source: sourceOf('compare.c') };
    expect(result.threads.map(({ change, before, after }) => [change, before, after])).toEqual([
      ['moved', expect.objectContaining({ line: line('first stop') }), expect.objectContaining({ line: line('second stop') })],
      ['gone', expect.objectContaining(waiting), undefined],
      ['new', undefined, expect.objectContaining(waiting)],
    ]);
    expect(result.descriptors).toEqual([
      {
        fd: 3,
        change: 'moved',
        before: { kind: 'file', target: expect.stringMatching(/savepoint-compare/), position: 0 },
        after: expect.objectContaining({ position: 5 }),
      },
      { fd: 4, change: 'opened', after: { kind: 'character device', target: '/dev/null' } },
    ]);
    expect(result.regions.filter(({ name }) => name === '[stack]')).toMatchObject([{ change: 'changed' }]);
    expect(result.changedPages).toBe(
      result.regions.reduce((sum, { change, pages }) => sum + (change === 'changed' ? pages : 0), 0),
    );
    expect([result.id, result.with, result.before.threads, result.after.threads, result.omitted]).toEqual([
      id,
      undefined,
      2,
      2,
      [],
    ]);

    expect(compareMemory(memory, captureMemory(pid))).toEqual([]);
    expect(await run.ask('evaluate', { expression: '-exec info all-registers', context: 'repl' })).toEqual(registers);
    expect((await run.children(scopes[0].variablesReference))['devnull']!.value).toBe('4');
    expect((await run.ask('checkpoint/list')).checkpoints).toHaveLength(2);
    await place.finish(run);
  });

  it('is compared between two checkpoints, in either direction, and from anywhere', async () => {
    const { run, thread } = await start('compare', 'compare.c', ['first stop', 'end of inner', 'second stop', 'last stop']);
    const first = await take(run);
    await toNext(run, thread);
    const inside = await take(run);
    await toNext(run, thread);
    const second = await take(run);
    await toNext(run, thread);

    const there = await compare(run, first, second);
    expect(changes(scope(there, 'compare.c'))['counter']).toBe('7 -> 8');
    const back = await compare(run, second, first);
    expect(changes(scope(back, 'compare.c'))['counter']).toBe('8 -> 7');
    expect(back.changedPages).toBe(there.changedPages);
    expect(back.descriptors.map(({ change }) => change)).toEqual(['moved', 'closed']);
    expect(back.threads.map(({ change }) => change)).toEqual(['moved', 'new', 'gone']);

    // A call that is only in one of them stands beside the one that is in both.
    const deeper = await compare(run, first, inside);
    expect(deeper.scopes!.map(({ name, before, after }) => [name, before !== undefined, after !== undefined])).toEqual([
      ['inner', false, true],
      ['main', true, true],
      ['compare.c', false, false],
    ]);
    expect(changes(scope(deeper, 'inner'))).toMatchObject({ depth: 'none -> 3', sum: 'none -> 6' });
    expect(changes(scope(deeper, 'inner'))['*at']).toMatch(/^none -> \{ x = 1, y = 6, name = 0x\w+ "moved" \}$/);
    expect(changes(scope(deeper, 'main'))['p']).toMatch(/y = 2.* -> .*y = 6/);

    const same = await compare(run, second, second);
    expect([same.threads, same.descriptors, same.regions, same.changedPages]).toEqual([[], [], [], 0]);
    expect(same.scopes!.flatMap(({ variables }) => variables.filter(({ changed }) => changed))).toEqual([]);
    await place.finish(run);
  });

  it('of a checkpoint that is the present, nothing differs, with breakpoints set', async () => {
    const { run } = await start('compare', 'compare.c', ['first stop', 'call', 'leaves']);
    const id = await take(run);
    const result = await compare(run, id);
    expect([result.threads, result.descriptors, result.regions, result.changedPages]).toEqual([[], [], [], 0]);
    expect(result.scopes!.flatMap(({ variables }) => variables.filter(({ changed }) => changed))).toEqual([]);
    await place.finish(run);
  });

  it('cannot be compared while it runs, nor with what there is not; of an ended one, checkpoints can, without variables', async () => {
    const { run, thread } = await start('compare', 'compare.c', ['first stop', 'second stop']);
    const first = await take(run);
    await toNext(run, thread);
    const second = await take(run);
    expect(await run.refusal('checkpoint/compare', { id: 99 })).toBe('No checkpoint number 99.');
    expect(await run.refusal('checkpoint/compare', { id: first, with: 98 })).toBe('No checkpoint number 98.');
    expect(await run.refusal('checkpoint/compare', { id: 'x' })).toMatch(/"id" must be a whole number/);
    expect(await run.value('counter', thread)).toBe('8');
    await run.ask('continue', { threadId: thread });
    await run.event('exited');
    await run.stopped('exit');
    expect(await run.refusal('checkpoint/compare', { id: first })).toMatch(/has ended/);
    const result = await compare(run, first, second);
    expect([result.scopes, result.threads.length, result.descriptors.length]).toEqual([undefined, 3, 2]);
    await run.ask('checkpoint/restore', { id: second });
    await run.restored();
    expect(await run.value('counter', thread)).toBe('8');
    await place.finish(run);
  });

  it('while it runs, says so', async () => {
    const run = await place.start();
    await run.initialize();
    await run.launch({ program: fixture('dap-basic'), args: ['wait'], automaticCheckpoints: false });
    await run.printed(/1 args/);
    const id = await take(run);
    expect(await run.refusal('checkpoint/compare', { id })).toBe('notStopped');
    await place.finish(run);
  });
});

test('containers of C++ are shown as their pretty printers show them, then and now', async () => {
  const { run, thread } = await start('compare-cpp', 'compare-cpp.cc', ['first stop', 'end of pay', 'second stop']);
  const first = await take(run);
  await toNext(run, thread);
  const paying = await take(run);
  await toNext(run, thread);
  const { account, note, '*shared': shared } = changes(scope(await compare(run, first), 'main')) as Record<string, string>;
  expect(account).toBe(
    '{ owner = "ada", payments = std::vector of length 2, capacity 2 = {1, 2}, tags = std::map with 1 element = { ["open"] = 1 } } -> ' +
      '{ owner = "ada lovelace", payments = std::vector of length 3, capacity 4 = {1, 2, 30}, ' +
      'tags = std::map with 2 elements = { ["open"] = 1, ["paid"] = 30 } }',
  );
  expect(note).toBe('"a rather long note that lies on the heap" -> "another note that lies on the heap as well"');
  expect(shared).toBe('5 -> 6');
  const inside = changes(scope(await compare(run, first, paying), 'Account::pay'));
  expect(inside).toMatchObject({ amount: 'none -> 30' });
  expect(inside['*this']).toMatch(/none -> \{ owner = "ada", payments = .*\{1, 2, 30\}/);
  await place.finish(run);
});

describe('whatever happens in the middle', () => {
  /** A printer that does something to gdb while the checkpoint is looked at. */
  const printer = (act: string): { text: string } => {
    const file = place.write(
      'printer.py',
      `
import gdb, os, signal
class Printer:
    def __init__(self, value): self.value = value
    def to_string(self):
        ${act}
        return "printed %d" % int(self.value["x"])
def look(value):
    return Printer(value) if value.type.strip_typedefs().tag == "point" else None
gdb.pretty_printers.append(look)
`,
    );
    return { text: `source ${file}` };
  };

  async function atSecond(act: string): Promise<{ run: DapRun; thread: number; id: number }> {
    const run = await place.start();
    await run.initialize();
    const lines = ['first stop', 'second stop'].map((comment) => lineOf(sourceOf('compare.c'), comment));
    const settings = { program: fixture('compare'), automaticCheckpoints: false, setupCommands: [printer(act)] };
    await run.launch(settings, () => run.breakAt(sourceOf('compare.c'), lines));
    const { threadId } = await run.stopped('breakpoint');
    const id = await take(run);
    await toNext(run, threadId);
    return { run, thread: threadId, id };
  }

  it.each([
    ['raises', 'raise RuntimeError("broken printer")', /^\{\s+x = 1,/],
    ['calls a function of the program', 'gdb.parse_and_eval("(int)getpid()")', /^\{\s+x = 1,/],
    [
      'writes to the program',
      'gdb.selected_inferior().write_memory(int(self.value.address), b"xxxx")',
      /Cannot access memory|E01|being looked at/,
    ],
  ])("a printer that %s is that value's trouble alone", async (_, act, words) => {
    const { run, thread, id } = await atSecond(`if int(self.value["x"]) == 1: ${act}`);
    const main = scope(await compare(run, id), 'main');
    const p = main.variables.find(({ name }) => name === 'p')!;
    expect([p.before, p.after]).toEqual([expect.stringMatching(words), 'printed 6']);
    expect(main.variables.find(({ name }) => name === 'devnull')).toMatchObject({ before: '-1', after: '4' });
    expect([await run.value('p.x', thread), await run.value('counter', thread)]).toEqual(['6', '8']);
    expect((await run.ask('setExpression', { expression: 'p.x', value: '9', frameId: (await run.top(thread)).id })).value).toBe(
      '9',
    );
    await place.finish(run);
  });

  it('an interrupt of gdb ends the comparison, not the session, and gdb sees the present', async () => {
    const { run, thread, id } = await atSecond(
      'if int(self.value["x"]) == 1: os.kill(os.getpid(), signal.SIGINT); signal.pause()',
    );
    await run.refusal('checkpoint/compare', { id });
    expect(await run.value('counter', thread)).toBe('8');
    expect((await run.ask('checkpoint/take')).checkpoint.id).toBe(id + 1);
    await place.finish(run);
  });

  it('a gdb that dies ends the session and leaves nothing', async () => {
    const { run, id } = await atSecond('if int(self.value["x"]) == 1: os.kill(os.getpid(), signal.SIGKILL)');
    expect(await run.refusal('checkpoint/compare', { id })).not.toMatch(/^no error/);
    await run.event('terminated');
    expect(run.console).toMatch(/The debugger has ended: gdb ended by SIGKILL/);
    await place.finish(run);
  });

  it('a client that goes ends everything', async () => {
    const { run, id } = await atSecond('if int(self.value["x"]) == 1: import time; time.sleep(4)');
    const answer = run.client.send('checkpoint/compare', { id }).catch(() => {});
    await run.ask('threads').catch(() => {});
    run.closeWire();
    await run.gone();
    void answer;
    await place.expectNothingLeft();
  });
});
