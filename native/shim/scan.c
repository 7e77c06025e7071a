/*
 * Which pages were written, and which are there: userfaultfd's asynchronous write protection read out by PAGEMAP_SCAN (Linux 6.7), with
 * /proc/PID/pagemap as what older kernels have for presence.
 *
 * Facts that shape this file (Documentation/admin-guide/mm/pagemap.rst and measurements):
 *  - WRITTEN also matches holes that were never populated: always ask for PRESENT or SWAPPED beside it, or gigabytes of reserved address
 *    space are reported and, with WP_MATCHING, filled with markers.
 *  - With WP_MATCHING and no output vector the kernel takes a short cut that ignores the filter: always give a vector.
 *  - A page dropped by madvise is not WRITTEN: presence must be looked at by itself.
 */
#define _GNU_SOURCE
#include "pages.h"
#include "share.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/fs.h and linux/userfaultfd.h of 6.7; distributions carry older headers. */
struct scan_args {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_REQUEST _IOWR('f', 16, struct scan_args)
#define SCAN_WP_MATCHING 1u
#define SCAN_CHECK_WPASYNC 2u
#define FEATURE_WP_HUGETLBFS_SHMEM (1ull << 12)
#define FEATURE_WP_UNPOPULATED (1ull << 13)
#define FEATURE_WP_ASYNC (1ull << 15)
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define REGIONS 1024u

int sp_uffd_open(int fd) {
  struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED | FEATURE_WP_HUGETLBFS_SHMEM};
  return ioctl(fd, UFFDIO_API, &api) ? -errno : 0;
}

int sp_probe_uffd(void) {
  int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
  if (fd < 0) return -errno;
  int r = sp_uffd_open(fd);
  close(fd);
  if (r) return r;
  fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  struct sp_region regions[1];
  uint64_t page = (uint64_t)(uintptr_t)regions & ~(uint64_t)(SP_PAGE - 1);
  struct scan_args args = {.size = sizeof args, .start = page, .end = page + SP_PAGE, .vec = (uintptr_t)regions, .vec_len = 1,
                           .category_anyof_mask = SP_CAT_PRESENT, .return_mask = SP_CAT_PRESENT};
  r = ioctl(fd, SCAN_REQUEST, &args) < 0 ? -errno : 0;
  close(fd);
  return r;
}

int sp_scan(const struct sp_space *space, uint64_t start, uint64_t end, const struct sp_query *query, sp_visit visit, void *context) {
  struct sp_region regions[REGIONS];
  uint64_t flags = query->flags & SP_SCAN_PROTECT ? SCAN_WP_MATCHING | SCAN_CHECK_WPASYNC : query->flags & SP_SCAN_CHECK ? SCAN_CHECK_WPASYNC : 0;
  while (start < end) {
    struct scan_args args = {.size = sizeof args,
                             .flags = flags,
                             .start = start,
                             .end = end,
                             .vec = (uintptr_t)regions,
                             .vec_len = REGIONS,
                             .category_inverted = query->inverted,
                             .category_mask = query->mask,
                             .category_anyof_mask = query->anyof,
                             .return_mask = query->wanted};
    int n = ioctl(space->pagemap_fd, SCAN_REQUEST, &args);
    if (n < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    for (int i = 0; visit && i < n; i++) {
      int r = visit(context, &regions[i]);
      if (r) return r;
    }
    if (args.walk_end <= start) return -EIO;
    start = args.walk_end;
  }
  return 0;
}

/* --- one walk by two threads --- */

#define PARTS 8u
/* Bytes whose walk takes as long as waking the helper. */
#define MANY (16u << 20)
/* More than this is not kept for the next walk: regions. */
#define KEPT_ROOM 65536u

struct found {
  struct sp_region *list;
  uint32_t count, room;
  int result;
};

struct walk {
  const struct sp_space *space;
  uint64_t start, end;
  const struct sp_query *query;
  int keep;
  struct found found[PARTS];
};

/* Where a part begins: at a page table's border, so that no two threads change one. */
static uint64_t border(const struct walk *w, uint32_t part) {
  uint64_t at = w->start + (w->end - w->start) / SP_PAGE * part / PARTS * SP_PAGE;
  return part == 0 || part == PARTS ? at : at & ~(SP_CHUNK_BYTES - 1);
}

static int keep_region(void *context, const struct sp_region *region) {
  struct found *found = context;
  if (found->count == found->room) {
    uint32_t room = found->room ? found->room * 2 : 1024;
    struct sp_region *grown = realloc(found->list, room * sizeof *grown);
    if (!grown) return -ENOMEM;
    found->list = grown;
    found->room = room;
  }
  found->list[found->count++] = *region;
  return 0;
}

static void walk_part(void *context, uint32_t part) {
  struct walk *w = context;
  struct found *found = &w->found[part];
  found->count = 0;
  found->result = sp_scan(w->space, border(w, part), border(w, part + 1), w->query, w->keep ? keep_region : NULL, found);
}

int sp_scan_shared(const struct sp_space *space, uint64_t start, uint64_t end, const struct sp_query *query, sp_visit visit, void *context) {
  static struct walk w;
  if (end - start < MANY) return sp_scan(space, start, end, query, visit, context);
  w.space = space, w.start = start, w.end = end, w.query = query, w.keep = visit != NULL;
  sp_share(PARTS, walk_part, &w);
  int r = 0;
  for (uint32_t part = 0; r == 0 && part < PARTS; part++) r = w.found[part].result;
  for (uint32_t part = 0; part < PARTS; part++) {
    struct found *found = &w.found[part];
    for (uint32_t i = 0; r == 0 && i < found->count; i++) r = visit(context, &found->list[i]);
    if (found->room <= KEPT_ROOM) continue;
    free(found->list);
    *found = (struct found){0};
  }
  return r;
}

/* pagemap(5): bit 63 present, 62 swapped, 61 page of a file or shared. */
static int presence_by_pagemap(const struct sp_space *space, const struct sp_vma *vma, sp_visit visit, void *context) {
  static uint64_t bits[8192];
  struct sp_region run = {0, 0, 0};
  for (uint64_t at = vma->start; at < vma->end;) {
    uint64_t pages = (vma->end - at) / SP_PAGE;
    if (pages > sizeof bits / sizeof *bits) pages = sizeof bits / sizeof *bits;
    ssize_t got = pread(space->pagemap_fd, bits, pages * sizeof *bits, (off_t)(at / SP_PAGE * sizeof *bits));
    if (got <= 0) return got < 0 ? -errno : -ESRCH;
    pages = (uint64_t)got / sizeof *bits;
    for (uint64_t i = 0; i < pages; i++, at += SP_PAGE) {
      uint64_t categories = (bits[i] >> 63 & 1 ? SP_CAT_PRESENT : 0) | (bits[i] >> 62 & 1 ? SP_CAT_SWAPPED : 0);
      if (categories) categories |= SP_CAT_WRITTEN | (bits[i] >> 61 & 1 ? SP_CAT_FILE : 0);
      if (run.categories == categories && run.end == at) {
        run.end = at + SP_PAGE;
        continue;
      }
      int r = run.categories ? visit(context, &run) : 0;
      if (r) return r;
      run = (struct sp_region){at, at + SP_PAGE, categories};
    }
  }
  return run.categories ? visit(context, &run) : 0;
}

int sp_scan_presence(const struct sp_space *space, const struct sp_vma *vma, sp_visit visit, void *context) {
  uint64_t wanted = SP_CAT_PRESENT | SP_CAT_SWAPPED | SP_CAT_WRITTEN;
  /* Asking for FILE makes the kernel look at each page's owner: only where it matters. */
  if (vma->class == SP_CLASS_FILE) wanted |= SP_CAT_FILE;
  struct sp_query query = {.anyof = SP_CAT_PRESENT | SP_CAT_SWAPPED, .wanted = wanted};
  int r = sp_scan(space, vma->start, vma->end, &query, visit, context);
  return r == -ENOTTY || r == -EINVAL ? presence_by_pagemap(space, vma, visit, context) : r;
}

void sp_unprotect(const struct sp_space *space, uint64_t start, uint64_t end) {
  struct uffdio_writeprotect wp = {.range = {start, end - start}, .mode = 0};
  if (space->uffd >= 0) ioctl(space->uffd, UFFDIO_WRITEPROTECT, &wp);
}

/*
 * Marks of an earlier registration must go: 1. a registered mapping is moved beside another one by mremap(2) and the two become one;
 * 2. the kernel takes the registration off the whole (mremap_userfaultfd_prep), but the marks of the part that was there stay in the page tables;
 * 3. the program writes there, no fault is ours, the mark stays; 4. registered again, the page would pass for one that was not written.
 */
int sp_register(const struct sp_space *space, const struct sp_vma *vma) {
  if (space->uffd < 0 || space->tier != SP_TIER_UFFD) return 0;
  struct uffdio_register reg = {.range = {vma->start, vma->end - vma->start}, .mode = UFFDIO_REGISTER_MODE_WP};
  if (ioctl(space->uffd, UFFDIO_REGISTER, &reg)) return 0;
  sp_unprotect(space, vma->start, vma->end);
  return 1;
}
