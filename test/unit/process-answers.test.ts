/** Which answers of a process may be kept until a call that the exit filter sees: those that the kernel does not change by itself. */

import { holdStill } from '../../native/checkpoint/capture/answers';

const SIGACTION_SIZE = 32;
const FLAGS = 8;
const SA_RESTART = 0x1000_0000;
const SA_RESETHAND = 0x8000_0000;

const answers = (change: { flagsOf?: number; flags?: number; timer?: number }) => {
  const actions = Buffer.alloc(64 * SIGACTION_SIZE);
  const intervalTimers = [0, 1, 2].map(() => Buffer.alloc(32));
  if (change.flagsOf !== undefined) actions.writeUInt32LE(change.flags ?? 0, (change.flagsOf - 1) * SIGACTION_SIZE + FLAGS);
  if (change.timer !== undefined) intervalTimers[change.timer]!.writeBigInt64LE(5n, 16);
  return { actions, intervalTimers, brk: 0x1000n, heapEnd: 0x1000n };
};

test('handlers that stay, and no timer', () => {
  expect(holdStill(answers({}))).toBe(true);
  expect(holdStill(answers({ flagsOf: 10, flags: SA_RESTART }))).toBe(true);
});

test.each([1, 28, 64])('a handler for signal %i that delivery takes away', (signal) => {
  expect(holdStill(answers({ flagsOf: signal, flags: SA_RESETHAND }))).toBe(false);
});

test.each([0, 1, 2])('timer %i, which runs', (timer) => {
  expect(holdStill(answers({ timer }))).toBe(false);
});
