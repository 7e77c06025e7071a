/**
 * Hardware breakpoints and watchpoints of one inferior: the set gdb asked for, and where each is kept.
 *
 * In debug registers, when they work here and suffice. Otherwise emulated: a breakpoint as a software breakpoint; a write watchpoint by
 * its last seen value, while every thread is single-stepped (watch-stepping.ts). Reads cannot be emulated so.
 *
 * The kernel does not hand debug registers on to new threads, and checkpoints never hold them: each thread gets the present plan
 * before it runs, when its generation is older.
 */

import { GONE, type Addr, type Gone } from '../base/brands';
import type { Arch, DebugRegisterPlan, HardwarePoint } from '../arch/arch';
import * as ptrace from '../sys/ptrace';
import type { PointAnswer, WatchKind } from './ops';
import type { Tracee } from './tracee';

type PointName = WatchKind | 'hardware';

interface Point extends HardwarePoint {
  /** What gdb calls it; 'hardware' for Z1. */
  readonly name: PointName;
}

interface Emulated {
  readonly point: Point;
  /** Last seen; undefined: the memory could not be read. */
  value: Buffer | undefined;
}

/** What the points need of their process and of the machine. */
export interface PointSite {
  /** A debug register that is set fires (some hypervisors only keep its value). */
  registersWork(): boolean;
  /** undefined: not all of it can be read. */
  readMemory(addr: Addr, length: number): Buffer | undefined;
  /** A software breakpoint in a hardware one's place. */
  insertCode(addr: Addr): boolean;
  removeCode(addr: Addr): void;
}

/** What sp_step_watch compares. */
export interface EmulatedView {
  readonly points: readonly { readonly addr: Addr; readonly length: number; readonly readable: boolean }[];
  /** All values one after another. */
  readonly values: Buffer;
}

export interface PointHit {
  readonly name: PointName;
  readonly addr: Addr;
}

interface Places {
  readonly registers: readonly Point[];
  readonly plan: DebugRegisterPlan | undefined;
  readonly emulated: readonly Point[];
  readonly code: readonly Point[];
}

/** Bytes of one emulated watchpoint: they are compared after every step. */
const LONGEST = 1 << 16;
/** Who gets a register first: what cannot be emulated, then what would make every thread step; a breakpoint is emulated at no cost. */
const ORDER: Readonly<Record<HardwarePoint['kind'], number>> = { access: 0, write: 1, execute: 2 };

export class HardwarePoints {
  private points: readonly Point[] = [];
  private places: Places = { registers: [], plan: undefined, emulated: [], code: [] };
  private emulated: Emulated[] = [];
  /** Counts changes of the plan; 0 means that no debug register was ever used. */
  private generation = 0;

  constructor(
    private readonly arch: Arch,
    private readonly site: PointSite,
  ) {}

  get inRegisters(): boolean {
    return this.places.registers.length > 0;
  }

  /** Threads must be stepped so that changes are seen. */
  get emulates(): boolean {
    return this.emulated.length > 0;
  }

  /** Is there a breakpoint that a debug register watches for? */
  executesAt(addr: Addr): boolean {
    return this.places.registers.some((point) => point.kind === 'execute' && point.addr === addr);
  }

  insert(name: PointName, addr: Addr, length: number): PointAnswer {
    if (this.find(name, addr, length) !== undefined) return 'ok';
    const kind = name === 'hardware' ? 'execute' : name === 'watch' ? 'write' : 'access';
    const point: Point = { name, kind, addr, length: name === 'hardware' ? 1 : length };
    return this.change([...this.points, point]);
  }

  remove(name: PointName, addr: Addr, length: number): PointAnswer {
    const gone = this.find(name, addr, length);
    return gone === undefined ? 'ok' : this.change(this.points.filter((point) => point !== gone));
  }

  clear(): void {
    if (this.points.length > 0) this.change([]);
  }

  /** After an exec: the kernel has cleared the registers, and the memory is another one. */
  forget(): void {
    this.points = [];
    this.emulated = [];
    this.places = { registers: [], plan: undefined, emulated: [], code: [] };
    this.generation = 0;
  }

  private find(name: PointName, addr: Addr, length: number): Point | undefined {
    const wanted = name === 'hardware' ? 1 : length;
    return this.points.find((p) => p.name === name && p.addr === addr && p.length === wanted);
  }

  private change(points: readonly Point[]): PointAnswer {
    const places = this.place(points);
    if (typeof places === 'string') return places;
    const fresh = places.code.filter((point) => !this.places.code.includes(point));
    if (!fresh.every((point) => this.site.insertCode(point.addr))) {
      for (const point of fresh) this.site.removeCode(point.addr);
      return 'failed';
    }
    for (const point of this.places.code) if (!places.code.includes(point)) this.site.removeCode(point.addr);
    const known = this.emulated;
    this.emulated = places.emulated.map((point) => known.find((e) => e.point === point) ?? { point, value: this.read(point) });
    this.points = points;
    this.places = places;
    if (places.plan !== undefined) this.generation++;
    return 'ok';
  }

  private place(points: readonly Point[]): Places | PointAnswer {
    const registers: Point[] = [];
    const emulated: Point[] = [];
    const code: Point[] = [];
    const works = points.length > 0 && this.site.registersWork();
    let plan = works || this.generation > 0 ? this.arch.planDebugRegisters([]) : undefined;
    for (const point of [...points].sort((a, b) => ORDER[a.kind] - ORDER[b.kind])) {
      const tried = works ? this.arch.planDebugRegisters([...registers, point]) : undefined;
      if (tried !== undefined) {
        registers.push(point);
        plan = tried;
      } else if (point.kind === 'execute') code.push(point);
      else if (point.kind === 'access') return works ? 'failed' : 'unsupported';
      else if (this.canEmulate(point)) emulated.push(point);
      else return 'failed';
    }
    return { registers, plan, emulated, code };
  }

  private canEmulate({ addr, length }: Point): boolean {
    const possible = (at: Addr): boolean => this.arch.planDebugRegisters([{ kind: 'write', addr: at, length: 1 }]) !== undefined;
    return length > 0 && length <= LONGEST && possible(addr) && possible(addr + BigInt(length - 1));
  }

  private read(point: Point): Buffer | undefined {
    return this.site.readMemory(point.addr, point.length);
  }

  /** Brings a stopped thread's debug registers up to date. */
  sync(tracee: Tracee): true | Gone {
    const { plan } = this.places;
    if (tracee.debugGeneration === this.generation || plan === undefined) return true;
    for (const slot of plan.slots) {
      if (ptrace.pokeUser(tracee.tid, slot.offset, slot.value) === GONE) return GONE;
    }
    tracee.debugGeneration = this.generation;
    return true;
  }

  /** Memory was written by gdb or by a restore: what is there now is what changes are told against. */
  refresh(): void {
    for (const emulated of this.emulated) emulated.value = this.read(emulated.point);
  }

  emulatedView(): EmulatedView {
    return {
      points: this.emulated.map(({ point, value }) => ({
        addr: point.addr,
        length: point.length,
        readable: value !== undefined,
      })),
      values: Buffer.concat(this.emulated.map(({ point, value }) => value ?? Buffer.alloc(point.length))),
    };
  }

  /** Which point stopped the thread, if any; clears the status register so that the next stop is not mistaken. */
  hit(tracee: Tracee): PointHit | undefined | Gone {
    const inRegister = this.inRegisters ? this.registerHit(tracee) : undefined;
    const changed = this.changed();
    return inRegister ?? changed;
  }

  private registerHit(tracee: Tracee): PointHit | undefined | Gone {
    const status = ptrace.peekUser(tracee.tid, this.arch.debugStatusOffset);
    if (status === GONE) return GONE;
    const slot = this.arch.hitPoint(status);
    if (slot === undefined) return undefined;
    if (ptrace.pokeUser(tracee.tid, this.arch.debugStatusOffset, 0n) === GONE) return GONE;
    const address = this.places.plan?.slots.find((s) => s.offset === this.arch.debugOffset(slot))?.value;
    if (address === undefined) return undefined;
    // A point longer than a register occupies several: the one whose range holds the register's address.
    const point = this.points.find((p) => address >= p.addr && address < p.addr + BigInt(p.length));
    return point === undefined ? undefined : { name: point.name, addr: address };
  }

  /**
   * The first emulated point whose bytes are not what they were, at the first such byte; the new values are the known ones from now on.
   * Memory that has come or gone since (mmap, munmap) has not been written.
   */
  changed(): PointHit | undefined {
    let hit: PointHit | undefined;
    for (const emulated of this.emulated) {
      const { point, value: before } = emulated;
      const now = this.read(point);
      emulated.value = now;
      if (now === undefined || before === undefined || now.equals(before)) continue;
      hit ??= { name: point.name, addr: point.addr + BigInt(now.findIndex((byte, i) => byte !== before[i])) };
    }
    return hit;
  }
}
