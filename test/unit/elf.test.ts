/**
 * ELF files: what is a program that can be debugged here, and symbols by name.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ELF64_EHDR, ELF64_SHDR, ELF64_SYM } from '../../native/abi/structs';
import { isFamily } from '../../native/base/errors';
import {
  bufferSource,
  checkExecutable,
  classifyContents,
  findSymbols,
  parseDynamic,
  readDynamic,
  readElfHeader,
  readProgramHeaders,
  fileSource,
} from '../../native/sys/elf';

/** An ELF header with these bytes in it. */
function header({ bits = 64, data = 1, type = 3, machine = 62 } = {}): Buffer {
  const bytes = Buffer.alloc(ELF64_EHDR.size);
  bytes.write('\x7fELF', 'latin1');
  bytes[4] = bits === 64 ? 2 : 1;
  bytes[5] = data;
  const at = (offset: number, value: number): number =>
    data === 1 ? bytes.writeUInt16LE(value, offset) : bytes.writeUInt16BE(value, offset);
  at(ELF64_EHDR.e_type, type);
  at(ELF64_EHDR.e_machine, machine);
  return bytes;
}

const classify = (bytes: Buffer): unknown => classifyContents(bufferSource(bytes));

test.each([
  ['a program', header(), { kind: 'ok' }],
  ['a program at a fixed address', header({ type: 2 }), { kind: 'ok' }],
  ['an object file', header({ type: 1 }), { kind: 'not-a-program' }],
  ['a core file', header({ type: 4 }), { kind: 'not-a-program' }],
  ['a 32-bit program', header({ bits: 32, machine: 3 }), { kind: '32-bit' }],
  ['an x32 program', header({ bits: 32, machine: 62 }), { kind: '32-bit' }],
  ['an ARM program', header({ machine: 183 }), { kind: 'wrong-machine', machine: 'AArch64' }],
  ['a big-endian program', header({ data: 2, machine: 21 }), { kind: 'wrong-machine', machine: 'machine 21' }],
  ['a script', Buffer.from('#! /bin/sh -e\necho'), { kind: 'script', interpreter: '/bin/sh -e' }],
  ['text', Buffer.from('hello'), { kind: 'not-elf' }],
  ['nothing', Buffer.alloc(0), { kind: 'not-elf' }],
  ['half a header', header().subarray(0, 55), { kind: 'not-elf' }],
])('%s is classified', (_name, bytes, expected) => {
  expect(classify(bytes)).toMatchObject(expected);
});

describe('checkExecutable says what to do', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'elf-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const put = (contents: Buffer | string, mode = 0o755): string => {
    const file = path.join(folder, 'program');
    fs.writeFileSync(file, contents, { mode });
    return file;
  };
  const sentence = (file: string): string => {
    try {
      checkExecutable(file);
    } catch (error) {
      if (isFamily(error, 'user')) return error.message.replace(file, 'FILE');
      throw error;
    }
    return '';
  };

  test('a program is taken', () => {
    expect(sentence(process.execPath)).toBe('');
    expect(sentence(put(header()))).toBe('');
  });
  test.each([
    [
      '#!/bin/sh\n',
      0o755,
      'FILE is a script for /bin/sh. To debug the interpreter, name it as the program and the script as its argument.',
    ],
    ['text', 0o755, 'FILE is not an ELF program. Name the program that the build makes.'],
    [header(), 0o644, 'FILE is not executable. Run `chmod +x` on it if it is a program.'],
    [header({ bits: 32, machine: 3 }), 0o755, 'FILE is a 32-bit program: not supported yet. Build it for x86-64.'],
    [header({ machine: 243 }), 0o755, 'FILE is a program for RISC-V. Build it for x86-64, the machine this runs on.'],
    [header({ type: 1 }), 0o755, 'FILE is an object or core file, not a program. Name the linked program.'],
  ])('other contents and modes', (contents, mode, expected) => expect(sentence(put(contents, mode))).toBe(expected));
  test('other kinds of file', () => {
    expect(sentence(path.join(folder, 'none'))).toBe('FILE: no such file. Check the path, and that the program has been built.');
    expect(sentence(path.join(put('text'), 'below'))).toContain('no such file');
    expect(sentence(folder)).toBe('FILE is a directory. Name the program in it.');
    expect(sentence('/dev/null')).toBe('FILE is not a regular file. Name a program.');
  });
});

/** A file of sections: 0 empty, 1 the symbols, 2 the names. */
function withSymbols(type: number, symbols: [name: string, value: bigint, section: number][], names: string): Buffer {
  const bytes = Buffer.concat([
    header(),
    Buffer.alloc(3 * ELF64_SHDR.size + symbols.length * ELF64_SYM.size),
    Buffer.from(names),
  ]);
  const [sectionsAt, symbolsAt] = [ELF64_EHDR.size, ELF64_EHDR.size + 3 * ELF64_SHDR.size];
  const namesAt = symbolsAt + symbols.length * ELF64_SYM.size;
  bytes.writeBigUInt64LE(BigInt(sectionsAt), ELF64_EHDR.e_shoff);
  bytes.writeUInt16LE(ELF64_SHDR.size, ELF64_EHDR.e_shentsize);
  bytes.writeUInt16LE(3, ELF64_EHDR.e_shnum);
  const section = (index: number, kind: number, at: number, size: number, link: number): void => {
    const start = sectionsAt + index * ELF64_SHDR.size;
    bytes.writeUInt32LE(kind, start + ELF64_SHDR.sh_type);
    bytes.writeBigUInt64LE(BigInt(at), start + ELF64_SHDR.sh_offset);
    bytes.writeBigUInt64LE(BigInt(size), start + ELF64_SHDR.sh_size);
    bytes.writeUInt32LE(link, start + ELF64_SHDR.sh_link);
  };
  section(1, type, symbolsAt, symbols.length * ELF64_SYM.size, 2);
  section(2, 3, namesAt, names.length, 0);
  symbols.forEach(([name, value, defined], i) => {
    const start = symbolsAt + i * ELF64_SYM.size;
    bytes.writeUInt32LE(names.indexOf(name), start + ELF64_SYM.st_name);
    bytes.writeUInt16LE(defined, start + ELF64_SYM.st_shndx);
    bytes.writeBigUInt64LE(value, start + ELF64_SYM.st_value);
  });
  return bytes;
}

describe('symbols', () => {
  const names = '\0_thread_db_one\0two\0';
  const find = (bytes: Buffer, ...wanted: string[]): [string, bigint][] =>
    [...findSymbols(bufferSource(bytes), wanted)].map(([name, { value }]) => [name, value]);

  test.each([11, 2])('are found by their whole name, also as the tail of another (section type %d)', (type) => {
    const bytes = withSymbols(
      type,
      [
        ['_thread_db_one', 16n, 1],
        ['one\0', 32n, 1],
        ['two', 48n, 0],
      ],
      names,
    );
    expect(find(bytes, '_thread_db_one', 'one', 'two', 'three')).toEqual([
      ['_thread_db_one', 16n],
      ['one', 32n],
    ]);
  });
  test('damage is nothing', () => {
    const bytes = withSymbols(11, [['_thread_db_one', 16n, 1]], names);
    for (let length = 0; length < bytes.length; length += 7) find(bytes.subarray(0, length), '_thread_db_one');
    for (let at = ELF64_EHDR.size; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = 0xff;
      find(damaged, '_thread_db_one');
    }
    expect(find(Buffer.from('hello'), 'x')).toEqual([]);
  });
});

test('a real program has headers and a dynamic section', () => {
  const fd = fs.openSync('/bin/sh', 'r');
  try {
    const source = fileSource(fd);
    const found = readElfHeader(source);
    expect(found).toMatchObject({ bits: 64, littleEndian: true, machine: 62 });
    expect(readProgramHeaders(source, found!).map(({ type }) => type)).toEqual(expect.arrayContaining([1, 2, 3, 6]));
    expect(readDynamic(source, found!).map(({ tag }) => tag)).toEqual(expect.arrayContaining([5, 6, 21]));
  } finally {
    fs.closeSync(fd);
  }
});

test('a dynamic section ends at DT_NULL', () => {
  const words = [5n, 1n, 21n, 2n, 0n, 0n, 6n, 3n];
  const bytes = Buffer.alloc(64);
  words.forEach((word, i) => bytes.writeBigUInt64LE(word, 8 * i));
  expect(parseDynamic(bytes)).toEqual([
    { tag: 5, value: 1n },
    { tag: 21, value: 2n },
  ]);
});
