/** Data breakpoints on an address and a number of bytes, as a memory view asks for them. Pure. */

import type { DebugProtocol } from '@vscode/debugprotocol';

/** What gdb watches as one value. */
const WHOLE: Readonly<Record<number, string>> = {
  1: 'unsigned char *',
  2: 'unsigned short *',
  4: 'unsigned int *',
  8: 'unsigned long *',
};
/** More would be compared after every step for no good reason. */
const MOST_BYTES = 4096;

export function bytesInfo(address: string, bytes = 1): DebugProtocol.DataBreakpointInfoResponse['body'] {
  if (!/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(address)) return { dataId: null, description: `"${address}" is not an address` };
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > MOST_BYTES)
    return { dataId: null, description: `${bytes} bytes cannot be watched: between 1 and ${MOST_BYTES}` };
  const type = WHOLE[bytes] ?? `unsigned char (*)[${bytes}]`;
  return {
    dataId: `*(${type}) ${address}`,
    description: `${bytes} byte${bytes === 1 ? '' : 's'} at ${address}`,
    accessTypes: ['read', 'write', 'readWrite'],
  };
}
