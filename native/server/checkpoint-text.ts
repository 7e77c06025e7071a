/**
 * What people (and savepoint.py) read of checkpoints: sentences, the table, the JSON behind it. Pure.
 */

import type { CheckpointNode } from '../checkpoint/tree';
import type { FidelityNote } from '../checkpoint/state';

const MIB = 1024 * 1024;

export function formatBytes(bytes: number): string {
  return bytes >= 10 * MIB
    ? `${Math.round(bytes / MIB)} MiB`
    : bytes >= MIB
      ? `${(bytes / MIB).toFixed(1)} MiB`
      : `${Math.round(bytes / 1024)} KiB`;
}

export function formatMs(ms: number): string {
  return `${ms >= 100 ? Math.round(ms) : ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
}

export const countThreads = (n: number): string => `${n} thread${n === 1 ? '' : 's'}`;

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

export function restored(id: number, pid: number, durationMs: number): string {
  return `Restored checkpoint ${id}: process ${pid}, ${formatMs(durationMs)}\n`;
}

/** How many of its ancestors are still there. */
function depthOf(node: CheckpointNode, byId: ReadonlyMap<number, CheckpointNode>): number {
  let depth = 0;
  for (let at = node.parentId; at !== undefined; at = byId.get(at)?.parentId) depth++;
  return depth;
}

/** Parents before children, siblings by number. */
export function treeOrder(nodes: readonly CheckpointNode[]): readonly CheckpointNode[] {
  const children = (parent: number | undefined): CheckpointNode[] =>
    nodes.filter((node) => node.parentId === parent).flatMap((node) => [node, ...children(node.id)]);
  return children(undefined);
}

/** gdb's own shape, and behind it what gdb has no word for. */
export function table(nodes: readonly CheckpointNode[], currentId: number | undefined): string {
  if (nodes.length === 0) return 'No checkpoints.\n';
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const width = String(Math.max(...nodes.map((node) => node.id))).length;
  return treeOrder(nodes)
    .map((node) => {
      const mark = node.id === currentId ? '*' : ' ';
      const label = node.label === '' ? '' : ` ${node.label}`;
      const facts = `${countThreads(node.snapshot.threads.length)}, ${formatBytes(node.stats.ownBytes)}`;
      const at = `process ${node.pid} at 0x${node.pc.toString(16)}`;
      return `${mark} ${String(node.id).padStart(width)} ${'  '.repeat(depthOf(node, byId))}${at}${label} (${facts})\n`;
    })
    .join('');
}

/** Everything about one checkpoint. */
export function details(node: CheckpointNode, currentId: number | undefined): string {
  const lines = [
    `Checkpoint ${node.id}${node.label === '' ? '' : `: ${node.label}`}${node.id === currentId ? ' (the present state came from it)' : ''}`,
    `  process ${node.pid}, ${countThreads(node.snapshot.threads.length)}, at 0x${node.pc.toString(16)}`,
    `  taken ${new Date(node.createdAt).toISOString()} in ${formatMs(node.stats.durationMs)}${node.parentId === undefined ? '' : `, after checkpoint ${node.parentId}`}`,
    `  ${formatBytes(node.stats.bytes)} of memory, ${formatBytes(node.stats.ownBytes)} of it stored by this checkpoint`,
    ...groupNotes(node.fidelity).map((line) => `  not rolled back: ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

export function json(nodes: readonly CheckpointNode[], currentId: number | undefined): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const checkpoints = treeOrder(nodes).map((node) => ({
    id: node.id,
    ...(node.parentId === undefined ? {} : { parentId: node.parentId }),
    depth: depthOf(node, byId),
    label: node.label,
    automatic: node.automatic,
    createdAt: node.createdAt,
    pid: node.pid,
    threads: node.snapshot.threads.length,
    pc: `0x${node.pc.toString(16)}`,
    bytes: node.stats.bytes,
    ownBytes: node.stats.ownBytes,
    durationMs: node.stats.durationMs,
    notRolledBack: groupNotes(node.fidelity),
  }));
  return `${JSON.stringify({ current: currentId ?? null, checkpoints })}\n`;
}

export function preflight(obstacle: string | undefined, notes: readonly FidelityNote[]): string {
  const answer = { possible: obstacle === undefined, ...(obstacle === undefined ? {} : { reason: obstacle }) };
  return `${JSON.stringify({ ...answer, notRolledBack: groupNotes(notes) })}\n`;
}
