/**
 * The descriptor table: what each number stands for, its position and flags, and a duplicate of what may be held open.
 */

import * as fs from 'node:fs';
import { O_CLOEXEC, O_PATH } from '../../abi/flags';
import type { EngineInferior } from '../../owner/engine-host';
import { isSameFile } from '../../sys/descriptors';
import * as io from '../../sys/io';
import * as proc from '../../sys/proc';
import { parseFdInfo } from '../fd-info';
import { FILE_KINDS, fileKind } from '../file-kinds';
import { HeldFile } from '../held-file';
import type { FileState } from '../state';

function listFds(pid: number): number[] {
  try {
    return fs
      .readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

function modeOf(pid: number, fd: number): number | undefined {
  try {
    return fs.statSync(`/proc/${pid}/fd/${fd}`).mode;
  } catch {
    return undefined;
  }
}

/** What earlier checkpoints hold for this number, when it is still the same open file; else a new duplicate; undefined: not allowed. */
function holdFile(
  inferior: EngineInferior,
  fd: number,
  known: readonly FileState[],
  now: readonly FileState[],
): HeldFile | undefined {
  const before = known.find((file) => file.fd === fd)?.held;
  if (before !== undefined && isSameFile(before.fd, inferior.pid, fd)) return before.hold();
  const target = proc.readLink(`/proc/${inferior.pid}/fd/${fd}`);
  const twin = now.find(
    (file) => file.held !== undefined && file.target === target && isSameFile(file.held.fd, inferior.pid, fd),
  );
  if (twin?.held !== undefined) return twin.held.hold();
  const duplicate = io.pidfdGetfd(inferior.pidFd, fd);
  return duplicate < 0 ? undefined : new HeldFile(duplicate);
}

/**
 * `known`: the files of the checkpoint before (its duplicates are shared). `everything`: holds pipes and sockets, too, for the length
 * of a restore that may have to be undone.
 */
export function captureFiles(inferior: EngineInferior, known: readonly FileState[], everything: boolean): FileState[] {
  const files: FileState[] = [];
  for (const fd of listFds(inferior.pid)) {
    const target = proc.readLink(`/proc/${inferior.pid}/fd/${fd}`);
    const info = proc.readText(`/proc/${inferior.pid}/fdinfo/${fd}`);
    if (target === undefined || info === undefined) continue;
    const { position, flags, counter, watches } = parseFdInfo(info);
    const kind = fileKind(target, modeOf(inferior.pid, fd), (flags & O_PATH) !== 0);
    files.push({
      fd,
      kind,
      target,
      flags: flags & ~O_CLOEXEC,
      closeOnExec: (flags & O_CLOEXEC) !== 0,
      position,
      ...(counter === undefined ? {} : { counter }),
      ...(kind === 'epoll' ? { watches } : {}),
      held: everything || FILE_KINDS[kind].held ? holdFile(inferior, fd, known, files) : undefined,
    });
  }
  return files;
}

export function dropFiles(files: readonly FileState[]): void {
  for (const file of files) file.held?.drop();
}

/** Lets go of what was held for the length of a restore only. */
export function settleFiles(files: readonly FileState[]): FileState[] {
  return files.map((file) => {
    if (file.held === undefined || FILE_KINDS[file.kind].held) return file;
    file.held.drop();
    return { ...file, held: undefined };
  });
}
