/** gdb's `*stopped` records: what happened, and how DAP calls it. Pure. */

import { type GdbFrame, readFrame } from '../gdb/commands-data';
import { type MiTuple, numberOf, textOf, tupleOf } from '../gdb/mi-values';

export type Stop =
  | {
      readonly kind: 'exit';
      /** As the parent would see it: 128 + n for a signal. */
      readonly code: number;
      readonly signal: string | undefined;
    }
  | {
      readonly kind: 'stop';
      /** gdb's word; empty when it gives none. */
      readonly reason: string;
      readonly thread: number | undefined;
      readonly frame: GdbFrame | undefined;
      /** Breakpoint or watchpoint. */
      readonly breakpoint: number | undefined;
      readonly temporary: boolean;
      readonly signal: string | undefined;
      readonly signalMeaning: string | undefined;
      readonly values: { readonly expression: string; readonly old?: string; readonly new?: string } | undefined;
      readonly result: string | undefined;
    };

export type ProgramStop = Extract<Stop, { kind: 'stop' }>;

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGSYS: 31,
};

export function readStop(fields: MiTuple): Stop {
  const reason = textOf(fields, 'reason') ?? '';
  switch (reason) {
    case 'exited-normally':
      return { kind: 'exit', code: 0, signal: undefined };
    case 'exited':
      // Octal, as the shell never sees it.
      return { kind: 'exit', code: Number.parseInt(textOf(fields, 'exit-code') ?? '0', 8), signal: undefined };
    case 'exited-signalled': {
      const signal = textOf(fields, 'signal-name') ?? 'a signal';
      return { kind: 'exit', code: 128 + (SIGNAL_NUMBERS[signal] ?? 0), signal };
    }
  }
  const frame = tupleOf(fields, 'frame');
  return {
    kind: 'stop',
    reason,
    thread: numberOf(fields, 'thread-id'),
    frame: frame === undefined ? undefined : readFrame(frame),
    breakpoint: numberOf(fields, 'bkptno') ?? watchpointNumber(fields),
    temporary: textOf(fields, 'disp') === 'del',
    signal: textOf(fields, 'signal-name'),
    signalMeaning: textOf(fields, 'signal-meaning'),
    values: readValues(fields),
    result: textOf(fields, 'return-value'),
  };
}

const WATCHES = ['wpt', 'hw-rwpt', 'hw-awpt'];

function watchpointNumber(fields: MiTuple): number | undefined {
  const found = WATCHES.map((name) => tupleOf(fields, name)).find((tuple) => tuple !== undefined);
  return found === undefined ? numberOf(fields, 'wpnum') : numberOf(found, 'number');
}

function readValues(fields: MiTuple): ProgramStop['values'] {
  const watch = WATCHES.map((name) => tupleOf(fields, name)).find((tuple) => tuple !== undefined);
  const values = tupleOf(fields, 'value');
  if (watch === undefined) return undefined;
  const old = values === undefined ? undefined : textOf(values, 'old');
  const now = values === undefined ? undefined : (textOf(values, 'new') ?? textOf(values, 'value'));
  return {
    expression: textOf(watch, 'exp') ?? '',
    ...(old === undefined ? {} : { old }),
    ...(now === undefined ? {} : { new: now }),
  };
}

/** Caused by our own interrupt, as far as can be seen. */
export function isInterrupt(stop: Stop): boolean {
  return stop.kind === 'stop' && stop.reason === 'signal-received' && (stop.signal === 'SIGINT' || stop.signal === '0');
}

/** A stop that nothing in the program caused: the start, an attach, a restored state. */
export function isQuietStop(stop: Stop): boolean {
  return stop.kind === 'stop' && stop.reason === 'signal-received' && stop.signal === '0';
}

/** What the client is told. */
export interface StopReport {
  readonly reason: string;
  readonly description: string;
  readonly text?: string;
  readonly hitBreakpointIds?: readonly number[];
}

/** What the client set, by gdb's number. */
export type BreakpointKind = 'source' | 'function' | 'instruction' | 'data' | 'exception';

export interface StopFacts {
  readonly pauseAsked: boolean;
  /** undefined: no breakpoint of the client. */
  kindOf(breakpoint: number): BreakpointKind | undefined;
  /** What the exception breakpoint catches, for people. */
  exceptionOf(breakpoint: number): string;
}

const REASONS: Readonly<Record<BreakpointKind, string>> = {
  source: 'breakpoint',
  function: 'function breakpoint',
  instruction: 'instruction breakpoint',
  data: 'data breakpoint',
  exception: 'exception',
};

export function reportStop(stop: ProgramStop, facts: StopFacts): StopReport {
  const { reason, breakpoint } = stop;
  const hit = breakpoint === undefined ? {} : { hitBreakpointIds: [breakpoint] };
  switch (reason) {
    case 'breakpoint-hit': {
      // gdb's `start` sets a temporary one; people do that, too.
      if (stop.temporary && /(^|[.:])main$/.test(stop.frame?.function ?? ''))
        return { reason: 'entry', description: 'Paused at the entry' };
      const kind = breakpoint === undefined ? undefined : facts.kindOf(breakpoint);
      if (kind === 'exception') {
        const what = facts.exceptionOf(breakpoint ?? 0);
        return { reason: 'exception', description: what, text: what, ...hit };
      }
      const name = kind === undefined ? 'breakpoint' : REASONS[kind];
      return { reason: name, description: `Paused on ${name}`, ...hit };
    }
    case 'watchpoint-trigger':
    case 'read-watchpoint-trigger':
    case 'access-watchpoint-trigger':
      return { reason: 'data breakpoint', description: 'Paused on data breakpoint', text: describeValues(stop), ...hit };
    case 'watchpoint-scope':
      return { reason: 'data breakpoint', description: 'A data breakpoint has gone out of scope', ...hit };
    case 'end-stepping-range':
    case 'location-reached':
    case 'function-finished':
      return {
        reason: 'step',
        description: 'Paused after step',
        ...(stop.result === undefined ? {} : { text: `returned ${stop.result}` }),
      };
    case 'signal-received':
      return reportSignal(stop, facts);
    case 'fork':
    case 'vfork':
    case 'exec':
      return { reason, description: `Paused at ${reason}` };
    case 'syscall-entry':
    case 'syscall-return':
      return {
        reason: 'syscall',
        description: reason === 'syscall-entry' ? 'Paused at a system call' : 'Paused after a system call',
      };
    case 'solib-event':
      return { reason: 'library', description: 'Paused at a library event' };
    default:
      return { reason: 'pause', description: 'Paused' };
  }
}

function reportSignal(stop: ProgramStop, facts: StopFacts): StopReport {
  if (facts.pauseAsked && isInterrupt(stop)) return { reason: 'pause', description: 'Paused' };
  if (stop.signal === '0') return { reason: 'goto', description: 'Paused' };
  const name = stop.signal ?? 'a signal';
  return { reason: 'exception', description: name, text: stop.signalMeaning ?? name };
}

function describeValues(stop: ProgramStop): string {
  const { values } = stop;
  if (values === undefined) return '';
  return values.old === undefined
    ? `${values.expression} is ${values.new ?? '?'}`
    : `${values.expression}: ${values.old} → ${values.new ?? '?'}`;
}
