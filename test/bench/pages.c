/*
 * A resident area of 4 KiB pages, of which a share is written between two stops at `at_stop`, at random places.
 *
 *   pages run MIB                 stops, writes `dirty_permille` of the pages, stops, ...; the debugger sets the share
 *   pages floor MIB ROUNDS        the floors, in microseconds: a bare fork() with that much resident, memcpy of it, and
 *                                 writing 1 % of the pages with a forked child alive (`cow`)
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul

volatile int dirty_permille = 10;
volatile long rounds;
/* Microseconds that the last share took to write. */
volatile double dirty_us;

static unsigned char *area;
static size_t pages;
static uint32_t *order;
static size_t next;

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static unsigned char *make_area(size_t bytes) {
  unsigned char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED || madvise(at, bytes, MADV_NOHUGEPAGE)) exit(3);
  /* No two pages alike, none of them zero. */
  for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) *(uint64_t *)(at + i) = i * 0x9e3779b97f4a7c15ull + 1;
  return at;
}

static void shuffle(void) {
  order = malloc(pages * sizeof *order);
  for (size_t i = 0; i < pages; i++) order[i] = (uint32_t)i;
  for (size_t i = pages - 1; i > 0; i--) {
    size_t j = draw() % (i + 1);
    uint32_t other = order[i];
    order[i] = order[j];
    order[j] = other;
  }
}

static void dirty(int permille) {
  size_t count = pages * (size_t)permille / 1000;
  if (count == 0) count = 1;
  for (size_t i = 0; i < count; i++) {
    *(uint64_t *)(area + order[next] * PAGE + 8 * (i % 500)) += 1 + (uint64_t)rounds;
    next = next + 1 == pages ? 0 : next + 1;
  }
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void floors(size_t bytes, int count) {
  for (int i = 0; i < count; i++) {
    double start = now_us();
    pid_t child = fork();
    if (child == 0) _exit(0);
    double end = now_us();
    if (child < 0 || waitpid(child, NULL, 0) != child) exit(4);
    printf("fork %.1f\n", end - start);
  }
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) for (;;) pause();
    double start = now_us();
    dirty(10);
    printf("cow %.1f\n", now_us() - start);
    kill(child, SIGKILL);
    if (waitpid(child, NULL, 0) != child) exit(4);
  }
  unsigned char *copy = make_area(bytes);
  for (int i = 0; i < count; i++) {
    double start = now_us();
    memcpy(copy, area, bytes);
    printf("memcpy %.1f\n", now_us() - start);
    __asm__ volatile("" : : "r"(copy) : "memory");
  }
}

void __attribute__((noinline)) at_stop(void) { __asm__ volatile("" ::: "memory"); }

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  size_t bytes = strtoul(argv[2], NULL, 10) << 20;
  area = make_area(bytes);
  pages = bytes / PAGE;
  shuffle();
  if (strcmp(argv[1], "floor") == 0) {
    floors(bytes, argc > 3 ? atoi(argv[3]) : 7);
    return 0;
  }
  for (;; rounds++) {
    at_stop();
    double start = now_us();
    dirty(dirty_permille);
    dirty_us = now_us() - start;
  }
}
