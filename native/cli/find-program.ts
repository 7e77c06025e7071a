/** Looks a program up as execvp would: a name with a slash as it is, any other in PATH. */

import * as fs from 'node:fs';
import * as path from 'node:path';

export function findProgram(name: string, searchPath: string | undefined = process.env['PATH']): string | undefined {
  const candidates = name.includes('/')
    ? [name]
    : (searchPath ?? '').split(':').map((directory) => path.join(directory === '' ? '.' : directory, name));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
