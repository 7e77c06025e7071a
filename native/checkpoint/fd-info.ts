/** /proc/PID/fdinfo/N, parsed (proc_pid_fdinfo(5)). Pure. */

/** One descriptor that an epoll set watches: struct epoll_event. */
export interface Watch {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
}

export interface FdInfo {
  readonly position: bigint;
  /** O_ flags. */
  readonly flags: number;
  /** Of an eventfd. */
  readonly counter: bigint | undefined;
  /** Of an epoll set. */
  readonly watches: readonly Watch[];
}

const WATCH = /^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)\s+data:\s*([0-9a-f]+)/gm;

export function parseFdInfo(text: string): FdInfo {
  const position = /^pos:\s*(\d+)/m.exec(text)?.[1] ?? '0';
  const flags = /^flags:\s*([0-7]+)/m.exec(text)?.[1] ?? '0';
  const counter = /^eventfd-count:\s*([0-9a-f]+)/m.exec(text)?.[1];
  return {
    position: BigInt(position),
    flags: Number.parseInt(flags, 8),
    counter: counter === undefined ? undefined : BigInt(`0x${counter}`),
    watches: [...text.matchAll(WATCH)].map(([, fd, events, data]) => ({
      fd: Number(fd),
      events: Number.parseInt(events!, 16),
      data: BigInt(`0x${data}`),
    })),
  };
}
