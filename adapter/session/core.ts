/** What every concern of a session shares: the client, gdb, the program's state, the handles, and the client's conventions. */

import { pathToFileURL, fileURLToPath } from 'node:url';
import { userError } from '../../native/base/errors';
import type { Log } from '../../native/base/log';
import type { Client } from '../dap/connection';
import type { GdbClient } from '../gdb/client';
import type { Where } from '../gdb/commands-data';
import { Handles } from './handles';
import { type GroupLook, type OutputCategory, OutputGroup, asLine } from './output-group';
import type { Program } from './program';
import { Progress } from './progress';

/** What `initialize` said. */
export interface Conventions {
  readonly lineBase: 0 | 1;
  readonly columnBase: 0 | 1;
  readonly uris: boolean;
  readonly runInTerminal: boolean;
  readonly memoryEvent: boolean;
  readonly invalidatedEvent: boolean;
  readonly progress: boolean;
}

export class Core {
  conventions: Conventions = {
    lineBase: 1,
    columnBase: 1,
    uris: false,
    runInTerminal: false,
    memoryEvent: false,
    invalidatedEvent: false,
    progress: false,
  };
  readonly frames = new Handles<Where>('frame');
  private found: GdbClient | undefined;

  constructor(
    readonly client: Client,
    readonly log: Log,
    readonly makeProgram: (core: Core) => Program,
  ) {
    this.program = makeProgram(this);
    this.progress = new Progress(client, () => this.conventions.progress);
  }

  readonly program: Program;
  readonly progress: Progress;

  get gdb(): GdbClient {
    if (this.found === undefined) throw userError('not-started', 'nothing is being debugged yet: launch or attach first');
    return this.found;
  }

  get hasGdb(): boolean {
    return this.found !== undefined;
  }

  startedGdb(gdb: GdbClient): void {
    this.found = gdb;
  }

  // --- lines and paths as the client counts and writes them ---

  toGdbLine(line: number): number {
    return line - this.conventions.lineBase + 1;
  }

  toClientLine(line: number): number {
    return line - 1 + this.conventions.lineBase;
  }

  toGdbPath(path: string): string {
    return this.conventions.uris && path.startsWith('file:') ? fileURLToPath(path) : path;
  }

  toClientPath(path: string): string {
    return this.conventions.uris ? pathToFileURL(path).href : path;
  }

  /** A line in the debug console. */
  tell(text: string, category: OutputCategory = 'console'): void {
    this.client.send('output', { category, output: asLine(text) });
  }

  /** A heading and the lines below it; without lines, the heading alone. */
  tellList(heading: string, lines: readonly string[], look: GroupLook = {}): void {
    if (lines.length === 0) return this.tell(heading, look.category);
    const group = new OutputGroup(this.client, heading, look);
    for (const line of lines) group.say(line);
    group.end();
  }
}
