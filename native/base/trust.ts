/** Whether a directory can be believed: below a place that others write to, somebody else may have made one of that name. */

import * as fs from 'node:fs';

/** Why the directory cannot be believed; undefined: it can. Throws when it is not there. */
export function distrust(directory: string, uid = process.getuid?.() ?? 0): string | undefined {
  const stat = fs.lstatSync(directory);
  if (!stat.isDirectory()) return 'is no directory';
  if (stat.uid !== uid) return `belongs to user ${stat.uid}`;
  if ((stat.mode & 0o077) !== 0) return `is open to others (mode ${(stat.mode & 0o777).toString(8)})`;
  return undefined;
}
