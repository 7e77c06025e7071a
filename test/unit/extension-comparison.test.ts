/** A comparison as two texts: what is the same stands in the same lines. */

import { placeText, renderComparison } from '../../extension/src/comparison-text';
import type { CompareResult } from '../../native/control/schema';

const size = { threads: 2, descriptors: 3, mappedBytes: 4096, contentBytes: 4096, tid: 10 };
const result: CompareResult = {
  id: 1,
  before: size,
  after: { ...size, threads: 1, mappedBytes: 8192 },
  threads: [],
  descriptors: [],
  changedPages: 0,
  regions: [],
  scopes: [],
  omitted: [],
};

/** Lines that only one of them has. */
function marked(of: CompareResult): { before: string[]; after: string[] } {
  const { before, after } = renderComparison(of);
  const [a, b] = [before.split('\n'), after.split('\n')];
  return { before: a.filter((line) => !b.includes(line)), after: b.filter((line) => !a.includes(line)) };
}

test('what is the same is not marked', () => {
  const same = { ...result, after: size };
  expect(marked(same)).toEqual({ before: [], after: ['  Of what both have, nothing has another content.'] });
  expect(renderComparison(same).before).toMatch(/^Variables\n\n {2}None: .*\n\nThreads\n\n {2}2 threads\n {2}All stand/);
});

test('variables stand below their calls, structures over several lines', () => {
  const scopes: CompareResult['scopes'] = [
    { kind: 'call', name: 'inner', tid: 10, after: 'a.c:9', variables: [{ name: 'x', after: '1', changed: true }] },
    {
      kind: 'call',
      name: 'main',
      tid: 10,
      before: 'a.c:3',
      after: 'a.c:4',
      variables: [
        { name: 'p', before: '{\n  x = 1,\n  y = 2\n}', after: '{\n  x = 1,\n  y = 3\n}', changed: true },
        { name: 'same', before: '7', after: '7', changed: false },
        { name: 'long', before: 'aa…', after: 'aa…', changed: true },
      ],
    },
    { kind: 'file', name: 'a.c', variables: [{ name: 'g', before: '1', after: '2', changed: true }] },
  ];
  const { before, after } = renderComparison({ ...result, scopes });
  const section = (text: string): string => text.slice(0, text.indexOf('Threads'));
  expect(section(before)).toBe(`Variables


  main, a.c:3
    p = {
      x = 1,
      y = 2
    }
    same = 7
    long = aa…

  Globals of a.c that differ
    g = 1

`);
  expect(section(after)).toBe(`Variables

  inner, a.c:9
    x = 1

  main, a.c:4
    p = {
      x = 1,
      y = 3
    }
    same = 7
    long = aa…  (differs in a part that is not shown)

  Globals of a.c that differ
    g = 2

`);
});

test('of several threads each call says whose it is', () => {
  const call = (tid: number) => ({ kind: 'call', name: 'f', tid, before: 'a.c:1', after: 'a.c:1', variables: [] }) as const;
  expect(renderComparison({ ...result, scopes: [call(10), call(11)] }).before).toMatch(
    /f, a\.c:1, thread 10\n\n {2}f, a\.c:1, thread 11/,
  );
});

test('threads, descriptors and memory are told in lines of their own', () => {
  const found = marked({
    ...result,
    threads: [
      {
        tid: 10,
        name: 'main',
        change: 'moved',
        before: { pc: '0x1', function: 'f', source: '/s/a.c', line: 3 },
        after: { pc: '0x2', module: 'libc.so.6+0x9' },
      },
      { tid: 11, name: 'w', change: 'gone', before: { pc: '0x5' } },
    ],
    descriptors: [
      {
        fd: 3,
        change: 'moved',
        before: { kind: 'file', target: '/log', position: 0 },
        after: { kind: 'file', target: '/log', position: 5 },
      },
      { fd: 4, change: 'opened', after: { kind: 'eventfd', target: 'anon_inode:[eventfd]', counter: '2' } },
    ],
    changedPages: 2,
    regions: [
      { start: '0x1000', end: '0x5000', name: '[heap]', change: 'changed', pages: 2 },
      { start: '0x6000', end: '0x7000', name: '', change: 'mapped', pages: 1 },
      { start: '0x8000', end: '0x9000', name: '/lib/x.so', change: 'unmapped', pages: 1 },
    ],
    omitted: ['3 more threads'],
  });
  expect(found).toEqual({
    before: [
      '  2 threads',
      '  10 main: f, a.c:3',
      '  11 w: 0x5',
      '  3: file /log, at byte 0',
      '  4.0 KiB mapped',
      '  0x1000-0x5000 [heap]',
      '  0x8000-0x9000 /lib/x.so, 4.0 KiB',
    ],
    after: [
      '  1 thread',
      '  10 main: libc.so.6+0x9',
      '  3: file /log, at byte 5',
      '  4: eventfd anon_inode:[eventfd], counter 2',
      '  8.0 KiB mapped',
      '  Of what both have, 8.0 KiB (2 pages) have another content.',
      '  0x1000-0x5000 [heap]: 2 pages changed',
      '  0x6000-0x7000 anonymous, 4.0 KiB',
    ],
  });
  expect(placeText({ pc: '0x1', function: 'f', module: 'x+0x1' })).toBe('f, x+0x1');
});

test('of a program that has ended there are no variables, and that is said', () => {
  const { scopes: _, ...ended } = result;
  expect(renderComparison(ended).before).toMatch(/The program has ended: variables cannot be looked at/);
});
