/** A pseudo terminal (native/shim/pty.c). */

import { kernelError } from '../base/errors';
import { errnoName } from '../abi/errno';
import { bind } from './shim';

const useRaw = bind<(master: number) => number>('int sp_use_pty(int master)');

/**
 * Makes the other side of a pseudo terminal our descriptors 0..2, and with that those of the programs that we start. Bytes are handed on as they
 * are, and nothing is echoed. The master is closed here: who gave it to us has it.
 */
export function usePty(master: number): void {
  const result = useRaw(master);
  if (result < 0) throw kernelError('pty', -result, errnoName(-result));
}
