/**
 * Acting inside a tracee: single system calls at an instruction of its own, and scratch memory with the batch code for many.
 *
 * The scratch mapping exists for the length of one operation: nothing of ours is in the program while it runs.
 */

import { GONE, PAGE_SIZE, type Addr, type Gone, type Pid } from '../base/brands';
import { bug, refused } from '../base/errors';
import type { Arch } from '../arch/arch';
import { MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE } from '../abi/flags';
import { SYS } from '../abi/syscalls-x86-64';
import * as inject from '../sys/inject';
import * as io from '../sys/io';
import * as proc from '../sys/proc';
import { changesAnswers } from './answers';
import type { EngineThread, RemoteCall, Scratch } from './engine-host';
import type { Inferior } from './inferior';
import type { Tracee } from './tracee';

const AT_SYSINFO_EHDR = 33n;
const VDSO_SPAN = 2 * PAGE_SIZE;
const CODE_SEARCH_SPAN = 1 << 20;

function searchCode(memFd: number, start: Addr, length: number, wanted: Buffer): Addr | undefined {
  const code = Buffer.alloc(length);
  const n = io.pread(memFd, code, start);
  const index = n <= 0 ? -1 : code.subarray(0, n).indexOf(wanted);
  return index < 0 ? undefined : start + BigInt(index);
}

/** The vdso has one (its fallbacks); static programs without a vdso have their own. Throws Refused when there is none. */
export function findSyscallInstruction(pid: Pid, memFd: number, arch: Arch): Addr {
  const auxv = proc.readBytes(`/proc/${pid}/auxv`) ?? Buffer.alloc(0);
  for (let i = 0; i + 16 <= auxv.length; i += 16) {
    if (auxv.readBigUInt64LE(i) !== AT_SYSINFO_EHDR) continue;
    const found = searchCode(memFd, auxv.readBigUInt64LE(i + 8), VDSO_SPAN, arch.syscallInstruction);
    if (found !== undefined) return found;
  }
  for (const range of proc.parseRanges(proc.readText(`/proc/${pid}/maps`) ?? '')) {
    if (range.perms[2] !== 'x' || range.path === '[vsyscall]') continue;
    const length = Math.min(Number(range.end - range.start), CODE_SEARCH_SPAN);
    const found = searchCode(memFd, range.start, length, arch.syscallInstruction);
    if (found !== undefined) return found;
  }
  throw refused('no-syscall-instruction', `process ${pid}`, 'no system call instruction to be found in its memory');
}

function noteCalls(inferior: Inferior, calls: readonly RemoteCall[]): void {
  if (calls.some(({ nr, args }) => changesAnswers(nr, (index) => args[index] ?? 0n))) inferior.noteAnswers(undefined);
}

/** GONE after the death was handed to the loop. */
export function remoteCall(inferior: Inferior, tracee: Tracee, call: RemoteCall): bigint | Gone {
  noteCalls(inferior, [call]);
  if (tracee.flush() === GONE) return GONE;
  const result = inject.callIn(tracee.tid, inferior.syscallAt(), call);
  if (typeof result === 'bigint') {
    tracee.noteInjection();
    return result;
  }
  inferior.waiting.noteDeath(tracee, result.death);
  return GONE;
}

/** Two areas of this many bytes: data for the engine, and the table of calls. */
const AREA = 64 * 1024;
const MAX_CALLS = AREA / inject.CALL_SIZE;
const SCRATCH_LENGTH = BigInt(PAGE_SIZE + 2 * AREA);
/** Where no allocator of the known runtimes puts anything (Go arenas 0xc0…, sanitizer shadows below 0x1000_8000_0000, PIE 0x55…, mmap 0x7f…). */
const FIRST_CANDIDATE = 0x1f00_0000_0000n;
const CANDIDATE_STRIDE = 0x0100_0000_0000n;
const CANDIDATES = 32;
const EEXIST = -17n;

type Range = { readonly start: Addr; readonly end: Addr };

/** Candidate addresses that lie in none of `avoid`. Pure. */
export function scratchCandidates(avoid: readonly Range[]): Addr[] {
  const found: Addr[] = [];
  for (let i = 0; i < CANDIDATES; i++) {
    const start = FIRST_CANDIDATE + BigInt(i) * CANDIDATE_STRIDE;
    const end = start + SCRATCH_LENGTH;
    if (avoid.every((r) => r.end <= start || r.start >= end)) found.push(start);
  }
  return found;
}

export function openScratch(inferior: Inferior, worker: Tracee, avoid: readonly Range[]): Scratch | Gone {
  const arch = inferior.arch;
  const flags = BigInt(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE);
  for (const start of scratchCandidates(avoid)) {
    const map = (at: Addr, length: bigint, protection: number): bigint | Gone =>
      remoteCall(inferior, worker, { nr: SYS.mmap, args: [at, length, BigInt(protection), flags, -1n, 0n] });
    // Never writable and executable at once, and no mprotect(2), which would cost the program's TLB: the code is written past the protection.
    const code = map(start, BigInt(PAGE_SIZE), PROT_READ | PROT_EXEC);
    if (code === GONE) return GONE;
    if (code === EEXIST) continue;
    if (code < 0n)
      throw refused('no-scratch', `process ${inferior.pid}`, `no room for our working memory (mmap: errno ${-code})`);
    const data = map(start + BigInt(PAGE_SIZE), SCRATCH_LENGTH - BigInt(PAGE_SIZE), PROT_READ | PROT_WRITE);
    if (data === GONE) return GONE;
    if (data >= 0n && io.pwrite(inferior.memFd, arch.batchCode, start) === arch.batchCode.length)
      return new OpenScratch(inferior, worker, start);
    remoteCall(inferior, worker, { nr: SYS.munmap, args: [start, data < 0n ? BigInt(PAGE_SIZE) : SCRATCH_LENGTH] });
    if (data === EEXIST) continue;
    throw refused('no-scratch', `process ${inferior.pid}`, 'executable working memory is not allowed here');
  }
  throw refused('no-scratch', `process ${inferior.pid}`, 'no free address range for our working memory');
}

class OpenScratch implements Scratch {
  readonly data: Addr;
  readonly dataLength = AREA;
  readonly end: Addr;
  private readonly table: Addr;

  constructor(
    private readonly inferior: Inferior,
    private readonly worker: Tracee,
    readonly start: Addr,
  ) {
    this.data = start + BigInt(PAGE_SIZE);
    this.table = this.data + BigInt(AREA);
    this.end = start + SCRATCH_LENGTH;
  }

  batch(thread: EngineThread, calls: readonly RemoteCall[]): bigint[] | Gone {
    const tracee = this.inferior.tracees.get(thread.ref.tid);
    noteCalls(this.inferior, calls);
    if (tracee === undefined) throw bug(`batch in thread ${thread.ref.tid}, which is none of process ${this.inferior.pid}`);
    if (tracee.flush() === GONE) return GONE;
    const results: bigint[] = [];
    for (let i = 0; i < calls.length; i += MAX_CALLS) {
      const part = inject.batchIn(tracee.tid, this.start, this.table, this.inferior.memFd, calls.slice(i, i + MAX_CALLS));
      if (!Array.isArray(part)) {
        this.inferior.waiting.noteDeath(tracee, part.death);
        return GONE;
      }
      tracee.noteInjection();
      results.push(...part);
    }
    return results;
  }

  close(): void {
    const worker = this.worker.isStopped ? this.worker : this.inferior.worker();
    if (worker !== undefined) remoteCall(this.inferior, worker, { nr: SYS.munmap, args: [this.start, SCRATCH_LENGTH] });
  }
}
