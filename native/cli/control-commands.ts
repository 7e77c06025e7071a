/**
 * The commands that use the control surface of a running debug session. A bundle of its own (dist/control-client.js), loaded when one is
 * called. With --json, standard output has one JSON document (`watch`: one a line).
 */

import * as fs from 'node:fs';
import { type ControlCommand, type ControlPlan, planControl, readCheckpointId } from './control-args';
import { ControlClient } from '../control/client';
import { chooseAddress, listSessions } from './control-sessions';
import { comparisonText } from './comparison-table';
import { changeText, checkpointTable, preflightText, sessionTable, takenText } from './control-text';

type Act = (client: ControlClient, plan: ControlPlan) => Promise<number>;

/** Errors are the command line's to show. */
export async function runControl(command: ControlCommand, argv: readonly string[]): Promise<number> {
  const plan = planControl(command, argv);
  if (command === 'list-sessions') {
    const sessions = await listSessions();
    return print(plan.json ? JSON.stringify({ sessions }) : sessionTable(sessions));
  }
  const client = await ControlClient.connect(await chooseAddress(plan));
  try {
    return await acts[command](client, plan);
  } finally {
    await client.close();
  }
}

const acts: Readonly<Record<Exclude<ControlCommand, 'list-sessions'>, Act>> = {
  checkpoint: async (client, { label, json }) => {
    const result = await client.ask('checkpoint/take', label === undefined ? {} : { label });
    return print(json ? JSON.stringify(result) : takenText(result.checkpoint));
  },
  list: async (client, { json }) => {
    const list = await client.ask('checkpoint/list', {});
    return print(json ? JSON.stringify(list) : checkpointTable(list));
  },
  restore: async (client, { operands, discard, json }) => {
    const id = readCheckpointId(operands[0]!);
    const result = await client.ask('checkpoint/restore', { id, saveCurrent: !discard });
    if (json) return print(JSON.stringify(result));
    if (result.armed)
      return print(
        `Checkpoint ${id} is restored when the debugger continues or steps next: it stands at its prompt and cannot be told.`,
      );
    const kept = result.savedId === undefined ? '' : `; the state before is checkpoint ${result.savedId}`;
    return print(`Restored checkpoint ${id}: process ${result.checkpoint.pid}${kept}`);
  },
  drop: async (client, { operands, json }) => {
    const ids = operands.map(readCheckpointId);
    for (const id of ids) await client.ask('checkpoint/drop', { id });
    return print(json ? JSON.stringify({ dropped: ids }) : ids.map((id) => `Checkpoint ${id} deleted.`).join('\n'));
  },
  rename: async (client, { operands, json }) => {
    const id = readCheckpointId(operands[0]!);
    const result = await client.ask('checkpoint/rename', { id, label: operands[1]! });
    return print(json ? JSON.stringify(result) : `Checkpoint ${id} is now "${result.checkpoint.label}".`);
  },
  compare: async (client, { operands, json }) => {
    const [id, other] = operands.map(readCheckpointId) as [number, number?];
    const result = await client.ask('checkpoint/compare', { id, ...(other === undefined ? {} : { with: other }) });
    return print(json ? JSON.stringify(result) : comparisonText(result));
  },
  preflight: async (client, { json }) => {
    const result = await client.ask('checkpoint/preflight', {});
    print(json ? JSON.stringify(result) : preflightText(result));
    return result.possible ? 0 : 1;
  },
  watch: async (client, { json }) => {
    client.onChanged = (change) => void print(json ? JSON.stringify(change) : changeText(change, new Date()));
    const list = await client.ask('subscribe', {});
    print(json ? JSON.stringify(list) : checkpointTable(list));
    const interrupted = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    const over = client.closed.then(() => 'closed' as const);
    if ((await Promise.race([over, interrupted])) === 'closed' && !json) print('The session has ended.');
    return 0;
  },
};

function print(text: string): number {
  fs.writeSync(1, `${text}\n`);
  return 0;
}
