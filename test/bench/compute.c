/*
 * Writes over 100 MiB again and again, and prints its own time: `first` pass, and `rest`, in microseconds of CPU and of the clock.
 *
 *   compute PASSES                stops at `at_stop` between every two measurements, a debugger being there or not
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define BYTES (100ul << 20)

static double now_us(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void pass(uint64_t *area, uint64_t value) {
  for (size_t i = 0; i < BYTES / sizeof *area; i++) area[i] = area[i] * 3 + (value ^ i);
  __asm__ volatile("" : : "r"(area) : "memory");
}

void __attribute__((noinline)) at_stop(void) { __asm__ volatile("" ::: "memory"); }

int main(int argc, char **argv) {
  int passes = argc > 1 ? atoi(argv[1]) : 20;
  int rounds = argc > 2 ? atoi(argv[2]) : 1;
  uint64_t *area = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED || madvise(area, BYTES, MADV_NOHUGEPAGE)) return 3;
  pass(area, 1);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int round = 0; round < rounds; round++) {
    at_stop();
    double first = now_us(CLOCK_PROCESS_CPUTIME_ID);
    pass(area, 2);
    double cpu = now_us(CLOCK_PROCESS_CPUTIME_ID), wall = now_us(CLOCK_MONOTONIC);
    for (int i = 0; i < passes; i++) pass(area, (uint64_t)i);
    double wallEnd = now_us(CLOCK_MONOTONIC), cpuEnd = now_us(CLOCK_PROCESS_CPUTIME_ID);
    printf("first %.1f cpu %.1f wall %.1f\n", cpu - first, cpuEnd - cpu, wallEnd - wall);
  }
  return 0;
}
