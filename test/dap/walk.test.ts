/**
 * A random walk of requests against a program whose every value is known. SAVEPOINT_SEED repeats one, SAVEPOINT_SCALE=10 makes it ten thousand
 * requests.
 */

import type { ScopeDifference, VariableDifference } from '../../native/control/schema';
import { fixture, root } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';
import { type Random, scaled, withSeed } from '../support/random';
import { lineOf } from '../support/source-lines';
import { type WalkLine, WalkModel, mixLines, walkLines } from '../support/walk-model';

const program = fixture('dap-walk');
const source = `${root}/test/fixtures/dap-walk.c`;
const line = (comment: string): number => lineOf(source, comment);
const nameOf = new Map<number, string>([...walkLines, ...mixLines].map((name) => [line(name), name]));

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

interface Seen {
  readonly name: string;
  readonly at: string;
  readonly round: number;
  readonly total: number;
  readonly values: string;
}

class Walk {
  private readonly model = new WalkModel();
  private readonly kept = new Map<number, Seen>();
  private thread = 1;
  requests = 0;

  constructor(
    private readonly run: DapRun,
    private readonly random: Random,
  ) {}

  private async ask(command: string, args: object = {}): Promise<any> {
    this.requests++;
    return await this.run.ask(command, args);
  }

  /** An answer, whatever it is. */
  private async try(command: string, args: object, allowed: RegExp): Promise<boolean> {
    this.requests++;
    const answer = await this.run.reply(command, args);
    if (answer.startsWith('no error: ')) return true;
    expect([command, answer]).toEqual([command, expect.stringMatching(allowed)]);
    return false;
  }

  async stopped(...reasons: string[]): Promise<void> {
    const stop = await this.run.stopped();
    if (reasons.length > 0) expect(reasons).toContain(stop.reason);
    this.thread = stop.threadId;
  }

  /** What is there, after it was compared with the model. */
  async look(): Promise<Seen> {
    const { stackFrames } = await this.ask('stackTrace', { threadId: this.thread });
    const main = stackFrames.find((frame: { name: string }) => frame.name === 'main');
    const top = stackFrames[0];
    const value = async (expression: string, frameId = main.id): Promise<string> =>
      (await this.ask('evaluate', { expression, frameId, context: 'watch' })).result;
    const round = Number(await value('rounds'));
    const total = Number(await value('total'));
    const { memoryReference } = await this.ask('evaluate', { expression: '&values', frameId: main.id, context: 'watch' });
    const { data } = await this.ask('readMemory', { memoryReference, count: 32 });
    const bytes = Buffer.from(data, 'base64');
    const values = Array.from({ length: 8 }, (_, i) => bytes.readInt32LE(4 * i));
    const seen = { name: top.name, at: top.instructionPointerReference, round, total, values: values.join() };
    this.compare(seen, nameOf.get(main.line));
    if (top.name === 'mix' && nameOf.get(top.line) !== undefined && nameOf.get(top.line) !== 'in mix') {
      const { x, y } = this.model.argument(round);
      expect([await value('x', top.id), await value('y', top.id)]).toEqual([String(x), String(y)]);
    }
    return seen;
  }

  private compare(seen: Seen, name: string | undefined): void {
    // Before the loop there is nothing to know; a counted round is at its end or the next one's beginning.
    if (name === undefined) return;
    const rounds = name === 'count' && seen.round > 0 ? [seen.round, seen.round - 1] : [seen.round];
    const possible = rounds.flatMap((round) => this.model.possible(round, name as WalkLine));
    const wanted = possible.map(({ total, values }) => `${total} ${values.join()}`);
    const state = `${seen.total} ${seen.values}`;
    if (!wanted.includes(state)) throw new Error(`at "${name}" of round ${seen.round}: ${state}, and not ${wanted.join(' or ')}`);
  }

  private async keep(id: number): Promise<void> {
    this.kept.set(id, await this.look());
  }

  private readonly moves: readonly (() => Promise<void>)[] = [
    ...['next', 'stepIn', 'stepOut', 'stepIn'].map((command) => async () => {
      const granularity = this.random.chance(0.3) && command !== 'stepOut' ? { granularity: 'instruction' } : {};
      if (await this.try(command, { threadId: this.thread, ...granularity }, /was not called by another/)) await this.stopped();
    }),
    async () => {
      await this.ask('setBreakpoints', {
        source: { path: source },
        breakpoints: [
          { line: line(this.random.pick(['add', 'store', 'count'])), hitCondition: this.random.pick(['1', '3', '% 2']) },
        ],
      });
      await this.ask('continue', { threadId: this.thread });
      await this.stopped('breakpoint');
      if (this.random.chance(0.5)) await this.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
    },
    async () => {
      await this.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
      await this.ask('continue', { threadId: this.thread });
      // While it runs: a checkpoint, breakpoints elsewhere, lists, what needs a stop.
      const taken = this.random.chance(0.5) ? this.ask('checkpoint/take', { label: 'running' }) : undefined;
      const others = [
        this.ask('setFunctionBreakpoints', { breakpoints: [] }),
        this.ask('checkpoint/list'),
        this.ask('threads'),
        this.try('scopes', { frameId: 1 }, /notStopped|no frame/),
      ];
      await Promise.all([taken, ...others]);
      await this.ask('pause', { threadId: this.thread });
      await this.stopped('pause');
    },
    async () => {
      const { checkpoint } = await this.ask('checkpoint/take', { label: `after ${this.requests}` });
      await this.keep(checkpoint.id);
    },
    async () => {
      const id = this.kept.size === 0 ? 0 : this.random.pick([...this.kept.keys()]);
      await this.ask('checkpoint/restore', { id, saveCurrent: this.random.chance(0.5) });
      await this.run.restored();
      // The entry is before main: on from there.
      if (id === 0) return await this.toMain();
      expect(await this.look()).toEqual(this.kept.get(id));
    },
    async () => {
      // What was, beside what is; which stays what it is.
      const before = await this.look();
      for (const [id, was] of this.kept) {
        const { scopes } = await this.ask('checkpoint/compare', { id });
        const file = scopes.find(({ kind }: ScopeDifference) => kind === 'file');
        const then = (name: string, now: string): string =>
          file?.variables.find((one: VariableDifference) => one.name === name)?.before ?? now;
        const values = `{${before.values.replaceAll(',', ', ')}}`;
        const seen = [then('rounds', String(before.round)), then('total', String(before.total)), then('values', values)];
        expect([id, ...seen]).toEqual([id, String(was.round), String(was.total), `{${was.values.replaceAll(',', ', ')}}`]);
        expect(scopes.map(({ name }: ScopeDifference) => name)).toContain('main');
      }
      expect(await this.look()).toEqual(before);
    },
    async () => {
      if (this.kept.size < 4) return;
      const id = this.random.pick([...this.kept.keys()]);
      this.kept.delete(id);
      await this.ask(this.random.chance(0.8) ? 'checkpoint/drop' : 'checkpoint/rename', { id, label: 'another' });
    },
    async () => {
      const before = await this.look();
      await this.ask('evaluate', { expression: 'total = -5', context: 'repl' });
      await this.ask('stepBack', { threadId: this.thread });
      await this.stopped('goto');
      const { stackFrames } = await this.ask('stackTrace', { threadId: this.thread });
      if (!stackFrames.some((frame: { name: string }) => frame.name === 'main')) return await this.toMain();
      expect((await this.look()).total).not.toBe(-5);
      expect(before.total).not.toBe(-5);
    },
    async () => {
      if (!(await this.try('reverseContinue', { threadId: this.thread }, /no earlier checkpoint/))) return;
      await this.stopped('goto');
      const { stackFrames } = await this.ask('stackTrace', { threadId: this.thread });
      if (!stackFrames.some((frame: { name: string }) => frame.name === 'main')) await this.toMain();
    },
    async () => {
      const { stackFrames } = await this.ask('stackTrace', { threadId: this.thread, startFrame: 0, levels: 1 });
      if (stackFrames[0].name !== 'mix') return;
      const moved = await this.try('restartFrame', { frameId: stackFrames[0].id }, /no checkpoint from before|did not come/);
      await this.stopped(...(moved ? ['restart'] : ['goto']));
    },
    async () => {
      const { stackFrames } = await this.ask('stackTrace', { threadId: this.thread });
      const { scopes } = await this.ask('scopes', { frameId: stackFrames[0].id });
      for (const { variablesReference } of scopes) await this.ask('variables', { variablesReference });
      await this.ask('disassemble', {
        memoryReference: stackFrames[0].instructionPointerReference,
        instructionOffset: -this.random.below(20),
        instructionCount: 20,
      });
      await this.try('variables', { variablesReference: 999_999 }, /no variable/);
    },
    async () => {
      const requestId = (this.run.client as unknown as { sequence: number }).sequence;
      const answer = this.try('loadedSources', {}, /cancelled/);
      await this.ask('cancel', { requestId });
      await answer;
      await this.ask('completions', { text: 'tot', column: 4 });
      await this.try('noSuchRequest', {}, /no request/);
      await this.ask('modules');
    },
    async () => {
      const every = this.random.pick([2, 3, 5]);
      const condition = `rounds % ${every} == 1`;
      const logged = this.random.chance(0.5) ? [{ line: line('add'), condition, logMessage: 'round {rounds}' }] : [];
      await this.ask('setBreakpoints', {
        source: { path: source },
        breakpoints: [{ line: line(this.random.pick(['call', 'count'])), condition }, ...logged],
      });
      await this.ask('continue', { threadId: this.thread });
      await this.stopped('breakpoint');
      expect((await this.look()).round % every).toBe(1);
      await this.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
    },
    async () => {
      // Changed in one of the ways that there are, seen, and gone back from.
      const before = await this.look();
      const { checkpoint } = await this.ask('checkpoint/take', { label: 'before a change' });
      await this.random.pick(this.changes)();
      expect((await this.ask('evaluate', { expression: 'total', context: 'watch' })).result).toBe('-77');
      await this.ask('checkpoint/restore', { id: checkpoint.id, saveCurrent: this.random.chance(0.5) });
      await this.run.restored();
      expect(await this.look()).toEqual(before);
      this.kept.set(checkpoint.id, before);
    },
    async () => {
      await this.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
      if (this.random.chance(0.5)) await this.ask('continue', { threadId: this.thread });
      await this.ask('restart');
      await this.run.event('continued');
      await this.stopped('entry');
      const value = async (expression: string): Promise<string> =>
        (await this.ask('evaluate', { expression, context: 'watch' })).result;
      expect([await value('rounds'), await value('total')]).toEqual(['0', '0']);
      await this.toMain();
    },
    async () => {
      const id = this.random.pick([0, ...this.kept.keys()]);
      await this.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
      await this.ask('continue', { threadId: this.thread });
      // Of a program that runs; others of its checkpoints are renamed and dropped meanwhile.
      const other = [...this.kept.keys()].find((one) => one !== id && this.kept.size > 3);
      if (other !== undefined) {
        this.kept.delete(other);
        await this.ask('checkpoint/rename', { id: other, label: 'while it runs' });
        await this.ask('checkpoint/drop', { id: other });
      }
      await this.ask('checkpoint/restore', { id, saveCurrent: this.random.chance(0.5) });
      await this.stopped('goto');
      if (id === 0) await this.toMain();
      else expect(await this.look()).toEqual(this.kept.get(id));
    },
    async () => {
      const { dataId } = await this.ask('dataBreakpointInfo', { name: 'total' });
      await this.ask('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'write' }] });
      await this.ask('setBreakpoints', { source: { path: source }, breakpoints: [] });
      const { total } = await this.look();
      await this.ask('continue', { threadId: this.thread });
      const { reason, text } = await this.run.stopped();
      expect([reason, text]).toEqual(['data breakpoint', expect.stringMatching(new RegExp(`: ${total} → \\d+$`))]);
      await this.ask('setDataBreakpoints', { breakpoints: [] });
    },
    async () => {
      expect(await this.ask('checkpoint/preflight')).toMatchObject({ possible: true });
      const { checkpoints } = await this.ask('checkpoint/list');
      const there = checkpoints.map(({ id }: { id: number }) => id);
      expect(there).toEqual(expect.arrayContaining([0, ...this.kept.keys()]));
    },
  ];

  /** `total` is -77 then. */
  private readonly changes: readonly (() => Promise<unknown>)[] = [
    async () => {
      const { stackFrames } = await this.ask('stackTrace', { threadId: this.thread });
      // It may stand in the library.
      const main = stackFrames.find(({ name }: { name: string }) => name === 'main');
      const { scopes } = await this.ask('scopes', { frameId: main.id });
      const { variablesReference } = scopes.find(
        ({ presentationHint }: { presentationHint?: string }) => presentationHint === 'globals',
      );
      await this.ask('setVariable', { variablesReference, name: 'total', value: '-77' });
    },
    async () => await this.ask('setExpression', { expression: 'total', value: '-70 - 7' }),
    async () => await this.ask('evaluate', { expression: 'total = -77', context: 'repl' }),
    async () => {
      const { memoryReference } = await this.ask('evaluate', { expression: '&total', context: 'watch' });
      await this.ask('writeMemory', { memoryReference, data: Buffer.from([0xb3, 0xff, 0xff, 0xff]).toString('base64') });
    },
  ];

  private async toMain(): Promise<void> {
    await this.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'mix' }] });
    await this.ask('continue', { threadId: this.thread });
    await this.stopped('function breakpoint', 'breakpoint');
    await this.ask('setFunctionBreakpoints', { breakpoints: [] });
  }

  async go(requests: number): Promise<void> {
    await this.toMain();
    while (this.requests < requests) {
      await this.random.pick(this.moves)();
      await this.look();
    }
  }
}

test(
  'requests at random have each one reply, and every value is that of the model',
  async () => {
    await withSeed(0, async (random) => {
      const run = await place.start();
      await run.initialize();
      await run.launch({ program, stopAtEntry: true, automaticCheckpoints: { timeShare: 1e9, most: 30 } });
      const walk = new Walk(run, random);
      await walk.stopped('entry');
      await walk.go(scaled(1000));
      await run.disconnect();
      await place.expectNothingLeft();
    });
  },
  60_000 * scaled(20),
);
