/** What two states of a process differ in, and how that is told: the pure parts of comparing. */

import {
  compareFiles,
  compareMappings,
  compareThreads,
  mappedBytes,
  type ThreadFacts,
} from '../../native/checkpoint/differences';
import { parseMappings } from '../../native/checkpoint/mappings';
import type { FileState } from '../../native/checkpoint/state';
import { comparisonOf } from '../../native/server/comparison-text';
import { compareScopes, omissions, placeThreads } from '../../adapter/session/picture-diff';
import type { Picture, ShownCall } from '../../adapter/gdb/commands-script';

const thread = (serial: number, pc = 0x10n, sp = 0x7000n, tid = 100 + serial): ThreadFacts => ({
  ref: { pid: 100, tid, serial },
  name: `t${serial}`,
  pc,
  sp,
});

const file = (fd: number, over: Partial<FileState> = {}): FileState => ({
  fd,
  kind: 'file',
  target: '/a',
  flags: 0,
  closeOnExec: false,
  position: 0n,
  held: undefined,
  ...over,
});

describe('threads', () => {
  test('are the same by serial, not by tid', () => {
    const found = compareThreads([thread(1), thread(2, 0x10n, 0x7000n, 500)], [thread(1), thread(3, 0x10n, 0x7000n, 500)]);
    expect(found.map(({ ref, before, after }) => [ref.serial, before !== undefined, after !== undefined])).toEqual([
      [2, true, false],
      [3, false, true],
    ]);
  });

  test('have moved when they stand at another place, or at the same one deeper', () => {
    expect(compareThreads([thread(1), thread(2)], [thread(1, 0x11n), thread(2, 0x10n, 0x6000n)])).toHaveLength(2);
    expect(compareThreads([thread(1)], [thread(1)])).toEqual([]);
  });
});

describe('descriptors', () => {
  const change = (a: FileState[], b: FileState[]): [number, string][] =>
    compareFiles(a, b).map(({ fd, change: what }) => [fd, what]);

  test('come, go, are replaced and move', () => {
    const before = [file(0), file(1), file(2), file(3, { position: 5n })];
    const after = [file(1, { target: '/b' }), file(2, { kind: 'directory' }), file(3, { position: 9n }), file(7)];
    expect(change(before, after)).toEqual([
      [0, 'closed'],
      [1, 'replaced'],
      [2, 'replaced'],
      [3, 'moved'],
      [7, 'opened'],
    ]);
  });

  test('without a position have none that could move; an eventfd has a counter', () => {
    const pipe = (position: bigint): FileState => file(4, { kind: 'pipe', target: 'pipe:[1]', position });
    expect(change([pipe(0n)], [pipe(3n)])).toEqual([]);
    const event = (counter: bigint): FileState => file(5, { kind: 'eventfd', target: 'anon_inode:[eventfd]', counter });
    expect(change([event(1n)], [event(2n)])).toEqual([[5, 'moved']]);
    expect(change([event(1n)], [event(1n)])).toEqual([]);
  });
});

describe('mappings', () => {
  const before = parseMappings(
    [
      '1000-4000 r--p 00000000 08:01 7 /bin/x',
      '5000-9000 rw-p 00000000 00:00 0 [heap]',
      'a000-c000 rw-p 00000000 00:00 0 ',
      '7fff0000-7fff1000 r-xp 00000000 00:00 0 [vdso]',
    ].join('\n'),
  );
  const after = parseMappings(
    [
      '1000-4000 r--p 00000000 08:01 7 /bin/x',
      '5000-b000 rw-p 00000000 00:00 0 [heap]',
      'd000-e000 rw-s 00000000 00:01 9 /dev/zero (deleted)',
    ].join('\n'),
  );
  const show = (list: readonly { start: bigint; end: bigint }[]): string[] =>
    list.map(({ start, end }) => `${start.toString(16)}-${end.toString(16)}`);

  test('come, go, and have parts in common', () => {
    const { mapped, unmapped, common } = compareMappings(before, after);
    expect([show(mapped), show(unmapped), show(common)]).toEqual([
      ['9000-a000', 'd000-e000'],
      ['b000-c000'],
      ['1000-4000', '5000-9000', 'a000-b000'],
    ]);
  });

  test("are measured without the kernel's own", () => {
    expect([mappedBytes(before), mappedBytes(after)]).toEqual([0x9000n, 0xa000n]);
  });

  test('and all else is told in few words, however much it is', () => {
    const many = (count: number): FileState[] =>
      Array.from({ length: count }, (_, fd) => file(fd, { target: `/${'x'.repeat(300)}` }));
    const side = { threads: [thread(1)], stopThread: thread(1).ref, files: [], mappings: before };
    const size = { threads: 1, descriptors: 0, mapped: 4096n, content: 0 };
    const result = comparisonOf(
      { id: 3 },
      {
        before: { ...side, size },
        after: { ...side, size },
        threads: compareThreads([thread(1, 0x2010n)], [thread(1, 0x5010n)]),
        files: compareFiles([], many(1000)),
        mapped: [],
        unmapped: [],
        changed: [{ start: 0x5000n, end: 0x9000n, mapping: before[1]!, pages: 2 }],
      },
    );
    expect(result.threads).toEqual([
      {
        tid: 101,
        name: 't1',
        change: 'moved',
        before: { pc: '0x2010', module: 'x+0x1010' },
        after: { pc: '0x5010', module: '[heap]+0x10' },
      },
    ]);
    expect(result.regions).toEqual([{ start: '0x5000', end: '0x9000', name: '[heap]', change: 'changed', pages: 2 }]);
    expect([result.changedPages, result.before.tid, result.omitted]).toEqual([
      2,
      101,
      [`${1000 - result.descriptors.length} more descriptors`],
    ]);
    // It must fit in one answer to `monitor`.
    expect(JSON.stringify(result).length).toBeLessThan(100_000);
  });
});

describe('pictures', () => {
  const call = (name: string, cfa: string, variables: ShownCall['variables'], line = 1): ShownCall => ({
    function: name,
    cfa,
    variables,
    source: '/src/main.c',
    line,
    cut: false,
  });
  const picture = (calls: readonly ShownCall[], more: Partial<Picture> = {}): Picture => ({
    stacks: [{ tid: 1, calls }],
    files: [],
    places: [],
    late: false,
    ...more,
  });

  test('calls are the same when function and frame are; others stand where they were on the stack', () => {
    const before = picture([call('leaf', '0x1', []), call('work', '0x2', [['i', '1']], 5), call('main', 'outermost', [])]);
    const after = picture([call('work', '0x9', []), call('work', '0x2', [['i', '2']], 6), call('main', 'outermost', [])]);
    expect(compareScopes(before, after).map(({ name, before: a, after: b }) => [name, a, b])).toEqual([
      ['leaf', 'main.c:1', undefined],
      ['work', undefined, 'main.c:1'],
      ['work', 'main.c:5', 'main.c:6'],
      ['main', 'main.c:1', 'main.c:1'],
    ]);
  });

  test('variables come into scope, leave it, change, and change in what is not shown', () => {
    const before = picture([
      call('f', '0x1', [
        ['same', '1'],
        ['old', '2'],
        ['x', '3'],
        ['long', 'aaa…', '11'],
      ]),
    ]);
    const after = picture([
      call('f', '0x1', [
        ['same', '1'],
        ['x', '4'],
        ['long', 'aaa…', '12'],
        ['new', '5'],
      ]),
    ]);
    expect(compareScopes(before, after)[0]!.variables).toEqual([
      { name: 'same', before: '1', after: '1', changed: false },
      { name: 'old', before: '2', changed: true },
      { name: 'x', before: '3', after: '4', changed: true },
      { name: 'long', before: 'aaa…', after: 'aaa…', changed: true },
      { name: 'new', after: '5', changed: true },
    ]);
  });

  test('of files, those that were looked at both times, and what changed in them', () => {
    const files = (value: string): Picture['files'] => [
      {
        source: '/src/main.c',
        variables: [
          ['a', '1'],
          ['b', value],
        ],
        cut: value === '3',
      },
    ];
    const before = picture([], { files: files('2') });
    const after = picture([], {
      files: [...files('3'), { source: '/src/other.c', variables: [['c', '1']], cut: false }],
      late: true,
    });
    expect(compareScopes(before, after)).toEqual([
      { kind: 'file', name: 'main.c', variables: [{ name: 'b', before: '2', after: '3', changed: true }] },
    ]);
    expect(omissions(before, after)).toHaveLength(2);
    expect(omissions(before, before)).toEqual([]);
  });

  test('places of threads are added to what the server knows', () => {
    const before = picture([], { places: [{ tid: 7, function: 'wait', source: '/src/main.c', line: 3 }] });
    const after = picture([], { places: [{ tid: 7, function: null }] });
    const moved = { tid: 7, name: 't', change: 'moved', before: { pc: '0x1' }, after: { pc: '0x2' } } as const;
    expect(placeThreads([moved], before, after)).toEqual([
      { ...moved, before: { pc: '0x1', function: 'wait', source: '/src/main.c', line: 3 }, after: { pc: '0x2' } },
    ]);
  });
});
