/**
 * The descriptor table back to what it was: what was opened since is closed, what was closed is given back when we hold it, positions and
 * flags are set. What an open file has done to the world outside is not rolled back; the result says so by name.
 */

import {
  FD_CLOEXEC,
  F_SETFD,
  F_SETFL,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  SEEK_SET,
} from '../../abi/flags';
import { errnoName } from '../../abi/errno';
import { SYS } from '../../abi/syscalls-x86-64';
import { kernelError } from '../../base/errors';
import type { EngineInferior, EngineThread, RemoteCall } from '../../owner/engine-host';
import { isSameFile, seek } from '../../sys/descriptors';
import { FILE_KINDS } from '../file-kinds';
import type { ScratchRoom } from '../scratch-room';
import type { FidelityNote, FileState } from '../state';
import { rebuildCounters, rebuildPipes, rebuildWatches } from './event-files';
import { aboveAll, passDescriptors } from './pass-descriptors';

/** What fcntl(F_SETFL) can change. */
const SETTABLE = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;

export interface FilePlan {
  readonly close: readonly FileState[];
  readonly reopen: readonly FileState[];
  /** Closed since, and not held by us. */
  readonly lost: readonly FileState[];
  readonly closeOnExec: readonly FileState[];
  readonly flags: readonly FileState[];
  readonly position: readonly FileState[];
}

/** Whether the two are one open file, not only one name. */
export type SameFile = (present: FileState, target: FileState) => boolean;

/** Pure but for `same`. */
export function planFiles(present: readonly FileState[], target: readonly FileState[], same: SameFile): FilePlan {
  const now = new Map(present.map((file) => [file.fd, file]));
  const wanted = new Map(target.map((file) => [file.fd, file]));
  const kept = target.filter((file) => {
    const there = now.get(file.fd);
    return there !== undefined && same(there, file);
  });
  const isKept = new Set(kept);
  const missing = target.filter((file) => !isKept.has(file));
  const reopen = missing.filter((file) => file.held !== undefined);
  const lost = missing.filter((file) => file.held === undefined);
  const before = (file: FileState): FileState | undefined => now.get(file.fd);
  return {
    close: present.filter((file) => {
      const target = wanted.get(file.fd);
      return target === undefined || lost.includes(target);
    }),
    reopen,
    lost,
    closeOnExec: kept.filter((file) => before(file)?.closeOnExec !== file.closeOnExec),
    flags: [...kept, ...reopen].filter(
      (file) => ((before(file)?.flags ?? 0) & SETTABLE) !== (file.flags & SETTABLE) || reopen.includes(file),
    ),
    position: [...kept, ...reopen].filter(
      (file) =>
        file.held !== undefined &&
        FILE_KINDS[file.kind].positioned &&
        (before(file)?.position !== file.position || reopen.includes(file)),
    ),
  };
}

export function sameOpenFile(present: FileState, target: FileState): boolean {
  if (target.held !== undefined && present.held !== undefined) {
    return target.held === present.held || isSameFile(target.held.fd, process.pid, present.held.fd);
  }
  return present.kind === target.kind && present.target === target.target;
}

function checkAll(results: readonly bigint[], calls: readonly RemoteCall[], what: string): void {
  const bad = results.findIndex((result) => result < 0n);
  if (bad >= 0) throw kernelError(what, Number(-results[bad]!), errnoName(Number(-results[bad]!)), `fd ${calls[bad]?.args[0]}`);
}

export function rebuildFiles(
  inferior: EngineInferior,
  room: ScratchRoom,
  worker: EngineThread,
  present: readonly FileState[],
  target: readonly FileState[],
): FidelityNote[] {
  const plan = planFiles(present, target, sameOpenFile);
  const above = aboveAll(present, target);
  // A position belongs to the open file, and a duplicate of ours shares it: no call in the program is needed.
  const calls: RemoteCall[] = plan.close.map((file) => ({ nr: SYS.close, args: [BigInt(file.fd)] }));
  if (calls.length > 0) room.run(worker, calls); // close(2) has closed, whatever it answers
  if (plan.reopen.length > 0) {
    const passed = passDescriptors(
      inferior,
      room,
      worker,
      plan.reopen.map((file) => file.held!.fd),
      above,
    );
    const place = plan.reopen.map((file, i) => ({
      nr: SYS.dup3,
      args: [BigInt(passed[i]!), BigInt(file.fd), BigInt(file.closeOnExec ? O_CLOEXEC : 0)],
    }));
    const results = room.run(worker, place);
    room.run(
      worker,
      passed.map((fd) => ({ nr: SYS.close, args: [BigInt(fd)] })),
    );
    checkAll(results, place, 'dup3 (in the program)');
  }
  const settings: RemoteCall[] = [
    ...plan.closeOnExec.map((file) => ({
      nr: SYS.fcntl,
      args: [BigInt(file.fd), BigInt(F_SETFD), BigInt(file.closeOnExec ? FD_CLOEXEC : 0)],
    })),
    ...plan.flags
      .filter((file) => file.kind !== 'path only')
      .map((file) => ({ nr: SYS.fcntl, args: [BigInt(file.fd), BigInt(F_SETFL), BigInt(file.flags)] })),
  ];
  checkAll(room.run(worker, settings), settings, 'fcntl (in the program)');
  for (const file of plan.position) seek(file.held!.fd, file.position, SEEK_SET);
  const made = rebuildPipes(room, worker, target, plan.lost, above);
  rebuildCounters(target);
  const notes = rebuildWatches(room, worker, target);
  const lost = plan.lost.filter((file) => !made.includes(file));
  return [
    ...notes,
    ...lost.map((file) => ({
      subject: `fd ${file.fd}`,
      kind: file.kind,
      sentence: `fd ${file.fd} (${file.target}): closed since the checkpoint and cannot be given back`,
    })),
  ];
}
