import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { ObstacleReason } from '../../native/base/attach-obstacle';
import { adviceFor } from '../../extension/src/advice';
import { findExecutables } from '../../extension/src/executables';
import { listProcesses, parseStat } from '../../extension/src/processes';
import { describeAge, describeBytes, describeRecord, nameOf, warningsOf } from '../../extension/src/texts';
import type { CheckpointRecord } from '../../native/control/schema';

const record: CheckpointRecord = {
  id: 1,
  label: '',
  automatic: false,
  createdAt: 0,
  pid: 1,
  threads: 3,
  pc: '0x0',
  stop: { reason: 'breakpoint', source: '/a/b/orders.cpp', line: 12, function: 'feed' },
  bytes: 0,
  ownBytes: 1536,
  durationMs: 1,
  fidelity: [],
};

describe('texts', () => {
  test('a checkpoint is called by its label, its line, its function, or how it was taken', () => {
    expect(nameOf({ ...record, label: 'before' }, 'x = 1;')).toBe('before');
    expect(nameOf(record, 'x = 1;')).toBe('x = 1;');
    expect(nameOf({ ...record, label: 'a'.repeat(50) }, 'a'.repeat(50))).toBe(`${'a'.repeat(21)}…`);
    expect(nameOf(record)).toBe('feed');
    const { stop: _, ...running } = record;
    expect(nameOf(running)).toBe('while running');
  });
  test('the line tells more than the number of a stop', () =>
    expect(nameOf({ ...record, automatic: true, label: 'stop 7' }, 'x = 1;')).toBe('x = 1;'));
  test('long lines leave room for the place', () => expect(nameOf(record, 'a'.repeat(50))).toBe(`${'a'.repeat(21)}…`));
  test('a row says where, how many threads, how old, how large', () =>
    expect(describeRecord(record, 125_000)).toBe('orders.cpp:12 · 3 threads · 2 min ago · 1.5 KiB'));
  test.each([
    [9_999, 'just now'],
    [59_999, '59 s ago'],
    [3_599_999, '59 min ago'],
    [7_200_000, '2 h ago'],
    [-5, 'just now'],
  ])('an age of %d ms is %s', (now, text) => expect(describeAge(0, now)).toBe(text));
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [11 * 1024 ** 2, '11 MiB'],
    [1.5 * 1024 ** 3, '1.5 GiB'],
  ])('%d bytes are %s', (bytes, text) => expect(describeBytes(bytes)).toBe(text));
  test('what went to a terminal is no warning, what went to a file is one', () => {
    const fidelity = [
      'fds 0, 1, 2 (/dev/pts/3): what went to or came from the device',
      'fd 5 (/tmp/x): what is written to the file',
    ];
    expect(warningsOf({ fidelity })).toEqual([fidelity[1]]);
  });
});

test('errors that can be helped have advice, others none', () => {
  expect(adviceFor('savepoint: gdb is not installed (no "gdb" in PATH)').map(({ kind }) => kind)).toEqual([
    'page',
    'terminal',
    'settings',
  ]);
  expect(adviceFor('/tmp/a.out has no debug information: there are no lines')).toEqual([
    { label: 'Show Me How', kind: 'page', page: 'debug-information' },
  ]);
  expect(adviceFor('something else')).toEqual([]);
});

test.each<[ObstacleReason, string | undefined]>([
  ['ptrace-scope-1', 'attach-ptrace-scope'],
  ['ptrace-scope-2', 'attach-ptrace-scope'],
  ['ptrace-scope-3', 'attach-ptrace-scope'],
  ['other-user', 'attach-other-user'],
  ['traced', 'attach-traced'],
  ['capability', 'attach-container'],
  ['seccomp', 'attach-container'],
  ['protected', 'attach-protected'],
  ['gone', undefined],
  ['zombie', undefined],
  ['kernel-thread', undefined],
  ['32-bit', undefined],
])('attaching that is refused for "%s" is explained by the page %s', (reason, page) => {
  const [advice] = adviceFor('attaching to process 5: no', { code: 'cannot-attach', reason });
  expect(advice).toEqual(page === undefined ? undefined : { label: 'Show Me How', kind: 'page', page });
  if (page !== undefined) expect(fs.existsSync(path.join(__dirname, `../../docs/help/${page}.md`))).toBe(true);
});

describe('on this machine', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-unit-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('programs are found where build systems put them, and nothing else', async () => {
    const file = (name: string, content: string | Buffer, mode = 0o755): string => {
      const full = path.join(folder, name);
      fs.mkdirSync(path.dirname(full), { recursive: true });
      fs.writeFileSync(full, content, { mode });
      return full;
    };
    const node = fs.readFileSync('/bin/true');
    const wanted = [file('a.out', node), file('build/src/app', node), file('target/debug/tool', node)];
    file('script.sh', '#!/bin/sh\n');
    file('build/CMakeFiles/3.25/CompilerIdC/a.out', node);
    file('target/debug/deps/tool-123', node);
    file('not-executable', node, 0o644);
    file('libx.so', fs.readFileSync(findLibrary()));
    file('short', '\x7fELF');
    expect((await findExecutables(folder)).map((one) => one.file).sort()).toEqual(wanted.sort());
    expect(await findExecutables(path.join(folder, 'nowhere'))).toEqual([]);
  });

  test('processes are listed with their names, newest first, without this one', async () => {
    const list = await listProcesses(process.getuid?.() ?? 0);
    expect(list.length).toBeGreaterThan(0);
    expect(list.some(({ pid }) => pid === process.pid)).toBe(false);
    const starts = list.map(({ startedAt }) => startedAt);
    expect(starts).toEqual([...starts].sort((a, b) => b - a));
  });

  test("a process's name may hold anything", () => {
    const fields = Array.from({ length: 20 }, (_, index) => String(index + 3));
    expect(parseStat(`12 (a) b (c) ${fields.join(' ')}\n`)).toEqual({ name: 'a) b (c', startedAt: 22 });
  });
});

function findLibrary(): string {
  const text = execFileSync('ldd', ['/bin/true'], { encoding: 'utf8' });
  const found = /(\/\S*libc\.so\.6)/.exec(text)?.[1];
  if (found === undefined) throw new Error('no libc.so.6');
  return found;
}
