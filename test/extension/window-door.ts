/** Lets what runs in the extension host look at its own window, through a socket. */

import * as http from 'node:http';
import type { Page } from 'playwright-core';

export interface Shown {
  /** Titles that the palette offers, without their category; in any order. */
  readonly palette?: readonly string[];
  /** Our buttons of the debug toolbar, and whether each can be pressed. */
  readonly toolbar?: Readonly<Record<string, boolean>>;
  /** Our status bar item; empty: there is none. */
  readonly statusBar?: string;
  /** Whether there is a Checkpoints view. */
  readonly view?: boolean;
}

/** The window follows the extension host by a few messages; never by so much. */
const LIMIT_MS = 15_000;
/** The palette opens at once, or was closed again. */
const OPEN_MS = 3_000;

export class WindowDoor {
  private readonly server = http.createServer((request, response) => void this.serve(request, response));

  constructor(
    private readonly page: () => Page,
    /** What is ours in the palette, the toolbar and the status bar. */
    private readonly ours: { readonly category: string; readonly titles: readonly string[] },
  ) {}

  async listen(socket: string): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(socket, resolve));
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let text = '';
    for await (const part of request) text += String(part);
    try {
      await this.untilShown(JSON.parse(text) as Shown);
      response.end();
    } catch (error) {
      response.statusCode = 500;
      response.end(error instanceof Error ? error.message : String(error));
    }
  }

  private async untilShown(expected: Shown): Promise<void> {
    const end = Date.now() + LIMIT_MS;
    const wanted = canonical(expected);
    for (;;) {
      const seen = canonical(await this.look(expected));
      if (seen === wanted) return;
      if (Date.now() > end) throw new Error(`the window shows\n  ${seen}\nand not\n  ${wanted}`);
    }
  }

  private async look(wanted: Shown): Promise<Shown> {
    return {
      ...(wanted.palette === undefined ? {} : { palette: (await this.palette()) ?? ['(it closed)'] }),
      ...(wanted.toolbar === undefined ? {} : { toolbar: await this.toolbar() }),
      ...(wanted.statusBar === undefined ? {} : { statusBar: await this.statusBar() }),
      ...(wanted.view === undefined ? {} : { view: await this.hasView() }),
    };
  }

  /**
   * undefined: it closed before it was read. The window follows the extension host, and a stop that it has just heard of takes the focus,
   * which closes the palette; the next look opens it again.
   */
  private async palette(): Promise<readonly string[] | undefined> {
    const page = this.page();
    const start = `${this.ours.category}: `;
    const rows = page.locator('.quick-input-list .monaco-list-row');
    await page.keyboard.press('F1');
    try {
      await page.locator('.quick-input-widget input').first().fill(`>${start}`, { timeout: OPEN_MS });
      // The list is never empty: other commands are similar, or it says that there is none.
      await rows.first().waitFor({ timeout: OPEN_MS });
    } catch {
      return undefined;
    }
    const labels = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('aria-label') ?? ''));
    await page.keyboard.press('Escape');
    await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    return this.ours.titles.filter((title) =>
      labels.some((label) => label.startsWith(start) && isCalled(label.slice(start.length), title)),
    );
  }

  private async toolbar(): Promise<Record<string, boolean>> {
    const labels = this.page().locator('.debug-toolbar:not([style*="display: none"]) .action-label');
    const buttons = await labels.evaluateAll((all) =>
      all.map((one) => ({ label: one.getAttribute('aria-label') ?? '', on: !one.classList.contains('disabled') })),
    );
    const found = this.ours.titles.flatMap((title) => {
      const button = buttons.find(({ label }) => isCalled(label, title));
      return button === undefined ? [] : [[title, button.on] as const];
    });
    return Object.fromEntries(found);
  }

  private async statusBar(): Promise<string> {
    const texts = await this.page().locator('.statusbar-item[id*="savepoint"]:visible').allInnerTexts();
    return texts.map((text) => text.trim()).join();
  }

  private async hasView(): Promise<boolean> {
    return (await this.page().locator('.pane-header[aria-label^="Checkpoints"]').count()) > 0;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A label goes on with the keys that are bound, and the palette's with a group. */
function isCalled(label: string, title: string): boolean {
  return label === title || label.startsWith(`${title} (`) || label.startsWith(`${title},`);
}

function canonical({ palette, ...rest }: Shown): string {
  return JSON.stringify({ ...(palette === undefined ? {} : { palette: [...palette].sort() }), ...rest });
}
