/**
 * The page store and the work on a tracee's memory (native/shim/pages.h). Indexes are handles: small numbers, 0 is the empty one.
 */

import { kernelError, refused } from '../base/errors';
import { PAGE_SIZE, type Addr, type Pid } from '../base/brands';
import { errnoName } from '../abi/errno';
import type { DirtyTier } from './dirty-tier';
import { bind } from './shim';

const storeOpen = bind<(limit: bigint) => number>('int sp_store_open(uint64_t limit_bytes)');
const storeStats = bind<(out: Buffer) => number>('int sp_store_stats(void *out)');
const indexHold = bind<(handle: number) => number>('int sp_index_hold(int handle)');
const indexDrop = bind<(handle: number) => number>('int sp_index_drop(int handle)');
const indexBytes = bind<(handle: number) => number>('int64_t sp_index_bytes(int handle)');
const probe = bind<() => number>('int sp_probe_uffd(void)');
const uffdOpen = bind<(fd: number) => number>('int sp_uffd_open(int fd)');
const takeRaw = bind<(space: Buffer, cur: number, vmas: Buffer, count: number, arm: number, stats: Buffer) => number>(
  'int sp_take(const void *space, int cur, const void *vmas, int count, int arm, void *stats)',
);
const rollRaw = bind<(space: Buffer, live: number, target: number, vmas: Buffer, count: number, stats: Buffer) => number>(
  'int sp_roll(const void *space, int live, int target, const void *vmas, int count, void *stats)',
);
const rollDrops = bind<(out: Buffer, from: number, max: number) => number>('int sp_roll_drops(void *out, int from, int max)');
const rollZero = bind<(space: Buffer, start: bigint, end: bigint) => number>(
  'int sp_roll_zero(const void *space, uint64_t start, uint64_t end)',
);
const armRaw = bind<(space: Buffer, vmas: Buffer, count: number) => number>(
  'int sp_arm(const void *space, const void *vmas, int count)',
);
const compareRaw = bind<(space: Buffer, index: number, vmas: Buffer, count: number, out: Buffer, max: number) => number>(
  'int sp_compare(const void *space, int index, const void *vmas, int count, void *out, int max)',
);
const indexPage = bind<(handle: number, addr: bigint, out: Buffer) => number>(
  'int sp_index_page(int handle, uint64_t addr, void *out)',
);
const indexDiff = bind<
  (a: number, b: number, start: bigint, end: bigint, pageClass: number, changed: Buffer, unsure: Buffer, max: number) => number
>('int sp_index_diff(int a, int b, uint64_t start, uint64_t end, uint32_t class, void *changed, void *unsure, int max)');

const ENOSPC = 28;
const EBADF = 9;
const EFAULT = 14;

/** A handle of the store. */
export type IndexHandle = number;
export const EMPTY_INDEX: IndexHandle = 0;

/** The classes of pages.h. */
export const PAGE_CLASS = { anon: 1, file: 2, shared: 3 } as const;
export type PageClass = keyof typeof PAGE_CLASS;

export interface PageRange {
  readonly start: Addr;
  readonly end: Addr;
  readonly class: PageClass;
  readonly writable: boolean;
  /** Mapped anew since the live index was taken. */
  readonly fresh?: boolean;
}

export interface PageStats {
  readonly scanned: number;
  readonly written: number;
  readonly stored: number;
  readonly dropped: number;
  readonly unreadable: number;
  /** Mappings that were compared because they cannot be armed. */
  readonly fallback: number;
}

/** The tracee's side of one address space. */
export interface SpaceFiles {
  readonly pid: Pid;
  readonly memFd: number;
  readonly pagemapFd: number;
  /** -1: none. */
  readonly uffd: number;
  readonly tier: DirtyTier;
}

const VMA_SIZE = 24;
const STATS_SIZE = 56;

/** `struct sp_vma[]`. */
export function encodeRanges(ranges: readonly PageRange[]): Buffer {
  const bytes = Buffer.alloc(Math.max(1, ranges.length) * VMA_SIZE);
  ranges.forEach((range, i) => {
    bytes.writeBigUInt64LE(range.start, i * VMA_SIZE);
    bytes.writeBigUInt64LE(range.end, i * VMA_SIZE + 8);
    bytes.writeUInt32LE(PAGE_CLASS[range.class], i * VMA_SIZE + 16);
    bytes.writeUInt32LE((range.writable ? 1 : 0) | (range.fresh === true ? 2 : 0), i * VMA_SIZE + 20);
  });
  return bytes;
}

function encodeSpace(space: SpaceFiles): Buffer {
  const bytes = Buffer.alloc(24);
  [space.pid, space.memFd, space.pagemapFd, space.uffd, space.tier === 'write-protect' ? 1 : 0].forEach((value, i) =>
    bytes.writeInt32LE(value, i * 4),
  );
  return bytes;
}

function decodeStats(bytes: Buffer): PageStats {
  const at = (i: number): number => Number(bytes.readBigUInt64LE(i * 8));
  return { scanned: at(0), written: at(1), stored: at(2), dropped: at(3), unreadable: at(4), fallback: at(5) };
}

function must(result: number, call: string, subject?: string): number {
  if (result >= 0) return result;
  if (result === -ENOSPC) {
    throw refused('store-full', 'the page store', 'its limit is reached: delete checkpoints, or raise SAVEPOINT_STORE_LIMIT');
  }
  throw kernelError(call, -result, errnoName(-result), subject);
}

export const openStore = (limitBytes: bigint): number => must(storeOpen(limitBytes), 'reserving the page store');

export function storeUsage(): {
  readonly limit: number;
  readonly used: number;
  readonly touched: number;
  readonly indexes: number;
} {
  const out = Buffer.alloc(56);
  storeStats(out);
  const at = (i: number): number => Number(out.readBigUInt64LE(i * 8));
  return { limit: at(0), used: at(1), touched: at(2), indexes: at(5) };
}

export const holdIndex = (handle: IndexHandle): IndexHandle => must(indexHold(handle), 'holding an index');
export const dropIndex = (handle: IndexHandle): number => must(indexDrop(handle), 'dropping an index');

/** Bytes of page content in an index. */
export const sizeIndex = (handle: IndexHandle): number => must(Number(indexBytes(handle)), 'measuring an index');

/** The page at an aligned address; undefined: the index has nothing of its own there. */
export function readPage(handle: IndexHandle, addr: Addr): Buffer | undefined {
  const page = Buffer.alloc(PAGE_SIZE);
  return must(indexPage(handle, addr, page), 'reading an index') === 0 ? undefined : page;
}

/** Pages listed one by one; more than these count as changed. */
const MOST_UNSURE = 4096;

/** How many pages of a range have another content. `unsure`: pages where a file shows through in one of the two only. */
export function diffPages(
  a: IndexHandle,
  b: IndexHandle,
  range: { readonly start: Addr; readonly end: Addr; readonly class: PageClass },
): { readonly changed: number; readonly unsure: readonly Addr[] } {
  const changed = Buffer.alloc(8);
  const unsure = Buffer.alloc(MOST_UNSURE * 8);
  const code = PAGE_CLASS[range.class];
  const result = indexDiff(a, b, range.start, range.end, code, changed, unsure, MOST_UNSURE);
  const all = must(result, 'comparing indexes');
  const count = Math.min(all, MOST_UNSURE);
  return {
    changed: Number(changed.readBigUInt64LE()) + all - count,
    unsure: Array.from({ length: count }, (_, i) => unsure.readBigUInt64LE(i * 8)),
  };
}

/** Whether this kernel reports writes (Linux 6.7 and the right to userfaultfd). */
export const hasWriteProtect = (): boolean => probe() === 0;

/** Readies a userfaultfd that came from a tracee; false when the kernel lacks what we need. */
export const openUserfault = (fd: number): boolean => uffdOpen(fd) === 0;

/** Takes memory into a new index, from what is known of it. On failure, and without `arm`, every page that was written still counts as written. */
export function takePages(
  space: SpaceFiles,
  known: IndexHandle,
  ranges: readonly PageRange[],
  arm: boolean,
): { readonly index: IndexHandle; readonly stats: PageStats } {
  const stats = Buffer.alloc(STATS_SIZE);
  const index = must(
    takeRaw(encodeSpace(space), known, encodeRanges(ranges), ranges.length, arm ? 1 : 0, stats),
    'reading memory',
  );
  return { index, stats: decodeStats(stats) };
}

/** Writes what differs; answers with the ranges that the tracee has to drop itself (MADV_DONTNEED) before `armPages`. */
export function rollPages(
  space: SpaceFiles,
  live: IndexHandle,
  target: IndexHandle,
  ranges: readonly PageRange[],
): { readonly drops: readonly { readonly start: Addr; readonly end: Addr }[]; readonly stats: PageStats } {
  const stats = Buffer.alloc(STATS_SIZE);
  const result = rollRaw(encodeSpace(space), live, target, encodeRanges(ranges), ranges.length, stats);
  const subject = result === -EFAULT ? `at 0x${stats.readBigUInt64LE(48).toString(16)}` : undefined;
  const count = must(result, 'writing memory', subject);
  const out = Buffer.alloc(Math.max(1, count) * 16);
  rollDrops(out, 0, count);
  const drops = Array.from({ length: count }, (_, i) => ({
    start: out.readBigUInt64LE(i * 16),
    end: out.readBigUInt64LE(i * 16 + 8),
  }));
  return { drops, stats: decodeStats(stats) };
}

export function zeroPages(space: SpaceFiles, start: Addr, end: Addr): void {
  must(rollZero(encodeSpace(space), start, end), 'writing memory', `at 0x${start.toString(16)}`);
}

/** From here on writes are reported again. */
export function armPages(space: SpaceFiles, ranges: readonly PageRange[]): void {
  must(armRaw(encodeSpace(space), encodeRanges(ranges), ranges.length), 'write-protecting memory');
}

/** Self-check: addresses (at most `max`) of pages whose live content is not the index's. */
export function comparePages(space: SpaceFiles, index: IndexHandle, ranges: readonly PageRange[], max = 64): readonly Addr[] {
  const out = Buffer.alloc(max * 8);
  const result = compareRaw(encodeSpace(space), index, encodeRanges(ranges), ranges.length, out, max);
  if (result === -EBADF) throw kernelError('comparing memory', EBADF, errnoName(EBADF));
  const count = Math.min(max, must(result, 'comparing memory'));
  return Array.from({ length: count }, (_, i) => out.readBigUInt64LE(i * 8));
}
