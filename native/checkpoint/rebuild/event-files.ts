/**
 * What an event loop lives on: counters of eventfds, pipes that the program talks to itself by, and what its epoll sets watch. After the
 * descriptor table is right; all of it is found out afresh from /proc, so it does not matter how a descriptor came to be what it is.
 */

import { F_SETFL, O_ACCMODE, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY } from '../../abi/flags';
import { SYS } from '../../abi/syscalls-x86-64';
import type { EngineThread, RemoteCall } from '../../owner/engine-host';
import * as io from '../../sys/io';
import * as proc from '../../sys/proc';
import { parseFdInfo, type Watch } from '../fd-info';
import type { ScratchRoom } from '../scratch-room';
import type { FidelityNote, FileState } from '../state';
import { moveUp } from './pass-descriptors';

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
/** struct epoll_event of x86-64 is packed: u32 events, u64 data. */
const EPOLL_EVENT_SIZE = 12;

const infoOf = (fd: number): ReturnType<typeof parseFdInfo> => parseFdInfo(proc.readText(`/proc/self/fdinfo/${fd}`) ?? '');

/** Our duplicate is the same eventfd as the program's: what is set here is set there. */
export function rebuildCounters(target: readonly FileState[]): void {
  const word = Buffer.alloc(8);
  for (const { kind, held, counter } of target) {
    if (kind !== 'eventfd' || held === undefined || counter === undefined) continue;
    // Never read at zero: that would wait. A semaphore (EFD_SEMAPHORE) goes down by one a read.
    for (let now = infoOf(held.fd).counter ?? 0n; now > 0n && now !== counter; now = infoOf(held.fd).counter ?? 0n) {
      if (io.readSome(held.fd, word) !== word.length) break;
    }
    if ((infoOf(held.fd).counter ?? 0n) === counter || counter === 0n) continue;
    word.writeBigUInt64LE(counter);
    io.writeAll(held.fd, word);
  }
}

/** The lost ends, by pipe, of those pipes whose both ends the program had. */
function ownPipes(target: readonly FileState[], lost: readonly FileState[]): FileState[][] {
  const pipes = new Map<string, FileState[]>();
  for (const file of target) if (file.kind === 'pipe') pipes.set(file.target, [...(pipes.get(file.target) ?? []), file]);
  const writes = (file: FileState): boolean => (file.flags & O_ACCMODE) !== O_RDONLY;
  return [...pipes.values()].filter(
    (ends) => ends.every((end) => lost.includes(end)) && ends.some(writes) && ends.some((end) => !writes(end)),
  );
}

/** A pipe of the program's own that it has closed since, at both ends, is made anew, empty. Returns the ends that are there again. */
export function rebuildPipes(
  room: ScratchRoom,
  worker: EngineThread,
  target: readonly FileState[],
  lost: readonly FileState[],
  above: number,
): FileState[] {
  const made: FileState[] = [];
  for (const ends of ownPipes(target, lost)) {
    room.clear();
    const at = room.place(8);
    const [result] = room.run(worker, [{ nr: SYS.pipe2, args: [at, BigInt(O_CLOEXEC)] }]);
    if (result !== 0n) continue;
    const pair = room.read(at, 8);
    const low = [pair.readInt32LE(0), pair.readInt32LE(4)];
    // Out of the way of the numbers that are to be filled.
    const high = moveUp(room, worker, low, above);
    if (high.some((fd) => fd < 0n)) continue;
    const calls: RemoteCall[] = ends.flatMap((end) => [
      {
        nr: SYS.dup3,
        args: [
          (end.flags & O_ACCMODE) === O_RDONLY ? high[0]! : high[1]!,
          BigInt(end.fd),
          BigInt(end.closeOnExec ? O_CLOEXEC : 0),
        ],
      },
      { nr: SYS.fcntl, args: [BigInt(end.fd), BigInt(F_SETFL), BigInt(end.flags & (O_NONBLOCK | O_DIRECT))] },
    ]);
    room.run(worker, [...calls, ...high.map((fd) => ({ nr: SYS.close, args: [fd] }))]);
    made.push(...ends);
  }
  return made;
}

function watchCall(room: ScratchRoom, epoll: number, operation: number, watch: Watch): RemoteCall {
  const event = Buffer.alloc(EPOLL_EVENT_SIZE);
  event.writeUInt32LE(watch.events, 0);
  event.writeBigUInt64LE(watch.data, 4);
  return { nr: SYS.epoll_ctl, args: [BigInt(epoll), BigInt(operation), BigInt(watch.fd), room.put(event)] };
}

/** What each epoll set watches, by descriptor number. */
export function rebuildWatches(room: ScratchRoom, worker: EngineThread, target: readonly FileState[]): FidelityNote[] {
  const notes: FidelityNote[] = [];
  const done = new Set<number>();
  for (const { fd, kind, held, watches } of target) {
    // Duplicates of one set share it.
    if (kind !== 'epoll' || held === undefined || watches === undefined || done.has(held.fd)) continue;
    done.add(held.fd);
    const now = new Map(infoOf(held.fd).watches.map((watch) => [watch.fd, watch]));
    const wanted = new Map(watches.map((watch) => [watch.fd, watch]));
    room.clear();
    const calls: RemoteCall[] = [];
    for (const watch of now.values()) if (!wanted.has(watch.fd)) calls.push(watchCall(room, fd, EPOLL_CTL_DEL, watch));
    for (const watch of wanted.values()) {
      const present = now.get(watch.fd);
      if (present?.events === watch.events && present.data === watch.data) continue;
      calls.push(watchCall(room, fd, present === undefined ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, watch));
    }
    const results = room.run(worker, calls);
    const bad = results.filter((result) => result < 0n).length;
    if (bad > 0)
      notes.push({
        subject: `fd ${fd}`,
        kind,
        sentence: `fd ${fd} (anon_inode:[eventpoll]): ${bad} of the descriptors it watches`,
      });
  }
  return notes;
}
