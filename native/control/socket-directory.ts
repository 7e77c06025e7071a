/**
 * Where control sockets are: one directory of each user's, 0700, one socket an owner process, named after its process id.
 * A directory is believed only when it is ours and nobody else can enter it.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { distrust } from '../base/trust';

/** A socket's path has 107 bytes at most (unix(7)); this leaves room for `/PID.sock`. */
const LONGEST = 90;

/** Places for the directory, the best one first; `env` and `uid` as of this process. SAVEPOINT_CONTROL_DIRECTORY: there and nowhere else. */
export function controlDirectories(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.() ?? 0): readonly string[] {
  const chosen = env['SAVEPOINT_CONTROL_DIRECTORY'];
  const runtime = env['XDG_RUNTIME_DIR'];
  const places =
    chosen !== undefined && chosen !== ''
      ? [chosen]
      : [
          ...(runtime === undefined || runtime === '' ? [] : [path.join(runtime, 'savepoint')]),
          path.join(os.tmpdir(), `savepoint-control-${uid}`),
          `/tmp/savepoint-control-${uid}`,
        ];
  return [...new Set(places)].filter((place) => place.startsWith('/') && Buffer.byteLength(place) <= LONGEST);
}

/** The first place where a trustworthy directory is or can be made; undefined: nowhere. */
export function makeControlDirectory(places = controlDirectories()): string | undefined {
  for (const place of places) {
    try {
      fs.mkdirSync(place, { mode: 0o700 });
    } catch {
      // It is there already, or cannot be made: the look below tells.
    }
    try {
      if (distrust(place) === undefined) return place;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

export const socketPath = (directory: string, pid: number): string => path.join(directory, `${pid}.sock`);
/** See server/doorbell.ts. */
export const bellPath = (directory: string, pid: number): string => path.join(directory, `${pid}.bell`);
export const tokenPath = (directory: string, pid: number): string => path.join(directory, `${pid}.token`);

export interface FoundSocket {
  readonly pid: number;
  readonly path: string;
}

const OURS = /^(\d{1,10})\.(sock|bell|token)$/;

/** Sockets in all trustworthy directories, whether or not somebody listens. */
export function findSockets(places = controlDirectories()): readonly FoundSocket[] {
  return places.flatMap((place) => {
    try {
      if (distrust(place) !== undefined) return [];
      return fs.readdirSync(place).flatMap((name) => {
        const match = OURS.exec(name);
        return match?.[2] === 'sock' ? [{ pid: Number(match[1]), path: path.join(place, name) }] : [];
      });
    } catch {
      return [];
    }
  });
}

/** What an owner process left: its files, and the directory when it was the last one. */
export function removeOwnersFiles(directory: string, pid: number): void {
  for (const file of [socketPath(directory, pid), bellPath(directory, pid), tokenPath(directory, pid)])
    fs.rmSync(file, { force: true });
  try {
    fs.rmdirSync(directory);
  } catch {
    // Others are in it.
  }
}

/** Owners that were killed leave their files: those whose process is gone go now, and those of an earlier one with our number. */
export function sweep(directory: string): void {
  for (const name of fs.readdirSync(directory)) {
    const pid = Number(OURS.exec(name)?.[1] ?? 0);
    const isStale = pid === process.pid || !fs.existsSync(`/proc/${pid}`);
    if (pid > 0 && isStale) fs.rmSync(path.join(directory, name), { force: true });
  }
}
