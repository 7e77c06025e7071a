/**
 * Finds the programs of a folder that can be debugged: ELF executables where CMake, Make, Meson and Cargo put them. By what files are, not by
 * what they are called. No `vscode`.
 */

import * as fs from 'node:fs/promises';
import * as path from 'node:path';

export interface Executable {
  readonly file: string;
  readonly modifiedAt: number;
}

/** Never worth a look. */
const SKIPPED = new Set([
  '.git',
  '.svn',
  '.hg',
  'node_modules',
  'CMakeFiles',
  '_deps',
  '.cache',
  'incremental',
  '.fingerprint',
  'deps',
  'build-script-build',
]);
const DEEPEST = 6;
const MOST_FILES = 20_000;
const LARGEST_HEAD = 64;

const ET_EXEC = 2;
const ET_DYN = 3;
const EM_X86_64 = 62;
const PT_INTERP = 3;

/** Newest first. */
export async function findExecutables(folder: string): Promise<readonly Executable[]> {
  const found: Executable[] = [];
  let left = MOST_FILES;
  let level: readonly string[] = [folder];
  for (let depth = 0; depth < DEEPEST && level.length > 0 && left > 0; depth++) {
    const below: string[] = [];
    for (const directory of level) {
      const entries = await fs.readdir(directory, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        const file = path.join(directory, entry.name);
        if (entry.isDirectory()) {
          if (!SKIPPED.has(entry.name)) below.push(file);
        } else if (entry.isFile() && left-- > 0) {
          const modifiedAt = await executableSince(file);
          if (modifiedAt !== undefined) found.push({ file, modifiedAt });
        }
      }
    }
    level = below;
  }
  return found.sort((a, b) => b.modifiedAt - a.modifiedAt);
}

async function executableSince(file: string): Promise<number | undefined> {
  try {
    const stat = await fs.stat(file);
    if ((stat.mode & 0o111) === 0 || stat.size < LARGEST_HEAD) return undefined;
    return (await isProgram(file)) ? stat.mtimeMs : undefined;
  } catch {
    return undefined;
  }
}

/** An x86-64 program, not a library or an object file: it is linked to a fixed address, or names an interpreter (PIE), or is a static PIE. */
export async function isProgram(file: string): Promise<boolean> {
  const handle = await fs.open(file, 'r');
  try {
    const head = Buffer.alloc(LARGEST_HEAD);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    if (bytesRead < LARGEST_HEAD || head.toString('latin1', 0, 4) !== '\x7fELF') return false;
    if (head[4] !== 2 || head.readUInt16LE(18) !== EM_X86_64) return false;
    const type = head.readUInt16LE(16);
    if (type === ET_EXEC) return true;
    if (type !== ET_DYN) return false;
    const start = Number(head.readBigUInt64LE(32));
    const [size, count] = [head.readUInt16LE(54), head.readUInt16LE(56)];
    const headers = Buffer.alloc(size * count);
    await handle.read(headers, 0, headers.length, start);
    const types = Array.from({ length: count }, (_, index) => headers.readUInt32LE(index * size));
    return types.includes(PT_INTERP) || (!/\.so(\.|$)/.test(path.basename(file)) && head.readBigUInt64LE(24) !== 0n);
  } finally {
    await handle.close();
  }
}
