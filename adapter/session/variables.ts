/**
 * Scopes, variables and their children. Simple values come straight from gdb's list of locals; a variable object is made only for what has
 * children or a pretty printer, and a pointer's only when it is opened.
 *
 * Variable objects live until the program runs; then all of them are deleted, and the client's references are void.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { describeError, isFamily, userError } from '../../native/base/errors';
import {
  type GdbVariable,
  type Where,
  evaluateExpression,
  globalsOfFile,
  listRegisterNames,
  listRegisterValues,
  stackListFrames,
  stackListVariables,
} from '../gdb/commands-data';
import {
  type VarObject,
  varAssign,
  varCreate,
  varDelete,
  varEvaluate,
  varListChildren,
  varPathExpression,
} from '../gdb/commands-var';
import type { Core } from './core';
import { mayChange } from './expressions';
import { listElements } from '../gdb/commands-script';
import { Handles } from './handles';
import { MOST_PEEKED, isDiscriminant, isGroup, peek } from './peek';
import { REGISTER_GROUPS, type RegisterGroup, groupRegisters } from './register-groups';
import { declaredLength, isAggregate, isArray, isCharArray, isExpandable, pointerOf, pointerTo } from './types';

/** What a variablesReference stands for. */
type Source =
  | { readonly kind: 'locals'; readonly where: Where }
  | { readonly kind: 'globals'; readonly where: Where; readonly file: string }
  | { readonly kind: 'registers'; readonly where: Where }
  | { readonly kind: 'register group'; readonly where: Where; readonly numbers: readonly number[] }
  /** A pointer that was not opened yet. */
  | { readonly kind: 'expression'; readonly where: Where | undefined; readonly expression: string }
  | {
      readonly kind: 'object';
      readonly object: VarObject;
      readonly from: number;
      readonly where: Where | undefined;
      /** What it is in `where`, when that is known. */
      readonly expression?: string;
    };

/** How a variable that was shown is reached again. */
type Target = { readonly object: string } | { readonly expression: string; readonly where: Where | undefined };

interface Entry {
  readonly source: Source;
  readonly targets: Map<string, Target>;
}

/** Of what a pretty printer does not tell the number. */
const PIECE = 1000;
const LONGEST_SUMMARY = 120;

export class Variables {
  private readonly handles = new Handles<Entry>('variable', 1);
  /** Names of variable objects without a parent. */
  private objects: string[] = [];
  private registerNames: readonly string[] | undefined;
  private readonly globals = new Map<string, readonly string[]>();

  constructor(private readonly core: Core) {}

  onResumed(): void {
    this.handles.clear();
    const { objects } = this;
    this.objects = [];
    // Nobody waits for it; gdb may be ending.
    for (const name of objects) void varDelete(this.core.gdb, name).catch(() => {});
  }

  /** A library came or went. */
  onLibraries(): void {
    this.globals.clear();
  }

  async scopes(frameId: number): Promise<DebugProtocol.ScopesResponse['body']> {
    this.core.program.requireStopped();
    const where = this.core.frames.get(frameId);
    const [frame] = await stackListFrames(this.core.gdb, where.thread, where.frame, where.frame);
    const file = frame?.fullName;
    const scope = (name: string, source: Source, expensive: boolean, hint?: string): DebugProtocol.Scope => ({
      name,
      variablesReference: this.add(source),
      expensive,
      ...(hint === undefined ? {} : { presentationHint: hint }),
    });
    return {
      scopes: [
        scope('Locals', { kind: 'locals', where }, false, 'locals'),
        ...(file === undefined ? [] : [scope('Globals of the file', { kind: 'globals', where, file }, true, 'globals')]),
        scope('Registers', { kind: 'registers', where }, true, 'registers'),
      ],
    };
  }

  private add(source: Source): number {
    return this.handles.add({ source, targets: new Map() });
  }

  async list(args: DebugProtocol.VariablesArguments): Promise<DebugProtocol.VariablesResponse['body']> {
    this.core.program.requireStopped();
    const entry = this.handles.get(args.variablesReference);
    const variables = await this.children(entry, args);
    return { variables };
  }

  private async children(entry: Entry, args: DebugProtocol.VariablesArguments): Promise<DebugProtocol.Variable[]> {
    const { source } = entry;
    const hex = args.format?.hex === true;
    switch (source.kind) {
      case 'locals':
        return await this.locals(source.where, entry, hex);
      case 'globals':
        return await this.fileGlobals(source, entry, hex);
      case 'registers':
        return await this.registerGroups(source.where);
      case 'register group':
        return await this.registers(source.where, source.numbers, entry, hex);
      case 'expression': {
        const object = await this.open(source.expression, source.where);
        return await this.objectChildren({ ...source, object, from: 0 }, entry, args, hex);
      }
      case 'object':
        return await this.objectChildren(source, entry, args, hex);
    }
  }

  /** Keeps the object until the program runs. */
  private async open(expression: string, where: Where | undefined): Promise<VarObject> {
    const object = await varCreate(this.core.gdb, expression, where).catch(async (error: unknown) => {
      // gdb gives no reason there; here it does. What could change the program is not done twice for that.
      if (isFamily(error, 'peer') && error.code === 'gdb-error' && !mayChange(expression))
        await evaluateExpression(this.core.gdb, expression, where);
      throw error;
    });
    this.objects.push(object.name);
    return object;
  }

  // --- locals and globals ---

  private async locals(where: Where, entry: Entry, hex: boolean): Promise<DebugProtocol.Variable[]> {
    const found = await stackListVariables(this.core.gdb, where.thread, where.frame);
    const seen = new Set<string>();
    const shown = found.map(async (variable): Promise<DebugProtocol.Variable> => {
      if (seen.has(variable.name)) {
        // The name means the inner one; gdb has no expression for this one.
        return {
          name: `${variable.name} (outer)`,
          value: variable.value ?? '{…}',
          type: variable.type ?? '',
          variablesReference: 0,
        };
      }
      seen.add(variable.name);
      return await this.local(variable, where, entry, hex);
    });
    return await Promise.all(shown);
  }

  private async local(variable: GdbVariable, where: Where, entry: Entry, hex: boolean): Promise<DebugProtocol.Variable> {
    const { name, type, value } = variable;
    // A variable of Go's that outlives its function; gdb has no expression for it.
    if (name.startsWith('&')) return { name, value: value ?? '{…}', type: type ?? '', variablesReference: 0 };
    if (value === undefined || hex || (type !== undefined && isAggregate(type)))
      return await this.byExpression(name, name, where, entry, hex);
    entry.targets.set(name, { expression: name, where });
    const opens = type !== undefined && pointerOf(type) === 'opens' && !/^0x0$/.test(value);
    return {
      name,
      value,
      type: type ?? '',
      evaluateName: name,
      variablesReference: opens ? this.add({ kind: 'expression', where, expression: name }) : 0,
      ...memoryOf(type, value),
    };
  }

  private async byExpression(
    name: string,
    expression: string,
    where: Where,
    entry: Entry,
    hex: boolean,
  ): Promise<DebugProtocol.Variable> {
    try {
      const object = await this.open(expression, where);
      entry.targets.set(name, { object: object.name });
      return { ...(await this.show(object, where, hex, expression)), name, evaluateName: expression };
    } catch (error) {
      return {
        name,
        value: `<${describeError(error)}>`,
        variablesReference: 0,
        presentationHint: { attributes: ['failedEvaluation'] },
      };
    }
  }

  private async fileGlobals(
    source: Extract<Source, { kind: 'globals' }>,
    entry: Entry,
    hex: boolean,
  ): Promise<DebugProtocol.Variable[]> {
    let names = this.globals.get(source.file);
    if (names === undefined) {
      names = await globalsOfFile(this.core.gdb, source.file);
      this.globals.set(source.file, names);
    }
    const sorted = [...names].sort((a, b) => a.localeCompare(b));
    return await Promise.all(
      sorted.map((name) => this.byExpression(name, `'${source.file}'::${name}`, source.where, entry, hex)),
    );
  }

  // --- registers ---

  private async registerGroups(where: Where): Promise<DebugProtocol.Variable[]> {
    this.registerNames ??= await listRegisterNames(this.core.gdb);
    const groups = groupRegisters(this.registerNames);
    return REGISTER_GROUPS.filter((group) => groups[group].length > 0).map((group: RegisterGroup) => ({
      name: group,
      value: '',
      variablesReference: this.add({ kind: 'register group', where, numbers: groups[group] }),
      namedVariables: groups[group].length,
      presentationHint: { kind: 'virtual', lazy: false },
    }));
  }

  private async registers(
    where: Where,
    numbers: readonly number[],
    entry: Entry,
    hex: boolean,
  ): Promise<DebugProtocol.Variable[]> {
    const names = this.registerNames ?? [];
    const values = await listRegisterValues(this.core.gdb, where, hex ? 'x' : 'N', numbers);
    return numbers.flatMap((number) => {
      const name = names[number] ?? '';
      const value = values.get(number);
      if (value === undefined) return [];
      entry.targets.set(name, { expression: `$${name}`, where });
      return [{ name, value, evaluateName: `$${name}`, variablesReference: 0, ...memoryOf(undefined, value) }];
    });
  }

  // --- variable objects ---

  /** `expression`: what it is in `where`, when that is known; then the value can say what is inside. */
  private async show(
    object: VarObject,
    where: Where | undefined,
    hex: boolean,
    expression?: string,
    peeks = expression === undefined,
  ): Promise<DebugProtocol.Variable> {
    const seen = peeks ? await peek(this.core.gdb, object).catch(() => object) : object;
    const value = seen === object || hex ? await this.valueOf(object, where, hex, expression) : seen.value;
    const length = object.type === undefined || object.dynamic ? undefined : declaredLength(object.type);
    return {
      name: object.expression ?? '',
      value,
      type: object.type ?? '',
      variablesReference: isExpandable(seen)
        ? this.add({ kind: 'object', object, from: 0, where, ...(expression === undefined ? {} : { expression }) })
        : 0,
      ...(length === undefined ? {} : { indexedVariables: length }),
      ...memoryOf(object.type, value),
    };
  }

  private async valueOf(object: VarObject, where: Where | undefined, hex: boolean, expression?: string): Promise<string> {
    const { gdb } = this.core;
    const { type = '', value, dynamic, name } = object;
    // Go's strings are structures to MI; gdb itself shows them as text.
    const isText = isCharArray(type) || (type === 'string' && value === '{...}');
    const hasSummary = expression !== undefined && (value === '{...}' || (!dynamic && isAggregate(type)));
    if ((isText && !dynamic) || hasSummary) {
      const path = expression ?? (await this.pathOf(name, type));
      const whole = path === undefined ? undefined : await evaluateExpression(gdb, path, where).catch(() => undefined);
      if (whole !== undefined) return isText || whole.length <= LONGEST_SUMMARY ? whole : `${whole.slice(0, LONGEST_SUMMARY)}…`;
    }
    return hex ? await varEvaluate(gdb, name, 'hexadecimal') : value;
  }

  private async pathOf(object: string, type: string): Promise<string | undefined> {
    const path = await varPathExpression(this.core.gdb, object).catch(() => undefined);
    // gdb writes it as C does, and does not read that in Go.
    return type === 'string' ? path?.replaceAll('->', '.') : path;
  }

  private async objectChildren(
    source: Omit<Extract<Source, { kind: 'object' }>, 'kind'>,
    entry: Entry,
    args: DebugProtocol.VariablesArguments,
    hex: boolean,
  ): Promise<DebugProtocol.Variable[]> {
    const { object, from, where } = source;
    const paged = args.filter === 'indexed' || args.count !== undefined;
    const start = from + (args.start ?? 0);
    const count =
      paged && args.count !== undefined && args.count > 0
        ? args.count
        : object.dynamic
          ? PIECE
          : Math.max(object.childCount, PIECE);
    const elements = await this.elements(source, { from: start, to: start + count, hex }, entry);
    if (elements !== undefined) return elements;
    const { children, hasMore } = await varListChildren(this.core.gdb, object.name, start, start + count);
    const shown =
      object.hint === 'map'
        ? await this.pairs(children, start, where, entry, hex)
        : await this.flat(object, children, where, entry, hex);
    if (hasMore && !paged) {
      const more = this.add({ kind: 'object', object, from: start + count, where });
      const next = object.hint === 'map' ? (start + count) / 2 : start + count;
      shown.push({ name: `[${next}…]`, value: 'more', variablesReference: more, presentationHint: { kind: 'virtual' } });
    }
    return shown;
  }

  /** Of a plain array, without a variable object each. undefined: these need them. */
  private async elements(
    { object, where, expression }: Omit<Extract<Source, { kind: 'object' }>, 'kind'>,
    page: { readonly from: number; readonly to: number; readonly hex: boolean },
    entry: Entry,
  ): Promise<DebugProtocol.Variable[] | undefined> {
    const { type } = object;
    if (type === undefined || object.dynamic || declaredLength(type) === undefined) return undefined;
    const whole = expression === undefined || mayChange(expression) ? await this.pathOf(object.name, type) : `(${expression})`;
    if (whole === undefined) return undefined;
    // What gdb cannot read at once it may be able to show one by one.
    const found = await listElements(this.core.gdb, whole, where, page).catch(() => undefined);
    if (found === undefined) return undefined;
    const length = declaredLength(found.type);
    return found.values.map((value, i) => {
      const name = `[${page.from + i}]`;
      const target = { expression: `${whole}${name}`, where };
      entry.targets.set(name, target);
      const opens = found.opens && !(value === '0x0' && pointerOf(found.type) !== 'none');
      return {
        name,
        value,
        type: found.type,
        variablesReference: opens ? this.add({ kind: 'expression', ...target }) : 0,
        ...(length === undefined ? {} : { indexedVariables: length }),
        ...memoryOf(found.type, value),
      };
    });
  }

  /** `public`, `private` and the like are not shown: their children are. */
  private async flat(
    parent: VarObject,
    children: readonly VarObject[],
    where: Where | undefined,
    entry: Entry,
    hex: boolean,
  ): Promise<DebugProtocol.Variable[]> {
    const shown = children.map(async (child, i): Promise<DebugProtocol.Variable[]> => {
      if (isDiscriminant(child)) return [];
      if (isGroup(child)) {
        const inner = await varListChildren(this.core.gdb, child.name, 0, child.childCount);
        return await this.flat(parent, inner.children, where, entry, hex);
      }
      const indexed = isArray(parent);
      const name = indexed ? `[${child.expression}]` : (child.expression ?? '');
      entry.targets.set(name, { object: child.name });
      const base = child.type !== undefined && child.type === child.expression;
      const variable = await this.show(child, where, hex, undefined, i < MOST_PEEKED);
      return [{ ...variable, name, ...(base ? { presentationHint: { kind: 'baseClass' } } : {}) }];
    });
    return (await Promise.all(shown)).flat();
  }

  /** A map's printer gives keys and values in turn. */
  private async pairs(
    children: readonly VarObject[],
    start: number,
    where: Where | undefined,
    entry: Entry,
    hex: boolean,
  ): Promise<DebugProtocol.Variable[]> {
    const shown: DebugProtocol.Variable[] = [];
    const keys = new Map<string, number>();
    for (let i = start % 2; i + 1 < children.length; i += 2) {
      const key = children[i]!.value;
      const times = (keys.get(key) ?? 0) + 1;
      keys.set(key, times);
      // A multimap has keys more than once, and a client knows variables by their names.
      const name = times === 1 ? `[${key}]` : `[${key}] (${times})`;
      const value = children[i + 1]!;
      entry.targets.set(name, { object: value.name });
      shown.push({ ...(await this.show(value, where, hex, undefined, shown.length < MOST_PEEKED)), name });
    }
    return shown;
  }

  /** An expression's value, with children. */
  async evaluate(expression: string, where: Where | undefined, hex: boolean): Promise<DebugProtocol.EvaluateResponse['body']> {
    const object = await this.open(expression, where);
    // A value that cannot be read is an empty text there; here gdb says why.
    if (object.value === '' && object.childCount === 0 && !object.dynamic)
      await evaluateExpression(this.core.gdb, expression, where);
    const shown = await this.show(object, where, hex, expression);
    const { value, type, variablesReference, indexedVariables, memoryReference } = shown;
    return {
      result: value,
      ...(type === undefined || type === '' ? {} : { type }),
      variablesReference,
      ...(indexedVariables === undefined ? {} : { indexedVariables }),
      ...(memoryReference === undefined ? {} : { memoryReference }),
    };
  }

  // --- changing ---

  private async target(reference: number, name: string): Promise<Target> {
    const entry = this.handles.get(reference);
    if (!entry.targets.has(name)) await this.children(entry, { variablesReference: reference });
    const target = entry.targets.get(name);
    if (target === undefined) throw userError('variable', `there is no variable "${name}" here that can be changed`);
    return target;
  }

  async set(args: DebugProtocol.SetVariableArguments): Promise<DebugProtocol.SetVariableResponse['body']> {
    this.core.program.requireStopped();
    const target = await this.target(args.variablesReference, args.name);
    if ('object' in target) return { value: await varAssign(this.core.gdb, target.object, args.value) };
    return await this.assign(target.expression, args.value, target.where);
  }

  async assign(
    expression: string,
    value: string,
    where: Where | undefined,
  ): Promise<{ value: string; type?: string; variablesReference: number }> {
    await evaluateExpression(this.core.gdb, `(${expression}) = (${value})`, where);
    const { result, type, variablesReference } = await this.evaluate(expression, where, false);
    return { value: result, ...(type === undefined ? {} : { type }), variablesReference };
  }

  /** A data breakpoint is on the memory that the expression names now, so that it outlives the frame. */
  async dataInfo(expression: string, where: Where | undefined): Promise<DebugProtocol.DataBreakpointInfoResponse['body']> {
    try {
      const { type } = await this.open(expression, where);
      const address = /0x[0-9a-f]+/.exec(await evaluateExpression(this.core.gdb, `&(${expression})`, where))?.[0];
      if (type === undefined || address === undefined) return { dataId: null, description: `${expression} is not in memory` };
      return {
        dataId: `*(${pointerTo(type)}) ${address}`,
        description: `${expression} (${address})`,
        accessTypes: ['read', 'write', 'readWrite'],
      };
    } catch (error) {
      return { dataId: null, description: describeError(error) };
    }
  }

  /** What a data breakpoint on a shown variable would watch. */
  async expressionOf(reference: number, name: string): Promise<{ expression: string; where: Where | undefined }> {
    const target = await this.target(reference, name);
    if (!('object' in target)) return target;
    const expression = await varPathExpression(this.core.gdb, target.object);
    if (expression === undefined || expression === '')
      throw userError('variable', `"${name}" is made by a pretty printer and has no expression`);
    return { expression, where: whereOf(this.handles.get(reference).source) };
  }
}

function whereOf(source: Source): Where | undefined {
  return source.where;
}

/** A value that is an address can be looked at as memory. */
function memoryOf(type: string | undefined, value: string): { memoryReference?: string } {
  const address = /^(?:\(.*\) )?(0x[0-9a-f]+)/.exec(value)?.[1];
  if (address === undefined || (type !== undefined && pointerOf(type) === 'none')) return {};
  return { memoryReference: address };
}
