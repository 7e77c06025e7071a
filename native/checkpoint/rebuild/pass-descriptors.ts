/**
 * Gives descriptors of ours to the process: a socket pair made inside it, one end taken by us (pidfd_getfd), SCM_RIGHTS, recvmsg inside it.
 * Received descriptors are close-on-exec and above every number that a restore may have to fill.
 */

import { AF_UNIX, F_DUPFD_CLOEXEC, MSG_CMSG_CLOEXEC, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from '../../abi/flags';
import { errnoName } from '../../abi/errno';
import { SYS } from '../../abi/syscalls-x86-64';
import { kernelError } from '../../base/errors';
import type { EngineInferior, EngineThread, RemoteCall } from '../../owner/engine-host';
import { MAX_SENT, sendDescriptors } from '../../sys/descriptors';
import * as io from '../../sys/io';
import type { ScratchRoom } from '../scratch-room';
import type { FileState } from '../state';

/** struct msghdr; CMSG_LEN(0); room for one message. */
const MSGHDR_SIZE = 56;
const CMSG_HEADER = 16;
const CONTROL_SIZE = CMSG_HEADER + MAX_SENT * 4;

function check(result: bigint | undefined, call: string): bigint {
  if (result !== undefined && result >= 0n) return result;
  const errno = Number(-(result ?? -5n));
  throw kernelError(`${call} (in the program)`, errno, errnoName(errno));
}

const close = (fd: number): RemoteCall => ({ nr: SYS.close, args: [BigInt(fd)] });

interface Pair {
  readonly ours: number;
  readonly theirs: number;
}

function openPair(inferior: EngineInferior, room: ScratchRoom, worker: EngineThread): Pair {
  room.clear();
  const at = room.place(8);
  const [made] = room.run(worker, [{ nr: SYS.socketpair, args: [BigInt(AF_UNIX), BigInt(SOCK_DGRAM | SOCK_CLOEXEC), 0n, at] }]);
  check(made, 'socketpair');
  const fds = room.read(at, 8);
  const far = fds.readInt32LE(0);
  const theirs = fds.readInt32LE(4);
  const ours = io.pidfdGetfd(inferior.pidFd, far);
  room.run(worker, ours < 0 ? [close(far), close(theirs)] : [close(far)]);
  check(BigInt(ours), 'pidfd_getfd');
  return { ours, theirs };
}

/** One message received; the numbers that the kernel gave. */
function receive(room: ScratchRoom, worker: EngineThread, socket: number): number[] {
  room.clear();
  const byte = room.place(1);
  const iov = Buffer.alloc(16);
  iov.writeBigUInt64LE(byte, 0);
  iov.writeBigUInt64LE(1n, 8);
  const control = room.place(CONTROL_SIZE);
  const header = Buffer.alloc(MSGHDR_SIZE);
  header.writeBigUInt64LE(room.put(iov), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(control, 32);
  header.writeBigUInt64LE(BigInt(CONTROL_SIZE), 40);
  const at = room.put(header);
  const [got] = room.run(worker, [{ nr: SYS.recvmsg, args: [BigInt(socket), at, BigInt(MSG_CMSG_CLOEXEC | MSG_DONTWAIT)] }]);
  check(got, 'recvmsg');
  const answer = room.read(control, CONTROL_SIZE);
  const length = room.read(at, MSGHDR_SIZE).readBigUInt64LE(40) === 0n ? 0 : Number(answer.readBigUInt64LE(0));
  const count = Math.max(0, Math.floor((length - CMSG_HEADER) / 4));
  return Array.from({ length: count }, (_, i) => answer.readInt32LE(CMSG_HEADER + 4 * i));
}

/** The lowest number above every one that either table has. */
export const aboveAll = (present: readonly FileState[], target: readonly FileState[]): number =>
  Math.max(2, ...present.map((file) => file.fd), ...target.map((file) => file.fd)) + 1;

/** Moves descriptors of the process out of the way, to `above` or higher: the raw results, in order. */
export function moveUp(room: ScratchRoom, worker: EngineThread, low: readonly number[], above: number): bigint[] {
  const moved = room.run(
    worker,
    low.map((fd) => ({ nr: SYS.fcntl, args: [BigInt(fd), BigInt(F_DUPFD_CLOEXEC), BigInt(above)] })),
  );
  room.run(worker, low.map(close));
  return moved;
}

/** Their numbers in the process, in order; all of them at `above` or higher. */
export function passDescriptors(
  inferior: EngineInferior,
  room: ScratchRoom,
  worker: EngineThread,
  ours: readonly number[],
  above: number,
): number[] {
  const passed: number[] = [];
  if (ours.length === 0) return passed;
  const pair = openPair(inferior, room, worker);
  try {
    for (let i = 0; i < ours.length; i += MAX_SENT) {
      const part = ours.slice(i, i + MAX_SENT);
      sendDescriptors(pair.ours, part);
      const low = receive(room, worker, pair.theirs);
      const moved = moveUp(room, worker, low, above);
      passed.push(...moved.filter((fd) => fd >= 0n).map(Number));
      if (low.length !== part.length) check(-24n, 'recvmsg');
      moved.forEach((fd) => check(fd, 'fcntl(F_DUPFD_CLOEXEC)'));
    }
    return passed;
  } catch (error) {
    room.run(worker, passed.map(close));
    throw error;
  } finally {
    io.close(pair.ours);
    room.run(worker, [close(pair.theirs)]);
  }
}

/** Closes what was passed, once it has served. */
export function closePassed(room: ScratchRoom, worker: EngineThread, fds: readonly number[]): void {
  room.run(worker, fds.map(close));
}
