/**
 * Finds every process that a test started, however far down, by a mark in its environment; for "nothing is left running".
 *
 * A process that is not our child cannot be waited for, so its end is looked for again and again, up to a limit that is an error.
 */

import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { processFields } from './debug-server';

const MARK = 'SAVEPOINT_TEST_MARK';
const LIMIT_MS = 15_000;
const LOOK_AGAIN_MS = 10;

export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

export class MarkedProcesses {
  readonly mark = randomUUID();

  get environment(): Record<string, string> {
    return { [MARK]: this.mark };
  }

  /** Zombies have no environment and are not in it. */
  list(): MarkedProcess[] {
    const entry = `${MARK}=${this.mark}`;
    const found: MarkedProcess[] = [];
    for (const name of fs.readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const environment = read(`/proc/${name}/environ`);
      if (environment?.split('\0').includes(entry) === true) {
        found.push({ pid: Number(name), command: (read(`/proc/${name}/cmdline`) ?? '').replaceAll('\0', ' ').trim() });
      }
    }
    return found;
  }

  /** Waits until one of them has `part` in its command line. */
  async find(part: string): Promise<MarkedProcess> {
    return await this.until(`a process "${part}"`, () => this.list().find(({ command }) => command.includes(part)));
  }

  /** Until the process does not stand in a stop of its tracer's: gdb says "Continuing." before it resumes. */
  async runs(pid: number): Promise<void> {
    await this.until(`running process ${pid}`, () => {
      const state = processFields(pid)?.[0];
      return state !== undefined && state !== 't' ? true : undefined;
    });
  }

  /** Until it does, for its tracer or after a SIGSTOP. */
  async stands(pid: number): Promise<void> {
    await this.until(`standing process ${pid}`, () => (/[tT]/.test(processFields(pid)?.[0] ?? '') ? true : undefined));
  }

  /** Until it has ended, whose parent does not wait for it. */
  async endsUnwaited(pid: number): Promise<void> {
    await this.until(`zombie ${pid}`, () => (processFields(pid)?.[0] === 'Z' ? true : undefined));
  }

  async allEnded(): Promise<void> {
    await this.until('the end of all processes', () => (this.list().length === 0 ? true : undefined));
  }

  /** Until one is left, with `part` in its command line. */
  async allEndedBut(part: string): Promise<void> {
    const isIt = ([one, other]: readonly MarkedProcess[]): boolean => other === undefined && one?.command.includes(part) === true;
    await this.until(`the end of all processes but ${part}`, () => (isIt(this.list()) ? true : undefined));
  }

  /** For afterEach, also of a failed test. */
  killAll(): void {
    for (const { pid } of this.list()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    }
  }

  private async until<T>(what: string, look: () => T | undefined): Promise<T> {
    const end = Date.now() + LIMIT_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`no ${what}; there are: ${JSON.stringify(this.list())}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
}

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
