/**
 * Where checkpoints are taken and kept: the owner, reached through gdb (`monitor`, `restart`). The one interface behind which the control
 * socket can take gdb's place.
 */

import { peerError, refused, userError } from '../../native/base/errors';
import type {
  CheckpointList,
  CheckpointRecord,
  CompareArguments,
  CompareResult,
  PreflightResult,
} from '../../native/control/schema';
import { type GdbClient, LONG_MS } from '../gdb/client';
import { consoleCommand, gdbSet } from '../gdb/commands-exec';
import { monitor } from '../gdb/commands-script';

export interface CheckpointStore {
  /** The new one is then where the present came from. `known`: a checkpoint that was listed, or taken here, before. */
  take(label: string, automatic: boolean, known: (id: number) => CheckpointRecord | undefined): Promise<CheckpointRecord>;
  list(): Promise<CheckpointList>;
  /** Returns when it is on its way: gdb reports the restored state as a stop with signal 0. */
  restore(id: number): Promise<void>;
  drop(ids: readonly number[]): Promise<void>;
  rename(id: number, label: string): Promise<void>;
  preflight(): Promise<PreflightResult>;
}

type ListedRecord = Omit<CheckpointRecord, 'fidelity' | 'stop'> & {
  readonly notRolledBack: readonly string[];
  readonly depth: number;
};

/** As the server answers a take. */
export type TakenRecord = Omit<ListedRecord, 'notRolledBack' | 'depth'> & Partial<ListedRecord>;

/** What is as with the checkpoint before is not said again; `known`: one that was listed, or taken here, before. */
export function readTaken(taken: TakenRecord, known: (id: number) => CheckpointRecord | undefined): CheckpointRecord {
  const notRolledBack = taken.notRolledBack ?? known(taken.parentId ?? -1)?.fidelity ?? [];
  return toRecord({ ...taken, notRolledBack });
}

export class GdbCheckpointStore implements CheckpointStore {
  /** Restores of ours of which the script has not told yet what they could not bring back. */
  private untold = 0;

  constructor(private readonly gdb: () => GdbClient) {}

  async take(label: string, automatic: boolean, known: (id: number) => CheckpointRecord | undefined): Promise<CheckpointRecord> {
    // One line: it is a command of gdb's.
    const clean = label.replace(/\s+/g, ' ').trim();
    const text = await this.monitor(`savepoint-take-json ${automatic ? 'automatic' : 'named'} ${clean}`);
    if (!text.startsWith('{')) throw refused('take', 'checkpoint', text.trim());
    const record = readTaken((readJson(text) as { checkpoint: TakenRecord }).checkpoint, known);
    // As gdb's own `checkpoint` command leaves it.
    if (!automatic) await gdbSet(this.gdb(), `var $_checkpoint = ${record.id}`);
    return record;
  }

  async list(): Promise<CheckpointList> {
    // A long list comes in several answers, because each must fit in a packet of the server.
    const listed: ListedRecord[] = [];
    let after = '';
    for (;;) {
      const answer = readJson(await this.monitor(`info checkpoints-json${after}`)) as {
        current: number | null;
        checkpoints: readonly ListedRecord[];
        more: boolean;
      };
      listed.push(...answer.checkpoints);
      const last = answer.checkpoints.at(-1);
      if (answer.more && last !== undefined) {
        after = ` ${last.id}`;
        continue;
      }
      return { checkpoints: listed.map(toRecord), ...(answer.current === null ? {} : { currentId: answer.current }) };
    }
  }

  async restore(id: number): Promise<void> {
    this.untold++;
    try {
      await consoleCommand(this.gdb(), `restart ${id}`, LONG_MS);
    } catch (error) {
      this.untold--;
      throw error;
    }
  }

  /** The script tells of a restore. Returns whether it is one of ours: another was typed, or came from another client. */
  onReturned(): boolean {
    if (this.untold === 0) return false;
    this.untold--;
    return true;
  }

  async drop(ids: readonly number[]): Promise<void> {
    await this.must(`delete checkpoint ${ids.join(',')}`, /deleted\.$/m);
  }

  async rename(id: number, label: string): Promise<void> {
    await this.must(`savepoint-rename ${id} ${label.replace(/\s+/g, ' ').trim()}`, /renamed\.$/m);
  }

  async preflight(): Promise<PreflightResult> {
    const { notRolledBack, ...rest } = readJson(await this.monitor('savepoint-preflight-json')) as Omit<
      PreflightResult,
      'fidelity'
    > & {
      notRolledBack: readonly string[];
    };
    return { ...rest, fidelity: notRolledBack };
  }

  /** Without variables, and without what debug information says of places. */
  async compare({ id, with: other }: CompareArguments): Promise<CompareResult> {
    return readJson(await this.monitor(`savepoint-compare-json ${id}${other === undefined ? '' : ` ${other}`}`)) as CompareResult;
  }

  private async must(line: string, done: RegExp): Promise<void> {
    const text = await this.monitor(line);
    if (!done.test(text)) throw userError('checkpoint', text.trim());
  }

  private async monitor(line: string): Promise<string> {
    return await monitor(this.gdb(), line);
  }
}

function toRecord(listed: Omit<ListedRecord, 'depth'>): CheckpointRecord {
  const { id, parentId, label, automatic, createdAt, pid, threads, pc, bytes, ownBytes, durationMs, notRolledBack } = listed;
  const parent = parentId === undefined ? {} : { parentId };
  return { id, ...parent, label, automatic, createdAt, pid, threads, pc, bytes, ownBytes, durationMs, fidelity: notRolledBack };
}

function readJson(text: string): unknown {
  const line = text.split('\n').find((one) => one.startsWith('{'));
  if (line === undefined) throw userError('checkpoint', text.trim() === '' ? 'the debug server does not answer' : text.trim());
  try {
    return JSON.parse(line);
  } catch {
    throw peerError('checkpoint-json', `the debug server's answer is not readable: ${line.slice(0, 200)}`);
  }
}
