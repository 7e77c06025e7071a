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

/** One thread writes past the end of what it may write to; another one pays for it. */
export const CRASH = `#include <pthread.h>
#include <stdio.h>

struct {
  int recent[4];
  int *best;
} book;
int price = 7;

void note(int i, int quantity) {
  book.recent[i] = quantity;
} // noted

void *feed(void *unused) {
  for (int i = 0; i <= 4; i++) note(i, i);
  return unused;
}

int main(void) {
  pthread_t feeding;
  book.best = &price;
  puts("market open"); // open
  pthread_create(&feeding, NULL, feed, NULL);
  pthread_join(feeding, NULL);
  return *book.best; // crash
}
`;

/** Keeps a file open that it writes to. */
export const NOTES = `#include <stdio.h>

int main(void) {
  FILE *notes = fopen("notes.txt", "w");
  for (int i = 1; i <= 20; i++) {
    fprintf(notes, "%d\\n", i); // note
    fflush(notes);
  }
  return fclose(notes);
}
`;

/** Runs until there is a file "go". */
export const WAIT = `#include <stdio.h>
#include <unistd.h>

int main(void) {
  int rounds = 0;
  puts("waiting");
  fflush(stdout);
  while (access("go", F_OK) != 0) {
    usleep(2000);
    rounds++;
  }
  puts("gone");
  return 3;
}
`;

/** The third of five calls throws, and the caller goes on. */
export const THROW = `#include <cstdio>
#include <stdexcept>

static int parse(int i) {
  if (i == 3) throw std::runtime_error("three"); // throw
  return i;
}

int main() {
  int sum = 0; // begin
  for (int i = 1; i <= 5; i++) {
    try {
      sum += parse(i);
    } catch (const std::exception &) {
      sum += 100;
    }
  }
  std::printf("sum %d\\n", sum); // print
}
`;

export const BIG = `#include <stdlib.h>
#include <string.h>

int main(void) {
  size_t size = 256u << 20;
  char *memory = malloc(size);
  for (size_t i = 0; i < size; i += 8) memcpy(memory + i, &i, 8);
  memory[0]++; // full
  return memory[1]; // end
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
    execFileSync(name.endsWith('.cpp') ? 'c++' : 'cc', ['-g', '-O0', '-pthread', ...flags, source, '-o', output]);
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
