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

  /** The workbench may read a workspace's file before it is connected, and then has no folder until it is loaded again. */
  async ready(): Promise<void> {
    const files = this.page.locator('.explorer-folders-view .monaco-list-row').first();
    const none = this.page.getByText('You have not yet added a folder to the workspace').first();
    for (let loads = 0; loads < 5; loads++) {
      await this.page.locator('.monaco-workbench').waitFor();
      await files.or(none).first().waitFor();
      if (await files.isVisible()) return;
      await this.page.reload();
    }
    await files.waitFor();
  }

  async picture(name: string): Promise<void> {
    this.shots += 1;
    fs.mkdirSync(this.pictures.folder, { recursive: true });
    const file = `${this.pictures.scenario}-${this.shots}-${name}.png`;
    await this.page.screenshot({ path: path.join(this.pictures.folder, file) });
  }

  /** A last picture: of a test that failed, it tells why. */
  async close(): Promise<void> {
    await this.picture('end').catch(() => {});
    await this.page.context().close();
  }

  // --- palette, editor ---

  /** A stop that is being shown takes the focus, and the palette closes: then it is opened again. */
  async command(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input').first();
    const row = this.page.locator(`.quick-input-list .monaco-list-row[aria-label^="${title}"]`).first();
    for (let attempt = 0; attempt < 10; attempt++) {
      await this.page.keyboard.press('F1');
      const ran = await input
        .fill(`>${title}`, { timeout: 5_000 })
        .then(() => row.click({ timeout: 10_000 }))
        .then(
          () => true,
          () => false,
        );
      if (ran) return;
    }
    throw new Error(`the palette does not offer ${title}`);
  }

  /**
   * Chooses an entry of an open quick pick, by the keyboard: rows move under the mouse while the list is being filled. `next`: what the
   * quick pick that follows says.
   */
  async choose(text: string, next?: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    const input = widget.locator('input').first();
    await input.waitFor();
    await input.fill(text);
    await this.page.locator('.quick-input-list .monaco-list-row.focused').filter({ hasText: text }).first().waitFor();
    await this.page.keyboard.press('Enter');
    if (next === undefined) await widget.waitFor({ state: 'hidden' });
    else await widget.locator(`input[placeholder*="${next}"]`).waitFor();
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

  async inEditor(text: string): Promise<void> {
    await visible(this.page.locator('.editor-instance .view-line').filter({ hasText: text })).toBeVisible();
  }

  /** Takes one of the suggestions that are open in the editor. */
  async suggestion(text: string): Promise<void> {
    const list = this.page.locator('.suggest-widget.visible');
    await list.locator('.monaco-list-row').first().waitFor();
    await this.page.keyboard.type(text);
    await list.locator('.monaco-list-row.focused').filter({ hasText: text }).waitFor();
    await this.page.keyboard.press('Enter');
    await list.waitFor({ state: 'hidden' });
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

  /** The context menu of a line's number. */
  async lineMenu(line: number): Promise<void> {
    await this.goToLine(line);
    await this.page.locator('.line-numbers.active-line-number').first().click({ button: 'right' });
    await this.page.locator('.monaco-menu').first().waitFor();
  }

  /** A menu that has just come may let a click pass. */
  async menuItem(title: string): Promise<void> {
    const menu = this.page.locator('.monaco-menu').first();
    const item = menu.locator(`.action-label[aria-label^="${title}"]`).first();
    await item.waitFor();
    for (let tries = 0; tries < 10 && (await menu.isVisible()); tries += 1) {
      await item.click({ timeout: 2000 }).catch(() => undefined);
      await menu.waitFor({ state: 'hidden', timeout: 2000 }).catch(() => undefined);
    }
    await menu.waitFor({ state: 'hidden' });
  }

  /** A key that does nothing while the workbench is not ready for it. */
  async pressUntil(key: string, shown: Locator): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      await this.page.keyboard.press(key);
      const came = await shown
        .first()
        .waitFor({ timeout: 5_000 })
        .then(
          () => true,
          () => false,
        );
      if (came) return;
    }
    throw new Error(`${key} does not show ${String(shown)}`);
  }

  // --- debugging ---

  /** Starts a configuration by its name; `folder`: of several, the one whose launch.json has it. */
  async start(name: string, folder = ''): Promise<void> {
    await this.page.keyboard.press('Control+P');
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(`debug ${name}`);
    const rows = this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: name });
    await rows.filter({ hasText: folder }).first().waitFor();
    await this.picture('start');
    await rows.filter({ hasText: folder }).first().click();
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  toolbar(title: string): Locator {
    return this.page.locator(`.debug-toolbar .action-label[aria-label^="${title}"]`);
  }

  async press(title: string): Promise<void> {
    const button = this.toolbar(title).first();
    await visible(button).not.toHaveClass(/disabled/);
    await button.click();
  }

  /** The line where the program stands, in the editor and in the call stack. */
  async stoppedAt(line: number): Promise<void> {
    const glyphs = '.codicon-debug-stackframe, .codicon-debug-stackframe-focused, .codicon-debug-breakpoint-stackframe-dot';
    await this.page.locator(glyphs).first().waitFor();
    const number = this.page.locator('.debug-call-stack .line-number').filter({ hasText: new RegExp(`^${line}(:\\d+)?$`) });
    await visible(number).toBeVisible();
  }

  async callStack(text: string | RegExp): Promise<void> {
    await visible(this.page.locator('.pane').filter({ has: this.page.locator('.debug-call-stack') })).toContainText(text);
  }

  /** What the call stack's title says of the one thread. */
  async callStackTitle(text: string | RegExp): Promise<void> {
    const pane = this.page.locator('.pane').filter({ has: this.page.locator('.debug-call-stack') });
    await visible(pane.locator('.call-stack-state-message')).toContainText(text);
  }

  private variableRow(pattern: string): Locator {
    return this.page
      .locator('.debug-variables .monaco-list-row')
      .filter({ hasText: new RegExp(`^${pattern}`) })
      .first();
  }

  /** The tree may be drawn anew under the click: what is still folded then is clicked again. */
  async expand(name: string): Promise<void> {
    const row = this.variableRow(name);
    const open = row.and(this.page.locator('[aria-expanded="true"]'));
    for (let clicks = 0; clicks < 10; clicks++) {
      await row.waitFor();
      if (await open.isVisible()) return;
      await row.click();
      await open.waitFor({ timeout: 3_000 }).catch(() => {});
    }
    await visible(row).toHaveAttribute('aria-expanded', 'true');
  }

  async variable(name: string, value: string): Promise<void> {
    await visible(this.variableRow(`${name}\\s*=`)).toContainText(
      new RegExp(`=\\s*${value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`),
    );
  }

  async setVariable(name: string, value: string): Promise<void> {
    const row = this.variableRow(`${name}\\s*=`);
    await row.dblclick();
    const input = this.page.locator('.debug-variables input');
    await input.fill(value);
    await input.press('Enter');
    await this.variable(name, value);
  }

  /** A data breakpoint, by the context menu of a variable. */
  async breakOnChange(name: string): Promise<void> {
    const row = this.variableRow(`${name}\\s*=`);
    await this.collapse('Watch');
    await row.click({ button: 'right' });
    await this.menuItem('Break on Value Change');
    // The last one, out of sight behind the exceptions.
    const rows = this.page.locator('.debug-breakpoints .monaco-list-row');
    await rows.first().click();
    await this.page.keyboard.press('End');
    await rows.filter({ hasText: name }).first().waitFor();
  }

  /** The check box of an exception in the Breakpoints view. */
  async checkException(name: string): Promise<void> {
    const row = this.page.locator('.debug-breakpoints .monaco-list-row').filter({ hasText: name });
    const box = row.locator('[role="checkbox"]');
    await box.click();
    await visible(box).toHaveAttribute('aria-checked', 'true');
  }

  /** Rows out of sight are not there: other panes make room. */
  async collapse(pane: string): Promise<void> {
    const header = this.page.locator(`.pane-header[aria-label^="${pane}"]`).first();
    if ((await header.getAttribute('aria-expanded')) === 'false') return;
    await header.locator('h3.title, .title').first().click();
    await visible(header).toHaveAttribute('aria-expanded', 'false');
  }

  /** In the Debug Console. The editor opens it by itself at the start of a first session, but not of one that ends before it comes to that. */
  async console(text: string): Promise<void> {
    if (!(await this.page.locator('.repl').isVisible())) await this.command('Debug Console: Focus on Debug Console View');
    await visible(this.page.locator('.repl .monaco-list-row').filter({ hasText: text })).toBeVisible();
  }

  async statusBar(text: string): Promise<void> {
    await visible(this.page.locator('.statusbar-item').filter({ hasText: text })).toBeVisible();
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

  /** Of the row's context menu, by the keyboard. */
  async rowMenu(text: string | RegExp, title: string): Promise<void> {
    await this.row(text).click();
    await this.page.keyboard.press('Shift+F10');
    await this.menuItem(title);
  }

  /** A button of the view's title, which is shown while the mouse is there. */
  viewButton(title: string): Locator {
    return this.checkpoints.locator(`.pane-header .action-label[aria-label^="${title}"]`);
  }

  async pressInView(title: string): Promise<void> {
    await this.checkpoints.locator('.pane-header').hover();
    await visible(this.viewButton(title)).not.toHaveClass(/disabled/);
    await this.viewButton(title).click();
  }

  /** What has no button of its own in the view's title. */
  async viewMenu(title: string): Promise<void> {
    await this.pressInView('More Actions');
    await this.menuItem(title);
  }

  /** The context menu of a call or a thread. */
  async callMenu(text: string | RegExp, title: string): Promise<void> {
    await this.page.locator('.debug-call-stack .monaco-list-row').filter({ hasText: text }).first().click({ button: 'right' });
    await this.menuItem(title);
  }

  private async openExplorerMenu(file: string): Promise<void> {
    const name = new RegExp(`^${file}$`);
    await this.page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: name }).click({ button: 'right' });
  }

  async explorerMenu(file: string, title: string): Promise<void> {
    await this.openExplorerMenu(file);
    await this.menuItem(title);
  }

  /** Whether the context menu of a file has it. */
  async explorerOffers(file: string, title: string): Promise<boolean> {
    await this.openExplorerMenu(file);
    const menu = this.page.locator('.monaco-menu').first();
    await menu.locator('.action-label[aria-label^="Delete Permanently"], .action-label[aria-label^="Delete"]').first().waitFor();
    const offers = (await menu.locator(`.action-label[aria-label^="${title}"]`).count()) > 0;
    await this.page.keyboard.press('Escape');
    await menu.waitFor({ state: 'hidden' });
    return offers;
  }

  /** A picture that could not be read has no size. */
  async pictureLoads(image: Locator): Promise<void> {
    await image.first().waitFor();
    await image.first().evaluate((element) => (element as unknown as { decode(): Promise<void> }).decode());
  }

  /** The question in the middle of the window. */
  async dialog(text: string | RegExp, button: string): Promise<void> {
    const dialog = this.page.locator('.monaco-dialog-box');
    await visible(dialog).toContainText(text);
    await dialog.locator('.monaco-button').filter({ hasText: button }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** The row with the keyboard's focus; the tree has the focus itself. */
  async focusedRow(text: string | RegExp): Promise<void> {
    await visible(this.rowWithFocus(text)).toBeVisible();
  }

  private rowWithFocus(text: string | RegExp): Locator {
    return this.checkpoints.locator('.monaco-list:focus .monaco-list-row.focused').filter({ hasText: text });
  }

  /**
   * Into the Checkpoints view, and by `from` and the arrow key to the last of `rows`. A stop that the window has just heard of takes the focus
   * into the editor, and the keys with it: then once more.
   */
  async moveTo(from: 'Home' | 'End', ...rows: readonly string[]): Promise<void> {
    const away = this.page.locator('.monaco-editor.focused, .monaco-workbench:not(:has(.monaco-list:focus))');
    for (let attempt = 1; ; attempt++) {
      await this.command('Savepoint: Show the Checkpoints');
      await visible(this.checkpoints.locator('.monaco-list:focus')).toBeVisible();
      await this.page.keyboard.press(from);
      try {
        for (const [index, row] of rows.entries()) {
          if (from === 'Home' || index > 0) await this.page.keyboard.press(from === 'Home' ? 'ArrowDown' : 'ArrowUp');
          const focused = this.rowWithFocus(row);
          await focused.or(away).first().waitFor();
          if (!(await focused.isVisible())) throw new Error(`the focus is not on "${row}" of the Checkpoints view`);
        }
        return;
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  }

  /** Whether both texts of the diff editor that is open have these lines. */
  async differs(before: string | RegExp, after: string | RegExp): Promise<void> {
    const editor = this.page.locator('.monaco-diff-editor');
    for (const [side, text] of [
      ['original', before],
      ['modified', after],
    ] as const)
      await visible(editor.locator(`.editor.${side} .view-line`).filter({ hasText: text }).first()).toBeVisible();
  }

  /** What the error notifications that are in sight say. */
  async errorsShown(): Promise<string[]> {
    return await this.page
      .locator('.notification-toast')
      .filter({ has: this.page.locator('.codicon-error') })
      .allTextContents();
  }

  async notification(text: string | RegExp): Promise<Locator> {
    const toast = this.page.locator('.notification-toast').filter({ hasText: text }).first();
    await toast.waitFor();
    return toast;
  }

  /** A page that explains, as the editor shows Markdown. */
  async helpPage(text: string): Promise<void> {
    const page = this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
    await page.getByText(text).first().waitFor();
  }

  async stop(): Promise<void> {
    await this.page.keyboard.press('Shift+F5');
    await this.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  }
}
