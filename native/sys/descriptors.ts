/**
 * Descriptors that we share with a tracee: sameness, position, status, and passing them on.
 */

import { kernelError } from '../base/errors';
import type { Pid } from '../base/brands';
import { errnoName } from '../abi/errno';
import { bind } from './shim';

const kcmpRaw = bind<(pidA: number, a: number, pidB: number, b: number) => number>(
  'int sp_kcmp_file(int pid_a, int a, int pid_b, int b)',
);
const sendRaw = bind<(socket: number, fds: Int32Array, count: number) => number>(
  'int sp_send_fds(int socket, const int32_t *fds, int count)',
);
const lseekRaw = bind<(fd: number, offset: bigint, whence: number) => number | bigint>(
  'int64_t sp_lseek(int fd, int64_t offset, int whence)',
);

/** The most that one `sendDescriptors` passes on. */
export const MAX_SENT = 200;

/** Whether our descriptor `ours` is the same open file as descriptor `theirs` of process `pid` (kcmp(2)); false when nobody knows. */
export function isSameFile(ours: number, pid: Pid, theirs: number): boolean {
  return kcmpRaw(process.pid, ours, pid, theirs) === 0;
}

export function sendDescriptors(socket: number, fds: readonly number[]): void {
  const result = sendRaw(socket, Int32Array.from(fds), fds.length);
  if (result < 0) throw kernelError('sendmsg(SCM_RIGHTS)', -result, errnoName(-result));
}

/** The new position, or -errno (ESPIPE for what has none). */
export function seek(fd: number, offset: bigint, whence: number): bigint {
  return BigInt(lseekRaw(fd, offset, whence));
}
