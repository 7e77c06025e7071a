/**
 * Why a process cannot be attached to, and what to do about it: found in /proc after the kernel has said no, because EPERM alone tells nothing.
 * The owner says the sentence to gdb; gdb does not hand it on, so the adapter asks here as well. ptrace(2), "Ptrace access mode checking".
 */

import * as fs from 'node:fs';
import { readText, statusField } from './proc-text';

export type ObstacleReason =
  | 'gone'
  | 'zombie'
  | 'kernel-thread'
  | 'traced'
  | '32-bit'
  | 'other-user'
  | 'ptrace-scope-1'
  | 'ptrace-scope-2'
  | 'ptrace-scope-3'
  | 'capability'
  | 'seccomp'
  | 'protected';

export interface Obstacle {
  readonly reason: ObstacleReason;
  readonly sentence: string;
  /** What helps, as a person would type it. */
  readonly command?: string;
  /** Of `traced`: who does. */
  readonly tracer?: number;
  /** Of `other-user`: whose it is, a user's number. */
  readonly owner?: number;
}

/** What is to be known of the process and of us. */
export interface AttachFacts {
  readonly pid: number;
  /** The letter in /proc/PID/status; undefined: there is no such process. */
  readonly state: string | undefined;
  readonly kernelThread: boolean;
  readonly tracer?: { readonly pid: number; readonly name: string };
  /** Of its ELF file; undefined: not to be read. */
  readonly bits: 32 | 64 | undefined;
  readonly owner: number;
  readonly us: { readonly user: number; readonly mayTrace: boolean; readonly filtered: boolean };
  /** kernel.yama.ptrace_scope; undefined: a kernel without Yama. */
  readonly scope: number | undefined;
}

const LIFT_SCOPE = 'sudo sysctl kernel.yama.ptrace_scope=0';

/** The first that holds is the one that the kernel meant; `protected` is what is left. */
export function judgeAttach(facts: AttachFacts): Obstacle {
  const { pid, state, tracer, owner, us, scope } = facts;
  const no = (reason: ObstacleReason, sentence: string, more: Partial<Obstacle> = {}): Obstacle => ({
    reason,
    sentence,
    ...more,
  });
  const denied = `no permission to attach to process ${pid}`;
  if (state === undefined) return no('gone', `there is no process ${pid}`);
  if (state === 'Z' || state === 'X') return no('zombie', `process ${pid} is a zombie: it has ended already`);
  if (facts.kernelThread) return no('kernel-thread', `process ${pid} is a kernel thread`);
  if (tracer !== undefined) {
    const sentence = `process ${pid} is being traced already by process ${tracer.pid} (${tracer.name}), and only one may: end that one first`;
    return no('traced', sentence, { tracer: tracer.pid });
  }
  if (facts.bits === 32) return no('32-bit', `process ${pid} is a 32-bit program; only x86-64 ones can be debugged`);
  if (scope === 3) return no('ptrace-scope-3', `${denied}: kernel.yama.ptrace_scope is 3, and nobody may until the next boot`);
  if (us.user === 0 && !us.mayTrace) {
    const sentence = `${denied}: we are root without CAP_SYS_PTRACE, as in a container; start it with --cap-add=SYS_PTRACE`;
    return no('capability', sentence, { command: 'docker run --cap-add=SYS_PTRACE …' });
  }
  if (owner !== us.user && !us.mayTrace)
    return no('other-user', `${denied}: it belongs to user ${owner}; run as that user or as root`, { owner });
  if (scope === 2 && !us.mayTrace) {
    const sentence = `${denied}: kernel.yama.ptrace_scope is 2, and only root may; allow it with \`${LIFT_SCOPE}\``;
    return no('ptrace-scope-2', sentence, { command: LIFT_SCOPE });
  }
  if (scope === 1 && !us.mayTrace) {
    const sentence = `${denied}: kernel.yama.ptrace_scope is 1; allow it with \`${LIFT_SCOPE}\`, or start the program under the debugger`;
    return no('ptrace-scope-1', sentence, { command: LIFT_SCOPE });
  }
  if (us.filtered) {
    const sentence = `${denied}: a seccomp filter on us may forbid ptrace, as in a container; start it with --security-opt seccomp=unconfined`;
    return no('seccomp', sentence, { command: 'docker run --security-opt seccomp=unconfined …' });
  }
  return no(
    'protected',
    `${denied}: it is not dumpable (set-id or protected), or a security module or container forbids ptrace; run as root`,
  );
}

export function readAttachFacts(pid: number): AttachFacts {
  const status = readText(`/proc/${pid}/status`) ?? '';
  const self = readText('/proc/self/status') ?? '';
  const tracer = Number(statusField(status, 'TracerPid') ?? 0);
  const scope = readText('/proc/sys/kernel/yama/ptrace_scope');
  return {
    pid,
    state: statusField(status, 'State')?.charAt(0),
    kernelThread: isKernelThread(pid),
    ...(tracer === 0 ? {} : { tracer: { pid: tracer, name: readText(`/proc/${tracer}/comm`)?.trim() ?? '' } }),
    bits: bitsOf(`/proc/${pid}/exe`),
    owner: Number(statusField(status, 'Uid')?.split(/\s+/)[0] ?? 0),
    us: {
      user: process.geteuid?.() ?? 0,
      mayTrace: (BigInt(`0x${statusField(self, 'CapEff') ?? '0'}`) & CAP_SYS_PTRACE) !== 0n,
      filtered: statusField(self, 'Seccomp') === '2',
    },
    scope: scope === undefined ? undefined : Number(scope),
  };
}

/** capability.h */
const CAP_SYS_PTRACE = 1n << 19n;
/** PF_KTHREAD of the flags in /proc/PID/stat; `Kthread:` in status is newer. */
const KERNEL_THREAD = 0x0020_0000;

function isKernelThread(pid: number): boolean {
  const stat = readText(`/proc/${pid}/stat`);
  const flags = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[6];
  return (Number(flags ?? 0) & KERNEL_THREAD) !== 0;
}

/** e_ident of ELF: class 1 is 32-bit. */
function bitsOf(file: string): 32 | 64 | undefined {
  try {
    const head = Buffer.alloc(5);
    const fd = fs.openSync(file, 'r');
    try {
      fs.readSync(fd, head, 0, head.length, 0);
    } finally {
      fs.closeSync(fd);
    }
    return head[4] === 1 ? 32 : 64;
  } catch {
    return undefined;
  }
}
