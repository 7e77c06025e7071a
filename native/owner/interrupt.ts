/**
 * The stop that gdb's ^C asks for.
 *
 * On a terminal the same key reaches the program as well: the driver sends SIGINT to the whole foreground group, gdb hears it and asks us, and
 * the program's own SIGINT lies in its queue when our PTRACE_INTERRUPT comes (the kernel looks at the interrupt first). Were it left there, the
 * program would stop a second time at the next resume, and a checkpoint taken meanwhile would bring that stop back at each restart.
 */

import { GONE } from '../base/brands';
import { SI_USER } from '../abi/flags';
import { SIGINT } from '../abi/signals';
import { SIGINFO } from '../abi/structs';
import * as proc from '../sys/proc';
import type { Tracee } from './tracee';
import type { Tracer } from './tracer';

const BIT = 1n << BigInt(SIGINT - 1);

function isQueued(pid: number): boolean {
  const pending = proc.statusField(proc.readText(`/proc/${pid}/status`) ?? '', 'ShdPnd');
  return pending !== undefined && (BigInt(`0x${pending}`) & BIT) !== 0n;
}

function mayTake(tracee: Tracee): boolean {
  const { state } = tracee;
  if (state.kind !== 'stopped' || state.stop.kind !== 'interrupt') return false;
  if (tracee.pending !== undefined || tracee.deliver !== undefined) return false;
  const mask = tracee.sigmask();
  return mask !== GONE && (mask.readBigUInt64LE() & BIT) === 0n;
}

/** It has a real SIGINT to report. */
export function isInterrupted(tracee: Tracee): boolean {
  return tracee.pending?.kind === 'signal' && tracee.pending.signal === SIGINT;
}

/**
 * Lets a thread take the queued SIGINT of its process: it is resumed from its interrupt stop inside the kernel and meets the signal before it
 * could reach user mode. Everything must stand. The thread that has it now, or undefined: there is none, or nobody may take it (blocked).
 */
export function takeQueuedInterrupt(tracer: Tracer): Tracee | undefined {
  for (const inferior of tracer.debugged()) {
    if (inferior.life.kind !== 'running' || !isQueued(inferior.pid)) continue;
    for (const tracee of inferior.live().filter(mayTake)) {
      tracee.transition({ kind: 'running', how: 'continue' });
      if (tracee.run('continue') === GONE || tracer.awaitStop(tracee) === GONE) continue;
      if (isInterrupted(tracee)) return tracee;
      if (!isQueued(inferior.pid)) break;
    }
  }
  return undefined;
}

/** The siginfo of a SIGINT that nobody sent: as if we had, which is what a debugger that sends one shows. */
export function interruptInfo(): Buffer {
  const info = Buffer.alloc(SIGINFO.size);
  info.writeInt32LE(SIGINT, SIGINFO.si_signo);
  info.writeInt32LE(SI_USER, SIGINFO.si_code);
  info.writeInt32LE(process.pid, SIGINFO.si_pid);
  info.writeUInt32LE(process.getuid?.() ?? 0, SIGINFO.si_uid);
  return info;
}
