/*
 * What a debugger is timed on: instructions to step, a one-line loop, a function to break in, one to call, memory to read.
 * Compiled without optimisation; the debugger sets `spin_on` and `loops`.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>

unsigned char area[64 << 20];
volatile int spin_on = 1;
volatile int loops = 1000;
volatile long sum;

int add(int a, int b) { return a + b; }

void ready(void) {}

void spin(void) {
  while (spin_on) sum++;
}

void one_line(void) {
  int i;
  for (i = 0; i < 1000; i++) sum += i;
  sum++;
}

void hit(int i) { sum += i; }

void after_hits(void) {}

int main(void) {
  for (size_t i = 0; i < sizeof area; i += 8) {
    uint64_t value = i * 0x9e3779b97f4a7c15ull + 1;
    memcpy(area + i, &value, sizeof value);
  }
  ready();
  spin();
  for (int i = 0; i < 20; i++) one_line();
  for (;;) {
    for (int i = 0; i < loops; i++) hit(i);
    after_hits();
  }
}
