/**
 * What a user of the editor waits for, in a real VS Code workbench in Chromium: from the click to what is then seen. Times are the page's own: the
 * click's time stamp, and the first change of the document after which it is seen. The adapter's trace is of another process by
 * the same kernel clock; how the two differ is measured.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Page } from 'playwright-core';
import { Workbench } from '../support/workbench-page';
import { Project, lineIn } from '../support/workbench-project';
import { WorkbenchServer } from '../support/workbench-server';
import { packed } from '../support/workbench-setup';
import { median, mib, ms } from './lines';
import type { Row, Scope, Settings } from './scope';

/** Holds so many MiB, and writes 1 % of the pages between its two lines. */
const ROUNDS = `#include <stdlib.h>
#include <string.h>

static void rewrite(unsigned char *area, size_t pages, int round) {
  for (size_t i = 0; i < pages / 100; i++) area[(i * 100 + (size_t)round % 100) * 4096]++;
}

int main(int count, char **words) {
  size_t pages = (size_t)atoi(words[count - 1]) * 256;
  unsigned char *area = malloc(pages * 4096 + 1);
  for (size_t i = 0; i < pages * 4096; i += 8) memcpy(area + i, &i, 8);
  for (int round = 0;; round++) {
    area[0]++; // here
    rewrite(area, pages, round);
    area[0]++; // there
  }
}
`;

const [HERE, THERE] = [lineIn(ROUNDS, 'here'), lineIn(ROUNDS, 'there')];

/** Between what is measured: the editor is still at work on the stop before, and nobody clicks so fast. */
const PACE_MS = 700;

interface Measured {
  /** Milliseconds of the page's clock. */
  readonly clickedAt: number;
  readonly seenAt: number;
}

/** In the page: what is looked for, and when it was seen after the last click. */
interface Watch {
  start(what: { readonly row?: number; readonly line?: number }): void;
  readonly result: Promise<Measured>;
}

/** The part of the browser that is used here; the project is not compiled with its types. */
interface PageElement {
  readonly style: { readonly top: string };
  readonly parentElement: PageElement | null;
  readonly textContent: string | null;
  querySelector(selector: string): PageElement | null;
}
declare const document: PageElement & {
  readonly body: PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
  addEventListener(name: string, act: (event: { readonly timeStamp: number }) => void, options: object): void;
};
declare class MutationObserver {
  constructor(act: () => void);
  observe(target: PageElement, what: object): void;
  disconnect(): void;
}

/** Runs in the page: it knows nothing of this file. */
function installWatch(): void {
  const watch: { result?: Promise<Measured>; start?: Watch['start'] } = {};
  const hasRow = (id: number): boolean => document.querySelector(`.monaco-list-row[aria-label^="Checkpoint ${id},"]`) !== null;
  const lineShown = (): number => {
    const mark = document.querySelector('.view-overlays .debug-top-stack-frame-line')?.parentElement;
    const top = mark?.style.top;
    const margin = [...document.querySelectorAll('.margin-view-overlays > div')];
    const line = top === undefined ? undefined : margin.find(({ style }) => style.top === top);
    return Number(line?.querySelector('.line-numbers')?.textContent ?? 0);
  };
  watch.start = ({ row, line }) => {
    const isSeen = (): boolean => (row !== undefined && hasRow(row)) || (line !== undefined && lineShown() === line);
    if (isSeen()) throw new Error('it is seen already');
    watch.result = new Promise((resolve) => {
      let clickedAt: number | undefined;
      document.addEventListener('pointerdown', (event) => (clickedAt = event.timeStamp), { capture: true, once: true });
      const observer = new MutationObserver(() => {
        if (clickedAt === undefined || !isSeen()) return;
        observer.disconnect();
        resolve({ clickedAt, seenAt: performance.now() });
      });
      observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    });
  };
  (globalThis as unknown as { watch: typeof watch }).watch = watch;
}

const startWatch = (page: Page, what: { row?: number; line?: number }): Promise<void> =>
  page.evaluate((wanted) => (globalThis as unknown as { watch: Watch }).watch.start(wanted), what);

const whenSeen = (page: Page): Promise<Measured> => page.evaluate(() => (globalThis as unknown as { watch: Watch }).watch.result);

/** What to add to the page's milliseconds to have those of the kernel's monotonic clock; within half of the quickest answer. */
async function clockOffset(page: Page): Promise<number> {
  const now = (): number => Number(process.hrtime.bigint()) / 1e6;
  let best = { took: Infinity, offset: 0 };
  for (let i = 0; i < 50; i++) {
    const before = now();
    const there = await page.evaluate(() => performance.now());
    const after = now();
    if (after - before < best.took) best = { took: after - before, offset: (before + after) / 2 - there };
  }
  return best.offset;
}

interface TraceLine {
  readonly at: number;
  readonly text: string;
}

function readTrace(file: string): TraceLine[] {
  return [...fs.readFileSync(file, 'utf8').matchAll(/^(\d+\.\d+) dap (.*)$/gm)].map(([, seconds, text]) => ({
    at: Number(seconds) * 1000,
    text: text!,
  }));
}

/** The parts of what follows a click, in milliseconds. */
interface Parts {
  /** To the request at the adapter. */
  readonly asked: number;
  /** From there to its event. */
  readonly done: number;
  /** From there to what is seen. */
  readonly shown: number;
  readonly all: number;
}

const TAKE = { request: /^> \d+ checkpoint\/take/, event: /^< checkpoint\/changed .*"taken"/ };
const RESTORE = { request: /^> \d+ checkpoint\/restore/, event: /^< stopped / };

function partsOf({ clickedAt, seenAt }: Measured, offset: number, trace: readonly TraceLine[], what: typeof TAKE): Parts {
  const find = (pattern: RegExp): number => {
    const line = trace.filter(({ at, text }) => at <= seenAt + offset && pattern.test(text)).at(-1);
    if (line === undefined) throw new Error(`the adapter's trace has no ${pattern}`);
    return line.at - offset;
  };
  const [request, event] = [find(what.request), find(what.event)];
  return { asked: request - clickedAt, done: event - request, shown: seenAt - event, all: seenAt - clickedAt };
}

class Bench {
  private constructor(
    readonly workbench: Workbench,
    private readonly trace: string,
    private readonly offset: number,
  ) {}

  static async open(scope: Scope): Promise<{ bench: Bench; vsix: string }> {
    const server = new WorkbenchServer();
    scope.atEnd(() => server.close());
    const vsix = packed(server.directory);
    const trace = path.join(server.directory, 'trace');
    await server.start({ vsix, env: { SAVEPOINT_TRACE: 'dap', SAVEPOINT_TRACE_FILE: trace } });
    const project = new Project(path.join(server.directory, 'rounds'));
    const program = project.program('rounds.c', ROUNDS);
    const configuration = { program, automaticCheckpoints: false };
    project.launch({ ...configuration, name: 'small', args: ['1'] }, { ...configuration, name: 'large', args: ['1024'] });
    const page = await server.openWindow(`folder=${encodeURIComponent(project.folder)}`);
    const workbench = new Workbench(page, { folder: scope.folder, scenario: 'bench' });
    await workbench.ready();
    await page.evaluate(installWatch);
    await workbench.open('rounds.c');
    for (const line of [HERE, THERE]) await workbench.breakAt(line);
    return { bench: new Bench(workbench, trace, await clockOffset(page)), vsix };
  }

  async start(name: string): Promise<void> {
    await this.workbench.start(name);
    await this.workbench.stoppedAt(HERE);
    await this.workbench.toolbar('Checkpoint Here').waitFor();
    for (const pane of ['Watch', 'Breakpoints', 'Variables']) await this.workbench.collapse(pane);
  }

  /** Checkpoint Here, at one stop, until the one with the number `last` is there. */
  async takes(first: number, last: number): Promise<Parts[]> {
    const { page } = this.workbench;
    const parts: Parts[] = [];
    for (let id = first; id <= last; id++) {
      // As a user would: VS Code draws a tree that was drawn a moment ago 200 ms later.
      await page.waitForTimeout(PACE_MS);
      const button = this.workbench.toolbar('Checkpoint Here').and(page.locator(':not(.disabled)'));
      await button.waitFor();
      await startWatch(page, { row: id });
      await button.click();
      parts.push(partsOf(await whenSeen(page), this.offset, readTrace(this.trace), TAKE));
    }
    return parts;
  }

  /** To `there` and back to the first checkpoint, by its row. Each keeps the present first, as another checkpoint. */
  async restores(count: number): Promise<Parts[]> {
    const { page } = this.workbench;
    const row = this.workbench.checkpoints.locator('.monaco-list-row[aria-label^="Checkpoint 1,"]');
    const action = row.locator('.action-label[aria-label^="Restore to Snapshot"]');
    const parts: Parts[] = [];
    for (let i = 0; i < count; i++) {
      await this.workbench.press('Continue');
      await this.workbench.stoppedAt(THERE);
      await row.hover();
      await action.waitFor();
      await page.waitForTimeout(PACE_MS);
      await startWatch(page, { line: HERE });
      await action.click();
      const measured = await whenSeen(page);
      await this.workbench.stoppedAt(HERE);
      parts.push(partsOf(measured, this.offset, readTrace(this.trace), RESTORE));
    }
    return parts;
  }

  /** What the editor says itself that starting the extension took (Developer: Show Running Extensions). */
  async activation(): Promise<number> {
    const { page } = this.workbench;
    await this.workbench.command('Developer: Show Running Extensions');
    const row = page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'Savepoint' });
    const time = row.locator('.activation-time');
    await time.waitFor();
    const text = (await time.textContent()) ?? '';
    const milliseconds = /(\d+)\s*ms/.exec(text)?.[1];
    if (milliseconds === undefined) throw new Error(`no activation time in "${text}"`);
    return Number(milliseconds);
  }

  /** Step Over between the two lines: what the editor itself takes to show a stop. */
  async steps(count: number): Promise<number[]> {
    const { page } = this.workbench;
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      await this.workbench.stoppedAt(HERE);
      await page.waitForTimeout(PACE_MS);
      await startWatch(page, { line: HERE + 1 });
      await this.workbench.press('Step Over');
      const { clickedAt, seenAt } = await whenSeen(page);
      times.push(seenAt - clickedAt);
      await this.workbench.press('Step Back');
    }
    await this.workbench.stoppedAt(HERE);
    return times;
  }
}

function reportParts(scope: Scope, row: string, allowed: number, parts: readonly Parts[]): void {
  const part = (name: keyof Parts): string => median(parts.map((one) => one[name])).toFixed(0);
  scope.report({
    row: `workbench: ${row}`,
    ours: ms(median(parts.map(({ all }) => all))),
    other: { ...ms(allowed), name: 'allowed' },
    bar: { atMost: 1 },
    note: `${part('asked')} ms to the request, ${part('done')} to its event, ${part('shown')} to what is seen; medians of ${parts.length}`,
  });
}

async function clicks(bench: Bench, scope: Scope, { quick }: Settings, name: 'small' | 'large'): Promise<void> {
  const rounds = quick ? 3 : 12;
  const what = name === 'small' ? 'a small program' : '1 GiB, 1 % written';
  await bench.start(name);
  // It saves all memory, once.
  await bench.takes(1, 1);
  const steps = await bench.steps(rounds);
  scope.report({ row: `workbench: click on Step Over to the line in the editor, ${what}`, ours: ms(median(steps)) });
  reportParts(scope, `click on Restore to the line in the editor, ${what}`, 150, await bench.restores(rounds));
  const first = rounds + 2;
  reportParts(scope, `click on Checkpoint Here to its row, ${what}`, 100, await bench.takes(first, first + rounds - 1));
  await bench.workbench.stop();
}

async function small(scope: Scope, settings: Settings): Promise<void> {
  const { bench, vsix } = await Bench.open(scope);
  await clicks(bench, scope, settings, 'small');
  scope.report({ row: 'workbench: activation of the extension', ours: ms(await bench.activation()) });
  scope.report({ row: 'workbench: size of the VSIX', ours: mib(fs.statSync(vsix).size / 2 ** 20) });
}

async function large(scope: Scope, settings: Settings): Promise<void> {
  const { bench } = await Bench.open(scope);
  await clicks(bench, scope, settings, 'large');
}

export const workbenchRows: readonly Row[] = [
  { name: 'workbench: small', run: small },
  { name: 'workbench: 1 GiB', run: large },
];
