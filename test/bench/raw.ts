/** Bare packets, no gdb in the way: ours and gdbserver's, each over one unix socket. */

import { execFileSync } from 'node:child_process';
import { serverCommand, type ServerKind } from '../support/debug-server';
import { median, mibPerSecond, perSecond } from './lines';
import { benchProgram, numbersOf, readNumbers, type Row, type Scope, type Settings } from './scope';

const AREA_BYTES = 64 << 20;

function addressOf(program: string, name: string): string {
  const symbols = execFileSync('nm', [program], { encoding: 'latin1' });
  const address = new RegExp(`^0*([0-9a-f]+) \\w ${name}$`, 'm').exec(symbols)?.[1];
  if (address === undefined) throw new Error(`${program} has no ${name}`);
  return address;
}

async function measure(scope: Scope, kind: ServerKind, seconds: number): Promise<Map<string, number[]>> {
  const program = benchProgram('steps');
  return readNumbers(
    await scope.run(benchProgram('raw-client'), [
      String(seconds),
      addressOf(program, 'ready'),
      addressOf(program, 'area'),
      AREA_BYTES.toString(16),
      '--',
      ...serverCommand(kind),
      '--once',
      '-',
      program,
    ]),
  );
}

async function run(scope: Scope, { quick }: Settings): Promise<void> {
  const [rounds, seconds] = quick ? [2, 0.7] : [5, 1];
  const ours = new Map<string, number[]>();
  const theirs = new Map<string, number[]>();
  for (let i = 0; i < rounds; i++) {
    for (const [kind, into] of [
      ['gdbserver', theirs],
      ['savepoint', ours],
    ] as const) {
      for (const [name, values] of await measure(scope, kind, seconds)) into.set(name, [...(into.get(name) ?? []), ...values]);
    }
  }
  const of = (numbers: ReadonlyMap<string, number[]>, name: string): number => median(numbersOf(numbers, name));
  const rival = { name: 'gdbserver' };
  scope.report({
    row: 'raw vCont;s',
    ours: perSecond(of(ours, 'steps')),
    other: { ...perSecond(20_000), name: '(fixed)' },
    bar: { atLeast: 1 },
  });
  for (const [row, name, bar] of [
    ['raw vCont;s', 'steps', undefined],
    ['raw g', 'registers', undefined],
    ['raw packet that nobody knows', 'empty', undefined],
  ] as const) {
    scope.report({ row, ours: perSecond(of(ours, name)), other: { ...perSecond(of(theirs, name)), ...rival }, bar });
  }
  scope.report({
    row: 'raw m',
    ours: mibPerSecond(of(ours, 'memory')),
    other: { ...mibPerSecond(of(theirs, 'memory')), ...rival },
    bar: { atLeast: 3 },
    note: `${of(ours, 'chunk')} bytes a packet against ${of(theirs, 'chunk')}, as each server offers`,
  });
}

export const rawRow: Row = { name: 'raw packets', run };
