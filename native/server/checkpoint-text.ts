/**
 * What people (and savepoint.py) read of checkpoints: sentences, the table, the JSON behind it. Pure.
 */

import { countThreads, formatBytes, formatMs } from '../base/units';
import type { Preflight } from '../checkpoint/engine';
import type { CheckpointNode } from '../checkpoint/tree';
import type { FidelityNote } from '../checkpoint/state';
import type { CheckpointList, CheckpointRecord } from '../control/schema';

/** `fd 0`, `fd 1`, `fd 2` with the same to say become one line. */
export function groupNotes(notes: readonly FidelityNote[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { subject, sentence } of notes) {
    const about = sentence.startsWith(subject) ? sentence.slice(subject.length) : ` ${sentence}`;
    const subjects = groups.get(about) ?? [];
    groups.set(about, [...subjects, sentence.startsWith(subject) ? subject : '']);
  }
  return [...groups].map(([about, subjects]) => {
    const [first] = subjects;
    if (subjects.length > 1 && subjects.every((subject) => subject.startsWith('fd ')))
      return `fds ${subjects.map((subject) => subject.slice(3)).join(', ')}${about}`;
    return `${first ?? ''}${about}`.trim();
  });
}

const MOST_NOTES = 8;

/** One line each; many are cut short, because the full list can be asked for. */
export function notRolledBack(notes: readonly FidelityNote[], id: number): string {
  const lines = groupNotes(notes).map((line) => `Not rolled back: ${line}\n`);
  if (lines.length <= MOST_NOTES) return lines.join('');
  const rest = lines.length - MOST_NOTES + 1;
  return `${lines.slice(0, MOST_NOTES - 1).join('')}Not rolled back: ${rest} more ("info checkpoints ${id}" names all)\n`;
}

export function taken(node: CheckpointNode): string {
  return `Checkpoint ${node.id}: process ${node.pid}, ${countThreads(node.snapshot.threads.length)}, ${formatMs(node.stats.durationMs)}\n`;
}

/** `wrong`: addresses of pages that differ, not necessarily all. */
export function verified(id: number, wrong: readonly bigint[]): string {
  if (wrong.length === 0) return `Memory is what checkpoint ${id} has.\n`;
  const shown = wrong.slice(0, 4).map((address) => `0x${address.toString(16)}`);
  return `Memory is not what checkpoint ${id} has, at ${shown.join(', ')}${wrong.length > shown.length ? ' and elsewhere' : ''}.\n`;
}

export function restored(id: number, pid: number, durationMs: number): string {
  return `Restored checkpoint ${id}: process ${pid}, ${formatMs(durationMs)}\n`;
}

interface Row {
  readonly node: CheckpointNode;
  /** How many times the way from the root has parted: a long row of checkpoints stays at the margin. */
  readonly depth: number;
}

/** Parents before children, siblings by number. */
export function treeOrder(nodes: readonly CheckpointNode[]): readonly Row[] {
  const children = new Map<number | undefined, CheckpointNode[]>();
  for (const node of nodes) children.set(node.parentId, [...(children.get(node.parentId) ?? []), node]);
  const rows: Row[] = [];
  const below = (parent: number | undefined, depth: number): Row[] =>
    (children.get(parent) ?? []).map((node) => ({ node, depth })).reverse();
  const left = below(undefined, 0);
  for (let row = left.pop(); row !== undefined; row = left.pop()) {
    rows.push(row);
    const parts = (children.get(row.node.id)?.length ?? 0) > 1;
    left.push(...below(row.node.id, row.depth + (parts ? 1 : 0)));
  }
  return rows;
}

/** gdb's own shape, and behind it what gdb has no word for. */
export function table(nodes: readonly CheckpointNode[], currentId: number | undefined): string {
  if (nodes.length === 0) return 'No checkpoints.\n';
  const width = String(Math.max(...nodes.map((node) => node.id))).length;
  return treeOrder(nodes)
    .map(({ node, depth }) => {
      const mark = node.id === currentId ? '*' : ' ';
      const label = node.label === '' ? '' : ` ${node.label}`;
      const facts = `${countThreads(node.snapshot.threads.length)}, ${formatBytes(node.stats.ownBytes)}`;
      const at = `process ${node.pid} at 0x${node.pc.toString(16)}`;
      return `${mark} ${String(node.id).padStart(width)} ${'  '.repeat(depth)}${at}${label} (${facts})\n`;
    })
    .join('');
}

/** Everything about one checkpoint. */
export function details(
  node: CheckpointNode,
  currentId: number | undefined,
  store: { readonly used: number; readonly limit: number },
): string {
  const lines = [
    `Checkpoint ${node.id}${node.label === '' ? '' : `: ${node.label}`}${node.id === currentId ? ' (the present state came from it)' : ''}`,
    `  process ${node.pid}, ${countThreads(node.snapshot.threads.length)}, at 0x${node.pc.toString(16)}`,
    `  taken ${new Date(node.createdAt).toISOString()} in ${formatMs(node.stats.durationMs)}${node.parentId === undefined ? '' : `, after checkpoint ${node.parentId}`}`,
    `  ${formatBytes(node.stats.bytes)} of memory, ${formatBytes(node.stats.ownBytes)} of it stored by this checkpoint`,
    `  all checkpoints together: ${formatBytes(store.used)} of at most ${formatBytes(store.limit)}`,
    ...groupNotes(node.fidelity).map((line) => `  not rolled back: ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Rows in one answer: it must fit in one packet, whatever the labels. */
const JSON_ROWS = 30;
const JSON_LABEL = 200;
const JSON_NOTE = 160;

/** In the words of control/schema.ts. */
export function recordOf(node: CheckpointNode): CheckpointRecord {
  return {
    id: node.id,
    ...(node.parentId === undefined ? {} : { parentId: node.parentId }),
    label: node.label,
    automatic: node.automatic,
    createdAt: node.createdAt,
    pid: node.pid,
    threads: node.snapshot.threads.length,
    pc: `0x${node.pc.toString(16)}`,
    bytes: node.stats.bytes,
    ownBytes: node.stats.ownBytes,
    durationMs: node.stats.durationMs,
    fidelity: groupNotes(node.fidelity),
  };
}

export function listOf(nodes: readonly CheckpointNode[], currentId: number | undefined): CheckpointList {
  return {
    checkpoints: treeOrder(nodes).map(({ node }) => recordOf(node)),
    ...(currentId === undefined ? {} : { currentId }),
  };
}

/** A record that is sure to be short. */
function facts(node: CheckpointNode) {
  const { fidelity, label, durationMs, ...rest } = recordOf(node);
  return {
    ...rest,
    label: label.slice(0, JSON_LABEL),
    durationMs: Math.round(durationMs * 1000) / 1000,
    notRolledBack: fidelity.slice(0, MOST_NOTES).map((line) => line.slice(0, JSON_NOTE)),
  };
}

/** The answer to a take; without `notRolledBack` when that is what it is of the parent. */
export function takenJson(node: CheckpointNode, parent: CheckpointNode | undefined): string {
  const { notRolledBack, ...rest } = facts(node);
  const isSame = parent !== undefined && facts(parent).notRolledBack.join('\n') === notRolledBack.join('\n');
  return `${JSON.stringify({ checkpoint: isSame ? rest : { ...rest, notRolledBack } })}\n`;
}

/** `more`: there are others behind the last one. */
export function json(nodes: readonly CheckpointNode[], currentId: number | undefined, after: number | undefined): string {
  const ordered = treeOrder(nodes);
  const start = after === undefined ? 0 : ordered.findIndex(({ node }) => node.id === after) + 1;
  const checkpoints = ordered.slice(start, start + JSON_ROWS).map(({ node, depth }) => ({ ...facts(node), depth }));
  const more = start + checkpoints.length < ordered.length;
  return `${JSON.stringify({ current: currentId ?? null, checkpoints, more })}\n`;
}

export function preflight({ obstacle, fidelity, tier }: Preflight): string {
  const answer = { possible: obstacle === undefined, reason: obstacle, tier };
  return `${JSON.stringify({ ...answer, notRolledBack: groupNotes(fidelity) })}\n`;
}
