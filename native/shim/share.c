/*
 * One more thread for work that is all copying: the tracee stands, so its CPU has nothing to do. The work comes in parts, which both threads take
 * from one counter: a helper that gets no CPU costs nothing, because then the caller does all of it.
 *
 * The two share nothing but `work`. A part must touch nothing that another one touches.
 */
#define _GNU_SOURCE
#include "share.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often the helper looks for more before it sleeps: some tenths of a millisecond. */
#define LOOKS 16000
#define CLOSED 0xffffffffu
/* Fewer parts are done before a helper is awake. */
#define WORTH 4u

static struct {
  sp_part part;
  void *context;
  _Atomic uint32_t parts;
  _Atomic uint32_t round;   /* counts works; the helper sleeps on it */
  _Atomic uint64_t next;    /* round in the upper half, the next part in the lower: a late helper cannot take a part of another work */
  _Atomic uint32_t done;
  _Atomic int asleep;
} work;

static enum { UNKNOWN, ALONE, HELPED } state;

static void relax(void) {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

static void do_parts(uint32_t round) {
  for (;;) {
    uint64_t next = atomic_load(&work.next);
    do {
      if (next >> 32 != round || (uint32_t)next >= atomic_load(&work.parts)) return;
    } while (!atomic_compare_exchange_weak(&work.next, &next, next + 1));
    work.part(work.context, (uint32_t)next);
    atomic_fetch_add(&work.done, 1);
  }
}

static void *help(void *unused) {
  (void)unused;
  uint32_t seen = 0;
  for (;;) {
    uint32_t round = atomic_load(&work.round);
    for (int i = 0; round == seen && i < LOOKS; i++) {
      relax();
      round = atomic_load(&work.round);
    }
    if (round == seen) {
      atomic_store(&work.asleep, 1);
      syscall(SYS_futex, &work.round, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
      atomic_store(&work.asleep, 0);
      continue;
    }
    seen = round;
    do_parts(round);
  }
  return NULL;
}

/* Signals are for the tracer's thread. */
static int start(void) {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) || CPU_COUNT(&cpus) < 2) return ALONE;
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&thread, NULL, help, NULL);
  if (!failed) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed ? ALONE : HELPED;
}

static void announce(void) {
  atomic_fetch_add(&work.round, 1);
  if (atomic_load(&work.asleep)) syscall(SYS_futex, &work.round, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void sp_share(uint32_t parts, sp_part part, void *context) {
  if (state == UNKNOWN && parts >= WORTH) state = start();
  if (state != HELPED || parts < WORTH) {
    for (uint32_t i = 0; i < parts; i++) part(context, i);
    return;
  }
  uint32_t round = atomic_load(&work.round) + 1;
  /* A helper that still looks at the work before finds it closed, whatever it compares its part number with. */
  atomic_store(&work.next, (uint64_t)round << 32 | CLOSED);
  work.part = part;
  work.context = context;
  atomic_store(&work.parts, parts);
  atomic_store(&work.done, 0);
  atomic_store(&work.next, (uint64_t)round << 32);
  announce();
  do_parts(round);
  for (int i = 0; atomic_load(&work.done) < parts; i++) {
    if (i < LOOKS) relax();
    else sched_yield();
  }
}
