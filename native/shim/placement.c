/*
 * Tracer and tracee on one CPU for the length of an injected call: waking a sleeper on another CPU costs an interrupt there and, in a virtual
 * machine, often an exit; on the same CPU the two just take turns (measured: capturing 64 threads took half the time).
 *
 * The program never sees it: it is stopped but for our own call, which asks nothing about CPUs, and gets its mask back before it runs.
 */
#define _GNU_SOURCE
#include "placement.h"
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int has(const struct sp_place *place, unsigned cpu) {
  return cpu / 64 < sizeof place->mask / sizeof *place->mask && (place->mask[cpu / 64] >> cpu % 64 & 1);
}

void sp_place_near(int tid, struct sp_place *place) {
  uint64_t one[sizeof place->mask / sizeof *place->mask] = {0};
  place->bytes = 0;
  place->near = 0;
  int cpu = sched_getcpu();
  memset(place->mask, 0, sizeof place->mask);
  /* The raw call tells how long the kernel's mask is; the same length goes back. */
  long bytes = syscall(SYS_sched_getaffinity, tid, sizeof place->mask, place->mask);
  if (cpu < 0 || bytes <= 0 || !has(place, (unsigned)cpu)) return;
  one[cpu / 64] = 1ull << cpu % 64;
  place->near = memcmp(one, place->mask, sizeof one) == 0;
  if (place->near || syscall(SYS_sched_setaffinity, tid, bytes, one) != 0) return;
  place->bytes = bytes;
  place->near = 1;
}

void sp_place_back(int tid, struct sp_place *place) {
  if (place->bytes) syscall(SYS_sched_setaffinity, tid, place->bytes, place->mask);
  place->bytes = 0;
  place->near = 0;
}
