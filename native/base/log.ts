/**
 * The trace: one time line of everything that crosses a wire (dap, mi, rsp, state transitions, checkpoint stages), kept in a ring
 * always, written to stderr for the topics of SAVEPOINT_TRACE (`SAVEPOINT_TRACE=rsp,state` or `all`).
 */

export type Topic = 'rsp' | 'state' | 'checkpoint' | 'control' | 'mi' | 'dap';

const RING_LENGTH = 2000;

export class Log {
  private readonly ring: string[] = [];
  private next = 0;
  private readonly shown: ReadonlySet<string>;

  constructor(
    topics: string = process.env.SAVEPOINT_TRACE ?? '',
    private readonly write: (line: string) => void = (line) => void process.stderr.write(line),
  ) {
    this.shown = new Set(topics.split(',').filter((topic) => topic !== ''));
  }

  /** Whether a line of this topic goes anywhere but the ring: guards work that is only done for the line. */
  shows(topic: Topic): boolean {
    return this.shown.has(topic) || this.shown.has('all');
  }

  add(topic: Topic, text: string): void {
    const line = `${(performance.now() / 1000).toFixed(6)} ${topic} ${text}\n`;
    this.ring[this.next] = line;
    this.next = (this.next + 1) % RING_LENGTH;
    if (this.shows(topic)) this.write(line);
  }

  /** Oldest first. */
  recent(): string {
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)].join('');
  }
}
