import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { findProgram } from '../../native/cli/find-program';
import { nearestName } from '../../native/cli/nearest-name';
import { VERSION } from '../../native/cli/version';

describe('a mistyped command', () => {
  const known = ['gdb', 'gdbserver', 'doctor', 'help', 'version'];

  test.each([
    ['gbd', 'gdb'],
    ['gdbsrever', 'gdbserver'],
    ['doc', 'doctor'],
    ['dokter', 'doctor'],
    ['frobnicate', undefined],
  ])('%s suggests %s', (typed, expected) => {
    expect(nearestName(typed, known)).toBe(expected);
  });
});

describe('looking for a program', () => {
  let directory: string;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'savepoint-test-'));
    fs.writeFileSync(path.join(directory, 'runs'), '', { mode: 0o755 });
    fs.writeFileSync(path.join(directory, 'data'), '', { mode: 0o644 });
    fs.mkdirSync(path.join(directory, 'folder'));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  it('takes the first of PATH that can be run', () => {
    expect(findProgram('runs', `/nonexistent:${directory}`)).toBe(path.join(directory, 'runs'));
  });

  it('passes over what cannot be run', () => {
    expect(findProgram('data', directory)).toBeUndefined();
    expect(findProgram('folder', directory)).toBeUndefined();
  });

  it('takes a name with a slash as it is', () => {
    expect(findProgram(path.join(directory, 'runs'), '')).toBe(path.join(directory, 'runs'));
    expect(findProgram('./runs', directory)).toBeUndefined();
  });
});

it('is the version of package.json', () => {
  const manifest = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'package.json'), 'utf8')) as { version: string };
  expect(VERSION).toBe(manifest.version);
});
