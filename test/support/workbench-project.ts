/** Small projects to debug in the workbench, compiled where they lie. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** Lines are found by the comment that ends them. */
export const SUM = `#include <stdio.h>

int add(int total, int i) {
  total += i;
  return total;
}

int main(void) {
  int total = 0;
  for (int i = 1; i <= 20; i++) {
    total = add(total, i); // sum
  }
  printf("total %d\\n", total); // print
  return 0; // end
}
`;

export class Project {
  constructor(readonly folder: string) {
    fs.mkdirSync(path.join(folder, '.vscode'), { recursive: true });
  }

  file(name: string, text: string): string {
    const file = path.join(this.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  }

  /** Adds the source, compiles it, and says how it is launched. */
  program(name: string, text: string, flags: readonly string[] = []): string {
    const source = this.file(name, text);
    const output = path.join(this.folder, path.parse(name).name);
    execFileSync('cc', ['-g', '-O0', '-pthread', ...flags, source, '-o', output]);
    return output;
  }

  launch(...configurations: readonly Record<string, unknown>[]): void {
    const full = configurations.map((one) => ({ type: 'savepoint', request: 'launch', name: 'Debug', ...one }));
    this.file('.vscode/launch.json', JSON.stringify({ version: '0.2.0', configurations: full }, null, 2));
  }
}

export function lineIn(text: string, comment: string): number {
  const index = text.split('\n').findIndex((line) => line.endsWith(`// ${comment}`));
  if (index < 0) throw new Error(`no line ends with // ${comment}`);
  return index + 1;
}
