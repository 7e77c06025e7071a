/** Exception breakpoints: C++ throw, rethrow and catch, the end of an uncaught one, and signals; and what is known of one that stopped the program. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { describeError, userError } from '../../native/base/errors';
import { breakCondition, breakDelete, breakInsert, catchCpp, catchSignals } from '../gdb/commands-break';
import { evaluateExpression } from '../gdb/commands-data';
import { consoleCommand } from '../gdb/commands-exec';
import { type Thrown, thrownBy, uncaughtBy } from '../gdb/commands-script';
import type { Core } from './core';
import type { ProgramStop } from './stops';

const FILTERS = {
  throw: 'C++: exception thrown',
  rethrow: 'C++: exception rethrown',
  catch: 'C++: exception caught',
  uncaught: 'C++: exception not caught',
  throwCheckpoint: 'C++: checkpoint when thrown',
} as const;

type CppFilter = keyof typeof FILTERS;

export const exceptionFilters: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [
  ...(Object.keys(FILTERS) as CppFilter[]).map((filter) => ({
    filter,
    label: FILTERS[filter],
    default: filter === 'uncaught',
    supportsCondition: true,
    conditionDescription: 'an expression, evaluated where it is thrown',
    ...(filter === 'throwCheckpoint' ? { description: 'Takes a checkpoint and runs on' } : {}),
  })),
  {
    filter: 'signals',
    label: 'Signals',
    description: 'Those that would end the program, and others by condition',
    default: true,
    supportsCondition: true,
    conditionDescription: 'names of signals, e.g. SIGSEGV SIGUSR1; empty: as gdb is set',
  },
  {
    filter: 'signalsCheckpoint',
    label: 'Signals: checkpoint',
    description: 'Takes a checkpoint and runs on, unless "Signals" stops there',
    default: false,
    supportsCondition: true,
    conditionDescription: 'names of signals, e.g. SIGSEGV SIGUSR1; empty: those that "Signals" means',
  },
];

/** Functions of our script (native/gdb/points.py) that take a checkpoint and are false. */
const TAKES = { throwCheckpoint: '$_savepoint_thrown()', signalsCheckpoint: '$_savepoint_signalled()' } as const;

/** A function of our script (native/gdb/uncaught.py). */
const UNANNOUNCED = '$_savepoint_unannounced()';

/** gdb uses these itself. */
const NEVER_TOUCHED = ['SIGTRAP', 'SIGINT'];

export class Exceptions {
  private readonly numbers = new Map<number, CppFilter>();
  /** Breakpoints that the client knows by the number of another. */
  private readonly twins = new Map<number, number>();
  private signals: string | undefined = '';
  /** Where signals leave a checkpoint. */
  private signalPoint: number | undefined;
  private last: ProgramStop | undefined;
  /** What the client wanted before there was a gdb. */
  private early: DebugProtocol.SetExceptionBreakpointsArguments | undefined;

  constructor(private readonly core: Core) {}

  has(number: number): boolean {
    return this.numbers.has(number);
  }

  idOf(number: number): number {
    return this.twins.get(number) ?? number;
  }

  describe(number: number): string {
    const filter = this.numbers.get(number);
    return filter === undefined ? 'exception' : FILTERS[filter];
  }

  async set(args: DebugProtocol.SetExceptionBreakpointsArguments): Promise<unknown> {
    const wanted = [
      ...(args.filters ?? []).map((filterId) => ({ filterId, condition: undefined })),
      ...(args.filterOptions ?? []).map(({ filterId, condition }) => ({ filterId, condition })),
    ];
    if (!this.core.hasGdb) {
      this.early = args;
      return { breakpoints: wanted.map(() => ({ verified: false, reason: 'pending' })) };
    }
    this.early = undefined;
    return await this.core.program.whileStopped(async () => {
      const old = [...this.numbers.keys(), ...(this.signalPoint === undefined ? [] : [this.signalPoint])];
      this.numbers.clear();
      this.twins.clear();
      this.signalPoint = undefined;
      await breakDelete(this.core.gdb, old);
      const breakpoints: DebugProtocol.Breakpoint[] = [];
      for (const { filterId, condition } of wanted) {
        if (filterId !== 'signals') breakpoints.push(await this.insert(filterId, condition));
      }
      const signals = wanted.find(({ filterId }) => filterId === 'signals');
      const handled = await this.handleSignals(signals === undefined ? undefined : (signals.condition ?? ''));
      if (signals !== undefined) breakpoints.push(handled);
      return { breakpoints };
    });
  }

  /** gdb has the program now. */
  async setEarly(): Promise<void> {
    if (this.early !== undefined) await this.set(this.early);
  }

  private async insert(filter: string, condition: string | undefined): Promise<DebugProtocol.Breakpoint> {
    try {
      if (filter === 'signalsCheckpoint') return await this.takeAtSignals(readSignals(condition ?? ''));
      if (!Object.hasOwn(FILTERS, filter)) throw userError('exception-filter', `there is no exception filter "${filter}"`);
      const kind = filter as CppFilter;
      const number = kind === 'uncaught' ? await this.catchUncaught(condition) : await this.catchCpp(kind, condition);
      return { id: number, verified: true };
    } catch (error) {
      return { verified: false, message: describeError(error) };
    }
  }

  private async catchCpp(kind: Exclude<CppFilter, 'uncaught'>, condition: string | undefined): Promise<number> {
    const number = await catchCpp(this.core.gdb, kind === 'throwCheckpoint' ? 'throw' : kind);
    this.numbers.set(number, kind);
    await this.limit(number, conditionOf(kind, condition));
    return number;
  }

  /** An exception that meets a noexcept function comes past std::terminate, but to its usual handler. */
  private async catchUncaught(given: string | undefined): Promise<number> {
    const condition = conditionOf('uncaught', given);
    const number = await this.breakIn('std::terminate', condition);
    const twin = condition === undefined ? UNANNOUNCED : `${UNANNOUNCED} && (${condition})`;
    this.twins.set(await this.breakIn('__gnu_cxx::__verbose_terminate_handler', twin), number);
    return number;
  }

  /** gdb (13) disables a breakpoint that waits for its library when it is given its condition afterwards. */
  private async breakIn(name: string, condition: string | undefined): Promise<number> {
    const options = condition === undefined ? {} : { condition };
    const { number } = await breakInsert(this.core.gdb, { kind: 'function', name }, options);
    this.numbers.set(number, 'uncaught');
    return number;
  }

  /** One that gdb cannot read would otherwise leave a stop at each of them. */
  private async limit(number: number, condition: string | undefined): Promise<void> {
    if (condition === undefined) return;
    try {
      await breakCondition(this.core.gdb, number, condition);
    } catch (error) {
      this.numbers.delete(number);
      await breakDelete(this.core.gdb, [number]);
      throw error;
    }
  }

  private async takeAtSignals(names: readonly string[]): Promise<DebugProtocol.Breakpoint> {
    const number = await catchSignals(this.core.gdb, names.length === 0 ? STOPPING : names);
    this.signalPoint = number;
    await breakCondition(this.core.gdb, number, TAKES.signalsCheckpoint);
    return { id: number, verified: true };
  }

  /** undefined: no signal stops the program; empty: those that gdb would stop at. */
  private async handleSignals(names: string | undefined): Promise<DebugProtocol.Breakpoint> {
    if (names === this.signals) return { verified: true };
    try {
      const { gdb } = this.core;
      const words = readSignals(names ?? '');
      if (names !== '') await consoleCommand(gdb, 'handle all nostop noprint pass');
      else for (const word of STOPPING) await consoleCommand(gdb, `handle ${word} stop print`);
      for (const word of words) await consoleCommand(gdb, `handle ${word} stop print`);
      for (const word of NEVER_TOUCHED) await consoleCommand(gdb, `handle ${word} stop print nopass`);
      this.signals = names;
      return { verified: true };
    } catch (error) {
      return { verified: false, message: describeError(error) };
    }
  }

  onStop(stop: ProgramStop): void {
    this.last = stop;
  }

  async info(): Promise<DebugProtocol.ExceptionInfoResponse['body']> {
    this.core.program.requireStopped();
    const { last } = this;
    const filter = last?.breakpoint === undefined ? undefined : this.numbers.get(last.breakpoint);
    if (last !== undefined && filter !== undefined) return await this.cppInfo(filter, last);
    if (last?.reason === 'signal-received' && last.signal !== '0') return await this.signalInfo(last);
    throw userError('no-exception', 'the program did not stop at an exception');
  }

  private async cppInfo(filter: CppFilter, stop: ProgramStop): Promise<DebugProtocol.ExceptionInfoResponse['body']> {
    if (filter === 'uncaught') return await this.uncaughtInfo(stop);
    const thrown = await thrownBy(this.core.gdb, stop.thread ?? 1).catch((): Thrown => ({}));
    return describeThrown(thrown, FILTERS[filter], 'always');
  }

  private async uncaughtInfo(stop: ProgramStop): Promise<DebugProtocol.ExceptionInfoResponse['body']> {
    const found = await this.uncaughtAt(stop);
    if (found?.nothing !== true) return describeThrown(found ?? {}, FILTERS.uncaught, 'unhandled');
    const name = 'std::terminate';
    return { exceptionId: name, description: NO_EXCEPTION, breakMode: 'unhandled', details: { message: NO_EXCEPTION } };
  }

  private async uncaughtAt(stop: ProgramStop): ReturnType<typeof uncaughtBy> {
    return await uncaughtBy(this.core.gdb, stop.thread ?? 1).catch(() => undefined);
  }

  private async signalInfo(stop: ProgramStop): Promise<DebugProtocol.ExceptionInfoResponse['body']> {
    const address = /^SIG(SEGV|BUS|ILL|FPE)$/.test(stop.signal ?? '')
      ? await evaluateExpression(this.core.gdb, '$_siginfo._sifields._sigfault.si_addr').catch(() => undefined)
      : undefined;
    const meaning = stop.signalMeaning ?? stop.signal ?? 'a signal';
    // Without the filter for it, an exception that nobody catches is seen as what it leads to.
    const cause = stop.signal === 'SIGABRT' ? await this.uncaughtAt(stop) : undefined;
    const because = cause?.type === undefined ? undefined : describeThrown(cause, FILTERS.uncaught, 'unhandled');
    const more = address === undefined ? undefined : `address ${address}`;
    return {
      exceptionId: stop.signal ?? 'signal',
      description: [meaning, more, because && `${because.description} (${because.exceptionId})`].filter(Boolean).join(', '),
      breakMode: 'unhandled',
      details: {
        message: meaning,
        typeName: stop.signal ?? 'signal',
        ...(because?.details === undefined ? {} : { innerException: [because.details] }),
      },
    };
  }
}

const NO_EXCEPTION = 'std::terminate was called without an exception';

function describeThrown(
  { type, value }: Thrown,
  what: string,
  breakMode: DebugProtocol.ExceptionBreakMode,
): DebugProtocol.ExceptionInfoResponse['body'] {
  return {
    exceptionId: type ?? 'C++ exception',
    description: value === undefined ? what : `${what}: ${value}`,
    breakMode,
    details: {
      ...(value === undefined ? {} : { message: value }),
      ...(type === undefined ? {} : { typeName: type, fullTypeName: type }),
    },
  };
}

function conditionOf(kind: CppFilter, given: string | undefined): string | undefined {
  const only = given === undefined || given.trim() === '' ? undefined : given;
  if (kind !== 'throwCheckpoint') return only;
  return only === undefined ? TAKES.throwCheckpoint : `(${only}) && ${TAKES.throwCheckpoint}`;
}

function readSignals(names: string): readonly string[] {
  const words = names.split(/[\s,]+/).filter((word) => word !== '');
  const wrong = words.find((word) => !/^SIG[A-Z0-9+-]+$/.test(word));
  if (wrong !== undefined) throw userError('signal-name', `"${wrong}" is not the name of a signal (SIGSEGV …)`);
  return words;
}

/** gdb's own choice of signals that stop, as far as programs meet them (`info signals`). */
const STOPPING = [
  'SIGHUP',
  'SIGQUIT',
  'SIGILL',
  'SIGABRT',
  'SIGFPE',
  'SIGBUS',
  'SIGSEGV',
  'SIGSYS',
  'SIGPIPE',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGIO',
];
