/** Files of /proc as text; what is not there, or not for us, is undefined. proc(5). */

import * as fs from 'node:fs';

export function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** A field `Name:  value` of /proc/PID/status. */
export function statusField(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
}
