/**
 * Loads a bundle with the code that earlier processes have compiled from it.
 *
 * V8 compiles a function when it is first called. In a process that is asked for its first restore, that takes longer than the restore;
 * so a process that ends leaves what V8 has compiled (v8.Script.createCachedData) for those that come after it, in the user's cache
 * folder. Where that cannot be (no folder, one that others can write to, another version of V8, SAVEPOINT_CODE_CACHE=off) the bundle is
 * loaded as require() does. Node's own cache (module.enableCompileCache) needs Node 22.
 */

import * as fs from 'node:fs';
import { createRequire, wrap } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import { distrust } from './trust';

/** Processes that lived shorter have compiled nothing worth keeping. Milliseconds. */
const SHORT_LIFE_MS = 500;
/** A cache is written anew when the code has grown by this factor. */
const GROWTH = 1.02;
/** Of all bundles and versions; the oldest go. */
const KEPT_FILES = 12;

type Wrapper = (exports: unknown, require: NodeJS.Require, module: { exports: unknown }, file: string, folder: string) => void;

/** What `require(file)` gives. Errors: those of the bundle itself; all of the cache's own end in a load without it. */
export function requireCached(file: string): unknown {
  const require = createRequire(file);
  const cache = cacheFile(file);
  if (cache === undefined) return require(file);
  const cachedData = readQuietly(cache);
  // A bundle may begin with a `#!` line only if nothing stands before it: ours have none.
  const script = new vm.Script(wrap(fs.readFileSync(file, 'utf8')), { filename: file, ...(cachedData && { cachedData }) });
  const known = script.cachedDataRejected === false ? cachedData!.length : 0;
  process.on('exit', () => {
    if (process.uptime() * 1000 >= SHORT_LIFE_MS) keep(cache, script, known);
  });
  const module = { exports: {} as unknown };
  (script.runInThisContext() as Wrapper)(module.exports, require, module, file, path.dirname(file));
  return module.exports;
}

/** undefined: there is to be none. */
function cacheFile(file: string): string | undefined {
  if (process.env['SAVEPOINT_CODE_CACHE'] === 'off') return undefined;
  try {
    const base = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
    if (!path.isAbsolute(base)) return undefined;
    const folder = path.join(base, 'savepoint', 'code');
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    // What is in there is run: for root, too, when HOME is a user's.
    if (distrust(folder) !== undefined) return undefined;
    // V8 compares no more of the source than its length, so the name tells which file this was, in which state.
    const { dev, ino, size, mtimeNs } = fs.statSync(file, { bigint: true });
    return path.join(folder, `${path.basename(file)}-${[dev, ino, size, mtimeNs, v8.cachedDataVersionTag()].join('-')}`);
  } catch {
    return undefined;
  }
}

function readQuietly(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

function keep(file: string, script: vm.Script, known: number): void {
  const temporary = `${file}.${process.pid}`;
  try {
    const data = script.createCachedData();
    if (data.length <= known * GROWTH) return;
    // Whole or not at all: several processes may end at once.
    fs.writeFileSync(temporary, data, { mode: 0o600 });
    fs.renameSync(temporary, file);
    dropOldest(path.dirname(file));
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}

function dropOldest(folder: string): void {
  const files = fs.readdirSync(folder).map((name) => path.join(folder, name));
  if (files.length <= KEPT_FILES) return;
  const byAge = files.map((file) => ({ file, age: fs.statSync(file).mtimeMs })).sort((a, b) => b.age - a.age);
  for (const { file } of byAge.slice(KEPT_FILES)) fs.rmSync(file, { force: true });
}
