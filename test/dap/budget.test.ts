/** The budget of automatic checkpoints over many stops of a real program: how many and how much memory, which go, and which stay. */

import type { CheckpointRecord } from '../../native/control/schema';
import { fixture, root } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';
import { lineOf } from '../support/source-lines';

const STOPS = 60;
/** However long one takes on a busy machine. */
const always = { timeShare: 1e9 };

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

interface Listed {
  /** Numbers of the stops that have one. */
  readonly stops: readonly number[];
  readonly bytes: number;
  readonly named: readonly string[];
}

async function list(run: DapRun): Promise<Listed> {
  const { checkpoints } = (await run.ask('checkpoint/list')) as { checkpoints: CheckpointRecord[] };
  const automatic = checkpoints.filter(({ label }) => /^stop \d+$/.test(label));
  return {
    stops: automatic.map(({ label }) => Number(label.slice(5))),
    bytes: automatic.reduce((sum, { ownBytes }) => sum + ownBytes, 0),
    named: checkpoints.filter((one) => !automatic.includes(one)).map(({ label }) => label),
  };
}

const gaps = (stops: readonly number[]): number[] => stops.slice(1).map((stop, i) => stop - stops[i]!);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Old ones are sparser than new ones, and the oldest are still there. */
function expectThinnedByAge(stops: readonly number[], now: number): void {
  const between = gaps(stops);
  const half = Math.floor(between.length / 2);
  expect(mean(between.slice(0, half))).toBeGreaterThan(mean(between.slice(half)));
  expect(stops[0]).toBeLessThanOrEqual(now / 2);
  expect(stops.at(-1)).toBe(now);
}

it.each([5, 40])('%d are kept at most, old ones sparser than new ones; named ones stay', async (most) => {
  const source = `${root}/test/fixtures/dap-walk.c`;
  const run = await place.launched({ program: fixture('dap-walk'), automaticCheckpoints: { ...always, most } }, (one) =>
    one.breakAt(source, [lineOf(source, 'top')]),
  );
  const { threadId } = await run.stopped('breakpoint');
  const named: string[] = ['entry'];
  for (let stop = 1; stop <= STOPS; stop++) {
    if (stop > 1) {
      await run.ask('next', { threadId });
      await run.stopped();
    }
    const listed = await list(run);
    expect(listed.stops.length).toBeLessThanOrEqual(most);
    expect(listed.stops.at(-1)).toBe(stop);
    expect(listed.named).toEqual(named);
    if (stop % 20 === 0) {
      const label = `of stop ${stop}`;
      await run.ask('checkpoint/take', { label });
      named.push(label);
    }
  }
  const { stops } = await list(run);
  expectThinnedByAge(stops, STOPS);
  if (most > 20) expect(stops.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => STOPS - 19 + i));
  await place.finish(run);
});

it('no more memory is kept than the limit says, though each stop has written a megabyte', async () => {
  const source = `${root}/test/fixtures/dap-big.c`;
  const megabytes = 12;
  const run = await place.launched(
    { program: fixture('dap-big'), args: ['8', '1', 'wait'], automaticCheckpoints: { ...always, megabytes } },
    (one) => one.breakAt(source, [{ line: lineOf(source, 'written'), hitCondition: '% 256' }]),
  );
  const { threadId } = await run.stopped('breakpoint');
  await run.ask('checkpoint/take', { label: 'named' });
  let largest = 0;
  for (let stop = 2; stop <= STOPS; stop++) {
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    const { bytes, named } = await list(run);
    expect(bytes).toBeLessThanOrEqual(megabytes << 20);
    expect(named).toEqual(['entry', 'named']);
    largest = Math.max(largest, bytes);
  }
  const { stops } = await list(run);
  // It is used, too.
  expect(largest).toBeGreaterThan((megabytes - 2) << 20);
  expect(stops.length).toBeGreaterThan(megabytes / 2);
  await place.finish(run);
});
