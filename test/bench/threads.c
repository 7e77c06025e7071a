/*
 * Many threads, all alive when `at_stop` is reached.
 *
 *   threads N blocked             all but the first wait on a condition
 *   threads N mixed               a third waits on a condition, a third sleeps in short naps, a third computes
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t all;
volatile long counters[1024][8];

void __attribute__((noinline)) at_stop(void) { __asm__ volatile("" ::: "memory"); }

static void *wait_for_ever(void *unused) {
  (void)unused;
  pthread_barrier_wait(&all);
  pthread_mutex_lock(&lock);
  for (;;) pthread_cond_wait(&never, &lock);
  return NULL;
}

static void *nap(void *counter) {
  pthread_barrier_wait(&all);
  for (;; ++*(volatile long *)counter) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  return NULL;
}

static void *compute(void *counter) {
  pthread_barrier_wait(&all);
  for (;;) ++*(volatile long *)counter;
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int count = atoi(argv[1]);
  int mixed = strcmp(argv[2], "mixed") == 0;
  pthread_barrier_init(&all, NULL, (unsigned)count);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  void *(*kinds[])(void *) = {wait_for_ever, nap, compute};
  for (int i = 1; i < count; i++) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, kinds[mixed ? i % 3 : 0], (void *)counters[i])) return 3;
  }
  pthread_barrier_wait(&all);
  /* Lets them get to where they stay, before anybody looks. */
  nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  for (;; counters[0][0]++) {
    at_stop();
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
}
