/** A user at the workbench: what is clicked and typed, and what is then seen. Every wait is for something that appears. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Locator, type Page, expect as visible } from './playwright-expect';

export class Workbench {
  private shots = 0;

  constructor(
    readonly page: Page,
    /** Where pictures go, with their names' beginning. */
    private readonly pictures: { readonly folder: string; readonly scenario: string },
  ) {}

  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor();
    await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
  }

  async picture(name: string): Promise<void> {
    this.shots += 1;
    fs.mkdirSync(this.pictures.folder, { recursive: true });
    const file = `${this.pictures.scenario}-${this.shots}-${name}.png`;
    await this.page.screenshot({ path: path.join(this.pictures.folder, file) });
  }

  // --- palette, editor ---

  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(`>${title}`);
    const row = this.page.locator(`.quick-input-list .monaco-list-row[aria-label^="${title}"]`).first();
    await row.click();
  }

  /** Chooses an entry of an open quick pick. */
  async choose(text: string | RegExp): Promise<void> {
    const row = this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: text }).first();
    await row.click();
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  async type(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  async open(file: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(file);
    await this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: file }).first().click();
    await this.page.locator(`.editor-instance[aria-label*="${file}"], .tab[aria-label*="${file}"]`).first().waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
  }

  async goToLine(line: number): Promise<void> {
    await this.page.keyboard.press('Control+G');
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(`:${line}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await visible(
      this.page.locator('.line-numbers.active-line-number').filter({ hasText: new RegExp(`^${line}$`) }),
    ).toBeVisible();
  }

  async breakAt(line: number): Promise<void> {
    const glyphs = this.page.locator(
      '.codicon-debug-breakpoint, .codicon-debug-breakpoint-unverified, .codicon-debug-breakpoint-disabled',
    );
    await this.goToLine(line);
    const before = await glyphs.count();
    // Pressed too early, before the debug part of the workbench is there, the key does nothing.
    for (let attempt = 0; attempt < 10; attempt++) {
      await this.page.keyboard.press('F9');
      const set = await glyphs
        .nth(before)
        .waitFor({ timeout: 3000 })
        .then(
          () => true,
          () => false,
        );
      if (set) return;
    }
    throw new Error(`no breakpoint in line ${line}`);
  }

  // --- debugging ---

  toolbar(title: string): Locator {
    return this.page.locator(`.debug-toolbar .action-label[aria-label^="${title}"]`);
  }

  async press(title: string): Promise<void> {
    const button = this.toolbar(title).first();
    await visible(button).not.toHaveClass(/disabled/);
    await button.click();
  }

  /** The line that is shown as the one where the program stands. */
  async stoppedAt(line: number): Promise<void> {
    const glyph = this.page
      .locator('.codicon-debug-stackframe, .codicon-debug-stackframe-focused, .codicon-debug-breakpoint-stackframe-dot')
      .first();
    await glyph.waitFor();
    await visible(
      this.page
        .locator('.debug-call-stack .monaco-list-row.selected, .debug-call-stack .monaco-list-row')
        .filter({ hasText: `:${line}` })
        .or(this.page.locator('.debug-call-stack .line-number').filter({ hasText: new RegExp(`^${line}(:\\d+)?$`) }))
        .first(),
    ).toBeVisible();
  }

  async variable(name: string, value: string): Promise<void> {
    const row = this.page
      .locator('.debug-variables .monaco-list-row')
      .filter({ hasText: new RegExp(`^${name}\\s*=`) })
      .first();
    await visible(row).toContainText(new RegExp(`=\\s*${value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));
  }

  async setVariable(name: string, value: string): Promise<void> {
    const row = this.page
      .locator('.debug-variables .monaco-list-row')
      .filter({ hasText: new RegExp(`^${name}\\s*=`) })
      .first();
    await row.dblclick();
    const input = this.page.locator('.debug-variables input');
    await input.fill(value);
    await input.press('Enter');
    await this.variable(name, value);
  }

  get checkpoints(): Locator {
    return this.page.locator('.pane').filter({ has: this.page.locator('.pane-header[aria-label^="Checkpoints"]') });
  }

  row(text: string | RegExp): Locator {
    return this.checkpoints.locator('.monaco-list-row').filter({ hasText: text }).first();
  }

  async rowAction(text: string | RegExp, title: string): Promise<void> {
    const row = this.row(text);
    await row.hover();
    await row.locator(`.action-label[aria-label^="${title}"]`).click();
  }

  async notification(text: string | RegExp): Promise<Locator> {
    const toast = this.page.locator('.notification-toast').filter({ hasText: text }).first();
    await toast.waitFor();
    return toast;
  }

  async stop(): Promise<void> {
    await this.page.keyboard.press('Shift+F5');
    await this.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  }
}
