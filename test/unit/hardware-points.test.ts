/** Where each hardware point is kept, with and without debug registers that fire; and which emulated one has changed. */

import { hostArch } from '../../native/arch/select';
import { HardwarePoints, type PointSite } from '../../native/owner/hardware-points';
import { readWatchMode } from '../../native/server/settings';

// Nothing here touches a tracee; the real one loads native code.
jest.mock('../../native/sys/ptrace', () => ({}));

const BASE = 0x600000n;
const NOTHING = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
const arch = hostArch({ cpuid: () => NOTHING, xgetbv: () => 0n });

/** A process with one page of memory at BASE. */
class Site implements PointSite {
  readonly memory = Buffer.alloc(4096);
  readonly code = new Set<bigint>();
  readable = true;
  asked = 0;

  constructor(private readonly works: boolean) {}

  registersWork(): boolean {
    this.asked++;
    return this.works;
  }

  readMemory(addr: bigint, length: number): Buffer | undefined {
    const at = Number(addr - BASE);
    return this.readable && at + length <= this.memory.length ? Buffer.from(this.memory.subarray(at, at + length)) : undefined;
  }

  insertCode(addr: bigint): boolean {
    if (addr < BASE) return false;
    this.code.add(addr);
    return true;
  }

  removeCode(addr: bigint): void {
    this.code.delete(addr);
  }
}

function make(works: boolean): { site: Site; points: HardwarePoints } {
  const site = new Site(works);
  return { site, points: new HardwarePoints(arch, site) };
}

const emulated = (points: HardwarePoints): bigint[] => points.emulatedView().points.map(({ addr }) => addr);

describe('with debug registers', () => {
  it('four words fit, the fifth is emulated, and gets a register when one is free', () => {
    const { points } = make(true);
    for (let i = 0n; i < 4n; i++) expect(points.insert('watch', BASE + 16n * i, 8)).toBe('ok');
    expect([points.inRegisters, points.emulates]).toEqual([true, false]);
    expect(points.insert('watch', BASE + 64n, 8)).toBe('ok');
    expect(emulated(points)).toEqual([BASE + 64n]);
    expect(points.remove('watch', BASE, 8)).toBe('ok');
    expect(points.emulates).toBe(false);
  });

  it('what cannot be emulated takes the place of what can', () => {
    const { points } = make(true);
    for (let i = 0n; i < 4n; i++) points.insert('watch', BASE + 16n * i, 8);
    expect(points.insert('awatch', BASE + 64n, 8)).toBe('ok');
    expect(emulated(points)).toEqual([BASE + 48n]);
    for (let i = 0n; i < 3n; i++) expect(points.insert('awatch', BASE + 128n + 16n * i, 8)).toBe('ok');
    expect(points.insert('awatch', BASE + 256n, 8)).toBe('failed');
    expect(emulated(points)).toHaveLength(4);
  });

  it('a breakpoint too many becomes one in the code', () => {
    const { site, points } = make(true);
    for (let i = 0n; i < 4n; i++) points.insert('watch', BASE + 16n * i, 8);
    expect(points.insert('hardware', BASE + 100n, 1)).toBe('ok');
    expect([...site.code]).toEqual([BASE + 100n]);
    points.remove('watch', BASE, 8);
    expect(site.code.size).toBe(0);
  });
});

describe('without debug registers', () => {
  it('the machine is not asked before the first point', () => {
    const { site, points } = make(false);
    points.clear();
    points.refresh();
    expect(site.asked).toBe(0);
  });

  it('writes are emulated, breakpoints stand in the code, and reads are not to be had', () => {
    const { site, points } = make(false);
    expect(points.insert('watch', BASE + 3n, 40)).toBe('ok');
    expect(points.insert('hardware', BASE + 100n, 1)).toBe('ok');
    expect(points.insert('awatch', BASE, 4)).toBe('unsupported');
    expect([points.inRegisters, emulated(points), [...site.code]]).toEqual([false, [BASE + 3n], [BASE + 100n]]);
    points.clear();
    expect([points.emulates, site.code.size]).toEqual([false, 0]);
  });

  it('what is no user memory, or no length, is refused, and leaves the others as they were', () => {
    const { points } = make(false);
    points.insert('watch', BASE, 4);
    expect(points.insert('watch', 0xffff_8000_0000_0000n, 4)).toBe('failed');
    expect(points.insert('watch', BASE, 0)).toBe('failed');
    expect(points.insert('watch', BASE, 1 << 20)).toBe('failed');
    expect(points.insert('hardware', 16n, 1)).toBe('failed');
    expect(emulated(points)).toEqual([BASE]);
  });

  it('a point inserted twice is removed at once', () => {
    const { points } = make(false);
    points.insert('watch', BASE, 4);
    points.insert('watch', BASE, 4);
    expect(emulated(points)).toHaveLength(1);
    points.remove('watch', BASE, 4);
    expect(points.emulates).toBe(false);
  });

  it('a change is told once, by its first byte, and every point knows its new value', () => {
    const { site, points } = make(false);
    points.insert('watch', BASE, 8);
    points.insert('watch', BASE + 4n, 8);
    expect(points.changed()).toBeUndefined();
    site.memory[6] = 1;
    expect(points.changed()).toEqual({ name: 'watch', addr: BASE + 6n });
    expect(points.changed()).toBeUndefined();
  });

  it('memory that comes and goes has not changed, and neither has what was refreshed', () => {
    const { site, points } = make(false);
    site.readable = false;
    points.insert('watch', BASE, 4);
    expect(points.emulatedView().points).toEqual([{ addr: BASE, length: 4, readable: false }]);
    site.readable = true;
    site.memory[0] = 9;
    expect(points.changed()).toBeUndefined();
    site.memory[0] = 10;
    points.refresh();
    expect(points.changed()).toBeUndefined();
    site.memory[0] = 11;
    expect(points.changed()).toBeDefined();
  });
});

describe('SAVEPOINT_FORCE_WATCH', () => {
  test.each([
    [undefined, undefined],
    ['', undefined],
    ['step', 'step'],
    ['registers', 'registers'],
  ])('%s means %s', (value, mode) => {
    expect(readWatchMode(value === undefined ? {} : { SAVEPOINT_FORCE_WATCH: value })).toBe(mode);
  });

  it('is refused when it is neither', () => {
    expect(() => readWatchMode({ SAVEPOINT_FORCE_WATCH: 'both' })).toThrow(/SAVEPOINT_FORCE_WATCH=both/);
  });
});
