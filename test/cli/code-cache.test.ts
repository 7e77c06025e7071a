/** What V8 has compiled is kept for later processes, and whatever is wrong with it costs nothing but time (native/base/code-cache.ts). */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { CliPlace, quietGdb } from '../support/cli-session';

let place: CliPlace;
let cache: string;

beforeEach(() => {
  place = new CliPlace();
  cache = path.join(place.directory, 'cache');
});

afterEach(() => place.close());

/** Processes that live shorter than half a second leave nothing. */
const LONG_ENOUGH = 'shell sleep 0.6';

async function session(env: NodeJS.ProcessEnv = {}): Promise<void> {
  const commands = ['starti', 'checkpoint one', 'stepi', 'restart 1', LONG_ENOUGH, 'kill'].flatMap((line) => ['-ex', line]);
  const { output } = await place.run(['gdb', ...quietGdb, '-batch', ...commands, '--args', '/bin/true'], {
    env: { XDG_CACHE_HOME: cache, ...env },
  });
  expect(output).toMatch(/Switching to checkpoint 1/);
}

const folder = (): string => path.join(cache, 'savepoint/code');

/** The cache of the bundle that the owner runs. */
function kept(): { file: string; size: number; mtimeMs: number } {
  const names = fs.readdirSync(folder()).filter((name) => name.startsWith('program.js-'));
  expect(names).toHaveLength(1);
  const file = path.join(folder(), names[0]!);
  const { size, mtimeMs, mode } = fs.statSync(file);
  expect(mode & 0o777).toBe(0o600);
  return { file, size, mtimeMs };
}

test('the first session leaves it, private to its user; a like session finds nothing to add', async () => {
  await session();
  expect(fs.statSync(folder()).mode & 0o777).toBe(0o700);
  await session();
  const second = kept();
  await session();
  expect(kept()).toEqual(second);
});

test('a file that is not what V8 wrote is replaced', async () => {
  await session();
  const { file, size } = kept();
  fs.writeFileSync(file, Buffer.alloc(size, 0x5a));
  await session();
  expect(fs.readFileSync(file).subarray(0, 64).equals(Buffer.alloc(64, 0x5a))).toBe(false);
  fs.truncateSync(file, 100);
  await session();
  expect(kept().size).toBeGreaterThan(size / 2);
});

test('a folder that others can write to is not believed', async () => {
  fs.mkdirSync(folder(), { recursive: true });
  fs.chmodSync(folder(), 0o777);
  await session();
  expect(fs.readdirSync(folder())).toEqual([]);
});

test('without a place for it, or told not to, there is none', async () => {
  await session({ SAVEPOINT_CODE_CACHE: 'off' });
  expect(fs.existsSync(cache)).toBe(false);
  fs.writeFileSync(cache, 'a file where the folder should be');
  await session();
});
