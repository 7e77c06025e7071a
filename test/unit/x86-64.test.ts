/**
 * x86-64: target.xml and `g` against what gdbserver 13.1 sends, registers there and back, XSAVE's initial states.
 *
 * golden/target-avx512.xml was taken from gdbserver 13.1 on a CPU with AVX-512 and without protection keys.
 */

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ERRNO, KERNEL_ERRNO } from '../../native/abi/errno';
import { SYS } from '../../native/abi/syscalls-x86-64';
import { USER_REGS } from '../../native/abi/structs';
import type { RegisterFile } from '../../native/arch/arch';
import { hostArch } from '../../native/arch/select';
import { createX86_64 } from '../../native/arch/x86-64';
import { listRegisters } from '../../native/arch/x86-64-registers';
import { abridgeTags, expandTags } from '../../native/arch/x86-64-x87';
import { readXsaveLayout, type Cpu, type XsaveLayout } from '../../native/arch/x86-64-xstate';

/** Zen 5 as a guest: no gap for MPX. And an Intel server with protection keys. */
const AMD: XsaveLayout = { features: 0xe7, offsets: { 2: 576, 5: 832, 6: 896, 7: 1408 } };
const INTEL: XsaveLayout = { features: 0x2e7, offsets: { 2: 576, 5: 1088, 6: 1152, 7: 1664, 9: 2688 } };
const AVX_ONLY: XsaveLayout = { features: 7, offsets: { 2: 576 } };
const SSE_ONLY: XsaveLayout = { features: 3, offsets: {} };
const FXSAVE: XsaveLayout = { features: 0, offsets: {} };
const LAYOUTS: [string, XsaveLayout, number][] = [
  ['AMD', AMD, 2432],
  ['Intel', INTEL, 2696],
  ['AVX only', AVX_ONLY, 832],
  ['SSE only', SSE_ONLY, 576],
  ['no XSAVE', FXSAVE, 512],
];

const golden = fs.readFileSync(path.join(__dirname, 'golden/target-avx512.xml'), 'latin1');

/** The golden file without some of its features. */
function without(...features: string[]): string {
  return features.reduce(
    (xml, name) => xml.replace(new RegExp(` {2}<feature name="org.gnu.gdb.i386.${name}">\n[^]*?</feature>\n`), ''),
    golden,
  );
}

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** A small generator of repeatable numbers (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

function zeroFile(fpLength: number): RegisterFile {
  return { gp: Buffer.alloc(USER_REGS.size), fp: Buffer.alloc(fpLength) };
}

/** A file with random contents, `live` components marked, the rest as garbage that must not be seen. */
function randomFile(next: () => number, layout: XsaveLayout, fpLength: number, live: number): RegisterFile {
  const regs = zeroFile(fpLength);
  for (const file of [regs.gp, regs.fp]) for (let i = 0; i < file.length; i++) file[i] = next();
  if (fpLength > 512) {
    regs.fp.fill(0, 512, 576);
    regs.fp.writeUInt32LE((live & layout.features) >>> 0, 512);
  }
  return regs;
}

describe('target.xml is what gdbserver sends', () => {
  test('with AVX-512', () => expect(createX86_64(AMD).targetXml()).toBe(golden));
  test('with AVX', () => expect(createX86_64(AVX_ONLY).targetXml()).toBe(without('avx512')));
  test('with SSE', () => expect(createX86_64(SSE_ONLY).targetXml()).toBe(without('avx', 'avx512')));
  test('without XSAVE', () => expect(createX86_64().targetXml()).toBe(without('avx', 'avx512')));
  test('with protection keys', () => {
    const pkeys =
      '  <feature name="org.gnu.gdb.i386.pkeys">\n    <reg name="pkru" bitsize="32" type="uint32" regnum="148"/>\n  </feature>\n';
    expect(createX86_64(INTEL).targetXml()).toBe(golden.replace('</target>', `${pkeys}</target>`));
  });
});

test.each([
  ['AMD', AMD, 148, 2416],
  ['Intel', INTEL, 149, 2420],
  ['AVX only', AVX_ONLY, 76, 816],
  ['SSE only', SSE_ONLY, 60, 560],
  ['no XSAVE', FXSAVE, 60, 560],
])('the g block has as many registers and bytes (%s)', (_name, layout, count, bytes) => {
  const arch = createX86_64(layout);
  expect(arch.registerCount).toBe(count);
  expect(arch.encodeAll(zeroFile(4096))).toHaveLength(bytes);
});

test.each(LAYOUTS)(`registers go there and back (%s, seed ${seed})`, (_name, layout, fpLength) => {
  const next = randomFrom(seed);
  const arch = createX86_64(layout);
  for (let round = 0; round < 20; round++) {
    const one = randomFile(next, layout, fpLength, next());
    const other = randomFile(next, layout, fpLength, next());
    const block = arch.encodeAll(one);
    // Nothing written: nothing changes, initial components stay initial.
    expect(arch.decodeAll(block, one)).toEqual(one);
    // Onto other contents: all that gdb can see is as in the block.
    expect(arch.encodeAll(arch.decodeAll(block, other)).equals(block)).toBe(true);
    // One at a time it is the same.
    const single = { gp: Buffer.from(other.gp), fp: Buffer.from(other.fp) };
    const parts: Buffer[] = [];
    for (let regno = 0; regno < arch.registerCount; regno++) {
      const value = arch.encodeOne(one, regno) ?? Buffer.alloc(0);
      parts.push(value);
      expect(arch.decodeOne(single, regno, value)).toBe(arch.needsFp(regno) ? 'fp' : 'gp');
    }
    expect(Buffer.concat(parts).equals(block)).toBe(true);
    expect(arch.encodeAll(single).equals(block)).toBe(true);
  }
});

test('numbers and lengths that do not exist are refused', () => {
  const arch = createX86_64(SSE_ONLY);
  const regs = zeroFile(576);
  expect(arch.encodeOne(regs, 60)).toBeUndefined();
  expect(arch.decodeOne(regs, 60, Buffer.alloc(8))).toBe(false);
  expect(arch.decodeOne(regs, 0, Buffer.alloc(4))).toBe(false);
  expect(arch.needsFp(60)).toBe(false);
  expect(arch.expedited.map((n) => listRegisters(SSE_ONLY)[n].name)).toEqual(['rbp', 'rsp', 'rip']);
  expect(arch.expedited.some((n) => arch.needsFp(n))).toBe(false);
});

describe('initial XSAVE state', () => {
  const names = listRegisters(INTEL).map(({ name }) => name);
  const arch = createX86_64(INTEL);
  const read = (regs: RegisterFile, name: string): string => arch.encodeOne(regs, names.indexOf(name))?.toString('hex') ?? '';
  const bits = (regs: RegisterFile): number => regs.fp.readUInt32LE(512);

  test('reads as zeros, FCW 0x37f, MXCSR 0x1f80, whatever the bytes are', () => {
    const regs = randomFile(randomFrom(1), INTEL, 2696, 0);
    const zeros = ['st3', 'fstat', 'fioff', 'fop', 'xmm7', 'ymm2h', 'xmm20', 'ymm31h', 'k4', 'zmm5h', 'zmm30h'];
    for (const name of zeros) expect(`${name} ${read(regs, name)}`).toMatch(/ 0+$/);
    expect(read(regs, 'fctrl')).toBe('7f030000');
    expect(read(regs, 'ftag')).toBe('ffff0000');
    expect(read(regs, 'mxcsr')).toBe('801f0000');
  });

  test('MXCSR counts while SSE or AVX is live', () => {
    const regs = zeroFile(2696);
    regs.fp.writeUInt32LE(0x1fa0, 24);
    regs.fp.writeUInt32LE(1 << 2, 512);
    expect(read(regs, 'mxcsr')).toBe('a01f0000');
  });

  test('writing a register makes its component live, and nothing else visible', () => {
    const regs = randomFile(randomFrom(2), INTEL, 2696, 0);
    regs.fp.writeUInt32LE(0, 2688);
    expect(arch.decodeOne(regs, names.indexOf('ymm3h'), Buffer.alloc(16, 0xab))).toBe('fp');
    expect(bits(regs)).toBe(1 << 2);
    expect(read(regs, 'ymm3h')).toBe('ab'.repeat(16));
    expect(read(regs, 'ymm2h')).toBe('00'.repeat(16));
    expect(read(regs, 'mxcsr')).toBe('801f0000');
    expect(arch.decodeOne(regs, names.indexOf('st0'), Buffer.alloc(10, 1))).toBe('fp');
    expect(bits(regs)).toBe((1 << 2) | 1);
    expect(read(regs, 'fctrl')).toBe('7f030000');
    expect(read(regs, 'st1')).toBe('00'.repeat(10));
  });

  test('PKRU is read whatever its bit says, and keeps its value when something else is written', () => {
    const regs = zeroFile(2696);
    regs.fp.writeUInt32LE(0x55555554, 2688);
    expect(read(regs, 'pkru')).toBe('54555555');
    arch.decodeOne(regs, names.indexOf('k1'), Buffer.alloc(8, 1));
    expect(bits(regs)).toBe((1 << 9) | (1 << 5));
  });
});

test('x87 tags follow from the contents', () => {
  const values: Record<string, string> = {
    valid: '00000000000000800040',
    zero: '00000000000000000080',
    infinity: '0000000000000080ff7f',
    denormal: '01000000000000000000',
    unnormal: '00000000000000400040',
  };
  const stack = ['valid', 'zero', 'infinity', 'denormal', 'unnormal', 'valid', 'valid', 'valid'];
  const st = (i: number): Buffer => Buffer.from(values[stack[i]], 'hex');
  // Top 5: ST(0) is physical register 5. Registers 0 and 1 are ST(3) and ST(4); 2, 3, 4 are empty.
  const tags = expandTags(0b11100011, 5 << 11, st);
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((i) => (tags >> (2 * i)) & 3)).toEqual([2, 2, 3, 3, 3, 0, 1, 2]);
  expect(abridgeTags(tags)).toBe(0b11100011);
});

describe('the layout comes from CPUID', () => {
  const machine = (features: bigint, osxsave = true): Cpu => ({
    cpuid: (leaf, sub) => ({
      eax: 0,
      ebx: leaf === 13 ? (AMD.offsets[sub] ?? 0) : 0,
      ecx: leaf === 1 && osxsave ? 1 << 27 : 0,
      edx: 0,
    }),
    xgetbv: () => features,
  });

  test('offsets of the components that are switched on', () => {
    expect(readXsaveLayout(machine(0xe7n))).toEqual(AMD);
    expect(readXsaveLayout(machine(7n))).toEqual(AVX_ONLY);
    expect(readXsaveLayout(machine(0xe7n, false))).toEqual(FXSAVE);
  });

  test('the regset follows', () => {
    expect(hostArch(machine(7n), 'x64').fpRegset).toBe(0x202);
    expect(hostArch(machine(7n, false), 'x64').fpRegset).toBe(2);
  });

  test('other machines are refused', () => {
    expect(() => hostArch(machine(7n), 'arm64')).toThrow('this machine (arm64) is not supported');
  });
});

describe('system calls', () => {
  const arch = createX86_64();
  const inCall = (nr: number, rax: number): Buffer => {
    const gp = Buffer.alloc(USER_REGS.size);
    gp.writeBigInt64LE(BigInt(nr), USER_REGS.orig_rax);
    gp.writeBigInt64LE(BigInt(rax), USER_REGS.rax);
    return gp;
  };

  test.each([
    ['read', SYS.read, -KERNEL_ERRNO.ERESTARTSYS, 'kernel-restarts'],
    ['fork', SYS.fork, -KERNEL_ERRNO.ERESTARTNOINTR, 'kernel-restarts'],
    ['pause', SYS.pause, -KERNEL_ERRNO.ERESTARTNOHAND, 'kernel-restarts'],
    ['nanosleep', SYS.nanosleep, -KERNEL_ERRNO.ERESTART_RESTARTBLOCK, 'restart-block'],
    ['epoll_wait', SYS.epoll_wait, -ERRNO.EINTR, 'final-eintr'],
    ['epoll_pwait2', SYS.epoll_pwait2, -ERRNO.EINTR, 'final-eintr'],
    ['rt_sigtimedwait', SYS.rt_sigtimedwait, -ERRNO.EINTR, 'final-eintr'],
    ['recvfrom', SYS.recvfrom, -ERRNO.EINTR, 'final-eintr'],
    ['close', SYS.close, -ERRNO.EINTR, 'none'],
    ['rt_sigsuspend', SYS.rt_sigsuspend, -ERRNO.EINTR, 'none'],
    ['epoll_wait with another error', SYS.epoll_wait, -ERRNO.EBADF, 'none'],
    ['epoll_wait with a result', SYS.epoll_wait, 4, 'none'],
    ['no call', -1, -ERRNO.EINTR, 'none'],
    ['no call, a number like a restart', -1, -KERNEL_ERRNO.ERESTARTSYS, 'none'],
  ])('an interrupted %s is classified', (_name, nr, rax, verdict) => {
    expect(arch.restart(inCall(nr, rax))).toBe(verdict);
  });

  test('no restart', () => {
    const gp = inCall(SYS.epoll_wait, -ERRNO.EINTR);
    arch.markRestartNoHand(gp);
    expect(arch.restart(gp)).toBe('kernel-restarts');
    arch.forgetSyscall(gp);
    expect(arch.syscallNumber(gp)).toBeUndefined();
    expect(arch.restart(gp)).toBe('none');
    expect(arch.syscallResult(gp)).toBe(-514n);
  });

  test('a call is issued again from a seccomp stop', () => {
    const gp = inCall(SYS.exit_group, -ERRNO.ENOSYS);
    arch.setPc(gp, 0x401002n);
    arch.reissueSyscall(gp);
    expect([arch.pc(gp), arch.syscallResult(gp), arch.syscallNumber(gp)]).toEqual([0x401000n, 231n, undefined]);
  });

  test('a call is prepared', () => {
    const gp = inCall(SYS.read, 7);
    gp.writeBigUInt64LE(0x346n, USER_REGS.eflags);
    arch.prepareSyscall(gp, 0x7f00n, SYS.mmap, [1n, 2n, 3n, 4n, -1n, 6n]);
    expect(['rip', 'rax', 'rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'].map((r) => gp.readBigInt64LE(USER_REGS[r as 'rip']))).toEqual([
      0x7f00n,
      9n,
      1n,
      2n,
      3n,
      4n,
      -1n,
      6n,
    ]);
    expect(arch.syscallNumber(gp)).toBeUndefined();
    expect(gp.readBigUInt64LE(USER_REGS.eflags)).toBe(0x246n);
  });

  test('the batch code is what an assembler makes of it', () => {
    const source = `1: mov (%rbx),%rax; mov 8(%rbx),%rdi; mov 16(%rbx),%rsi; mov 24(%rbx),%rdx; mov 32(%rbx),%r10; mov 40(%rbx),%r8
      mov 48(%rbx),%r9; syscall; mov %rax,56(%rbx); add $64,%rbx; dec %r12; jnz 1b; int3\n`;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'batch-'));
    try {
      const object = path.join(folder, 'batch.o');
      expect(spawnSync('as', ['-o', object], { input: source, encoding: 'utf8' }).stderr).toBe('');
      const image = fs.readFileSync(object);
      expect(image.includes(arch.batchCode)).toBe(true);
      const after = image.indexOf(arch.batchCode) + arch.batchCode.length;
      expect(image.subarray(0, after).length).toBe(64 + arch.batchCode.length);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('debug registers', () => {
  const arch = createX86_64();
  /** DR number -> last value written. */
  const plan = (...points: ['execute' | 'write' | 'access', bigint, number][]): Record<string, bigint> | undefined => {
    const made = arch.planDebugRegisters(points.map(([kind, addr, length]) => ({ kind, addr, length })));
    return made && Object.fromEntries(made.slots.map(({ offset, value }) => [`dr${(offset - 848) / 8}`, value]));
  };

  test('no points switch everything off', () => expect(plan()).toEqual({ dr7: 0n }));
  test('kinds and lengths', () => {
    expect(plan(['execute', 0x1001n, 1])).toEqual({ dr0: 0x1001n, dr7: 0x1n });
    expect(plan(['write', 0x1000n, 4])).toEqual({ dr0: 0x1000n, dr7: 0xd0001n });
    expect(plan(['access', 0x1000n, 8], ['write', 0x2002n, 2], ['write', 0x3001n, 1], ['execute', 0x4000n, 1])).toEqual({
      dr0: 0x1000n,
      dr1: 0x2002n,
      dr2: 0x3001n,
      dr3: 0x4000n,
      dr7: 0x015b0055n,
    });
  });
  test('unaligned and long points are cut', () => {
    expect(plan(['write', 0x1003n, 4])).toMatchObject({ dr0: 0x1003n, dr1: 0x1004n, dr2: 0x1006n });
    expect(plan(['write', 0x1000n, 32])).toMatchObject({ dr0: 0x1000n, dr3: 0x1018n });
    expect(plan(['write', 0x1001n, 32])).toBeUndefined();
  });
  test('equal points share a register; a fifth does not fit', () => {
    expect(plan(...Array.from({ length: 6 }, () => ['write', 0x1000n, 8] as ['write', bigint, number]))).toEqual({
      dr0: 0x1000n,
      dr7: 0x90001n,
    });
    expect(plan(...[0, 1, 2, 3, 4].map((i) => ['execute', BigInt(i), 1] as ['execute', bigint, number]))).toBeUndefined();
  });
  test('no length, kernel addresses', () => {
    expect(plan(['write', 0x1000n, 0])).toBeUndefined();
    expect(plan(['write', 0x7fffffffeff8n, 8])).toBeDefined();
    expect(plan(['write', 0x7fffffffeffcn, 8])).toBeUndefined();
    expect(plan(['write', 0xffffffff81000000n, 8])).toBeUndefined();
  });
  test('everything is off while addresses change', () => {
    const made = arch.planDebugRegisters([{ kind: 'write', addr: 8n, length: 8 }]);
    expect(made?.slots.map(({ offset }) => (offset - 848) / 8)).toEqual([7, 0, 7]);
  });
  test('the status register names the slot', () => {
    expect(arch.debugStatusOffset).toBe(848 + 48);
    expect([0xffff0ff0n, 0xffff4ff0n, 0xffff0ff1n, 0xffff0ff8n, 0xffff0ff6n].map((status) => arch.hitPoint(status))).toEqual([
      undefined,
      undefined,
      0,
      3,
      1,
    ]);
  });
});
