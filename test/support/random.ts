/**
 * Seeded randomness for tests. One seed per run, from SAVEPOINT_SEED or fresh; a test that fails says how to repeat it.
 *
 * SAVEPOINT_SCALE multiplies the number of rounds for a longer soak.
 */

import * as path from 'node:path';
import { root } from './debug-server';

export const baseSeed = readNumber('SAVEPOINT_SEED') ?? Math.floor(Math.random() * 1_000_000);
export const scale = readNumber('SAVEPOINT_SCALE') ?? 1;

/** `count` at scale 1, never less than one. */
export function scaled(count: number): number {
  return Math.max(1, Math.round(count * scale));
}

function readNumber(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name}=${text} is not a number`);
  return value;
}

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  }

  /** In [0, 1): mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to pick from');
    return list[this.below(list.length)] as T;
  }
}

/** Runs `act` with the generator of this seed; a failure names the line that repeats it. */
export async function withSeed(offset: number, act: (random: Random) => Promise<void>): Promise<void> {
  try {
    await act(new Random(baseSeed * 1000 + offset));
  } catch (error) {
    const file = path.relative(root, expect.getState().testPath ?? '');
    const again = `repeat with: SAVEPOINT_SEED=${baseSeed} npm test -- ${file}`;
    if (error instanceof Error) error.message = `${error.message}\n${again}`;
    throw error;
  }
}
