/** What follows from what the doctor found. Pure: facts in, rows out. */

import { type DirtyTier, chooseDirtyTier } from '../sys/dirty-tier';

/** 1: works; 0: present but useless; below 0: -errno; see sys/probe.ts. */
export type Finding = number;

export interface Facts {
  readonly arch: string;
  readonly kernel: string;
  readonly root: boolean;
  /** /proc/sys/kernel/yama/ptrace_scope; undefined: no Yama. */
  readonly ptraceScope?: number;
  readonly probes: Readonly<
    Record<
      'ptrace' | 'writeProtect' | 'pagemapScan' | 'seccompTrace' | 'rseq' | 'memWrite' | 'debugRegisters' | 'pidfdGetfd' | 'kcmp',
      Finding
    >
  >;
  readonly forcedTier?: string;
  readonly gdb?: { readonly path: string; readonly version?: string; readonly python: boolean };
  readonly compiler?: string;
  /** Where savepoint.py is. */
  readonly script?: string;
  /** -errno to its name. */
  errorName(errno: number): string;
}

export type State = 'ok' | 'info' | 'warn' | 'fail';

export interface Row {
  readonly name: string;
  readonly state: State;
  readonly found: string;
  /** What it means for the user, and what to do. */
  readonly follows: string;
}

export interface Report {
  /** Debugging with checkpoints works here. */
  readonly ok: boolean;
  readonly tier: DirtyTier;
  readonly rows: readonly Row[];
}

export function judge(facts: Facts): Report {
  const { probes } = facts;
  const tier = chooseDirtyTier(
    { writeProtect: probes.writeProtect === 1, pagemapScan: probes.pagemapScan === 1 },
    facts.forcedTier,
  );
  const probe = (name: string, result: Finding, missing: State, works: string, without: string): Row => ({
    name,
    state: result === 1 ? 'ok' : missing,
    found: result === 1 ? 'works' : result === 0 ? 'no effect' : facts.errorName(result),
    follows: result === 1 ? works : without,
  });
  const rows: Row[] = [
    facts.arch === 'x64'
      ? { name: 'processor', state: 'ok', found: 'x86-64', follows: '' }
      : { name: 'processor', state: 'fail', found: facts.arch, follows: 'only x86-64 programs are supported' },
    { name: 'kernel', state: 'info', found: facts.kernel, follows: '' },
    scopeRow(facts.ptraceScope, facts.root),
    probe(
      'ptrace of a child',
      probes.ptrace,
      'fail',
      'programs can be run under the debugger',
      'nothing works: a container needs --cap-add=SYS_PTRACE or a seccomp profile that allows ptrace',
    ),
    probe(
      '/proc/PID/mem writes',
      probes.memWrite,
      'fail',
      'read-only pages can be restored',
      'the kernel forbids writes through read-only mappings (proc_mem.force_override): boot with proc_mem.force_override=ptrace',
    ),
    probe(
      'seccomp trace stop',
      probes.seccompTrace,
      'warn',
      'threads and programs that exit come back, with their ids',
      'a thread or program that has exited cannot be brought back',
    ),
    probe('async write protection', probes.writeProtect, 'info', 'unprivileged userfaultfd', 'comes with Linux 6.7'),
    probe('PAGEMAP_SCAN', probes.pagemapScan, 'info', '', 'comes with Linux 6.7'),
    tierRow(tier, facts.forcedTier),
    probe(
      'pidfd_getfd',
      probes.pidfdGetfd,
      'warn',
      'descriptors can be looked into and restored',
      'restoring open files is limited',
    ),
    probe(
      'kcmp',
      probes.kcmp,
      'warn',
      'shared file offsets are recognised',
      'descriptors that share an offset are not recognised',
    ),
    probe(
      'rseq configuration',
      probes.rseq,
      'warn',
      'restartable sequences are restored',
      'threads with restartable sequences may not be restorable',
    ),
    probe(
      'hardware watchpoints',
      probes.debugRegisters,
      'warn',
      'four words at full speed, more by stepping',
      'watchpoints are found by stepping: slower; awatch and rwatch are not available',
    ),
    ...gdbRows(facts),
    facts.compiler === undefined
      ? { name: 'C compiler', state: 'info', found: 'none', follows: 'needed only for building from source and for the demo' }
      : { name: 'C compiler', state: 'ok', found: facts.compiler, follows: '' },
  ];
  return { ok: rows.every((row) => row.state !== 'fail'), tier, rows };
}

function scopeRow(scope: number | undefined, root: boolean): Row {
  const name = 'ptrace_scope';
  const advice = 'sysctl kernel.yama.ptrace_scope=0 (as root) allows attaching to your own processes';
  if (scope === undefined) return { name, state: 'ok', found: 'no Yama', follows: '' };
  const found = String(scope);
  if (scope === 0) return { name, state: 'ok', found, follows: 'own processes can be attached to' };
  if (scope === 3) return { name, state: 'fail', found, follows: 'nobody may ptrace until the next boot' };
  if (root) return { name, state: 'ok', found, follows: 'root is exempt' };
  if (scope === 1) return { name, state: 'info', found, follows: `programs can be run, but not attached to; ${advice}` };
  return { name, state: 'fail', found, follows: `only root may ptrace; ${advice}` };
}

function tierRow(tier: DirtyTier, forced: string | undefined): Row {
  const follows: Record<DirtyTier, string> = {
    'write-protect': 'a checkpoint costs what was written since the last one',
    compare: 'every checkpoint and restore reads all memory of the program',
  };
  const how =
    forced === undefined
      ? ''
      : forced === tier
        ? ' (SAVEPOINT_FORCE_TIER)'
        : ` (SAVEPOINT_FORCE_TIER=${forced} does not work here)`;
  return {
    name: 'written pages found by',
    state: tier === 'compare' ? 'warn' : 'ok',
    found: `${tier}${how}`,
    follows: follows[tier],
  };
}

function gdbRows(facts: Facts): Row[] {
  const { gdb } = facts;
  if (gdb === undefined) return [{ name: 'gdb', state: 'fail', found: 'none', follows: 'apt-get install gdb' }];
  const major = Number.parseInt(gdb.version ?? '', 10);
  const found = gdb.version === undefined ? gdb.path : `${gdb.version} (${gdb.path})`;
  return [
    major < 12
      ? { name: 'gdb', state: 'warn', found, follows: 'older than 12, not tested' }
      : { name: 'gdb', state: 'ok', found, follows: '' },
    gdb.python
      ? {
          name: 'gdb with Python',
          state: 'ok',
          found: 'yes',
          follows: facts.script === undefined ? '' : `commands: ${facts.script}`,
        }
      : {
          name: 'gdb with Python',
          state: 'fail',
          found: 'no',
          follows: 'the checkpoint commands need it; use the full gdb package, not gdb-minimal',
        },
  ];
}

const MARKS: Readonly<Record<State, string>> = { ok: 'ok', info: '--', warn: '!!', fail: 'NO' };

export function formatReport(report: Report): string {
  const nameWidth = Math.max(...report.rows.map((row) => row.name.length));
  const foundWidth = Math.min(28, Math.max(...report.rows.map((row) => row.found.length)));
  const lines = report.rows.map((row) =>
    `${MARKS[row.state]}  ${row.name.padEnd(nameWidth)}  ${row.found.padEnd(foundWidth)}${row.follows === '' ? '' : `  ${row.follows}`}`.trimEnd(),
  );
  return [
    ...lines,
    '',
    report.ok
      ? 'Debugging with checkpoints works here.'
      : 'Debugging with checkpoints does not work here: see the lines marked NO.',
  ].join('\n');
}
