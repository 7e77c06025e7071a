/**
 * After an internal error: the trace of this process as a file, so that it can be told what happened. In the user's state folder, where only he may read
 * it, because what the program said may be in it.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Log } from './log';

/** The newest stay. */
const MOST_FILES = 20;

/** Of one log. One error brings others: the first ones tell, and a fault that repeats itself must not fill the disk. */
const MOST_OF_ONE = 3;

/** Of one log. Each call returns the file's path; undefined: it cannot be written, or that was done often enough. */
export function traceSaver(log: Log): () => string | undefined {
  let saved = 0;
  return () => (saved++ < MOST_OF_ONE ? saveTrace(log) : undefined);
}

function saveTrace(log: Log, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  try {
    const state = environment['XDG_STATE_HOME'] || path.join(os.homedir(), '.local/state');
    const folder = path.join(state, 'savepoint');
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = `trace-${new Date().toISOString().replace(/[:.]/g, '-')}-${process.pid}.log`;
    const file = path.join(folder, name);
    fs.writeFileSync(file, log.recent(), { mode: 0o600, flag: 'wx' });
    const old = fs
      .readdirSync(folder)
      .filter((one) => one.startsWith('trace-'))
      .sort();
    for (const one of old.slice(0, -MOST_FILES)) fs.rmSync(path.join(folder, one), { force: true });
    return file;
  } catch {
    return undefined;
  }
}
