/**
 * The library list and TLS lookup on made-up memory: what is not there, wrong, or endless.
 */

import { ELF64_PHDR, LINK_MAP, R_DEBUG } from '../../native/abi/structs';
import { auxvValue, findRDebug, libraryListXml, readLinkMaps, type ReadMemory } from '../../native/owner/libraries';
import { resolveStaticTls, resolveTls, type TlsLayout } from '../../native/owner/tls';

/** Memory from 0x1000 on; the last page before END cannot be passed. */
class Memory {
  private readonly bytes = Buffer.alloc(0x8000);
  private static readonly start = 0x1000;
  readonly read: ReadMemory = (addr, length) => {
    const at = Number(addr) - Memory.start;
    return at < 0 || at >= this.bytes.length ? Buffer.alloc(0) : this.bytes.subarray(at, at + length);
  };
  word(addr: number, value: number | bigint): this {
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), addr - Memory.start);
    return this;
  }
  text(addr: number, text: string): this {
    this.bytes.write(`${text}\0`, addr - Memory.start);
    return this;
  }
}

const HEADERS = 0x1040;
const DYNAMIC = 0x2000;
const R_DEBUG_AT = 0x3000;
const EMPTY = '<library-list-svr4 version="1.0"></library-list-svr4>';

function auxv(...pairs: [number, number][]): Buffer {
  const bytes = Buffer.alloc(16 * (pairs.length + 1));
  pairs.flat().forEach((value, i) => bytes.writeBigUInt64LE(BigInt(value), 8 * i));
  return bytes;
}

function programHeader(memory: Memory, index: number, type: number, vaddr: number, size: number, align = 8): void {
  const at = HEADERS + index * ELF64_PHDR.size;
  memory
    .word(at, type)
    .word(at + ELF64_PHDR.p_vaddr, vaddr)
    .word(at + ELF64_PHDR.p_memsz, size)
    .word(at + ELF64_PHDR.p_align, align);
}

function linkMap(memory: Memory, at: number, name: number, next: number, prev: number): void {
  memory
    .word(at + LINK_MAP.l_addr, at * 16)
    .word(at + LINK_MAP.l_name, name)
    .word(at + LINK_MAP.l_ld, at + 1);
  memory.word(at + LINK_MAP.l_next, next).word(at + LINK_MAP.l_prev, prev);
}

/** A position-independent program at bias 0x1000 with two libraries. */
function program(): Memory {
  const memory = new Memory();
  programHeader(memory, 0, 6, 0x40, 0);
  programHeader(memory, 1, 2, 0x1000, 0x100);
  memory
    .word(DYNAMIC, 5)
    .word(DYNAMIC + 16, 21)
    .word(DYNAMIC + 24, R_DEBUG_AT);
  memory.word(R_DEBUG_AT, 1).word(R_DEBUG_AT + R_DEBUG.r_map, 0x4000);
  memory.text(0x5000, '').text(0x5008, '/lib/a<&>"\'.so').text(0x8ff0, '/lib/b.so');
  linkMap(memory, 0x4000, 0x5000, 0x4100, 0);
  linkMap(memory, 0x4100, 0x5008, 0x4200, 0x4000);
  linkMap(memory, 0x4200, 0x8ff0, 0, 0x4100);
  return memory;
}

const AUXV = auxv([3, HEADERS], [5, 2]);
const names = (memory: Memory): string[] => readLinkMaps(memory.read, AUXV).map(({ name }) => name);
const lib = (name: string, lm: string, lmid: string): string =>
  `<library name="${name}" lm="0x${lm}" l_addr="0x${lm}0" l_ld="0x${(Number.parseInt(lm, 16) + 1).toString(16)}" lmid="0x${lmid}"/>`;
const A = lib('/lib/a&lt;&amp;&gt;&quot;&apos;.so', '4100', '3000');
const B = lib('/lib/b.so', '4200', '3000');

test('the list, with names escaped', () => {
  expect(libraryListXml(program().read, AUXV, '')).toBe(
    `<library-list-svr4 version="1.0" main-lm="0x4000">${A}${B}</library-list-svr4>`,
  );
});

test('the rest of a namespace, from an annex', () => {
  const { read } = program();
  const rest = `<library-list-svr4 version="1.0">${B.replace('0x3000', '0x3000')}</library-list-svr4>`;
  expect(libraryListXml(read, AUXV, 'start=4200;prev=4100;lmid=3000;')).toBe(rest);
  expect(libraryListXml(read, AUXV, 'start=4200;prev=4000;lmid=3000;')).toBe(EMPTY);
  expect(libraryListXml(read, AUXV, 'start=99;prev=0;')).toBe(EMPTY);
});

test('nothing while the dynamic linker has not set it up', () => {
  expect(libraryListXml(program().word(DYNAMIC + 24, 0).read, AUXV, '')).toBe(EMPTY);
  expect(libraryListXml(program().word(R_DEBUG_AT, 0).read, AUXV, '')).toBe(EMPTY);
  expect(libraryListXml(program().word(R_DEBUG_AT + R_DEBUG.r_map, 0).read, AUXV, '')).toBe(EMPTY);
  expect(libraryListXml(program().word(R_DEBUG_AT + R_DEBUG.r_map, 0x100000).read, AUXV, '')).toBe(EMPTY);
});

test('nothing for static programs, static PIE, and without an auxiliary vector', () => {
  const noDynamic = program();
  programHeader(noDynamic, 1, 1, 0, 0);
  const noSelf = program();
  programHeader(noSelf, 0, 1, 0, 0);
  for (const memory of [noDynamic, noSelf]) expect(findRDebug(memory.read, AUXV)).toBeUndefined();
  expect(findRDebug(program().read, auxv())).toBeUndefined();
  expect(findRDebug(program().read, auxv([3, HEADERS], [5, 1_000_000_000]))).toBeUndefined();
  expect(auxvValue(auxv([3, 7], [0, 0], [5, 2]), 5)).toBeUndefined();
});

test('a list that is being changed or was overwritten ends', () => {
  const endless = program();
  linkMap(endless, 0x4200, 0x8ff0, 0x4100, 0x4100);
  expect(names(endless)).toHaveLength(3);
  const self = program();
  linkMap(self, 0x4100, 0x5008, 0x4100, 0x4000);
  expect(names(self)).toHaveLength(2);
  const wild = program();
  linkMap(wild, 0x4100, 0x7fff_ffff, 0x7fff_ffff, 0x4000);
  expect(names(wild)).toEqual(['', '']);
  // An l_prev cannot equal two predecessors: a circle through the head fails at the head.
  const circle = program();
  linkMap(circle, 0x4200, 0x8ff0, 0x4000, 0x4100);
  expect(names(circle)).toHaveLength(3);
});

test('other namespaces follow, also in a circle', () => {
  const memory = program()
    .word(R_DEBUG_AT, 2)
    .word(R_DEBUG_AT + R_DEBUG.r_next, 0x3100);
  memory
    .word(0x3100, 2)
    .word(0x3100 + R_DEBUG.r_map, 0x4300)
    .word(0x3100 + R_DEBUG.r_next, R_DEBUG_AT);
  linkMap(memory, 0x4300, 0x8ff0, 0, 0);
  expect(libraryListXml(memory.read, AUXV, '')).toBe(
    `<library-list-svr4 version="1.0" main-lm="0x4000">${A}${B}${lib('/lib/b.so', '4300', '3100')}</library-list-svr4>`,
  );
  // Version 1 has no r_next: what lies there is somebody else's.
  memory.word(R_DEBUG_AT, 1);
  expect(names(memory)).toHaveLength(3);
});

describe('thread-local variables', () => {
  const field = (bits: number, offset: number): { bits: number; count: number; offset: bigint } => ({
    bits,
    count: 1,
    offset: BigInt(offset),
  });
  const layout: TlsLayout = {
    rtldGlobal: 0x6000n,
    fields: new Map([
      ['pthread_dtvp', field(64, 8)],
      ['dtv_dtv', field(128, 0)],
      ['dtv_t_pointer_val', field(64, 0)],
      ['dtv_t_counter', field(64, 0)],
      ['link_map_l_tls_modid', field(64, 64)],
      ['link_map_l_tls_offset', field(64, 72)],
      ['rtld_global__dl_tls_dtv_slotinfo_list', field(64, 16)],
      ['dtv_slotinfo_list_len', field(64, 0)],
      ['dtv_slotinfo_list_next', field(64, 8)],
      ['dtv_slotinfo_list_slotinfo', field(128, 16)],
      ['dtv_slotinfo_gen', field(64, 0)],
    ]),
  };
  /** Thread at 0x7000, dtv at 0x7100 with 3 slots of generation 5, module 2's block at 0x9999_9990; link map at 0x4100. */
  function thread(): Memory {
    const memory = program().word(0x7008, 0x7100);
    memory.word(0x70f0, 3).word(0x7100, 5).word(0x7120, 0x99999990).word(0x4140, 2);
    return memory
      .word(0x6010, 0x6100)
      .word(0x6100, 8)
      .word(0x6100 + 16 + 2 * 16, 5);
  }
  const resolve = (memory: Memory, threadPointer = 0x7000n): bigint | undefined =>
    resolveTls(layout, { read: memory.read, threadPointer, offset: 0x24n, linkMap: 0x4100n });

  test('from the dtv', () => expect(resolve(thread())).toBe(0x999999b4n));
  test('not when the thread has no block', () => {
    expect(resolve(thread().word(0x7120, -1n))).toBeUndefined();
    expect(resolve(thread().word(0x7120, 0))).toBeUndefined();
    expect(resolve(thread().word(0x7008, 0))).toBeUndefined();
    expect(resolve(thread(), 0n)).toBeUndefined();
    expect(resolve(thread(), 0x100000n)).toBeUndefined();
  });
  test('not when the module has none', () => expect(resolve(thread().word(0x4140, 0))).toBeUndefined());
  test('not when the dtv is too short, or of an older generation than the module', () => {
    expect(resolve(thread().word(0x70f0, 1))).toBeUndefined();
    expect(resolve(thread().word(0x7100, 4))).toBeUndefined();
  });
  test('from the static block when the dtv does not have it', () => {
    expect(resolve(thread().word(0x7100, 4).word(0x4148, 0x100))).toBe(0x6f24n);
    expect(resolve(thread().word(0x7100, 4).word(0x4148, -1n))).toBeUndefined();
  });
  test('module numbers beyond the first list', () => {
    const memory = thread()
      .word(0x6100, 1)
      .word(0x6108, 0x6200)
      .word(0x6200, 8)
      .word(0x6200 + 16 + 16, 6);
    expect(resolve(memory)).toBeUndefined();
    expect(resolve(memory.word(0x6200 + 16 + 16, 5))).toBe(0x999999b4n);
  });
  test('of a static program: below the thread pointer', () => {
    const memory = new Memory();
    programHeader(memory, 0, 7, 0, 0x51, 16);
    const ask = (count: number, threadPointer = 0x7000n): bigint | undefined =>
      resolveStaticTls({ read: memory.read, auxv: auxv([3, HEADERS], [5, count]), threadPointer, offset: 4n });
    expect(ask(1)).toBe(0x7000n - 0x60n + 4n);
    expect(ask(1, 0n)).toBeUndefined();
    expect(ask(0)).toBeUndefined();
    programHeader(memory, 1, 3, 0, 0);
    expect(ask(2)).toBeUndefined();
  });
});
