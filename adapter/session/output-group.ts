/**
 * Lines of the debug console that belong together, below a heading that folds them. The console puts everything that follows into a group that is
 * not ended, so whoever fills one across a wait ends it in a `finally`.
 */

import type { Client } from '../dap/connection';

export type OutputCategory = 'console' | 'important' | 'stderr';

export interface GroupLook {
  /** The lines are not seen until somebody opens the group. */
  readonly folded?: boolean;
  readonly category?: OutputCategory;
}

/** The console joins what does not end a line with what comes next. */
export const asLine = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

export class OutputGroup {
  private isOpen = false;

  constructor(
    private readonly client: Client,
    private readonly heading: string,
    private readonly look: GroupLook = {},
  ) {}

  /** The heading comes with the first line: no line, no group. */
  say(text: string): void {
    if (!this.isOpen) {
      this.isOpen = true;
      // Editors that know no groups print the heading as a line.
      this.send(asLine(this.heading), this.look.folded === true ? 'startCollapsed' : 'start');
    }
    this.send(asLine(text));
  }

  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.send('', 'end');
  }

  private send(output: string, group?: 'start' | 'startCollapsed' | 'end'): void {
    this.client.send('output', {
      category: this.look.category ?? 'console',
      output,
      ...(group === undefined ? {} : { group }),
    });
  }
}
