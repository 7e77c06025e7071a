/**
 * Where a thread-local variable of a thread lies (qGetTLSAddr): for glibc what libthread_db's td_thr_tls_get_addr does, for a
 * static program what the psABI says.
 *
 * glibc tells debuggers the layout of its private structures in constants named _thread_db_*: three 32-bit words {size in bits,
 * number of elements, offset} in libc.so.6 (nptl_db/db_info.c). musl has none.
 *
 * A thread's pthread descriptor stands at its thread pointer and points to the dtv, an array with one slot a module.
 * A slot is only good when it exists and is of the module's generation: dlopen makes other threads' dtvs stale until they use it.
 */

import * as fs from 'node:fs';
import { PT_INTERP, PT_TLS } from '../abi/elf';
import type { Addr, Pid } from '../base/brands';
import { fileSource, findSymbols, type Source } from '../sys/elf';
import { loadedHeaders, readLinkMaps, type ReadMemory } from './libraries';

export interface TlsQuestion {
  readonly read: ReadMemory;
  readonly auxv: Buffer;
  readonly pid: Pid;
  readonly threadPointer: Addr;
  /** Within the module's block. */
  readonly offset: Addr;
  /** The module's struct link_map; 0: a static program. */
  readonly linkMap: Addr;
}

/** A loaded file: where to read it, and what to add to its symbols' values. */
export interface Module {
  readonly bias: Addr;
  open(): { readonly source: Source; close(): void } | undefined;
}

/** size in bits, number of elements, offset in bytes. */
interface Field {
  readonly bits: number;
  readonly count: number;
  readonly offset: bigint;
}

const PREFIX = '_thread_db_';
const NEEDED = ['pthread_dtvp', 'dtv_dtv', 'dtv_t_pointer_val', 'link_map_l_tls_modid'] as const;
const OPTIONAL = [
  'link_map_l_tls_offset',
  'dtv_t_counter',
  'rtld_global__dl_tls_dtv_slotinfo_list',
  'dtv_slotinfo_list_len',
  'dtv_slotinfo_list_next',
  'dtv_slotinfo_list_slotinfo',
  'dtv_slotinfo_gen',
] as const;
type FieldName = (typeof NEEDED)[number] | (typeof OPTIONAL)[number];
const RTLD_GLOBAL = '_rtld_global';

export interface TlsLayout {
  readonly fields: ReadonlyMap<FieldName, Field>;
  /** ld.so's struct rtld_global, which holds the list of module generations. */
  readonly rtldGlobal: Addr | undefined;
}

const DESCRIPTOR_SIZE = 12;
/** dtv_t.pointer.val of a module whose block is not there yet (TLS_DTV_UNALLOCATED is -1; the low bit marks it). */
const UNALLOCATED_BIT = 1n;
/** l_tls_offset: 0 no static block, -1 never to have one (sysdeps/generic/dl-tls, NO_TLS_OFFSET and FORCED_DYNAMIC_TLS_OFFSET). */
const NO_STATIC_OFFSETS: ReadonlySet<bigint> = new Set([0n, 0xffffffffffffffffn]);
const MAX_SLOT_LISTS = 1000;

/** What the modules say of the layout; undefined: no glibc among them. */
export function readTlsLayout(read: ReadMemory, modules: readonly Module[]): TlsLayout | undefined {
  const names: FieldName[] = [...NEEDED, ...OPTIONAL];
  const wanted = [...names.map((name) => PREFIX + name), RTLD_GLOBAL];
  const addresses = new Map<string, Addr>();
  for (const module of modules) {
    const file = module.open();
    if (file === undefined) continue;
    try {
      for (const [name, { value }] of findSymbols(file.source, wanted)) {
        if (!addresses.has(name)) addresses.set(name, value + module.bias);
      }
    } finally {
      file.close();
    }
  }
  const fields = new Map<FieldName, Field>();
  for (const name of names) {
    const at = addresses.get(PREFIX + name);
    const bytes = at === undefined ? Buffer.alloc(0) : read(at, DESCRIPTOR_SIZE);
    if (bytes.length < DESCRIPTOR_SIZE) continue;
    fields.set(name, { bits: bytes.readUInt32LE(0), count: bytes.readUInt32LE(4), offset: BigInt(bytes.readUInt32LE(8)) });
  }
  return NEEDED.every((name) => fields.has(name)) ? { fields, rtldGlobal: addresses.get(RTLD_GLOBAL) } : undefined;
}

/** Address of element `index` of a field: elements are as large as the field says. */
function fieldAddress(layout: TlsLayout, structure: Addr, name: FieldName, index = 0n): Addr | undefined {
  const field = layout.fields.get(name);
  return field === undefined ? undefined : BigInt.asUintN(64, structure + field.offset + BigInt(field.bits / 8) * index);
}

function readField(layout: TlsLayout, read: ReadMemory, structure: Addr, name: FieldName): bigint | undefined {
  const at = fieldAddress(layout, structure, name);
  const bytes = at === undefined ? Buffer.alloc(0) : read(at, 8);
  return bytes.length === 8 ? bytes.readBigUInt64LE() : undefined;
}

/** The generation in which a module got its slot; undefined: not known. */
function moduleGeneration(layout: TlsLayout, read: ReadMemory, moduleId: bigint): bigint | undefined {
  if (layout.rtldGlobal === undefined) return undefined;
  let list = readField(layout, read, layout.rtldGlobal, 'rtld_global__dl_tls_dtv_slotinfo_list');
  let index = moduleId;
  for (let n = 0; list !== undefined && list !== 0n && n < MAX_SLOT_LISTS; n++) {
    const length = readField(layout, read, list, 'dtv_slotinfo_list_len');
    if (length === undefined) return undefined;
    if (index < length) {
      const slot = fieldAddress(layout, list, 'dtv_slotinfo_list_slotinfo', index);
      return slot === undefined ? undefined : readField(layout, read, slot, 'dtv_slotinfo_gen');
    }
    index -= length;
    list = readField(layout, read, list, 'dtv_slotinfo_list_next');
  }
  return undefined;
}

/** Whether the dtv has a slot for the module, and not one of an older module with the same number. */
function isCurrent(layout: TlsLayout, read: ReadMemory, dtv: Addr, moduleId: bigint): boolean {
  const slot = (index: bigint): Addr | undefined => fieldAddress(layout, dtv, 'dtv_dtv', index);
  const counter = (index: bigint): bigint | undefined => {
    const at = slot(index);
    return at === undefined ? undefined : readField(layout, read, at, 'dtv_t_counter');
  };
  // dtv[-1] has the number of slots, dtv[0] the generation that the dtv is of (glibc, elf/dl-tls.c).
  const length = counter(-1n);
  const generation = counter(0n);
  const wanted = moduleGeneration(layout, read, moduleId);
  if (length !== undefined && moduleId > length) return false;
  return generation === undefined || wanted === undefined || generation >= wanted;
}

/** A module that was there at the start has its block at a fixed distance below the thread pointer. */
function staticBlock(layout: TlsLayout, read: ReadMemory, threadPointer: Addr, linkMap: Addr): Addr | undefined {
  const distance = readField(layout, read, linkMap, 'link_map_l_tls_offset');
  return distance === undefined || NO_STATIC_OFFSETS.has(distance) ? undefined : BigInt.asUintN(64, threadPointer - distance);
}

/** A module of a dynamic program. undefined: no such block in this thread (yet). */
export function resolveTls(layout: TlsLayout, question: Omit<TlsQuestion, 'auxv' | 'pid'>): Addr | undefined {
  const { read, threadPointer, offset, linkMap } = question;
  const moduleId = readField(layout, read, linkMap, 'link_map_l_tls_modid');
  if (threadPointer === 0n || moduleId === undefined || moduleId === 0n) return undefined;
  const dtv = readField(layout, read, threadPointer, 'pthread_dtvp');
  let block: Addr | undefined;
  if (dtv !== undefined && dtv !== 0n && isCurrent(layout, read, dtv, moduleId)) {
    const slot = fieldAddress(layout, dtv, 'dtv_dtv', moduleId);
    const value = slot === undefined ? undefined : readField(layout, read, slot, 'dtv_t_pointer_val');
    if (value !== undefined && value !== 0n && (value & UNALLOCATED_BIT) === 0n) block = value;
  }
  block ??= staticBlock(layout, read, threadPointer, linkMap);
  return block === undefined ? undefined : BigInt.asUintN(64, block + offset);
}

/** A file as the inferior sees it (it may live in another root), or as we do. */
function openSource(paths: readonly string[]): { source: Source; close(): void } | undefined {
  for (const path of paths) {
    try {
      const fd = fs.openSync(path, 'r');
      return { source: fileSource(fd), close: () => fs.closeSync(fd) };
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * A static program has one block, which ends at the thread pointer (ELF Handling for Thread-Local Storage, variant II). undefined:
 * not static, no such variables, or too early: the thread pointer is not set.
 */
export function resolveStaticTls({ read, auxv, threadPointer, offset }: Omit<TlsQuestion, 'pid' | 'linkMap'>): Addr | undefined {
  const headers = loadedHeaders(read, auxv);
  const block = headers.find(({ type }) => type === PT_TLS);
  if (threadPointer === 0n || block === undefined || headers.some(({ type }) => type === PT_INTERP)) return undefined;
  const align = block.align > 1n ? block.align : 1n;
  const size = ((block.memsz + align - 1n) / align) * align;
  return BigInt.asUintN(64, threadPointer - size + offset);
}

/** libc has the layout (before 2.34 libpthread), the dynamic linker the list of modules. */
const GLIBC_FILE = /\/(libc|libpthread|ld-linux-x86-64)[.-][^/]*$/;

/** undefined: not known (no glibc, no such module, its block is not allocated in this thread yet). */
export function tlsAddress(question: TlsQuestion): Addr | undefined {
  const { read, auxv, pid, linkMap } = question;
  if (linkMap === 0n) return resolveStaticTls(question);
  const modules = readLinkMaps(read, auxv)
    .filter(({ name }) => GLIBC_FILE.test(name))
    .map(({ name, addr }): Module => ({ bias: addr, open: () => openSource([`/proc/${pid}/root${name}`, name]) }));
  const layout = readTlsLayout(read, modules);
  return layout === undefined ? undefined : resolveTls(layout, question);
}
