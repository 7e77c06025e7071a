/** Lines of a fixture, found by the comment that names them. */

import * as fs from 'node:fs';

export function lineOf(file: string, comment: string): number {
  const index = fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(`/* ${comment} */`) || line.includes(`// ${comment}`));
  if (index < 0) throw new Error(`${file} has no line "${comment}"`);
  return index + 1;
}
