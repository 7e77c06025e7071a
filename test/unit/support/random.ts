/**
 * Random numbers that a printed seed brings back (mulberry32).
 */

export interface Random {
  readonly seed: number;
  /** 0 <= n < below. */
  int(below: number): number;
  bytes(length: number): Buffer;
  pick<T>(from: readonly T[]): T;
}

/** The seed is RSP_SEED or a fresh one; it belongs into the failure message. */
export function makeRandom(seed = Number(process.env.RSP_SEED ?? Date.now() % 1_000_000)): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const int = (below: number): number => next() % below;
  return {
    seed,
    int,
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
    pick: (from) => from[int(from.length)],
  };
}

/** Runs `body` and names the seed when it throws. */
export function withSeed(body: (random: Random) => void): void {
  const random = makeRandom();
  try {
    body(random);
  } catch (error) {
    throw new Error(`seed ${random.seed}: run again with RSP_SEED=${random.seed}`, { cause: error });
  }
}
