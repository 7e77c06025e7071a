/**
 * Many checkpoints in one session: does the last take cost what the first did, does a restore, and what memory do they need?
 */

import * as fs from 'node:fs';
import type { Debuggee } from '../support/owner-process';
import { restoreMs, runTo } from './checkpoints';
import { median, mib, ms } from './lines';
import { benchProgram, type Row, type Scope, type Settings } from './scope';

const MIB = 1024 * 1024;
const AREA_MIB = 32;
const PERMILLE = 10;
const SAMPLE = 15;

function ownerOf(pid: number): number {
  return Number(/^TracerPid:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))![1]);
}

/** Everything of its own: anonymous, and shared memory in case the store is one. */
function ownMemory(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return (kib('RssAnon') + kib('RssShmem')) * 1024;
}

/** From neighbour to neighbour: each step rolls one dirtied set back. Leaves the program at the newest of them again. */
async function restoreBackwards(debuggee: Debuggee, ids: readonly number[]): Promise<number> {
  const times: number[] = [];
  for (const id of ids.toReversed()) {
    await debuggee.restore(id);
    times.push(await restoreMs(debuggee));
  }
  await debuggee.restore(ids.at(-1)!);
  return median(times);
}

/** What the list says of a thousand checkpoints is longer than a packet: each take's own words are read instead. */
async function take(debuggee: Debuggee): Promise<{ readonly id: number; readonly durationMs: number }> {
  const said = await debuggee.monitor('checkpoint');
  const match = /^Checkpoint (\d+): .*, ([0-9.]+) ms$/m.exec(said);
  if (match === null) throw new Error(`no checkpoint taken: ${said}`);
  return { id: Number(match[1]), durationMs: Number(match[2]) };
}

async function run(scope: Scope, { quick }: Settings): Promise<void> {
  const count = quick ? 200 : 1000;
  const { debuggee, release } = await scope.debuggee({ program: benchProgram('pages'), args: ['run', String(AREA_MIB)] });
  await runTo(debuggee, 'at_stop');
  await debuggee.writeInt('dirty_permille', PERMILLE);
  const owner = ownerOf(debuggee.pid);
  await debuggee.take();
  const before = ownMemory(owner);
  const ids: number[] = [];
  const durations: number[] = [];
  let early = 0;
  for (let i = 0; i < count; i++) {
    await runTo(debuggee, 'at_stop');
    const { id, durationMs } = await take(debuggee);
    ids.push(id);
    durations.push(durationMs);
    if (i === SAMPLE) early = await restoreBackwards(debuggee, ids.slice(0, -1));
  }
  const after = ownMemory(owner);
  const first = median(durations.slice(1, 1 + SAMPLE));
  const last = median(durations.slice(-SAMPLE));
  const dirtied = (Math.floor((AREA_MIB * MIB * PERMILLE) / 1000 / 4096) * 4096 * count) / MIB;
  scope.report({
    row: `checkpoint ${count} of a session: take`,
    ours: ms(last),
    other: { ...ms(first), name: 'the first ones' },
    bar: { atMost: 2 },
  });
  scope.report({
    row: `restore of a neighbour among ${count} checkpoints`,
    ours: ms(await restoreBackwards(debuggee, ids.slice(-SAMPLE))),
    other: { ...ms(early), name: 'among the first' },
    bar: { atMost: 2 },
  });
  scope.report({
    row: `memory of ${count} checkpoints beyond the base`,
    ours: mib((after - before) / MIB),
    other: { ...mib(dirtied), name: 'dirtied' },
    bar: { atMost: 1.2 },
  });
  await release();
}

export const manyRow: Row = { name: 'many checkpoints', run };
