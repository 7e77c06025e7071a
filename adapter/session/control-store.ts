/**
 * Checkpoints by the owner's control socket, beside gdb: taken and listed while the program runs, which gdb does not notice; and news of what
 * other clients do with them. A restore goes through gdb, because gdb has to see the stop.
 */

import { bug } from '../../native/base/errors';
import { ControlClient } from '../../native/control/client';
import type { CheckpointChanged, CheckpointList, CheckpointRecord, PreflightResult } from '../../native/control/schema';
import type { CheckpointStore } from './checkpoint-store';

export class ControlStore implements CheckpointStore {
  private constructor(private readonly client: ControlClient) {}

  /** `onClosed`: the owner has ended. */
  static async open(path: string, onChanged: (change: CheckpointChanged) => void, onClosed: () => void): Promise<ControlStore> {
    const client = await ControlClient.connect({ kind: 'unix', path });
    client.onChanged = onChanged;
    void client.closed.then(onClosed);
    await client.ask('subscribe', {});
    return new ControlStore(client);
  }

  /** Does the program run, as its owner knows it? */
  async isRunning(): Promise<boolean> {
    const { programs, currentPid } = await this.client.ask('status', {});
    return programs.find(({ pid }) => pid === currentPid)?.state === 'running';
  }

  async take(label: string, automatic: boolean): Promise<CheckpointRecord> {
    return (await this.client.ask('checkpoint/take', { label, automatic })).checkpoint;
  }

  async list(): Promise<CheckpointList> {
    return await this.client.ask('checkpoint/list', {});
  }

  restore(): Promise<void> {
    throw bug('gdb must see the stop of a restore');
  }

  async drop(ids: readonly number[]): Promise<void> {
    await Promise.all(ids.map((id) => this.client.ask('checkpoint/drop', { id })));
  }

  async rename(id: number, label: string): Promise<void> {
    await this.client.ask('checkpoint/rename', { id, label });
  }

  async preflight(): Promise<PreflightResult> {
    return await this.client.ask('checkpoint/preflight', {});
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
