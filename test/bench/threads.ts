/**
 * 64 threads: how long it takes until all stand still, and what a take and a restore cost beyond the memory part, which the trace
 * of the stages tells.
 */

import { DebugServer } from '../support/debug-server';
import type { Debuggee } from '../support/owner-process';
import { RspClient } from '../support/rsp-client';
import { restoreMs, takeMs } from './checkpoints';
import { median, ms } from './lines';
import { benchProgram, type Row, type Scope, type Settings } from './scope';

const THREADS = 64;
/** The stages that are in proportion to memory, not to threads. */
const MEMORY_STAGES = /^\S+ checkpoint (?:memory|roll|map) ([0-9.]+) ms$/gm;

/** Milliseconds of the memory stages that the server has told of since it had said `from` characters. */
function memoryPart(debuggee: Debuggee, from: number): number {
  let sum = 0;
  for (const [, value] of debuggee.server.errors.slice(from).matchAll(MEMORY_STAGES)) sum += Number(value);
  return sum;
}

/** Milliseconds from ^C to the stop reply. */
async function interruptMs(client: RspClient): Promise<number> {
  client.start('vCont;c');
  // A moment for the threads to be at their work; what is measured starts after it.
  await new Promise((resolve) => void setTimeout(resolve, 15));
  const start = performance.now();
  client.interrupt();
  await client.waitStop('the stop after ^C', 20_000);
  return performance.now() - start;
}

async function rivalStops(scope: Scope, rounds: number): Promise<number[]> {
  const server = new DebugServer('gdbserver', {
    args: ['--once', 'localhost:0', benchProgram('threads'), String(THREADS), 'mixed'],
  });
  scope.atEnd(() => server.end());
  const client = await RspClient.connect(`localhost:${await server.port()}`);
  scope.atEnd(() => client.close());
  await client.send('qSupported:swbreak+;hwbreak+;vContSupported+');
  await client.noack();
  await client.send('?');
  const times: number[] = [];
  for (let i = 0; i < rounds + 2; i++) times.push(await interruptMs(client));
  await client.close();
  await server.end();
  // The first ones meet threads that are being made.
  return times.slice(2);
}

async function run(scope: Scope, { quick }: Settings): Promise<void> {
  const rounds = quick ? 7 : 15;
  const theirs = await rivalStops(scope, rounds);
  const { debuggee, release } = await scope.debuggee({
    program: benchProgram('threads'),
    args: [String(THREADS), 'mixed'],
    env: { SAVEPOINT_TRACE: 'checkpoint' },
  });
  await debuggee.resume('at_stop');
  await debuggee.take();
  const stops: number[] = [];
  const takes: number[] = [];
  const restores: number[] = [];
  for (let i = 0; i < rounds; i++) {
    stops.push(await interruptMs(debuggee.client));
    const beforeTake = debuggee.server.errors.length;
    const id = await debuggee.take();
    takes.push((await takeMs(debuggee, id)) - memoryPart(debuggee, beforeTake));
    await interruptMs(debuggee.client);
    const beforeRestore = debuggee.server.errors.length;
    await debuggee.restore(id);
    restores.push((await restoreMs(debuggee)) - memoryPart(debuggee, beforeRestore));
  }
  await release();
  const bar = { bar: { atMost: 1 } };
  const limit = { ...ms(10), name: '(fixed)' };
  scope.report({ row: `stop all, ${THREADS} threads`, ours: ms(median(stops)), other: limit, ...bar });
  scope.report({
    row: `stop all, ${THREADS} threads`,
    ours: ms(median(stops)),
    other: { ...ms(median(theirs)), name: 'gdbserver' },
  });
  scope.report({ row: `take, ${THREADS} threads, beyond memory`, ours: ms(median(takes)), other: limit, ...bar });
  scope.report({ row: `restore, ${THREADS} threads, beyond memory`, ours: ms(median(restores)), other: limit, ...bar });
}

export const threadsRow: Row = { name: '64 threads', run };
