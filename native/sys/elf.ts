/**
 * ELF64 files: header, program headers, dynamic section, symbols; and whether a file is a program that can be debugged here.
 * Parsing is pure over a `Source`, so it serves a buffer, an open file and memory alike. Nothing in a file is believed: what is
 * out of range, too long or cut off reads as "not there".
 */

import * as fs from 'node:fs';
import {
  EI_CLASS,
  EI_DATA,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_386,
  EM_AARCH64,
  EM_RISCV,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  PT_DYNAMIC,
  SHN_UNDEF,
  SHT_DYNSYM,
  SHT_SYMTAB,
} from '../abi/elf';
import { ELF64_DYN, ELF64_EHDR, ELF64_PHDR, ELF64_SHDR, ELF64_SYM } from '../abi/structs';
import type { Addr } from '../base/brands';
import { userError, type SavepointError } from '../base/errors';

/** Bytes at an offset; fewer where there are no more. */
export type Source = (offset: number, length: number) => Buffer;

export interface ElfHeader {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly type: number;
  readonly machine: number;
  /** The rest is undefined in meaning unless 64 bits and little endian. */
  readonly entry: Addr;
  readonly programHeaders: { readonly offset: number; readonly count: number };
  readonly sectionHeaders: { readonly offset: number; readonly count: number };
}

export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly vaddr: Addr;
  readonly filesz: bigint;
  readonly memsz: bigint;
  readonly align: bigint;
}

export interface ElfSymbol {
  /** As the file says it: relative to the load address, except in ET_EXEC. */
  readonly value: Addr;
  readonly size: bigint;
}

/** Tables larger than this are taken for damage. */
const MAX_TABLE = 256 * 1024 * 1024;

export function bufferSource(bytes: Buffer): Source {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

export function fileSource(fd: number): Source {
  return (offset, length) => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, offset));
  };
}

/** undefined: not ELF, or cut off. */
export function readElfHeader(source: Source): ElfHeader | undefined {
  const bytes = source(0, ELF64_EHDR.size);
  if (bytes.length < 52 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const littleEndian = bytes[EI_DATA] === ELFDATA2LSB;
  const half = (offset: number): number => (littleEndian ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset));
  const kind = { littleEndian, type: half(ELF64_EHDR.e_type), machine: half(ELF64_EHDR.e_machine) };
  const none = { offset: 0, count: 0 };
  if (bytes[EI_CLASS] === ELFCLASS32) return { bits: 32, ...kind, entry: 0n, programHeaders: none, sectionHeaders: none };
  if (bytes[EI_CLASS] !== ELFCLASS64 || bytes.length < ELF64_EHDR.size) return undefined;
  const table = (offset: number, entrySize: number, size: number, count: number): { offset: number; count: number } =>
    half(entrySize) === size ? { offset: Number(bytes.readBigUInt64LE(offset)), count: half(count) } : none;
  return {
    bits: 64,
    ...kind,
    entry: bytes.readBigUInt64LE(ELF64_EHDR.e_entry),
    programHeaders: table(ELF64_EHDR.e_phoff, ELF64_EHDR.e_phentsize, ELF64_PHDR.size, ELF64_EHDR.e_phnum),
    sectionHeaders: table(ELF64_EHDR.e_shoff, ELF64_EHDR.e_shentsize, ELF64_SHDR.size, ELF64_EHDR.e_shnum),
  };
}

/** Whole entries only. */
function entries(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_unused, i) => bytes.subarray(i * size, (i + 1) * size));
}

export function parseProgramHeaders(bytes: Buffer): ProgramHeader[] {
  return entries(bytes, ELF64_PHDR.size).map((entry) => ({
    type: entry.readUInt32LE(ELF64_PHDR.p_type),
    flags: entry.readUInt32LE(ELF64_PHDR.p_flags),
    offset: entry.readBigUInt64LE(ELF64_PHDR.p_offset),
    vaddr: entry.readBigUInt64LE(ELF64_PHDR.p_vaddr),
    filesz: entry.readBigUInt64LE(ELF64_PHDR.p_filesz),
    memsz: entry.readBigUInt64LE(ELF64_PHDR.p_memsz),
    align: entry.readBigUInt64LE(ELF64_PHDR.p_align),
  }));
}

function tableBytes(source: Source, offset: number, length: number): Buffer {
  const sane = Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && length <= MAX_TABLE;
  return sane ? source(offset, length) : Buffer.alloc(0);
}

export function readProgramHeaders(source: Source, header: ElfHeader): ProgramHeader[] {
  const { offset, count } = header.programHeaders;
  return parseProgramHeaders(tableBytes(source, offset, count * ELF64_PHDR.size));
}

/** Tag and value, up to DT_NULL. */
export function parseDynamic(bytes: Buffer): { readonly tag: number; readonly value: bigint }[] {
  const found = entries(bytes, ELF64_DYN.size).map((entry) => ({
    tag: Number(entry.readBigInt64LE(ELF64_DYN.d_tag)),
    value: entry.readBigUInt64LE(ELF64_DYN.d_un),
  }));
  const end = found.findIndex(({ tag }) => tag === 0);
  return end < 0 ? found : found.slice(0, end);
}

/** Of a file; empty in a static program. */
export function readDynamic(source: Source, header: ElfHeader): { readonly tag: number; readonly value: bigint }[] {
  const segment = readProgramHeaders(source, header).find(({ type }) => type === PT_DYNAMIC);
  return segment === undefined ? [] : parseDynamic(tableBytes(source, Number(segment.offset), Number(segment.filesz)));
}

/** The wanted symbols that the file defines: from .dynsym, what is missing there from .symtab. */
export function findSymbols(source: Source, wanted: readonly string[]): Map<string, ElfSymbol> {
  const found = new Map<string, ElfSymbol>();
  const header = readElfHeader(source);
  if (header === undefined || header.bits !== 64 || !header.littleEndian) return found;
  const { offset, count } = header.sectionHeaders;
  const sections = entries(tableBytes(source, offset, count * ELF64_SHDR.size), ELF64_SHDR.size);
  const contents = (section: Buffer): Buffer =>
    tableBytes(
      source,
      Number(section.readBigUInt64LE(ELF64_SHDR.sh_offset)),
      Number(section.readBigUInt64LE(ELF64_SHDR.sh_size)),
    );
  for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
    const missing = wanted.filter((name) => !found.has(name));
    const table = sections.find((section) => section.readUInt32LE(ELF64_SHDR.sh_type) === type);
    const names = table === undefined ? undefined : sections[table.readUInt32LE(ELF64_SHDR.sh_link)];
    if (missing.length === 0 || table === undefined || names === undefined) continue;
    for (const [name, symbol] of searchTable(contents(table), contents(names), missing)) found.set(name, symbol);
  }
  return found;
}

/** One pass: the offsets of the wanted names first, so that no string is made of the thousands of others. */
function* searchTable(symbols: Buffer, names: Buffer, wanted: readonly string[]): Generator<[string, ElfSymbol]> {
  const byOffset = new Map<number, string>();
  for (const name of wanted) {
    // A name may be the tail of a longer one, whose symbol then points into its middle.
    const pattern = Buffer.from(`${name}\0`, 'latin1');
    for (let at = names.indexOf(pattern); at >= 0; at = names.indexOf(pattern, at + 1)) byOffset.set(at, name);
  }
  if (byOffset.size === 0) return;
  for (let at = 0; at + ELF64_SYM.size <= symbols.length; at += ELF64_SYM.size) {
    const name = byOffset.get(symbols.readUInt32LE(at + ELF64_SYM.st_name));
    if (name === undefined || symbols.readUInt16LE(at + ELF64_SYM.st_shndx) === SHN_UNDEF) continue;
    const [value, size] = [ELF64_SYM.st_value, ELF64_SYM.st_size].map((field) => symbols.readBigUInt64LE(at + field));
    yield [name, { value, size }];
  }
}

export type ExecutableClass =
  | { readonly kind: 'ok'; readonly header: ElfHeader }
  | {
      readonly kind:
        | 'not-found'
        | 'unreachable'
        | 'directory'
        | 'not-a-file'
        | 'not-executable'
        | 'unreadable'
        | 'not-elf'
        | '32-bit'
        | 'not-a-program';
    }
  /** `interpreter`: the words after `#!`. */
  | { readonly kind: 'script'; readonly interpreter: string }
  | { readonly kind: 'wrong-machine'; readonly machine: string };

const MACHINES: ReadonlyMap<number, string> = new Map([
  [EM_386, 'x86'],
  [EM_AARCH64, 'AArch64'],
  [EM_RISCV, 'RISC-V'],
]);

/** Pure: what the beginning of a file says. */
export function classifyContents(source: Source): ExecutableClass {
  const start = source(0, 256);
  if (start.toString('latin1', 0, 2) === '#!') {
    return { kind: 'script', interpreter: start.toString('utf8', 2).split('\n')[0].trim() };
  }
  const header = readElfHeader(source);
  if (header === undefined) return { kind: 'not-elf' };
  // x86 code in a 32-bit file is x86 or x32: both are for this machine, but not for us.
  if (header.bits === 32 && (header.machine === EM_386 || header.machine === EM_X86_64)) return { kind: '32-bit' };
  if (header.machine !== EM_X86_64 || !header.littleEndian) {
    return { kind: 'wrong-machine', machine: MACHINES.get(header.machine) ?? `machine ${header.machine}` };
  }
  return header.type === ET_EXEC || header.type === ET_DYN ? { kind: 'ok', header } : { kind: 'not-a-program' };
}

export function classifyExecutable(path: string): ExecutableClass {
  const stat = statOf(path);
  if (typeof stat === 'string') return { kind: stat };
  if (stat.isDirectory()) return { kind: 'directory' };
  if (!stat.isFile()) return { kind: 'not-a-file' };
  if (!mayAccess(path, fs.constants.X_OK)) return { kind: 'not-executable' };
  if (!mayAccess(path, fs.constants.R_OK)) return { kind: 'unreadable' };
  const fd = fs.openSync(path, 'r');
  try {
    return classifyContents(fileSource(fd));
  } finally {
    fs.closeSync(fd);
  }
}

function statOf(path: string): fs.Stats | 'not-found' | 'unreachable' {
  try {
    return fs.statSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'unreachable' : 'not-found';
  }
}

function mayAccess(path: string, mode: number): boolean {
  try {
    fs.accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** undefined: the file can be debugged. */
export function executableError(path: string, found: ExecutableClass): SavepointError | undefined {
  const fail = (sentence: string): SavepointError => userError(`program-${found.kind}`, sentence, { path });
  switch (found.kind) {
    case 'ok':
      return undefined;
    case 'not-found':
      return fail(`${path}: no such file. Check the path, and that the program has been built.`);
    case 'unreachable':
      return fail(`${path}: a directory on the way may not be entered. Check the permissions of the directories in the path.`);
    case 'directory':
      return fail(`${path} is a directory. Name the program in it.`);
    case 'not-a-file':
      return fail(`${path} is not a regular file. Name a program.`);
    case 'not-executable':
      return fail(`${path} is not executable. Run \`chmod +x\` on it if it is a program.`);
    case 'unreadable':
      return fail(`${path} may be run but not read, and the kernel lets nobody debug such a program. Make it readable.`);
    case 'script':
      return fail(
        `${path} is a script for ${found.interpreter}. To debug the interpreter, name it as the program and the script as its argument.`,
      );
    case 'not-elf':
      return fail(`${path} is not an ELF program. Name the program that the build makes.`);
    case 'not-a-program':
      return fail(`${path} is an object or core file, not a program. Name the linked program.`);
    case '32-bit':
      return fail(`${path} is a 32-bit program: not supported yet. Build it for x86-64.`);
    case 'wrong-machine':
      return fail(`${path} is a program for ${found.machine}. Build it for x86-64, the machine this runs on.`);
  }
}

/** Throws a UserError that says what to do when `path` is no program that can be debugged. */
export function checkExecutable(path: string): void {
  const error = executableError(path, classifyExecutable(path));
  if (error !== undefined) throw error;
}
