/*
 * Slots: page-sized places in one reserved arena, each with a count of holders.
 *
 * Fresh memory is dear: the kernel clears it, and in a virtual machine its first touch costs 4..14 us per 4 KiB page. So a thread touches the
 * arena ahead, with huge pages, while the program runs or stands for other reasons; a checkpoint that needs more than that pays for it itself.
 * Slots that are dropped are used again before the arena grows.
 *
 * That thread knows nothing but `ahead` and `store.touched`, which only grows: touching what is touched already does nothing.
 */
#define _GNU_SOURCE
#include "pages.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE (2u << 20)
/* Kept ready beyond what is used: twice what the last checkpoint stored, between these bounds. */
#define AHEAD_MIN (16ull << 20)
#define AHEAD_MAX (256ull << 20)
#define FIRST_SLOT 2u

static struct {
  unsigned char *arena;
  uint64_t limit;   /* bytes */
  _Atomic uint64_t touched; /* bytes from the start that have memory behind them */
  sp_slot next;     /* first slot never used */
  uint32_t *holders;
  sp_slot *free;
  uint64_t free_count, free_room;
  uint64_t used;
} store;

static struct {
  pthread_mutex_t lock;
  pthread_cond_t asked;
  uint64_t wanted; /* bytes from the start that shall have memory behind them */
} ahead = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER};

uint64_t sp_chunk_count, sp_slab_pages, sp_index_count;

static int populate(uint64_t start, uint64_t end) {
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
  while (madvise(store.arena + start, end - start, MADV_POPULATE_WRITE)) {
    if (errno == EINTR || errno == EAGAIN) continue;
    if (errno != EINVAL) return -ENOMEM;
    break; /* Linux < 5.14: the touch below does it, slower */
  }
  /*
   * The guest's page tables are filled now, but under a hypervisor that shadows them each page still has its first access to pay for. Or with
   * nothing: the tracer may have begun to use these pages.
   */
  for (uint64_t at = start; at < end; at += SP_PAGE) __atomic_fetch_or(store.arena + at, 0, __ATOMIC_RELAXED);
  uint64_t touched = atomic_load(&store.touched);
  while (touched < end && !atomic_compare_exchange_weak(&store.touched, &touched, end)) continue;
  return 0;
}

static void *touch_ahead(void *unused) {
  (void)unused;
  int failed = 0;
  pthread_mutex_lock(&ahead.lock);
  while (!failed) {
    uint64_t touched = atomic_load(&store.touched);
    if (touched >= ahead.wanted) {
      pthread_cond_wait(&ahead.asked, &ahead.lock);
      continue;
    }
    pthread_mutex_unlock(&ahead.lock);
    /* In small steps: mmap and munmap of the tracer wait for the end of one. */
    failed = populate(touched, touched + HUGE);
    pthread_mutex_lock(&ahead.lock);
  }
  /* No memory left: whoever needs some will be told. */
  pthread_mutex_unlock(&ahead.lock);
  return NULL;
}

void sp_store_want(uint64_t bytes) {
  if (!store.arena) return;
  if (bytes < AHEAD_MIN) bytes = AHEAD_MIN;
  if (bytes > AHEAD_MAX) bytes = AHEAD_MAX;
  uint64_t free_bytes = store.free_count * SP_PAGE;
  uint64_t wanted = (uint64_t)store.next * SP_PAGE + (bytes > free_bytes ? bytes - free_bytes : 0);
  wanted = (wanted + HUGE - 1) & ~(uint64_t)(HUGE - 1);
  pthread_mutex_lock(&ahead.lock);
  ahead.wanted = wanted < store.limit ? wanted : store.limit;
  pthread_cond_signal(&ahead.asked);
  pthread_mutex_unlock(&ahead.lock);
}

/* Signals are for the tracer's thread. Without the thread all goes as well, only slower. */
static void start_touching(void) {
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread, NULL, touch_ahead, NULL) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  sp_store_want(0);
}

int sp_store_open(uint64_t limit_bytes) {
  if (store.arena) return 0;
  limit_bytes &= ~(uint64_t)(HUGE - 1);
  if (limit_bytes < HUGE || limit_bytes / SP_PAGE > UINT32_MAX - 1) return -EINVAL;
  unsigned char *raw = mmap(NULL, limit_bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return -errno;
  uint32_t *holders = mmap(NULL, limit_bytes / SP_PAGE * sizeof *holders, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (holders == MAP_FAILED) {
    munmap(raw, limit_bytes + HUGE);
    return -ENOMEM;
  }
  store.arena = (unsigned char *)(((uintptr_t)raw + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
  madvise(store.arena, limit_bytes, MADV_HUGEPAGE);
  /* A core dump of ours must not hold the tracee's memory, a fork of ours must not copy its page tables. */
  madvise(store.arena, limit_bytes, MADV_DONTDUMP);
  madvise(store.arena, limit_bytes, MADV_DONTFORK);
  store.holders = holders;
  store.limit = limit_bytes;
  store.next = FIRST_SLOT;
  start_touching();
  return 0;
}

int sp_store_stats(uint64_t *out) {
  out[0] = store.limit;
  out[1] = store.used * SP_PAGE;
  out[2] = atomic_load(&store.touched);
  out[3] = store.free_count;
  out[4] = sp_chunk_count;
  out[5] = sp_index_count;
  out[6] = sp_slab_pages * SP_PAGE;
  return 0;
}

void *sp_slot_bytes(sp_slot slot) { return store.arena + (uint64_t)slot * SP_PAGE; }

/* Memory behind the arena up to `bytes`, now. */
static int touch(uint64_t bytes) {
  uint64_t touched = atomic_load(&store.touched);
  return bytes <= touched ? 0 : populate(touched, (bytes + HUGE - 1) & ~(uint64_t)(HUGE - 1));
}

int sp_slot_alloc(uint32_t want, sp_slot *first) {
  if (!store.arena) return -EINVAL;
  if (store.free_count) {
    /* Freed in rising order, so the end of the stack is often a run. */
    sp_slot low = store.free[--store.free_count];
    uint32_t got = 1;
    store.holders[low] = 1;
    while (got < want && store.free_count && store.free[store.free_count - 1] == low - 1) {
      low = store.free[--store.free_count];
      store.holders[low] = 1;
      got++;
    }
    store.used += got;
    *first = low;
    return (int)got;
  }
  uint64_t left = store.limit / SP_PAGE - store.next;
  if (left == 0) return -ENOSPC;
  uint32_t got = want < left ? want : (uint32_t)left;
  int r = touch(((uint64_t)store.next + got) * SP_PAGE);
  if (r) return r;
  *first = store.next;
  for (uint32_t i = 0; i < got; i++) store.holders[store.next + i] = 1;
  store.next += got;
  store.used += got;
  return (int)got;
}

void sp_slot_hold(sp_slot slot) {
  if (slot >= FIRST_SLOT) store.holders[slot]++;
}

void sp_slot_drop(sp_slot slot) {
  if (slot < FIRST_SLOT || --store.holders[slot]) return;
  store.used--;
  if (store.free_count == store.free_room) {
    uint64_t room = store.free_room ? store.free_room * 2 : 65536;
    sp_slot *grown = realloc(store.free, room * sizeof *grown);
    if (!grown) return; /* the slot is lost to us, nothing else */
    store.free = grown;
    store.free_room = room;
  }
  store.free[store.free_count++] = slot;
}
