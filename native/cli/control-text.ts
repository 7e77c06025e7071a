/** What people read of the control commands: tables and sentences. Pure. */

import { countThreads, formatBytes, formatMs } from '../base/units';
import type { CheckpointChanged, CheckpointList, CheckpointRecord, PreflightResult, StatusResult } from '../control/schema';

export interface Session {
  readonly path: string;
  readonly pid: number;
  /** undefined: it does not answer. */
  readonly status?: StatusResult;
}

/** Columns as wide as their widest cell; the last one ragged. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function sessionTable(sessions: readonly Session[]): string {
  if (sessions.length === 0) return 'No debug session is running. "savepoint gdb PROGRAM" starts one.';
  return table([
    ['SESSION', 'PROCESS', 'STATE', 'DEBUGGER', 'CHECKPOINTS', 'PROGRAM'],
    ...sessions.map(({ pid, status }) => {
      if (status === undefined) return [String(pid), '-', 'does not answer', '-', '-', '-'];
      const program = status.programs.find((one) => one.pid === status.currentPid) ?? status.programs[0];
      const debug = { none: 'none', idle: 'at its prompt', waiting: 'waits' }[status.debugger];
      const others = status.programs.length > 1 ? ` (and ${status.programs.length - 1} more)` : '';
      return [
        String(pid),
        String(program?.pid ?? '-'),
        program?.state ?? 'no program',
        debug,
        String(status.checkpoints),
        `${program?.executable ?? '-'}${others}`,
      ];
    }),
  ]);
}

export function checkpointTable({ checkpoints, currentId }: CheckpointList): string {
  if (checkpoints.length === 0) return 'No checkpoints. "savepoint checkpoint" takes one.';
  return table([
    ['', 'ID', 'FROM', 'TAKEN', 'THREADS', 'OWN', 'TOOK', 'AT', 'LABEL'],
    ...checkpoints.map((one) => [
      one.id === currentId ? '*' : '',
      String(one.id),
      String(one.parentId ?? '-'),
      new Date(one.createdAt).toTimeString().slice(0, 8),
      String(one.threads),
      formatBytes(one.ownBytes),
      one.durationMs === 0 ? '-' : formatMs(one.durationMs),
      one.pc,
      one.automatic ? `(${one.label})` : one.label,
    ]),
  ]);
}

export function takenText(one: CheckpointRecord): string {
  const label = one.label === '' ? '' : ` "${one.label}"`;
  return [
    `Checkpoint ${one.id}${label}: process ${one.pid}, ${countThreads(one.threads)}, ${formatMs(one.durationMs)}`,
    ...one.fidelity.map((line) => `Not rolled back: ${line}`),
  ].join('\n');
}

export function preflightText({ possible, reason, fidelity }: PreflightResult): string {
  const first = possible ? 'A checkpoint can be taken now.' : `No checkpoint can be taken now: ${reason}.`;
  const all =
    possible && fidelity.length === 0 ? ['It would bring everything back.'] : fidelity.map((line) => `Not rolled back: ${line}`);
  return [first, ...all].join('\n');
}

export function changeText({ reason, id, currentId }: CheckpointChanged, at: Date): string {
  const time = at.toTimeString().slice(0, 8);
  if (reason === 'lost') return `${time}  all checkpoints are gone with their process`;
  return `${time}  checkpoint ${id} ${reason}${currentId === undefined || currentId === id ? '' : ` (the present came from ${currentId})`}`;
}
