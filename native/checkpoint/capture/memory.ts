/**
 * The address space of one process image: its userfaultfd, and `live`, the index that memory equals but for pages written since.
 *
 * `live` has a life of its own beside the checkpoints: it stays right when a checkpoint that was taken is thrown away again.
 */

import { O_CLOEXEC, O_NONBLOCK } from '../../abi/flags';
import { SYS } from '../../abi/syscalls-x86-64';
import type { EngineInferior } from '../../owner/engine-host';
import * as io from '../../sys/io';
import {
  armPages,
  comparePages,
  dropIndex,
  EMPTY_INDEX,
  holdIndex,
  openUserfault,
  takePages,
  type IndexHandle,
  type PageRange,
  type PageStats,
  type SpaceFiles,
} from '../../sys/pages';
import type { DirtyTier } from '../../sys/dirty-tier';
import { alive } from '../gone';

/** Faults of user mode only: what an ordinary user may have; asynchronous ones never reach us anyway. */
const UFFD_USER_MODE_ONLY = 1;

export class MemorySpace {
  private uffd = -1;
  private image = -1;
  private index: IndexHandle = EMPTY_INDEX;
  /** false: arming broke off half-way, so "not written" says nothing. */
  private isTrusted = true;

  constructor(
    private readonly inferior: EngineInferior,
    private readonly wanted: DirtyTier,
  ) {}

  get live(): IndexHandle {
    return this.index;
  }

  get tier(): DirtyTier {
    return this.uffd >= 0 ? 'write-protect' : 'compare';
  }

  files(): SpaceFiles {
    const { pid, memFd, pagemapFd } = this.inferior;
    return { pid, memFd, pagemapFd, uffd: this.uffd, tier: this.tier };
  }

  /** Gets a userfaultfd from the process, once per image: made by an injected call, taken, and closed there at once. */
  open(): void {
    if (this.image === this.inferior.image) return;
    this.close();
    this.image = this.inferior.image;
    if (this.wanted !== 'write-protect') return;
    const worker = this.inferior.worker();
    if (worker === undefined) return;
    const flags = BigInt(O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    const theirs = alive(this.inferior.syscall(worker, SYS.userfaultfd, flags));
    if (theirs < 0n) return;
    const ours = io.pidfdGetfd(this.inferior.pidFd, Number(theirs));
    alive(this.inferior.syscall(worker, SYS.close, theirs));
    if (ours < 0) return;
    if (openUserfault(ours)) this.uffd = ours;
    else io.close(ours);
  }

  /** Takes all of memory; `live` is what was taken. The caller gets a hold of its own. `arm` false: memory is about to be rolled and armed then. */
  take(ranges: readonly PageRange[], arm: boolean): { readonly index: IndexHandle; readonly stats: PageStats } {
    const taken = takePages(this.readable(), this.index, ranges, arm);
    this.setLive(taken.index);
    if (!this.isTrusted) {
      this.arm(ranges);
      this.isTrusted = true;
    }
    return { index: holdIndex(taken.index), stats: taken.stats };
  }

  /** Memory as it is, for a look only: nothing is armed and `live` stays what it was. The caller drops the index. */
  peek(ranges: readonly PageRange[]): IndexHandle {
    return takePages(this.readable(), this.index, ranges, false).index;
  }

  private readable(): SpaceFiles {
    return this.isTrusted ? this.files() : { ...this.files(), tier: 'compare' as const };
  }

  /** After memory was rolled to `index`. */
  became(index: IndexHandle, ranges: readonly PageRange[]): void {
    this.isTrusted = false;
    this.arm(ranges);
    this.setLive(holdIndex(index));
    this.isTrusted = true;
  }

  arm(ranges: readonly PageRange[]): void {
    armPages(this.files(), ranges);
  }

  check(index: IndexHandle, ranges: readonly PageRange[]): readonly bigint[] {
    return comparePages(this.files(), index, ranges);
  }

  close(): void {
    if (this.uffd >= 0) io.close(this.uffd);
    this.uffd = -1;
    this.image = -1;
    this.isTrusted = true;
    this.setLive(EMPTY_INDEX);
  }

  private setLive(index: IndexHandle): void {
    dropIndex(this.index);
    this.index = index;
  }
}
