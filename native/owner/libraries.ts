/**
 * The shared libraries of an inferior, from the dynamic linker's own list, and the XML in which gdb reads it
 * (qXfer:libraries-svr4:read). Pure over memory and the auxiliary vector.
 *
 * The way: AT_PHDR -> PT_DYNAMIC -> DT_DEBUG -> struct r_debug (one a namespace) -> struct link_map (one a library); link.h,
 * gdb manual "Library List Format for SVR4 Targets". The program may be stopped in the middle of a change, or may have
 * overwritten the list: every step may end, and none goes on for ever.
 */

import { DT_DEBUG, PT_DYNAMIC, PT_PHDR } from '../abi/elf';
import { AT_NULL, AT_PHDR, AT_PHNUM } from '../abi/flags';
import { ELF64_AUXV, ELF64_DYN, ELF64_PHDR, LINK_MAP, R_DEBUG } from '../abi/structs';
import type { Addr } from '../base/brands';
import { parseDynamic, parseProgramHeaders, type ProgramHeader } from '../sys/elf';

/** Up to `length` bytes; shorter when the rest cannot be read. */
export type ReadMemory = (addr: Addr, length: number) => Buffer;

export interface LinkMap {
  readonly lm: Addr;
  /** Load bias. */
  readonly addr: Addr;
  /** The dynamic section. */
  readonly ld: Addr;
  /** Empty for the program itself. */
  readonly name: string;
  /** The namespace: the address of its r_debug, as gdb has it. */
  readonly lmid: Addr;
}

const MAX_LIBRARIES = 10_000;
const MAX_NAMESPACES = 64;
const MAX_HEADERS = 1024;
const MAX_DYNAMIC = 4096;
const MAX_NAME = 4096;
const NAME_CHUNK = 128;
const R_VERSION_WITH_NEXT = 2;

/** An entry of the auxiliary vector. */
export function auxvValue(auxv: Buffer, type: number): bigint | undefined {
  for (let at = 0; at + ELF64_AUXV.size <= auxv.length; at += ELF64_AUXV.size) {
    const found = Number(auxv.readBigUInt64LE(at));
    if (found === AT_NULL) return undefined;
    if (found === type) return auxv.readBigUInt64LE(at + ELF64_AUXV.a_un);
  }
  return undefined;
}

/** The program's headers as they lie in its memory; empty when the auxiliary vector does not tell. */
export function loadedHeaders(read: ReadMemory, auxv: Buffer): ProgramHeader[] {
  const at = auxvValue(auxv, AT_PHDR);
  const count = Number(auxvValue(auxv, AT_PHNUM) ?? 0n);
  return at === undefined || count > MAX_HEADERS ? [] : parseProgramHeaders(read(at, count * ELF64_PHDR.size));
}

function readWord(read: ReadMemory, addr: Addr): bigint | undefined {
  const bytes = read(addr, 8);
  return bytes.length === 8 ? bytes.readBigUInt64LE() : undefined;
}

/**
 * The first namespace's struct r_debug. undefined: a static program (a static PIE, too: it has a dynamic section but no PT_PHDR
 * to learn its load address from), or the dynamic linker has not got that far yet.
 */
export function findRDebug(read: ReadMemory, auxv: Buffer): Addr | undefined {
  const headersAt = auxvValue(auxv, AT_PHDR);
  const headers = loadedHeaders(read, auxv);
  const self = headers.find(({ type }) => type === PT_PHDR);
  const dynamic = headers.find(({ type }) => type === PT_DYNAMIC);
  if (headersAt === undefined || self === undefined || dynamic === undefined) return undefined;
  const bias = headersAt - self.vaddr;
  const size = Math.min(Number(dynamic.memsz), MAX_DYNAMIC * ELF64_DYN.size);
  const entry = parseDynamic(read(BigInt.asUintN(64, dynamic.vaddr + bias), size)).find(({ tag }) => tag === DT_DEBUG);
  return entry === undefined || entry.value === 0n ? undefined : entry.value;
}

function readName(read: ReadMemory, addr: Addr): string {
  let bytes = Buffer.alloc(0);
  while (bytes.length < MAX_NAME) {
    // Not over a page's end: the next page may be missing while the name ends on this one.
    const at = addr + BigInt(bytes.length);
    const chunk = read(at, NAME_CHUNK - Number(at % BigInt(NAME_CHUNK)));
    const end = chunk.indexOf(0);
    bytes = Buffer.concat([bytes, end < 0 ? chunk : chunk.subarray(0, end)]);
    if (end >= 0 || chunk.length === 0) break;
  }
  return bytes.toString('utf8');
}

/** One namespace's list from `start`, whose l_prev must be `before`. Ends at the first entry that cannot be right. */
function readChain(read: ReadMemory, start: Addr, before: Addr, lmid: Addr): LinkMap[] {
  const chain: LinkMap[] = [];
  // In a list whose l_prev all fit no entry can come twice.
  for (let lm = start, prev = before; lm !== 0n && chain.length < MAX_LIBRARIES;) {
    const bytes = read(lm, LINK_MAP.size);
    if (bytes.length < LINK_MAP.size || bytes.readBigUInt64LE(LINK_MAP.l_prev) !== prev) break;
    chain.push({
      lm,
      addr: bytes.readBigUInt64LE(LINK_MAP.l_addr),
      ld: bytes.readBigUInt64LE(LINK_MAP.l_ld),
      name: readName(read, bytes.readBigUInt64LE(LINK_MAP.l_name)),
      lmid,
    });
    prev = lm;
    lm = bytes.readBigUInt64LE(LINK_MAP.l_next);
  }
  return chain;
}

/** Everything that is loaded: the program first, then its libraries, then the other namespaces' (dlmopen). */
export function readLinkMaps(read: ReadMemory, auxv: Buffer): LinkMap[] {
  const all: LinkMap[] = [];
  const seen = new Set<Addr>();
  let rDebug = findRDebug(read, auxv);
  while (rDebug !== undefined && rDebug !== 0n && !seen.has(rDebug) && seen.size < MAX_NAMESPACES) {
    seen.add(rDebug);
    const version = read(rDebug + BigInt(R_DEBUG.r_version), 4);
    const map = readWord(read, rDebug + BigInt(R_DEBUG.r_map));
    if (version.length < 4 || version.readInt32LE() < 1 || map === undefined) break;
    all.push(...readChain(read, map, 0n, rDebug));
    // Only the extended structure has the field (glibc >= 2.35).
    rDebug = version.readInt32LE() < R_VERSION_WITH_NEXT ? undefined : readWord(read, rDebug + BigInt(R_DEBUG.r_next));
  }
  return all;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
const hex = (value: bigint): string => `0x${value.toString(16)}`;

function formatLibrary({ name, lm, addr, ld, lmid }: LinkMap): string {
  const escaped = name.replace(/[&<>"']/g, (character) => ENTITIES[character]);
  return `<library name="${escaped}" lm="${hex(lm)}" l_addr="${hex(addr)}" l_ld="${hex(ld)}" lmid="${hex(lmid)}"/>`;
}

/** `start=…;prev=…;lmid=…;`, hexadecimal, each may be missing; what we do not know is passed over. */
function parseAnnex(annex: string): Readonly<Record<'start' | 'prev' | 'lmid', Addr>> {
  const value = (name: string): Addr => {
    const match = new RegExp(`(?:^|;)${name}=([0-9a-fA-F]{1,16})(?:;|$)`).exec(annex);
    return match === null ? 0n : BigInt(`0x${match[1]}`);
  };
  return { start: value('start'), prev: value('prev'), lmid: value('lmid') };
}

/**
 * The document for an annex. With a start, only the rest of that one namespace: gdb asks so for what was added to a list it
 * knows. Entries without a name are left out, as gdbserver does.
 */
export function libraryListXml(read: ReadMemory, auxv: Buffer, annex: string): string {
  const { start, prev, lmid } = parseAnnex(annex);
  const maps = start === 0n ? readLinkMaps(read, auxv) : readChain(read, start, prev, lmid);
  const [main] = start === 0n ? maps : [];
  const libraries = maps.filter((map) => map !== main && map.name !== '').map(formatLibrary);
  const mainLm = main === undefined ? '' : ` main-lm="${hex(main.lm)}"`;
  return `<library-list-svr4 version="1.0"${mainLm}>${libraries.join('')}</library-list-svr4>`;
}
