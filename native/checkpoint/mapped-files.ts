/**
 * Finding the file behind a mapping again, when a restore has to map it anew: by a descriptor held since the checkpoint (deleted files), by a
 * descriptor that the program has, or by its name when that still is the same file. Never a file that merely has the name.
 */

import * as fs from 'node:fs';
import type { Pid } from '../base/brands';
import { refused } from '../base/errors';
import { O_CLOEXEC, O_RDONLY, O_RDWR } from '../abi/flags';
import * as io from '../sys/io';
import { HeldFile } from './held-file';
import { classify, fileKey, isDeleted, isFileBacked, isWritable, type Mapping, type MapStep } from './mappings';

/** By `fileKey`. */
export type MappedFiles = ReadonlyMap<string, HeldFile>;

/** Memory whose name in /proc/PID/maps is no file that one could open. */
const isNameless = (mapping: Mapping): boolean => /^\/(dev\/zero|SYSV[0-9a-f]{8}) /.test(mapping.path);

/** Opens deleted files that are mapped, while that is possible (root, or CAP_CHECKPOINT_RESTORE; else they are refused later). */
export function holdMappedFiles(pid: Pid, mappings: readonly Mapping[]): MappedFiles {
  const held = new Map<string, HeldFile>();
  for (const mapping of mappings) {
    if (!isFileBacked(mapping) || !isDeleted(mapping) || isNameless(mapping) || held.has(fileKey(mapping))) continue;
    const name = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
    const shared = mapping.perms[3] === 's' && isWritable(mapping);
    const fd = io.open(`/proc/${pid}/map_files/${name}`, (shared ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd >= 0) held.set(fileKey(mapping), new HeldFile(fd));
  }
  return held;
}

export function dropMappedFiles(files: MappedFiles): void {
  for (const file of files.values()) file.drop();
}

/** `fd:01` of major and minor as stat(2) gives them (dev_t of glibc). */
function deviceName(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  const hex = (n: bigint): string => n.toString(16).padStart(2, '0');
  return `${hex(major)}:${hex(minor)}`;
}

/** Whether `path` is the file of the mapping. Overlay and btrfs show another device in maps than in stat(2): there the inode decides. */
function isSame(path: string, mapping: Mapping): boolean {
  try {
    const stat = fs.statSync(path, { bigint: true });
    if (stat.ino !== mapping.inode) return false;
    return deviceName(stat.dev) === mapping.dev || mapping.dev.startsWith('00:') || deviceName(stat.dev).startsWith('00:');
  } catch {
    return false;
  }
}

function openAs(path: string, mapping: Mapping): number {
  if (mapping.perms[3] === 's') {
    const both = io.open(path, O_RDWR | O_CLOEXEC);
    if (both >= 0 || isWritable(mapping)) return both;
  }
  return io.open(path, O_RDONLY | O_CLOEXEC);
}

/** A descriptor of the file, which the caller drops. Refuses by name. */
export function findFile(pid: Pid, mapping: Mapping, held: MappedFiles): HeldFile {
  const known = held.get(fileKey(mapping));
  if (known !== undefined) return known.hold();
  const named = `/proc/${pid}/root${mapping.path}`;
  const byName = isDeleted(mapping) ? [] : [named, mapping.path];
  const own = `/proc/${pid}/exe`;
  const fds = (() => {
    try {
      return fs.readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
    } catch {
      return [];
    }
  })();
  for (const path of [...byName, own, ...fds]) {
    if (!isSame(path, mapping)) continue;
    const fd = openAs(path, mapping);
    if (fd >= 0) return new HeldFile(fd);
  }
  const why = isDeleted(mapping) ? 'was deleted and unmapped' : 'is not the file any more that was mapped';
  throw refused('mapped-file-missing', mapping.path.replace(/ \(deleted\)$/, ''), `${why}, so it cannot be mapped again`);
}

/** A descriptor for each file that the steps map. Refuses by name. The caller drops what it gets. */
export function openMappedFiles(pid: Pid, steps: readonly MapStep[], held: MappedFiles): MappedFiles {
  const opened = new Map<string, HeldFile>();
  try {
    for (const step of steps) {
      if (step.op !== 'mmap') continue;
      if (classify(step.like) === 'foreign') {
        throw refused('mapping-foreign', step.like.path, 'was unmapped, and a mapping of this kind cannot be made again');
      }
      if (step.like.path.startsWith('/SYSV')) {
        throw refused(
          'mapping-sysv',
          `the System V memory at 0x${step.start.toString(16)}`,
          'was detached and cannot be attached again',
        );
      }
      if (!isFileBacked(step.like) || isNameless(step.like) || opened.has(fileKey(step.like))) continue;
      opened.set(fileKey(step.like), findFile(pid, step.like, held));
    }
    return opened;
  } catch (error) {
    dropMappedFiles(opened);
    throw error;
  }
}
