/**
 * Registers of a real process: our `g` block beside gdbserver's, and what we write beside what the kernel then has.
 */

import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { USER_REGS } from '../../native/abi/structs';
import type { RegisterFile } from '../../native/arch/arch';
import { hostArch } from '../../native/arch/select';
import { listRegisters } from '../../native/arch/x86-64-registers';
import { AVX, HI16_ZMM, OPMASK, has, readXsaveLayout } from '../../native/arch/x86-64-xstate';
import * as cpu from '../../native/sys/cpu';
import { RawGdbserver } from '../support/raw-gdbserver';

const fixture = (name: string): string => path.join(__dirname, '../fixtures/build', name);
const layout = readXsaveLayout(cpu);
const arch = hostArch(cpu);
const registers = listRegisters(layout);
const level = has(layout, HI16_ZMM) ? '3' : has(layout, AVX) ? '2' : '1';
/** gdbserver 13 believes in Intel's offsets: elsewhere its AVX-512 registers are other memory. */
const INTEL_OPMASK = 1088;

/** The raw files of register-values at its trap, and again after `store` was written into it. */
function dump(store?: RegisterFile): RegisterFile[] {
  const { stdout, status } = spawnSync(fixture('register-dump'), [fixture('register-values'), level], {
    input: store === undefined ? Buffer.alloc(0) : Buffer.concat([store.gp, store.fp]),
  });
  expect(status).toBe(0);
  const length = store === undefined ? stdout.length : stdout.length / 2;
  return Array.from({ length: stdout.length / length }, (_unused, i) => ({
    gp: Buffer.from(stdout.subarray(i * length, i * length + USER_REGS.size)),
    fp: Buffer.from(stdout.subarray(i * length + USER_REGS.size, (i + 1) * length)),
  }));
}

function byName(block: Buffer): Map<string, string> {
  let at = 0;
  return new Map(registers.map(({ name, bits }) => [name, block.subarray(at, (at += bits / 8)).toString('hex')]));
}

/** What register-values loads at `offset` of its table. */
function pattern(offset: number, length: number): string {
  return Buffer.from(Array.from({ length }, (_unused, k) => (offset + k + 1) * 7 + Math.floor((offset + k + 1) / 256))).toString(
    'hex',
  );
}

test('target.xml and the g block are as gdbserver has them', async () => {
  const server = await RawGdbserver.start(fixture('register-values'), level);
  try {
    expect(arch.targetXml()).toBe(await server.transfer('features', 'target.xml'));
    expect((await server.ask('vCont;c')).toString('latin1')).toMatch(/^T05/);
    const theirs = Buffer.from((await server.ask('g')).toString('latin1'), 'hex');
    const [regs] = dump();
    const ours = arch.encodeAll(regs);
    expect(ours).toHaveLength(theirs.length);
    const expected = byName(theirs);
    // gdbserver has moved the pc back onto the int3.
    expect(arch.pc(regs.gp) - 1n).toBe(Buffer.from(expected.get('rip') ?? '', 'hex').readBigUInt64LE());
    expected.delete('rip');
    for (const { name, feature } of registers) {
      if (feature === 'avx512' && layout.offsets[OPMASK] !== INTEL_OPMASK) expected.delete(name);
    }
    const mine = byName(ours);
    expect(new Map([...expected.keys()].map((name) => [name, mine.get(name)]))).toEqual(expected);
  } finally {
    await server.stop();
  }
});

test('the registers hold what the program loaded', () => {
  const block = byName(arch.encodeAll(dump()[0]));
  expect(block.get('rbx')).toBe('11'.repeat(8));
  expect(block.get('st1')).toBe('35c26821a2da0fc90040');
  expect(block.get('mxcsr')).toBe('a01f0000');
  const width = 16 * 2 ** (Number(level) - 1);
  for (let i = 0; i < (level === '3' ? 32 : 16); i++) {
    expect(block.get(`xmm${i}`)).toBe(pattern(i * width, 16));
    if (level !== '1') expect(block.get(`ymm${i}h`)).toBe(pattern(i * width + 16, 16));
    if (level === '3') expect(block.get(`zmm${i}h`)).toBe(pattern(i * width + 32, 32));
    if (level === '3' && i < 8) expect(block.get(`k${i}`)).toBe(pattern(i * 8, 8));
  }
});

test('what we write is what the kernel then has', () => {
  const [before] = dump();
  const block = arch.encodeAll(before);
  let at = 0;
  registers.forEach(({ name, bits, feature }) => {
    // Not every value is legal in segments, flags and control registers.
    const plain = /^(r(?!sp|ip)|st\d|[xyz]mm|k\d)/.test(name) && feature !== 'segments';
    for (let i = 0; plain && i < bits / 8; i++) block[at + i] ^= 0x5a;
    at += bits / 8;
  });
  const changed = arch.decodeAll(block, before);
  const [, after] = dump(changed);
  const seen = byName(arch.encodeAll(after));
  const wanted = byName(block);
  // The tags follow from the stack registers' contents.
  wanted.delete('ftag');
  seen.delete('ftag');
  expect(seen).toEqual(wanted);
});

test('a component in its initial state is written, too', () => {
  const [before] = dump();
  before.fp.fill(0, 512, 520);
  const names = registers.map(({ name }) => name);
  arch.decodeOne(before, names.indexOf('xmm5'), Buffer.alloc(16, 0xab));
  const [, after] = dump(before);
  const seen = byName(arch.encodeAll(after));
  expect(seen.get('xmm5')).toBe('ab'.repeat(16));
  expect(seen.get('xmm4')).toBe('00'.repeat(16));
  expect(seen.get('st0')).toBe('00'.repeat(10));
  expect(seen.get('fctrl')).toBe('7f030000');
  expect(seen.get('mxcsr')).toBe('801f0000');
  if (level !== '1') expect(seen.get('ymm5h')).toBe('00'.repeat(16));
});
