/**
 * The tree of checkpoints of one process. A node is whole by itself: parents are history, not something a restore walks through,
 * so any node can be dropped. Ids count from 1 and are never given twice; 0 is the entry checkpoint.
 */

import type { Addr, Pid } from '../base/brands';
import type { Snapshot } from './snapshot';
import type { FidelityNote } from './state';

export interface CheckpointStats {
  /** Page content that the checkpoint names, and the part that no other one has (at the time of taking). */
  readonly bytes: number;
  readonly ownBytes: number;
  readonly durationMs: number;
}

export interface CheckpointNode {
  readonly id: number;
  readonly parentId: number | undefined;
  readonly label: string;
  /** Not asked for by the user. */
  readonly automatic: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly pid: Pid;
  readonly pc: Addr;
  readonly snapshot: Snapshot;
  readonly stats: CheckpointStats;
  readonly fidelity: readonly FidelityNote[];
}

export class CheckpointTree {
  private readonly nodes = new Map<number, CheckpointNode>();
  private nextId = 1;
  private current: number | undefined;

  /** The node that the process was last equal to: the parent of the next one. */
  get currentId(): number | undefined {
    return this.current;
  }

  /** `entry`: it is number 0, once. */
  add(entry: boolean, make: (id: number, parentId: number | undefined) => CheckpointNode): CheckpointNode {
    const id = entry && !this.nodes.has(0) ? 0 : this.nextId++;
    const node = make(id, this.current);
    this.nodes.set(node.id, node);
    this.current = node.id;
    return node;
  }

  get(id: number): CheckpointNode | undefined {
    return this.nodes.get(id);
  }

  /** In order of ids. */
  list(): readonly CheckpointNode[] {
    return [...this.nodes.values()];
  }

  moveTo(id: number): void {
    this.current = id;
  }

  rename(id: number, label: string): boolean {
    const node = this.nodes.get(id);
    if (node === undefined) return false;
    this.nodes.set(id, { ...node, label });
    return true;
  }

  /** Takes a node out; its children become its parent's. */
  remove(id: number): CheckpointNode | undefined {
    const node = this.nodes.get(id);
    if (node === undefined) return undefined;
    this.nodes.delete(id);
    for (const child of this.nodes.values()) {
      if (child.parentId === id) this.nodes.set(child.id, { ...child, parentId: node.parentId });
    }
    if (this.current === id) this.current = node.parentId;
    return node;
  }
}
