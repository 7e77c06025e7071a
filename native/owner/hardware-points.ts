/**
 * Hardware breakpoints and watchpoints of one inferior: the set gdb asked for, and the debug registers that follow from it.
 *
 * The kernel does not hand debug registers on to new threads, and checkpoints never hold them: each thread gets the present plan
 * before it runs, when its generation is older.
 */

import { GONE, type Addr, type Gone } from '../base/brands';
import type { Arch, DebugRegisterPlan, HardwarePoint } from '../arch/arch';
import * as ptrace from '../sys/ptrace';
import type { PointAnswer, WatchKind } from './ops';
import type { Tracee } from './tracee';

interface Point extends HardwarePoint {
  /** What gdb calls it; 'hardware' for Z1. */
  readonly name: WatchKind | 'hardware';
}

export class HardwarePoints {
  private points: Point[] = [];
  private plan: DebugRegisterPlan | undefined;
  /** Counts changes of the plan; 0 means that no debug register was ever used. */
  private generation = 0;

  constructor(private readonly arch: Arch) {}

  get inUse(): boolean {
    return this.points.length > 0;
  }

  insert(name: WatchKind | 'hardware', addr: Addr, length: number): PointAnswer {
    const kind = name === 'hardware' ? 'execute' : name === 'watch' ? 'write' : 'access';
    const next = [...this.points, { name, kind, addr, length: name === 'hardware' ? 1 : length } as const];
    const plan = this.arch.planDebugRegisters(next);
    if (plan === undefined) return 'failed';
    this.points = next;
    this.plan = plan;
    this.generation++;
    return 'ok';
  }

  remove(name: WatchKind | 'hardware', addr: Addr, length: number): PointAnswer {
    const wanted = name === 'hardware' ? 1 : length;
    const index = this.points.findIndex((p) => p.name === name && p.addr === addr && p.length === wanted);
    if (index < 0) return 'ok';
    this.points = this.points.filter((_p, i) => i !== index);
    this.plan = this.arch.planDebugRegisters(this.points);
    this.generation++;
    return 'ok';
  }

  clear(): void {
    if (this.points.length === 0) return;
    this.points = [];
    this.plan = this.arch.planDebugRegisters([]);
    this.generation++;
  }

  /** Brings a stopped thread's debug registers up to date. */
  sync(tracee: Tracee): true | Gone {
    if (tracee.debugGeneration === this.generation || this.plan === undefined) return true;
    for (const slot of this.plan.slots) {
      if (ptrace.pokeUser(tracee.tid, slot.offset, slot.value) === GONE) return GONE;
    }
    tracee.debugGeneration = this.generation;
    return true;
  }

  /** Which point stopped the thread, if any; clears the status register so that the next stop is not mistaken. */
  hit(tracee: Tracee): { readonly name: WatchKind | 'hardware'; readonly addr: Addr } | undefined | Gone {
    if (this.points.length === 0) return undefined;
    const status = ptrace.peekUser(tracee.tid, this.arch.debugStatusOffset);
    if (status === GONE) return GONE;
    const slot = this.arch.hitPoint(status);
    if (slot === undefined || this.plan === undefined) return undefined;
    if (ptrace.pokeUser(tracee.tid, this.arch.debugStatusOffset, 0n) === GONE) return GONE;
    const address = this.plan.slots.find((s) => s.offset === this.arch.debugOffset(slot))?.value;
    if (address === undefined) return undefined;
    // A point longer than a register occupies several: the one whose range holds the register's address.
    const point = this.points.find((p) => address >= p.addr && address < p.addr + BigInt(p.length));
    return point === undefined ? undefined : { name: point.name, addr: address };
  }
}
