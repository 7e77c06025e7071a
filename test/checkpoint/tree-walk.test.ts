/**
 * Random walks over the tree of checkpoints: run a while, take, restore any, drop any. After each restore the test compares for itself,
 * through /proc, everything that should be as it was: memory, mapping table, registers, threads.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeFolder } from '../support/debug-server';
import { Debuggee, ORDINARY_UID, withProgram } from '../support/owner-process';
import { type Random, scaled, withSeed } from '../support/random';
import { differences, observe, type Witness } from '../support/witness';

const FILE_PAGES = 32;
const FILE_MARK = 0xf11e000000000000n;
const PAGE = 4096;
const MOST_CHECKPOINTS = 12;
const STEPS = 250;
/** Restores in all at scale 1, over all walks of both users. */
const RESTORES_WANTED = 2000;

let restores = 0;
let folder: ReturnType<typeof makeFolder>;

beforeAll(() => {
  folder = makeFolder();
  const file = Buffer.alloc(FILE_PAGES * PAGE);
  for (let page = 0; page < FILE_PAGES; page += 1) file.writeBigUInt64LE(FILE_MARK + BigInt(page), page * PAGE);
  fs.writeFileSync(path.join(folder.path, 'file'), file);
});

afterAll(() => folder.remove());

class Walk {
  private readonly taken = new Map<number, Witness>();
  private readonly log: string[] = [];

  constructor(
    private readonly program: Debuggee,
    private readonly random: Random,
  ) {}

  async go(steps: number): Promise<void> {
    // The place of the rseq areas, which the kernel writes to, is known from main() on.
    await this.program.resume('step_done');
    for (let step = 0; step < steps; step += 1) await this.step();
    await this.program.writeInt('finish', 1);
    const { stop, output } = await this.program.finish();
    this.expectNone([...(output === 'verdict: right \n' ? [] : [output]), ...(stop.text.startsWith('W00') ? [] : [stop.text])]);
  }

  private async step(): Promise<void> {
    const { random } = this;
    const choice = random.next();
    if (this.taken.size === 0 || choice < 0.15) await this.take();
    else if (choice < 0.7) await this.restoreAny();
    else if (choice < 0.75) await this.dropAny();
    else await this.run();
  }

  private async run(): Promise<void> {
    const { random, program } = this;
    // Not longer than it takes to change a lot: most of the time is better spent on restores.
    const stop = random.chance(0.3) ? await this.runToBreakpoints(1 + random.below(3)) : await program.runFor(random.below(6));
    this.log.push(`run ${stop.text.slice(0, 3)}`);
    if (stop.kind !== 'stopped') throw new Error(`the program ended: ${stop.text}${this.story()}`);
  }

  private async runToBreakpoints(times: number): ReturnType<Debuggee['resume']> {
    let stop = await this.program.resume('step_done');
    for (let left = times - 1; left > 0 && stop.kind === 'stopped'; left -= 1) stop = await this.program.resume('step_done');
    return stop;
  }

  private async take(): Promise<void> {
    if (this.taken.size >= MOST_CHECKPOINTS) await this.dropAny();
    const checkpoint = await this.program.take();
    this.log.push(`take ${checkpoint}`);
    this.taken.set(checkpoint, await observe(this.program));
  }

  private async restoreAny(): Promise<void> {
    const checkpoint = this.random.pick([...this.taken.keys()]);
    this.log.push(`restore ${checkpoint}`);
    await this.program.restore(checkpoint);
    restores += 1;
    this.expectNone(differences(this.taken.get(checkpoint)!, await observe(this.program)));
    if (this.random.chance(0.8)) await this.run();
  }

  private async dropAny(): Promise<void> {
    if (this.taken.size === 0) return;
    const checkpoint = this.random.pick([...this.taken.keys()]);
    this.log.push(`drop ${checkpoint}`);
    this.taken.delete(checkpoint);
    await this.program.drop(checkpoint);
  }

  private expectNone(found: readonly string[]): void {
    if (found.length > 0) throw new Error(`${found.slice(0, 10).join('\n')}${this.story()}`);
  }

  private story(): string {
    return `\nthe walk so far (${this.log.length}), last: ${this.log.slice(-30).join(', ')}`;
  }
}

const isRoot = process.getuid!() === 0;
// Without root there is no other user to become: all walks are an ordinary user's then.
const users = isRoot
  ? [
      { user: 'root', uid: undefined },
      { user: 'an ordinary user', uid: ORDINARY_UID },
    ]
  : [{ user: 'an ordinary user', uid: undefined }];
const tiers = ['write-protect', 'compare'];
const threadCounts = [1, 3, 8, 16];

const walks = users.flatMap(({ user, uid }) =>
  tiers.flatMap((tier) => threadCounts.map((threads) => ({ user, uid, tier, threads }))),
);

describe('a random walk over the tree of checkpoints', () => {
  for (const [index, { user, uid, tier, threads }] of walks.entries()) {
    test(
      `comes out the same every time (${threads} threads, ${tier}, ${user})`,
      () =>
        withSeed(index, async (random) => {
          const args = [String(1 + random.below(1_000_000)), String(threads), path.join(folder.path, 'file')];
          const env = { SAVEPOINT_FORCE_TIER: tier };
          await withProgram({ program: 'tree-walk', args, env, ...(uid === undefined ? {} : { uid }) }, async (program) => {
            await new Walk(program, random).go(scaled(STEPS));
          });
        }),
      120_000 * Math.max(1, scaled(1)),
    );
  }

  test('has restored often enough to be a proof', () => {
    expect(restores).toBeGreaterThanOrEqual(scaled((RESTORES_WANTED * users.length) / 2));
  });
});
