/**
 * Libraries and thread-local variables of real programs: our reading of their memory beside gdbserver's list, and beside the
 * addresses that the programs print themselves.
 */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { libraryListXml, readLinkMaps, type ReadMemory } from '../../native/owner/libraries';
import { tlsAddress } from '../../native/owner/tls';
import { RawGdbserver } from '../support/raw-gdbserver';

const fixture = (name: string): string => path.join(__dirname, '../fixtures/build', name);
const EMPTY = '<library-list-svr4 version="1.0"></library-list-svr4>';

interface Running {
  readonly pid: number;
  readonly auxv: Buffer;
  readonly read: ReadMemory;
  /** What the program printed: thread pointer, `counter`, `plugin_numbers[1]`, first the other thread's. */
  readonly threads: readonly (readonly bigint[])[];
}

function memoryReader(pid: number): { read: ReadMemory; close(): void } {
  const fd = fs.openSync(`/proc/${pid}/mem`, 'r');
  const read: ReadMemory = (addr, length) => {
    const bytes = Buffer.alloc(length);
    try {
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, addr));
    } catch {
      return Buffer.alloc(0);
    }
  };
  return { read, close: () => fs.closeSync(fd) };
}

function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (data) => {
      text += String(data);
      if (text.includes('ready')) resolve(text);
    });
    child.on('error', reject);
    child.on('close', () => reject(new Error(`the program has ended: ${text}`)));
  });
}

async function withProgram(command: readonly string[], use: (running: Running) => void): Promise<void> {
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise((resolve) => child.once('close', resolve));
  try {
    const lines = (await untilReady(child)).trim().split('\n').slice(0, -1);
    const pid = child.pid ?? 0;
    const memory = memoryReader(pid);
    try {
      const threads = lines.map((line) => line.split(' ').map((word) => BigInt(word === '(nil)' ? 0 : word)));
      use({ pid, threads, read: memory.read, auxv: fs.readFileSync(`/proc/${pid}/auxv`) });
    } finally {
      memory.close();
    }
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
}

/** st_value of a thread-local symbol: its offset in the module's block. */
function tlsOffset(file: string, symbol: string): bigint {
  const line = spawnSync('nm', [file], { encoding: 'utf8' })
    .stdout.split('\n')
    .find((l) => l.endsWith(` ${symbol}`));
  expect(line).toBeDefined();
  return BigInt(`0x${line?.split(' ')[0]}`);
}

const program = fixture('tls-program');
const plugin = fixture('tls-plugin');

test('thread-local variables lie where the program says', async () => {
  await withProgram([program, plugin], ({ pid, auxv, read, threads: [other, main] }) => {
    const maps = readLinkMaps(read, auxv);
    expect(maps[0].name).toBe('');
    const pluginMap = maps.find(({ name }) => name === plugin)?.lm ?? 0n;
    const of = (threadPointer: bigint, linkMap: bigint, offset: bigint): bigint | undefined =>
      tlsAddress({ read, auxv, pid, threadPointer, linkMap, offset });
    const counter = tlsOffset(program, 'counter');
    const number = tlsOffset(plugin, 'plugin_numbers') + 4n;
    expect(of(main[0], maps[0].lm, counter)).toBe(main[1]);
    expect(of(other[0], maps[0].lm, counter)).toBe(other[1]);
    expect(main[2]).not.toBe(0n);
    expect(of(main[0], pluginMap, number)).toBe(main[2]);
    // The other thread was there before the library and has never touched it.
    expect(of(other[0], pluginMap, number)).toBeUndefined();
    expect(of(main[0], 0x1234n, 0n)).toBeUndefined();
    expect(of(0n, maps[0].lm, counter)).toBeUndefined();
  });
});

test.each(['tls-static', 'tls-static-pie'])(
  'thread-local variables of %s lie where it says; it has no libraries',
  async (name) => {
    await withProgram([fixture(name)], ({ pid, auxv, read, threads }) => {
      const offset = tlsOffset(fixture(name), 'counter');
      for (const [threadPointer, counter] of threads) {
        expect(tlsAddress({ read, auxv, pid, threadPointer, linkMap: 0n, offset })).toBe(counter);
      }
      expect(libraryListXml(read, auxv, '')).toBe(EMPTY);
    });
  },
);

test('the library list is gdbserver’s, byte for byte, with namespaces and annexes', async () => {
  const server = await RawGdbserver.start(program, plugin, 'twice');
  let memory: ReturnType<typeof memoryReader> | undefined;
  try {
    const [thread] = (await server.ask('qC')).toString('latin1').slice(3).split('.');
    const pid = Number.parseInt(thread, 16);
    memory = memoryReader(pid);
    const auxv = fs.readFileSync(`/proc/${pid}/auxv`);
    const same = async (annex: string): Promise<string> => {
      const theirs = await server.transfer('libraries-svr4', annex);
      expect(libraryListXml(memory!.read, auxv, annex)).toBe(theirs);
      return theirs;
    };
    expect(await same('')).toBe(EMPTY);
    expect((await server.ask('vCont;c')).toString('latin1')).toMatch(/^T05/);
    const list = await same('');
    expect(new Set(list.match(/lmid="0x[0-9a-f]+"/g)).size).toBe(2);
    const [first, second] = [...list.matchAll(/lm="0x([0-9a-f]+)"/g)].map((match) => match[1]);
    await same(`start=${second};prev=${first};lmid=77;`);
    await same(`start=${second};prev=${first};`);
    await same(`lmid=77;start=${second};prev=${first};`);
    await same(`start=${first};prev=0;`);
    await same(`start=${second};prev=1234;`);
    await same('start=1234;prev=0;');
    await same('start=0;prev=0;');
  } finally {
    memory?.close();
    await server.stop();
  }
});
