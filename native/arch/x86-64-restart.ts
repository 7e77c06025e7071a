/**
 * What becomes of a system call that a stop has interrupted. Pure.
 *
 * In a signal-type stop inside a call orig_rax is its number and rax is what it returned to the kernel's own exit path
 * (arch/x86/kernel/signal.c). The ERESTART codes make the kernel set pc back on resume. Some calls know no restart and
 * return -EINTR at once, signal(7): a program would see an EINTR for a stop that it must not notice.
 */

import { ERRNO, KERNEL_ERRNO } from '../abi/errno';
import { SYS } from '../abi/syscalls-x86-64';
import type { RestartVerdict } from './arch';

/**
 * Calls that give -EINTR themselves and have done nothing when they do, so that they may be issued again:
 * waits that never restart, and input or output on a socket with SO_RCVTIMEO or SO_SNDTIMEO (net/core/sock.c, sock_intr_errno).
 * Never close(2): the descriptor is gone already. futex(2) is missing with reason: it gives ERESTARTSYS or a restart block.
 * So are pause and rt_sigsuspend (ERESTARTNOHAND).
 */
const REISSUABLE: ReadonlySet<number> = new Set([
  SYS.epoll_wait,
  SYS.epoll_pwait,
  SYS.epoll_pwait2,
  SYS.rt_sigtimedwait,
  SYS.semop,
  SYS.semtimedop,
  SYS.msgrcv,
  SYS.msgsnd,
  SYS.io_getevents,
  SYS.read,
  SYS.readv,
  SYS.write,
  SYS.writev,
  SYS.recvfrom,
  SYS.recvmsg,
  SYS.recvmmsg,
  SYS.sendto,
  SYS.sendmsg,
  SYS.sendmmsg,
  SYS.accept,
  SYS.accept4,
  SYS.connect,
]);

const KERNEL_RESTARTS: ReadonlySet<number> = new Set([
  KERNEL_ERRNO.ERESTARTSYS,
  KERNEL_ERRNO.ERESTARTNOINTR,
  KERNEL_ERRNO.ERESTARTNOHAND,
]);

/** `nr`: orig_rax, undefined when the thread is in no call; `result`: rax, signed. */
export function classifyRestart(nr: number | undefined, result: bigint): RestartVerdict {
  if (nr === undefined) return 'none';
  const errno = Number(-result);
  if (KERNEL_RESTARTS.has(errno)) return 'kernel-restarts';
  if (errno === KERNEL_ERRNO.ERESTART_RESTARTBLOCK) return 'restart-block';
  return errno === ERRNO.EINTR && REISSUABLE.has(nr) ? 'final-eintr' : 'none';
}
