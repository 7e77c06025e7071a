/**
 * Breakpoints of lines, functions, instructions and data. gdb's numbers are the client's ids; one that gdb refused has an id of ours.
 *
 * What the client sends is the whole list each time: what has not changed is left alone, so its count of hits goes on. Log points, and hit
 * conditions that gdb cannot count, are decided inside gdb (native/gdb/dap.py).
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { SavepointError, refused, userError } from '../../native/base/errors';
import {
  type Access,
  type GdbBreakpoint,
  type Place,
  breakAfter,
  breakCondition,
  breakDelete,
  breakInfo,
  breakInsert,
  breakWatch,
  readBreakpoint,
} from '../gdb/commands-break';
import { breakScripted, findsReads } from '../gdb/commands-script';
import { type MiTuple, numberOf, tupleOf } from '../gdb/mi-values';
import { symbolListLines } from '../gdb/commands-data';
import type { CodeSources } from './code-sources';
import type { Core } from './core';
import { type HitCondition, readHitCondition } from './hit-condition';
import type { BreakpointKind } from './stops';

interface Wanted {
  readonly place: Place | { readonly kind: 'data'; readonly expression: string; readonly access: Access };
  readonly condition: string | undefined;
  readonly hits: HitCondition | undefined;
  readonly log: string | undefined;
}

interface Held {
  readonly key: string;
  readonly kind: BreakpointKind;
  /** undefined: gdb refused it. */
  readonly number: number | undefined;
  told: DebugProtocol.Breakpoint;
}

/** Ids of ours, for what gdb has no number of; gdb counts from 1. */
const OWN_IDS = 1_000_000;

const NO_READS = 'needs debug registers, which do not work where the program runs; writes can be watched';

interface Early {
  readonly kind: BreakpointKind;
  readonly specs: readonly Wanted[];
  /** Told to the client, and kept. */
  readonly ids: readonly number[];
}

export class Breakpoints {
  /** By list: a source file, or one of the other kinds. */
  private readonly lists = new Map<string, readonly Held[]>();
  /** Lists that came before there was a gdb. */
  private readonly early = new Map<string, Early>();
  private nextOwn = OWN_IDS;
  /** While our script makes one, gdb announces it as if a person had. */
  private scripting = 0;

  constructor(
    private readonly core: Core,
    private readonly code: CodeSources,
  ) {}

  kindOf(number: number): BreakpointKind | undefined {
    return this.find(number)?.kind;
  }

  /** What the client knows gdb's breakpoint by. */
  idOf(number: number): number {
    return this.find(number)?.told.id ?? number;
  }

  private find(number: number): Held | undefined {
    for (const list of this.lists.values()) {
      const found = list.find((held) => held.number === number);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  // --- requests ---

  async setSource(args: DebugProtocol.SetBreakpointsArguments): Promise<unknown> {
    const { path: given, sourceReference } = args.source;
    const specs: readonly DebugProtocol.SourceBreakpoint[] = args.breakpoints ?? (args.lines ?? []).map((line) => ({ line }));
    if (given === undefined || (sourceReference ?? 0) > 0) return await this.setInCode(needReference(sourceReference), specs);
    const file = this.core.toGdbPath(given);
    return await this.set(
      `source ${file}`,
      'source',
      specs.map((spec: DebugProtocol.SourceBreakpoint) =>
        wanted({ kind: 'line', file, line: this.core.toGdbLine(spec.line) }, spec.condition, spec.hitCondition, spec.logMessage),
      ),
    );
  }

  /** In a disassembly, a line is an instruction. */
  private async setInCode(reference: number, specs: readonly DebugProtocol.SourceBreakpoint[]): Promise<unknown> {
    const list = specs.map((spec) => {
      const address = `0x${this.code.addressOf(reference, this.core.toGdbLine(spec.line)).toString(16)}`;
      return wanted({ kind: 'address', address }, spec.condition, spec.hitCondition, spec.logMessage);
    });
    return await this.set(`code ${reference}`, 'instruction', list);
  }

  async setFunctions(args: DebugProtocol.SetFunctionBreakpointsArguments): Promise<unknown> {
    const specs = args.breakpoints.map((spec) =>
      wanted({ kind: 'function', name: spec.name }, spec.condition, spec.hitCondition),
    );
    return await this.set('functions', 'function', specs);
  }

  async setInstructions(args: DebugProtocol.SetInstructionBreakpointsArguments): Promise<unknown> {
    const specs = args.breakpoints.map((spec) => {
      const address = BigInt(spec.instructionReference) + BigInt(spec.offset ?? 0);
      return wanted({ kind: 'address', address: `0x${address.toString(16)}` }, spec.condition, spec.hitCondition);
    });
    return await this.set('instructions', 'instruction', specs);
  }

  async setData(args: DebugProtocol.SetDataBreakpointsArguments): Promise<unknown> {
    const specs = args.breakpoints.map((spec) =>
      wanted({ kind: 'data', expression: spec.dataId, access: spec.accessType ?? 'write' }, spec.condition, spec.hitCondition),
    );
    return await this.set('data', 'data', specs);
  }

  private async set(list: string, kind: BreakpointKind, specs: readonly Wanted[]): Promise<unknown> {
    if (!this.core.hasGdb) return this.setLater(list, kind, specs);
    this.early.delete(list);
    const held = await this.core.program.whileStopped(() => this.replace(list, kind, specs));
    return { breakpoints: held.map(({ told }) => told) };
  }

  /** An editor may send them before `launch`. */
  private setLater(list: string, kind: BreakpointKind, specs: readonly Wanted[]): unknown {
    const ids = specs.map(() => this.nextOwn++);
    this.early.set(list, { kind, specs, ids });
    const told = { verified: false, reason: 'pending' as const, message: 'it is set when a program is launched or attached to' };
    return { breakpoints: ids.map((id): DebugProtocol.Breakpoint => ({ id, ...told })) };
  }

  /** gdb has the program now. */
  async setEarly(): Promise<void> {
    for (const [list, { kind, specs, ids }] of this.early) {
      this.early.delete(list);
      const held = await this.core.program.whileStopped(() => this.replace(list, kind, specs, ids));
      for (const { told } of held) this.core.client.send('breakpoint', { reason: 'changed', breakpoint: told });
    }
  }

  /** `ids`: of each, when the client has one already. */
  private async replace(
    list: string,
    kind: BreakpointKind,
    specs: readonly Wanted[],
    ids: readonly number[] = [],
  ): Promise<readonly Held[]> {
    const old = [...(this.lists.get(list) ?? [])];
    const kept = specs.map((spec) => {
      const index = old.findIndex((held) => held.number !== undefined && held.key === keyOf(spec));
      return index < 0 ? undefined : old.splice(index, 1)[0];
    });
    // Out of the books first: gdb's word that they are gone must not be told.
    this.lists.set(
      list,
      kept.filter((held) => held !== undefined),
    );
    await breakDelete(
      this.core.gdb,
      old.flatMap(({ number }) => (number === undefined ? [] : [number])),
    );
    // All at once: gdb works them off one after another.
    const held = await Promise.all(specs.map(async (spec, i) => kept[i] ?? (await this.insert(kind, spec, ids[i]))));
    this.lists.set(list, held);
    return held;
  }

  private async insert(kind: BreakpointKind, spec: Wanted, id: number | undefined): Promise<Held> {
    try {
      const made = await this.make(spec);
      return { key: keyOf(spec), kind, number: made.number, told: this.describe(made, id) };
    } catch (error) {
      if (!(error instanceof SavepointError) || error.family === 'bug' || error.code === 'gdb-ended') throw error;
      const told = { id: id ?? this.nextOwn++, verified: false, message: error.message, reason: 'failed' as const };
      return { key: keyOf(spec), kind, number: undefined, told };
    }
  }

  private async make(spec: Wanted): Promise<GdbBreakpoint> {
    const { gdb } = this.core;
    const { place, condition, hits, log } = spec;
    if (place.kind === 'data' && place.access !== 'write' && !(await findsReads(gdb, place.expression)))
      throw refused('watch-reads', 'A data breakpoint on reads', NO_READS);
    if (place.kind === 'data' && (hits === undefined || hits.ignore !== undefined)) {
      const number = await breakWatch(gdb, place.expression, place.access);
      if (condition !== undefined) await breakCondition(gdb, number, condition);
      if (hits?.ignore !== undefined) await breakAfter(gdb, number, hits.ignore);
      return await breakInfo(gdb, number);
    }
    if (place.kind !== 'data' && log === undefined && (hits === undefined || hits.ignore !== undefined))
      return await breakInsert(gdb, place, options(condition, hits?.ignore));
    return await this.makeScripted(place, spec);
  }

  private async makeScripted(place: Wanted['place'], { condition, hits, log }: Wanted): Promise<GdbBreakpoint> {
    const where =
      place.kind === 'line'
        ? { file: place.file, line: place.line }
        : place.kind === 'function'
          ? { function: place.name }
          : place.kind === 'data'
            ? { watch: place.expression, access: place.access }
            : { address: place.address };
    const { gdb } = this.core;
    const counted = hits === undefined ? {} : { compare: hits.compare, count: hits.count };
    return await this.byScript(async () => breakInfo(gdb, await breakScripted(gdb, { ...where, condition, log, ...counted })));
  }

  /** Breakpoints that `work` makes are not the user's. */
  async byScript<T>(work: () => Promise<T>): Promise<T> {
    this.scripting++;
    try {
      return await work();
    } finally {
      this.scripting--;
    }
  }

  /** Lines with code, where a breakpoint would stay where it is put. */
  async locations(args: DebugProtocol.BreakpointLocationsArguments): Promise<DebugProtocol.BreakpointLocationsResponse['body']> {
    const { core } = this;
    const { path, sourceReference } = args.source;
    const [first, last] = [core.toGdbLine(args.line), core.toGdbLine(args.endLine ?? args.line)];
    const isIn = (line: number): boolean => line >= first && line <= last;
    const lines =
      path === undefined
        ? Array.from({ length: this.code.countLines(needReference(sourceReference)) }, (_, i) => i + 1)
        : await core.program.whileStopped(() => symbolListLines(core.gdb, core.toGdbPath(path)));
    return { breakpoints: lines.filter(isIn).map((line) => ({ line: core.toClientLine(line) })) };
  }

  private describe(found: GdbBreakpoint, id = found.number): DebugProtocol.Breakpoint {
    const place = {
      ...(found.line === undefined ? {} : { line: this.core.toClientLine(found.line) }),
      ...(found.file === undefined ? {} : { source: { name: baseName(found.file), path: this.core.toClientPath(found.file) } }),
      ...(found.address === undefined ? {} : { instructionReference: found.address }),
    };
    if (!found.pending) return { id, verified: true, ...place };
    return {
      id,
      verified: false,
      reason: 'pending',
      message: 'no code there yet: it waits for a library',
      ...place,
    };
  }

  // --- what gdb says by itself ---

  onModified(fields: MiTuple): void {
    const tuple = tupleOf(fields, 'bkpt');
    if (tuple === undefined) return;
    const found = readBreakpoint(tuple);
    const held = this.find(found.number);
    if (held === undefined) return;
    const told = found.type.includes('watchpoint') ? held.told : this.describe(found, held.told.id);
    const before = held.told;
    held.told = told;
    // An address of its own is no news: it changes when the program is loaded.
    if (told.verified === before.verified && told.line === before.line && told.source?.path === before.source?.path) return;
    this.core.client.send('breakpoint', { reason: 'changed', breakpoint: told });
  }

  onCreated(fields: MiTuple): void {
    const tuple = tupleOf(fields, 'bkpt');
    if (tuple === undefined || this.scripting > 0) return;
    const found = readBreakpoint(tuple);
    if (found.temporary || found.type !== 'breakpoint') return;
    const told = this.describe(found);
    this.lists.set(`console ${found.number}`, [{ key: '', kind: 'source', number: found.number, told }]);
    this.core.client.send('breakpoint', { reason: 'new', breakpoint: told });
  }

  onDeleted(fields: MiTuple): void {
    const number = numberOf(fields, 'id');
    const held = number === undefined ? undefined : this.find(number);
    if (held === undefined) return;
    for (const [list, all] of this.lists) {
      if (all.includes(held))
        this.lists.set(
          list,
          all.filter((one) => one !== held),
        );
    }
    this.core.client.send('breakpoint', { reason: 'removed', breakpoint: held.told });
  }
}

function options(condition: string | undefined, ignore: number | undefined) {
  return { ...(condition === undefined ? {} : { condition }), ...(ignore === undefined ? {} : { ignore }) };
}

function wanted(place: Wanted['place'], condition?: string, hitCondition?: string, log?: string): Wanted {
  const text = (given: string | undefined): string | undefined =>
    given === undefined || given.trim() === '' ? undefined : given;
  const hits = text(hitCondition);
  return { place, condition: text(condition), hits: hits === undefined ? undefined : readHitCondition(hits), log: text(log) };
}

function needReference(reference: number | undefined): number {
  if (reference === undefined || reference <= 0)
    throw userError('breakpoint-source', 'breakpoints need a file: this source has no path');
  return reference;
}

const keyOf = (spec: Wanted): string => JSON.stringify(spec);

export const baseName = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
