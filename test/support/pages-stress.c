/*
 * Random life of an address space against the page store, without ptrace: a child changes its memory on command and blocks in read(2) while the
 * parent takes, rolls back along random branches, and compares every page with a plain copy it made itself.
 *
 *   pages-stress run SEED STEPS uffd|compare      exit status 0 and a line of figures, or the first mismatch
 *   pages-stress bench MIB PER_MILLE [huge]       one line of times
 */
#define _GNU_SOURCE
#include "../../native/shim/pages.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NODES 12
#define AREAS 6
#define AREA_AT(i) (0x100000000000ull + (uint64_t)(i)*0x1000000000ull)
#define AREA_PAGES 300u

struct shared {
  int32_t command;
  uint32_t seed;
  uint32_t drops;
  uint64_t drop[2 * 65536];
  int32_t uffd;
  uint64_t pages;
  uint32_t per_mille;
} *shared;

static int ask[2], answer[2], file_fd;
static uint64_t rng;

static uint32_t any(uint32_t below) {
  rng = rng * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(rng >> 33) % below;
}

#define DIE(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

/* Areas: 0..1 private anonymous, 2 advised for huge pages, 3 private file, 4 mostly empty reservation, 5 shared anonymous. */
static void map_area(int i) {
  int flags = MAP_FIXED | (i == 3 ? MAP_PRIVATE : i == 5 ? MAP_SHARED | MAP_ANONYMOUS : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  void *p = mmap((void *)AREA_AT(i), AREA_PAGES * SP_PAGE, PROT_READ | PROT_WRITE, flags, i == 3 ? file_fd : -1, 0);
  if (p == MAP_FAILED) abort();
  if (i == 2) madvise(p, AREA_PAGES * SP_PAGE, MADV_HUGEPAGE);
}

static void mutate(void) {
  rng = shared->seed;
  uint32_t steps = any(40) + 1;
  while (steps--) {
    int i = (int)any(AREAS);
    uint32_t first = any(AREA_PAGES), n = any(10) ? any(8) + 1 : any(600) + 1;
    if (first + n > AREA_PAGES) n = AREA_PAGES - first;
    char *at = (char *)AREA_AT(i) + (uint64_t)first * SP_PAGE;
    switch (any(12)) {
    case 0:
      madvise(at, (uint64_t)n * SP_PAGE, MADV_DONTNEED);
      break;
    case 1: /* read faults: zero page, page cache */
      for (uint32_t k = 0; k < n; k++) ((volatile char *)at)[(uint64_t)k * SP_PAGE];
      break;
    case 2:
      if (any(6) == 0) map_area(i);
      break;
    case 3: /* a piece mapped anew, not the whole */
      if (i < 3) mmap(at, (uint64_t)n * SP_PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      break;
    case 4: /* the kernel writes */
      if (pread(file_fd, at, (uint64_t)n * SP_PAGE, 0) < 0) abort();
      break;
    case 5:
      memset(at, 0, (uint64_t)n * SP_PAGE);
      break;
    case 6: /* written with what is there already */
      for (uint32_t k = 0; k < n; k++) {
        volatile char *p = at + (uint64_t)k * SP_PAGE;
        *p = *p;
      }
      break;
    case 7: {
      pid_t pid = fork();
      if (pid == 0) {
        at[0]++;
        syscall(SYS_exit_group, 0);
      }
      waitpid(pid, NULL, 0);
      break;
    }
    case 8:
      madvise(at, (uint64_t)n * SP_PAGE, MADV_PAGEOUT);
      break;
    default:
      for (uint32_t k = 0; k < n; k++) *(uint32_t *)(at + (uint64_t)k * SP_PAGE + any(1000) * 4) = any(1u << 30);
    }
  }
}

static _Noreturn void child(void) {
  char byte;
  while (read(ask[0], &byte, 1) == 1) {
    if (shared->command == 1) mutate();
    for (uint32_t i = 0; shared->command == 2 && i < shared->drops; i++)
      if (madvise((void *)shared->drop[2 * i], shared->drop[2 * i + 1] - shared->drop[2 * i], MADV_DONTNEED)) abort();
    if (shared->command == 3) {
      rng = shared->seed;
      uint64_t n = shared->pages * shared->per_mille / 1000;
      while (n--) *(uint32_t *)(AREA_AT(0) + any(1u << 30) % shared->pages * SP_PAGE) = (uint32_t)rng | 1;
    }
    if (write(answer[1], &byte, 1) != 1) break;
  }
  syscall(SYS_exit_group, 0);
  abort();
}

static void command(int number, uint32_t seed) {
  char byte = 0;
  shared->command = number;
  shared->seed = seed;
  if (write(ask[1], &byte, 1) != 1 || read(answer[0], &byte, 1) != 1) DIE("the child died");
}

static struct sp_space space;

static void start(int tier, uint64_t bench_pages, int huge) {
  if (pipe(ask) || pipe(answer)) DIE("pipe");
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char name[] = "/tmp/pages-stress-XXXXXX";
  file_fd = mkstemp(name);
  unlink(name);
  for (uint32_t i = 0; i < AREA_PAGES * SP_PAGE / 4; i++) {
    static uint32_t block[1024];
    block[i % 1024] = i * 2654435761u;
    if (i % 1024 == 1023 && write(file_fd, block, sizeof block) != sizeof block) DIE("write");
  }
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ask[1]);
    close(answer[0]);
    if (bench_pages) {
      char *p = mmap((void *)AREA_AT(0), bench_pages * SP_PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (huge) madvise(p, bench_pages * SP_PAGE, MADV_HUGEPAGE);
      for (uint64_t i = 0; i < bench_pages; i++) *(uint64_t *)(p + i * SP_PAGE) = i + 1;
    } else {
      for (int i = 0; i < AREAS; i++) map_area(i);
    }
    shared->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
    child();
  }
  close(ask[0]);
  close(answer[1]);
  command(0, 0);
  char path[64];
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  space = (struct sp_space){.pid = pid, .tier = (uint32_t)tier, .uffd = -1};
  if (tier == SP_TIER_UFFD) {
    space.uffd = (int)syscall(SYS_pidfd_getfd, pidfd, shared->uffd, 0);
    int r = sp_uffd_open(space.uffd);
    if (r) DIE("uffd: %s", strerror(-r));
  }
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  space.mem_fd = open(path, O_RDWR | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
  space.pagemap_fd = open(path, O_RDONLY | O_CLOEXEC);
  if (space.mem_fd < 0 || space.pagemap_fd < 0 || sp_store_open(8ull << 30)) DIE("open: %s", strerror(errno));
}

static int drop_and_arm(const struct sp_vma *vmas, int count, int dropped) {
  for (int from = 0; from < dropped;) {
    int n = sp_roll_drops(shared->drop, from, 65536);
    shared->drops = (uint32_t)n;
    command(2, 0);
    from += n;
  }
  return sp_arm(&space, vmas, count);
}

/* /proc/PID/maps of the areas. */
static int list(struct sp_vma *vmas, int max) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%d/maps", space.pid);
  FILE *f = fopen(path, "r");
  int n = 0;
  while (fgets(line, sizeof line, f)) {
    uint64_t a, b;
    if (sscanf(line, "%lx-%lx", &a, &b) != 2 || a < AREA_AT(0) || a >= AREA_AT(AREAS)) continue;
    int area = (int)((a - AREA_AT(0)) >> 36);
    if (n == max) DIE("too many mappings");
    vmas[n++] = (struct sp_vma){a, b, area == 3 ? SP_CLASS_FILE : area == 5 ? SP_CLASS_SHARED : SP_CLASS_ANON, SP_VMA_WRITABLE};
  }
  fclose(f);
  return n;
}

static struct sp_vma vmas[4096];

static void run(uint32_t seed, int steps, int tier) {
  struct { int handle; unsigned char *copy; } nodes[NODES] = {{0, NULL}};
  uint64_t length = AREAS * AREA_PAGES * (uint64_t)SP_PAGE, restores = 0, compared = 0;
  int live = 0;
  start(tier, 0, 0);
  rng = seed;
  for (int step = 0; step < steps; step++) {
    uint64_t kept = rng;
    command(1, seed * 1000003u + (uint32_t)step);
    rng = kept;
    struct sp_stats stats;
    int count = list(vmas, 4096);
    /* Now and then as before a restore: what is not armed counts as written on. */
    int taken = sp_take(&space, live, vmas, count, any(4) != 0, &stats);
    if (taken < 0) DIE("step %d: take: %s", step, strerror(-taken));
    if (live) sp_index_drop(live);
    live = taken;
    uint64_t bad[8];
    int wrong = sp_compare(&space, live, vmas, count, bad, 8);
    if (wrong) DIE("step %d: %d pages wrong after take, first %lx", step, wrong, wrong > 0 ? bad[0] : 0);
    unsigned char *now = malloc(length);
    for (int i = 0; i < AREAS; i++)
      if (sp_read_mem(&space, AREA_AT(i), now + (uint64_t)i * AREA_PAGES * SP_PAGE, AREA_PAGES * SP_PAGE) != AREA_PAGES * SP_PAGE) DIE("read");
    int slot = (int)any(NODES);
    if (nodes[slot].handle) sp_index_drop(nodes[slot].handle), free(nodes[slot].copy);
    nodes[slot].handle = sp_index_hold(live);
    nodes[slot].copy = now;
    int goal = (int)any(NODES);
    if (!nodes[goal].handle || any(4) == 0) continue;
    kept = rng;
    int dropped = sp_roll(&space, live, nodes[goal].handle, vmas, count, &stats);
    if (dropped < 0) DIE("step %d: roll: %s at %lx", step, strerror(-dropped), stats.fault_at);
    int r = drop_and_arm(vmas, count, dropped);
    if (r) DIE("step %d: arm: %s", step, strerror(-r));
    rng = kept;
    sp_index_drop(live);
    live = sp_index_hold(nodes[goal].handle);
    restores++;
    for (int i = 0; i < AREAS; i++) {
      static unsigned char page[AREA_PAGES * SP_PAGE];
      if (sp_read_mem(&space, AREA_AT(i), page, sizeof page) != sizeof page) DIE("read back");
      compared += AREA_PAGES;
      const unsigned char *wanted = nodes[goal].copy + (uint64_t)i * sizeof page;
      for (uint32_t k = 0; k < AREA_PAGES; k++)
        if (memcmp(page + k * SP_PAGE, wanted + k * SP_PAGE, SP_PAGE)) DIE("step %d: area %d page %u differs after restore", step, i, k);
    }
  }
  for (int i = 0; i < NODES; i++)
    if (nodes[i].handle) sp_index_drop(nodes[i].handle);
  if (live) sp_index_drop(live);
  uint64_t store[7];
  sp_store_stats(store);
  if (store[1] != store[6] || store[4] || store[5]) DIE("leak: %lu bytes, %lu chunks, %lu indexes", store[1], store[4], store[5]);
  printf("seed %u: %d steps, %lu restores, %lu pages compared, 0 mismatches\n", seed, steps, restores, compared);
}

static double ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void bench(uint64_t mib, uint32_t per_mille, int huge) {
  uint64_t pages = mib << 8;
  start(SP_TIER_UFFD, pages, huge);
  shared->pages = pages;
  shared->per_mille = per_mille;
  vmas[0] = (struct sp_vma){AREA_AT(0), AREA_AT(0) + pages * SP_PAGE, SP_CLASS_ANON, SP_VMA_WRITABLE};
  struct sp_stats stats;
  double t0 = ms();
  int base = sp_take(&space, 0, vmas, 1, 1, &stats);
  printf("first take %.1f ms;", ms() - t0);
  int live = sp_index_hold(base);
  for (int round = 0; round < 6; round++) {
    command(3, (uint32_t)round + 7);
    double t1 = ms();
    int next = sp_take(&space, live, vmas, 1, 1, &stats);
    double t2 = ms();
    if (next < 0) DIE("take: %s", strerror(-next));
    int dropped = sp_roll(&space, next, base, vmas, 1, &stats);
    double t3 = ms();
    if (dropped < 0 || drop_and_arm(vmas, 1, dropped)) DIE("roll");
    double t4 = ms();
    printf(" take %.2f roll %.2f arm %.2f (%lu pages);", t2 - t1, t3 - t2, t4 - t3, stats.written);
    sp_index_drop(live);
    sp_index_drop(next);
    live = sp_index_hold(base);
  }
  uint64_t bad;
  printf(" wrong %d\n", sp_compare(&space, base, vmas, 1, &bad, 1));
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc >= 4 && !strcmp(argv[1], "bench")) {
    bench(strtoull(argv[2], NULL, 10), (uint32_t)atoi(argv[3]), argc > 4);
    return 0;
  }
  if (argc < 5) return 2;
  run((uint32_t)atoi(argv[2]), atoi(argv[3]), strcmp(argv[4], "uffd") == 0 ? SP_TIER_UFFD : SP_TIER_COMPARE);
  return 0;
}
