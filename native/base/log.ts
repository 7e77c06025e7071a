/**
 * The trace: one time line of everything that crosses a wire (dap, mi, rsp, control, ptrace, state transitions, checkpoint stages), kept in a
 * ring always (but for ptrace, whose lines are made on request only), written for the topics of SAVEPOINT_TRACE (`SAVEPOINT_TRACE=rsp,state` or
 * `all`) to standard error, or to the end of the file that SAVEPOINT_TRACE_FILE names: the processes of a session write into one file, and their
 * times are of one clock.
 */

import * as fs from 'node:fs';

export type Topic = 'rsp' | 'state' | 'checkpoint' | 'control' | 'mi' | 'dap' | 'ptrace';

const RING_LENGTH = 2000;

export class Log {
  private readonly ring: string[] = [];
  private next = 0;
  private readonly shown: ReadonlySet<string>;

  constructor(
    topics: string = process.env.SAVEPOINT_TRACE ?? '',
    private readonly write: (line: string) => void = writerOf(process.env.SAVEPOINT_TRACE_FILE),
  ) {
    this.shown = new Set(topics.split(',').filter((topic) => topic !== ''));
  }

  /** Whether a line of this topic goes anywhere but the ring: guards work that is only done for the line. */
  shows(topic: Topic): boolean {
    return this.shown.has(topic) || this.shown.has('all');
  }

  add(topic: Topic, text: string): void {
    // CLOCK_MONOTONIC, which all processes share.
    const [seconds, nanoseconds] = process.hrtime();
    const line = `${seconds}.${String(Math.floor(nanoseconds / 1000)).padStart(6, '0')} ${topic} ${text}\n`;
    this.ring[this.next] = line;
    this.next = (this.next + 1) % RING_LENGTH;
    if (this.shows(topic)) this.write(line);
  }

  /** Oldest first. */
  recent(): string {
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)].join('');
  }
}

/**
 * A file is opened when there is something to write. What a program says may be in it: only its user may read it. Standard error is written as a
 * descriptor: `process.stderr` would make it non-blocking for everybody who shares it, the program and gdb among them.
 */
function writerOf(file: string | undefined): (line: string) => void {
  let fd: number | undefined = file === undefined || file === '' ? 2 : undefined;
  return (line) => {
    try {
      fd ??= fs.openSync(file as string, 'a', 0o600);
      fs.writeSync(fd, line);
    } catch {
      // A trace that cannot be written is no reason to end what is traced.
    }
  };
}
