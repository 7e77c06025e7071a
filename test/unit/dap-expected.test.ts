import { type Happened, contradictions, surplus } from '../support/dap-expected';
import type { DapEvent } from '../support/dap-session';

const event = (name: string, body: Record<string, unknown> = {}): DapEvent => ({ seq: 0, type: 'event', event: name, body });
const told = (name: string, body: Record<string, unknown> = {}): Happened => ({ kind: 'event', event: event(name, body) });
const asked = (command: string, args: Record<string, unknown> = {}): Happened => ({ kind: 'request', command, args });

describe('what a test has to ask for', () => {
  const launch = asked('launch', { automaticCheckpoints: false });

  /** The names of what is told behind `before` and is not excused. */
  const names = (before: readonly Happened[], events: readonly DapEvent[], strict: readonly string[] = []): string[] =>
    surplus([...before, ...events.map((one): Happened => ({ kind: 'event', event: one }))], events, strict).map(
      (text) => text.split(' ')[0]!,
    );

  it.each(['stopped', 'continued', 'exited', 'terminated', 'breakpoint', 'invalidated', 'memory', 'progressStart'])(
    '%s, always',
    (name) => {
      expect(names([launch], [event(name)])).toEqual([name]);
    },
  );

  it('not what belongs to its launch, once', () => {
    const start = [event('initialized'), event('process'), event('thread', { reason: 'started' })];
    expect(names([launch], start)).toEqual([]);
    expect(names([], start)).toEqual(['initialized', 'process']);
    expect(names([launch], [...start, event('process')])).toEqual(['process', 'process']);
    expect(names([launch], start, ['process'])).toEqual(['process']);
    expect(names([launch], [event('capabilities')])).toEqual(['capabilities']);
  });

  it('not what comes of its own requests; of automatic checkpoints, whatever comes', () => {
    const taken = event('checkpoint/changed', { reason: 'taken', id: 1 });
    expect(names([launch], [taken])).toEqual(['checkpoint/changed']);
    expect(names([launch, asked('checkpoint/take')], [taken])).toEqual([]);
    expect(names([launch, asked('checkpoint/take')], [event('checkpoint/changed', { reason: 'lost' })])).toHaveLength(1);
    expect(names([asked('launch')], [taken, taken, taken])).toEqual([]);
    expect(names([asked('launch')], [event('checkpoint/changed', { reason: 'restored' })])).toHaveLength(1);
  });

  it('complaints, and no other words', () => {
    expect(names([], [event('output', { category: 'console' }), event('output', { category: 'stdout' })])).toEqual([]);
    expect(names([], [event('output', { category: 'stderr' })])).toEqual(['output']);
  });
});

describe('what cannot be', () => {
  const thread = (reason: string, threadId = 1): Happened => told('thread', { reason, threadId });
  const module = (reason: string): Happened => told('module', { reason, module: { id: 'libc' } });
  const changed = (reason: string, id = 1): Happened => told('checkpoint/changed', { reason, id });
  const stop = told('stopped', { reason: 'step', threadId: 1 });

  it.each<[string, readonly Happened[], readonly RegExp[]]>([
    ['an ordinary life', [thread('started'), stop, thread('exited'), told('exited'), told('stopped', { reason: 'exit' })], []],
    ['a thread that starts twice', [thread('started'), thread('started')], [/thread started 1, which is there/]],
    ['one that ends unborn', [thread('exited')], [/thread exited 1, which is not there/]],
    ['a stop of nobody', [stop], [/a stop of thread 1, which is not there/]],
    ['an end with threads', [thread('started'), told('exited')], [/has the threads 1/]],
    ['a library that comes and goes', [module('new'), module('changed'), module('removed'), module('new')], []],
    ['one that goes twice', [module('new'), module('removed'), module('removed')], [/module removed libc/]],
    ['checkpoints', [changed('taken'), changed('renamed'), changed('restored'), changed('dropped'), changed('restored', 0)], []],
    ['one that is told twice', [changed('taken'), changed('taken')], [/taken 1, which is there/]],
    ['one that is used after its end', [changed('taken'), changed('dropped'), changed('restored')], [/restored 1, which is not/]],
    ['all that are lost', [changed('taken'), told('checkpoint/changed', { reason: 'lost' }), changed('taken')], []],
  ])('%s', (_, happened, expected) => {
    expect(contradictions(happened)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});
