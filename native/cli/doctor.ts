/** `savepoint doctor [--json]`: collects the facts by trying; what follows from them is in doctor-report.ts. Changes nothing. */

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { userError } from '../base/errors';
import { type ProbeName, probeNames, runProbe } from '../sys/probe';
import { type Facts, formatReport, judge } from './doctor-report';
import { findProgram } from './find-program';
import { findScript } from './gdb-script';

/** gdb starts in well under a second; one that hangs must not hang the doctor. */
const GDB_LIMIT_MS = 20_000;

export function runDoctor(argv: readonly string[]): number {
  const json = argv.includes('--json');
  const unknown = argv.find((word) => word !== '--json');
  if (unknown !== undefined) throw userError('doctor-option', `doctor: unknown option ${unknown} (savepoint doctor --help)`);
  const report = judge(collect());
  fs.writeSync(1, `${json ? JSON.stringify(report, undefined, 2) : formatReport(report)}\n`);
  return report.ok ? 0 : 1;
}

function collect(): Facts {
  const scope = readPtraceScope();
  const gdb = findGdb();
  const compiler = findProgram(process.env['CC'] ?? 'cc') ?? findProgram('gcc') ?? findProgram('clang');
  const forcedTier = process.env['SAVEPOINT_FORCE_TIER'];
  const script = findScript();
  return {
    arch: process.arch,
    kernel: `Linux ${os.release()}`,
    root: process.getuid?.() === 0,
    probes: Object.fromEntries(probeNames.map((name) => [name, runProbe(name)])) as Record<ProbeName, number>,
    errorName,
    ...(scope === undefined ? {} : { ptraceScope: scope }),
    ...(gdb === undefined ? {} : { gdb }),
    ...(compiler === undefined ? {} : { compiler }),
    ...(forcedTier === undefined ? {} : { forcedTier }),
    ...(script === undefined ? {} : { script }),
  };
}

function readPtraceScope(): number | undefined {
  try {
    return Number.parseInt(fs.readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1'), 10);
  } catch {
    return undefined;
  }
}

function findGdb(): Facts['gdb'] {
  const file = findProgram(process.env['SAVEPOINT_GDB'] ?? 'gdb');
  if (file === undefined) return undefined;
  // A gdb without Python answers the same command with an error, on standard error.
  const asked = spawnSync(file, ['-nx', '-batch', '-ex', 'python print("python of gdb " + gdb.VERSION)'], {
    encoding: 'utf8',
    timeout: GDB_LIMIT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const withPython = /^python of gdb (.*)$/m.exec(asked.stdout ?? '');
  if (withPython !== null) {
    const number = /\d+(\.\d+)+/.exec(withPython[1] as string);
    return { path: file, python: true, ...(number === null ? {} : { version: number[0] }) };
  }
  const told = spawnSync(file, ['-nx', '--version'], {
    encoding: 'utf8',
    timeout: GDB_LIMIT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const version = /\s(\d+\.\d+\S*)$/m.exec((told.stdout ?? '').split('\n')[0] ?? '');
  return { path: file, python: false, ...(version === null ? {} : { version: version[1] as string }) };
}

function errorName(result: number): string {
  const found = Object.entries(os.constants.errno).find(([, value]) => value === -result);
  return found?.[0] ?? `error ${-result}`;
}
