/**
 * Looking into a checkpoint without going back to it: the registers of its threads and the bytes of its memory, from what was captured. The program
 * is not touched, and nothing here knows what it does now.
 *
 * A byte is given only when it is known. A private mapping of a file keeps the pages that the program had written; the others are read from the
 * file, as a restore would show them. What a checkpoint does not keep (shared mappings of files, devices) cannot be read.
 */

import { PAGE_SIZE, type Addr, type Tid } from '../base/brands';
import { isFamily } from '../base/errors';
import type { EngineInferior } from '../owner/engine-host';
import * as io from '../sys/io';
import { holdIndex, dropIndex, readPage, type IndexHandle } from '../sys/pages';
import type { HeldFile } from './held-file';
import { dropMappedFiles, findFile, type MappedFiles } from './mapped-files';
import { classify, fileKey, type Mapping } from './mappings';
import type { Snapshot } from './snapshot';
import type { ThreadState } from './state';

const PAGE = BigInt(PAGE_SIZE);

/** The private pages of a file mapping where nothing was written: those of the file. */
export class FilePages {
  /** By `fileKey`; undefined: it is not to be found any more. */
  private readonly opened = new Map<string, HeldFile | undefined>();

  constructor(
    private readonly inferior: EngineInferior,
    private readonly held: MappedFiles,
  ) {}

  /** undefined: the file is not to be found, or ends before (the program would get SIGBUS there). */
  read(mapping: Mapping, page: Addr): Buffer | undefined {
    const file = this.open(mapping);
    if (file === undefined) return undefined;
    // Behind the file's end the kernel shows zeroes, up to the end of that page (mmap(2)).
    const bytes = Buffer.alloc(PAGE_SIZE);
    return io.pread(file.fd, bytes, mapping.offset + (page - mapping.start)) > 0 ? bytes : undefined;
  }

  private open(mapping: Mapping): HeldFile | undefined {
    const key = fileKey(mapping);
    if (!this.opened.has(key)) this.opened.set(key, this.find(mapping));
    return this.opened.get(key);
  }

  private find(mapping: Mapping): HeldFile | undefined {
    try {
      return findFile(this.inferior.pid, mapping, this.held);
    } catch (error) {
      if (isFamily(error, 'refused')) return undefined;
      throw error;
    }
  }

  close(): void {
    dropMappedFiles(new Map([...this.opened].flatMap(([key, file]) => (file === undefined ? [] : [[key, file] as const]))));
    this.opened.clear();
  }
}

export class Past {
  private readonly index: IndexHandle;
  private readonly files: FilePages;

  constructor(
    private readonly inferior: EngineInferior,
    private readonly snapshot: Snapshot,
  ) {
    this.index = holdIndex(snapshot.index);
    this.files = new FilePages(inferior, snapshot.mappedFiles);
  }

  thread(tid: Tid): ThreadState | undefined {
    return this.snapshot.threads.find(({ ref }) => ref.tid === tid);
  }

  /** Up to `length` bytes; shorter where the next byte is not known, empty when none is. */
  read(addr: Addr, length: number): Buffer {
    const pieces: Buffer[] = [];
    for (let done = 0; done < length;) {
      const at = addr + BigInt(done);
      const page = this.page(at & ~(PAGE - 1n));
      if (page === undefined) break;
      const piece = page.subarray(Number(at & (PAGE - 1n))).subarray(0, length - done);
      pieces.push(piece);
      done += piece.length;
    }
    return Buffer.concat(pieces);
  }

  private page(at: Addr): Buffer | undefined {
    const mapping = mappingAt(this.snapshot.mappings, at);
    if (mapping === undefined) return undefined;
    switch (classify(mapping)) {
      case 'anon':
      case 'shared':
        return readPage(this.index, at) ?? Buffer.alloc(PAGE_SIZE);
      case 'file':
        return readPage(this.index, at) ?? this.files.read(mapping, at);
      case 'kernel':
        return this.kernelPage(at);
      case 'shared-file':
      case 'foreign':
        return undefined;
    }
  }

  /** [vdso] and its like are what they were for as long as the process lives, and a restore refuses when they have moved. */
  private kernelPage(at: Addr): Buffer | undefined {
    const bytes = Buffer.alloc(PAGE_SIZE);
    return io.pread(this.inferior.memFd, bytes, at) === PAGE_SIZE ? bytes : undefined;
  }

  close(): void {
    dropIndex(this.index);
    this.files.close();
  }
}

function mappingAt(mappings: readonly Mapping[], at: Addr): Mapping | undefined {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mappings[middle]!.end <= at) low = middle + 1;
    else high = middle;
  }
  const found = mappings[low];
  return found !== undefined && found.start <= at ? found : undefined;
}
