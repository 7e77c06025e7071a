/** Checkpoints in the words of control/schema.ts. Pure. */

import type { CheckpointNode } from '../checkpoint/tree';
import type { CheckpointList, CheckpointRecord } from '../control/schema';
import { groupNotes, treeOrder } from './checkpoint-text';

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
