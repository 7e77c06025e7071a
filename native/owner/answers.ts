/** Which system calls change what a process has answered about itself (ProcessAnswers), whoever makes them: the program, or we inside it. */

import { SYS } from '../abi/syscalls-x86-64';

/** With the argument that is zero when the call only asks. */
const CHANGERS: ReadonlyMap<number, number | undefined> = new Map([
  [SYS.rt_sigaction, 1],
  [SYS.brk, 0],
  [SYS.setitimer, undefined],
  [SYS.alarm, undefined],
]);

export function changesAnswers(nr: number, argument: (index: number) => bigint): boolean {
  if (!CHANGERS.has(nr)) return false;
  const asks = CHANGERS.get(nr);
  return asks === undefined || argument(asks) !== 0n;
}
