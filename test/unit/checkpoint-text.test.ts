import type { CheckpointNode } from '../../native/checkpoint/tree';
import { formatBytes, formatMs } from '../../native/base/units';
import { groupNotes, json, notRolledBack, table, treeOrder } from '../../native/server/checkpoint-text';
import { monitorHelp, parseMonitor } from '../../native/server/monitor-words';
import { readEngineSettings } from '../../native/server/settings';

/** Only what the texts look at. */
function node(id: number, parentId?: number, label = ''): CheckpointNode {
  return {
    id,
    parentId,
    label,
    automatic: false,
    createdAt: 0,
    pid: 4711,
    pc: 0x401156n,
    snapshot: { threads: [{}, {}] },
    stats: { bytes: 8 << 20, ownBytes: 300 << 10, durationMs: 1.234 },
    fidelity: [],
  } as unknown as CheckpointNode;
}

const note = (subject: string, about: string) => ({ subject, kind: 'pipe', sentence: `${subject}${about}` });

describe('the tree', () => {
  test('a row of checkpoints stays at the margin, branches are set in', () => {
    const rows = treeOrder([node(0), node(1, 0), node(2, 1), node(3, 1), node(4, 3), node(5, 2)]);
    expect(rows.map(({ node: { id }, depth }) => [id, depth])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [5, 1],
      [3, 1],
      [4, 1],
    ]);
  });

  test('ten thousand in a row are no trouble', () => {
    const nodes = Array.from({ length: 10_000 }, (_, i) => node(i, i === 0 ? undefined : i - 1));
    expect(treeOrder(nodes).at(-1)).toMatchObject({ depth: 0, node: { id: 9999 } });
  });

  test("the table has gdb's shape and marks where the present came from", () => {
    expect(table([node(0, undefined, 'entry'), node(1, 0, 'before trading')], 1)).toBe(
      '  0 process 4711 at 0x401156 entry (2 threads, 300 KiB)\n* 1 process 4711 at 0x401156 before trading (2 threads, 300 KiB)\n',
    );
    expect(table([], undefined)).toBe('No checkpoints.\n');
  });

  test('as JSON it comes in pieces that say whether there is more', () => {
    const nodes = Array.from({ length: 250 }, (_, i) => node(i, i === 0 ? undefined : i - 1, 'x'.repeat(5000)));
    const ids: number[] = [];
    let after: number | undefined;
    for (let more = true; more;) {
      const text = json(nodes, 249, after);
      expect(text.length).toBeLessThan(60_000);
      const answer = JSON.parse(text) as { current: number; more: boolean; checkpoints: { id: number }[] };
      expect(answer.current).toBe(249);
      ids.push(...answer.checkpoints.map(({ id }) => id));
      after = ids.at(-1);
      more = answer.more;
    }
    expect(ids).toEqual(nodes.map(({ id }) => id));
  });
});

describe('what is not rolled back', () => {
  test('is said once for descriptors of which the same is to be said', () => {
    expect(groupNotes([note('fd 0', ' (/dev/pts/1): a'), note('fd 1', ' (/dev/pts/1): a'), note('fd 5', ' (pipe): b')])).toEqual([
      'fds 0, 1 (/dev/pts/1): a',
      'fd 5 (pipe): b',
    ]);
    expect(groupNotes([{ subject: 'process', kind: 'timers', sentence: '2 POSIX timers: their settings' }])).toEqual([
      '2 POSIX timers: their settings',
    ]);
  });

  test('is cut short when it is long, and says where the rest is', () => {
    const many = Array.from({ length: 20 }, (_, i) => note(`fd ${i}`, ` (pipe ${i}): b`));
    const lines = notRolledBack(many, 7).trimEnd().split('\n');
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe('Not rolled back: 13 more ("info checkpoints 7" names all)');
  });
});

test('figures have as many digits as they mean', () => {
  expect([0, 512, 1 << 20, 9.5 * (1 << 20), 1 << 30].map(formatBytes)).toEqual([
    '0 KiB',
    '1 KiB',
    '1.0 MiB',
    '9.5 MiB',
    '1024 MiB',
  ]);
  expect([0.1234, 9.999, 12.34, 1234.5].map(formatMs)).toEqual(['0.12 ms', '10.00 ms', '12.3 ms', '1235 ms']);
});

describe('monitor words', () => {
  test.each([
    ['checkpoint', { kind: 'take', label: '', automatic: false }],
    ['  checkpoint  before the  crash ', { kind: 'take', label: 'before the  crash', automatic: false }],
    ['info checkpoints', { kind: 'list' }],
    ['info checkpoints 3', { kind: 'details', id: 3 }],
    ['info checkpoints-json', { kind: 'list-json', after: undefined }],
    ['info checkpoints-json 99', { kind: 'list-json', after: 99 }],
    ['restart 2', { kind: 'restore', id: 2, quietly: false }],
    ['restart 2 quietly', { kind: 'restore', id: 2, quietly: true }],
    ['delete checkpoint 4', { kind: 'drop', ids: [4] }],
    ['delete checkpoint 4,5,17', { kind: 'drop', ids: [4, 5, 17] }],
    ['restored-json', { kind: 'restored-json' }],
    ['savepoint-version', { kind: 'version' }],
    ['help', { kind: 'help' }],
  ])('%s', (line, command) => {
    expect(parseMonitor(line)).toEqual(command);
  });

  test.each(['', 'restart', 'restart -1', 'restart 1 2 3', 'delete checkpoint all', 'checkpoints', 'info', 'x'.repeat(10_000)])(
    'anything else is a UserError (%#)',
    (line) => {
      expect(() => parseMonitor(line)).toThrow(expect.objectContaining({ family: 'user' }));
    },
  );

  test('help names each that is for people', () => {
    for (const word of ['checkpoint', 'restart N', 'info checkpoints', 'delete checkpoint N'])
      expect(monitorHelp).toContain(word);
  });
});

describe('settings', () => {
  test.each([
    ['4G', 4n << 30n],
    ['500M', 500n << 20n],
    ['2GiB', 2n << 30n],
    ['64kb', 64n << 10n],
    ['12345', 12345n],
  ])('a store limit of %s', (word, bytes) => {
    expect(readEngineSettings({ SAVEPOINT_STORE_LIMIT: word })).toEqual({ storeLimit: bytes });
  });

  test('what is not set is not there, what is nonsense is refused by name', () => {
    expect(readEngineSettings({ SAVEPOINT_STORE_LIMIT: '', SAVEPOINT_FORCE_TIER: '' })).toEqual({});
    expect(readEngineSettings({ SAVEPOINT_FORCE_TIER: 'compare' })).toEqual({ tier: 'compare' });
    expect(() => readEngineSettings({ SAVEPOINT_STORE_LIMIT: '-1' })).toThrow('SAVEPOINT_STORE_LIMIT=-1');
    expect(() => readEngineSettings({ SAVEPOINT_FORCE_TIER: 'soft' })).toThrow('SAVEPOINT_FORCE_TIER=soft');
  });
});
