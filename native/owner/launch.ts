/**
 * Beginning and end of a debugged process: launch, attach, detach, kill.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { GONE, type Pid } from '../base/brands';
import { judgeAttach, readAttachFacts } from '../base/attach-obstacle';
import { type SavepointError, bug, userError } from '../base/errors';
import { errnoName } from '../abi/errno';
import {
  PTRACE_O_EXITKILL,
  PTRACE_O_TRACECLONE,
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACESECCOMP,
  PTRACE_O_TRACESYSGOOD,
  PTRACE_O_TRACEVFORK,
  PTRACE_O_TRACEVFORKDONE,
} from '../abi/ptrace';
import { checkExecutable } from '../sys/elf';
import * as io from '../sys/io';
import * as proc from '../sys/proc';
import * as ptrace from '../sys/ptrace';
import { spawn, type SpawnSpec } from '../sys/spawn';
import type { Inferior } from './inferior';
import type { LaunchSpec } from './ops';
import { settle } from './parking';
import { letGo } from './stop-events';
import type { Tracee } from './tracee';
import type { Tracer } from './tracer';
import { Unreported } from './unreported';

const FOLLOW =
  PTRACE_O_TRACECLONE |
  PTRACE_O_TRACEFORK |
  PTRACE_O_TRACEVFORK |
  PTRACE_O_TRACEVFORKDONE |
  PTRACE_O_TRACEEXEC |
  PTRACE_O_TRACESECCOMP |
  PTRACE_O_TRACESYSGOOD;

/** As the shell would look it up; the word itself when it is nowhere (the check says what is wrong). */
function resolveProgram(program: string, cwd: string): string {
  if (program.includes('/')) return path.resolve(cwd, program);
  const inPath = (process.env.PATH ?? '').split(':').map((dir) => path.join(dir, program));
  const local = path.resolve(cwd, program);
  return inPath.find((file) => fs.existsSync(file)) ?? local;
}

function openRedirections(spec: LaunchSpec, cwd: string): { fds: [number, number, number]; close(): void } {
  const fds: [number, number, number] = [-1, -1, -1];
  const opened: number[] = [];
  const close = (): void => opened.forEach((fd) => io.close(fd));
  for (const entry of spec.redirect ?? []) {
    if (entry.path !== undefined) {
      const fd = io.open(path.resolve(cwd, entry.path), entry.flags ?? 0, 0o666);
      if (fd < 0) {
        close();
        throw userError('redirection', `cannot open ${entry.path} for the program: ${errnoName(-fd)}`);
      }
      opened.push(fd);
      fds[entry.fd] = fd;
    } else if (entry.dup !== undefined) {
      const taken = entry.dup <= 2 ? fds[entry.dup as 0 | 1 | 2] : -1;
      fds[entry.fd] = taken >= 0 ? taken : entry.dup;
    }
  }
  return { fds, close };
}

/** Starts the program and stops it before its first instruction. `park`: install the exit filter. */
export function launch(tracer: Tracer, spec: LaunchSpec, park: boolean): Inferior {
  const cwd = spec.cwd === undefined ? process.cwd() : path.resolve(spec.cwd);
  const program = resolveProgram(spec.program, cwd);
  checkExecutable(program);
  const words = [...(spec.wrapper ?? []), ...(spec.wrapper === undefined ? [] : [program])];
  const first = words.length > 0 ? resolveProgram(words[0]!, cwd) : program;
  const argv = words.length > 0 ? [...words, ...spec.args] : [spec.program, ...spec.args];
  const redirections = openRedirections(spec, cwd);
  try {
    const request: SpawnSpec = {
      path: first,
      argv,
      env: spec.env ?? Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`),
      cwd,
      noRandomize: spec.disableRandomization ?? true,
      holdExits: park,
      fds: redirections.fds,
      options: FOLLOW | PTRACE_O_EXITKILL,
    };
    const started = spawn(request);
    if ('errno' in started) {
      // No filter to be had (an old kernel, a container's policy): threads that exit cannot come back, but all else works.
      if (started.stage === 'filter') return launch(tracer, spec, false);
      throw userError(
        'cannot-start',
        `cannot start ${program}: ${started.stage === 'exec' ? '' : `${started.stage}: `}${errnoName(started.errno)}`,
        { program },
      );
    }
    const inferior = tracer.addInferior(started.pid, true, park);
    const tracee = awaitProgram(tracer, inferior, program, spec.wrapper !== undefined);
    inferior.openFiles();
    if (settle(inferior, tracee) === GONE) throw userError('died-at-start', `${program} was killed before its first instruction`);
    inferior.setCurrentThread(tracee.ref);
    return inferior;
  } finally {
    redirections.close();
  }
}

/** Runs through the execs of a wrapper until the program itself is there. */
function awaitProgram(tracer: Tracer, inferior: Inferior, program: string, wrapped: boolean): Tracee {
  const tracee = tracer.adopt(inferior, inferior.pid);
  const wanted = fs.realpathSync(program);
  for (;;) {
    if (tracer.awaitStop(tracee) === GONE || !tracee.isStopped) {
      new Unreported(tracer.ended).forget(inferior.pid);
      throw userError(
        'died-at-start',
        `${program} ended before its first instruction${wrapped ? ' (what does the wrapper do?)' : ''}`,
      );
    }
    const stop = tracee.state.kind === 'stopped' ? tracee.state.stop : undefined;
    const arrived =
      stop?.kind === 'event' && stop.event === 'exec' && (!wrapped || proc.readLink(`/proc/${inferior.pid}/exe`) === wanted);
    if (arrived) return tracee;
    tracee.pending = undefined;
    if (stop?.kind === 'signal') tracee.deliver = { signal: stop.signal };
    tracee.transition({ kind: 'running', how: 'continue' });
    tracee.run('continue');
  }
}

const EPERM = 1;
const ESRCH = 3;

/** Why the kernel will not let us attach, and what to do about it. */
function cannotAttach(pid: Pid, errno: number): SavepointError {
  const { sentence, ...facts } = judgeAttach(readAttachFacts(pid));
  const isKnown = errno === EPERM || facts.reason !== 'protected';
  const text = errno === ESRCH ? `there is no process ${pid}` : `cannot attach to process ${pid}: ${errnoName(errno)}`;
  return userError('cannot-attach', isKnown ? sentence : text, { pid, ...facts });
}

/** Seizes all threads; the program is not harmed by a failure on the way. */
export function attach(tracer: Tracer, pid: Pid): Inferior {
  if (tracer.inferiors.has(pid)) throw userError('attached-already', `process ${pid} is being debugged already`);
  const exe = proc.readLink(`/proc/${pid}/exe`);
  if (exe !== undefined && fs.existsSync(exe)) checkExecutable(exe);
  const inferior = tracer.addInferior(pid, false, false);
  const undo = (): void => {
    for (const tracee of inferior.tracees.values()) if (tracee.isStopped) ptrace.detach(tracee.tid, 0);
    for (const tracee of [...inferior.tracees.values()]) tracer.forget(tracee);
    tracer.dropInferior(inferior);
  };
  try {
    seizeAll(tracer, inferior);
    inferior.openFiles();
  } catch (error) {
    undo();
    throw error;
  }
  const leader = inferior.leader;
  if (leader === undefined) {
    undo();
    throw cannotAttach(pid, ESRCH);
  }
  tracer.quiesce();
  inferior.setCurrentThread(leader.ref);
  return inferior;
}

/** Until a look at /proc/PID/task shows nobody new: threads born meanwhile are followed by PTRACE_O_TRACECLONE of their parents or found in the next round. */
function seizeAll(tracer: Tracer, inferior: Inferior): void {
  for (let found = true; found;) {
    found = false;
    for (const tid of proc.taskIds(inferior.pid)) {
      if (inferior.tracees.has(tid)) continue;
      const errno = ptrace.seize(tid, FOLLOW);
      if (errno === ESRCH) continue;
      if (errno === EPERM && isOurs(tid)) {
        // Born traced between our look and now; its parent's event is on its way.
        continue;
      }
      if (errno !== 0) throw cannotAttach(inferior.pid, errno);
      found = true;
      const tracee = tracer.adopt(inferior, tid);
      tracee.interrupted = true;
      if (ptrace.interrupt(tid) === GONE || tracer.awaitStop(tracee) === GONE) continue;
    }
  }
  if (inferior.tracees.size === 0) throw cannotAttach(inferior.pid, ESRCH);
}

function isOurs(tid: number): boolean {
  return proc.statusField(proc.readText(`/proc/${tid}/status`) ?? '', 'TracerPid') === String(process.pid);
}

/** Lets the process go on without a trace of us (breakpoints, debug registers), or nursed when it carries our filter. */
export function detach(tracer: Tracer, inferior: Inferior): void {
  inferior.liftedForVfork?.();
  inferior.breakpoints.removeAll(inferior.memFd);
  inferior.points.clear();
  inferior.setHoldExit(false);
  inferior.setWanted(new Set());
  for (const tracee of inferior.parked()) inferior.release(tracee);
  for (const tracee of inferior.live()) {
    inferior.points.sync(tracee);
    takeAlong(tracee);
  }
  if (inferior.life.kind === 'held') {
    kill(tracer, inferior);
    return;
  }
  if (!inferior.parking) awaitLeaving(tracer, inferior);
  letGo(tracer, inferior);
}

/**
 * A signal that stopped the thread goes with it, unless gdb says that the program never sees it (^C's SIGINT would end it). A fault does not:
 * it happens again by itself if it was real, and is nobody's business when it was the return of a function that gdb called (on a stack
 * that is not executable that is a SIGSEGV).
 */
function takeAlong(tracee: Tracee): void {
  const { pending } = tracee;
  tracee.pending = undefined;
  if (pending?.kind !== 'signal' || pending.synchronous || pending.discarded) return;
  tracee.deliver = { signal: pending.signal, info: tracee.siginfo ?? pending.info };
}

/** Released threads must be gone before their tracer is: they stand between a stop and their exit. */
function awaitLeaving(tracer: Tracer, inferior: Inferior): void {
  while ([...inferior.tracees.values()].some((t) => t.state.kind === 'leaving')) {
    const { events } = tracer.waiter.wait([], 5000);
    if (events.length === 0) throw bug('a released thread does not exit');
    tracer.feed(events);
  }
}

const SIGKILL = 9;
const END_LIMIT_MS = 10_000;

export function kill(tracer: Tracer, inferior: Inferior): void {
  inferior.role = 'nursed';
  try {
    process.kill(inferior.pid, SIGKILL);
  } catch {
    // Gone already; its status is on the way all the same.
  }
  awaitEnd(tracer, inferior);
}

/** A process that is dying: until the kernel has reported the last of it. */
export function awaitEnd(tracer: Tracer, inferior: Inferior): void {
  while (tracer.inferiors.get(inferior.pid) === inferior) {
    const { events } = tracer.waiter.wait([], END_LIMIT_MS);
    if (events.length === 0) throw bug(`process ${inferior.pid} does not die`);
    tracer.feed(events);
  }
}
