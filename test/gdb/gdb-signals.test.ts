/**
 * gdb's signal numbers, measured: a program sends itself every signal, and gdbserver says what it calls them.
 */

import * as path from 'node:path';
import { toGdbSignal } from '../../native/abi/gdb-signals';
import { SIGKILL } from '../../native/abi/signals';
import { RawGdbserver } from '../support/raw-gdbserver';

test('every signal has the number that gdbserver gives it', async () => {
  const server = await RawGdbserver.start(path.join(__dirname, '../fixtures/build/every-signal'));
  try {
    const measured = new Map<number, number>();
    const next = async (): Promise<string> => (await server.ask('vCont;c')).toString('latin1');
    for (let signal = 1; signal <= 64; signal++) {
      if (signal !== SIGKILL) measured.set(signal, Number.parseInt((await next()).slice(1, 3), 16));
    }
    const end = await next();
    expect(end).toMatch(/^X/);
    measured.set(SIGKILL, Number.parseInt(end.slice(1, 3), 16));
    const ours = Array.from({ length: 64 }, (_unused, i) => toGdbSignal(i + 1));
    expect(Array.from({ length: 64 }, (_unused, i) => measured.get(i + 1))).toEqual(ours);
  } finally {
    await server.stop();
  }
});
