/*
 * Memory back to what an index says: only pages whose slots differ are touched.
 */
#define _GNU_SOURCE
#include "pages.h"
#include "share.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define BATCH 1024u /* UIO_MAXIOV */
#define PART 32u

struct range {
  uint64_t start, end;
};

static struct {
  struct range *list;
  uint32_t count, room;
} drops;

struct rolling {
  const struct sp_space *space;
  const struct sp_vma *vma;
  struct sp_index *live, *target;
  struct sp_stats *stats;
  /* Runs that wait to be written together. */
  uint32_t gathered;
  struct iovec from[BATCH], to[BATCH];
  int result[BATCH / PART];
};

static int add_drop(uint64_t addr) {
  if (drops.count && drops.list[drops.count - 1].end == addr) {
    drops.list[drops.count - 1].end = addr + SP_PAGE;
    return 0;
  }
  if (drops.count == drops.room) {
    uint32_t room = drops.room ? drops.room * 2 : 256;
    struct range *grown = realloc(drops.list, room * sizeof *grown);
    if (!grown) return -ENOMEM;
    drops.list = grown;
    drops.room = room;
  }
  drops.list[drops.count++] = (struct range){addr, addr + SP_PAGE};
  return 0;
}

int sp_roll_drops(uint64_t *out, int from, int max) {
  int n = 0;
  for (; n < max && from + n < (int)drops.count; n++) {
    out[2 * n] = drops.list[from + n].start;
    out[2 * n + 1] = drops.list[from + n].end;
  }
  return n;
}

static int write_mem(const struct sp_space *space, uint64_t addr, const void *bytes, uint64_t length, uint64_t *fault_at) {
  uint64_t done = 0;
  while (done < length) {
    ssize_t n = pwrite(space->mem_fd, (const char *)bytes + done, length - done, (off_t)(addr + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      __atomic_store_n(fault_at, addr + done, __ATOMIC_RELAXED);
      return n == 0 || getpgid(space->pid) < 0 ? -ESRCH : -EFAULT;
    }
    done += (uint64_t)n;
  }
  return 0;
}

/* What process_vm_writev does not do (it obeys the protection, and may be forbidden) goes through /proc/PID/mem. */
static void write_part(void *context, uint32_t part) {
  struct rolling *w = context;
  uint32_t first = part * PART, left = w->gathered - first, count = left < PART ? left : PART;
  ssize_t n = process_vm_writev(w->space->pid, w->from + first, count, w->to + first, count, 0);
  uint64_t done = n < 0 ? 0 : (uint64_t)n;
  int r = n < 0 && errno == ESRCH ? -ESRCH : 0;
  for (uint32_t i = first; r == 0 && i < first + count; i++) {
    uint64_t length = w->to[i].iov_len, skip = done < length ? done : length;
    done -= skip;
    if (skip < length)
      r = write_mem(w->space, (uint64_t)(uintptr_t)w->to[i].iov_base + skip, (const char *)w->from[i].iov_base + skip, length - skip, &w->stats->fault_at);
  }
  w->result[part] = r;
}

static int flush(struct rolling *w) {
  uint32_t parts = (w->gathered + PART - 1) / PART;
  int r = 0;
  sp_share(parts, write_part, w);
  for (uint32_t i = 0; r == 0 && i < parts; i++) r = w->result[i];
  w->gathered = 0;
  return r;
}

static int add_write(struct rolling *w, uint64_t addr, sp_slot slot) {
  char *bytes = sp_slot_bytes(slot);
  if (!(w->vma->flags & SP_VMA_WRITABLE)) return write_mem(w->space, addr, bytes, SP_PAGE, &w->stats->fault_at);
  struct iovec *from = &w->from[w->gathered], *to = &w->to[w->gathered];
  if (w->gathered && (char *)from[-1].iov_base + from[-1].iov_len == bytes && (uint64_t)(uintptr_t)to[-1].iov_base + to[-1].iov_len == addr) {
    from[-1].iov_len += SP_PAGE;
    to[-1].iov_len += SP_PAGE;
    return 0;
  }
  if (w->gathered == BATCH) {
    int r = flush(w);
    if (r) return r;
    from = w->from, to = w->to;
  }
  *from = (struct iovec){bytes, SP_PAGE};
  *to = (struct iovec){(void *)(uintptr_t)addr, SP_PAGE};
  w->gathered++;
  return 0;
}

/* `was`: the slot that live memory equals. */
static int put_page(struct rolling *w, uint64_t addr, sp_slot was, sp_slot slot) {
  if (was == slot) return 0;
  switch (w->vma->class) {
  case SP_CLASS_ANON:
    if (was <= SP_SLOT_ZERO && slot <= SP_SLOT_ZERO) return 0;
    if (slot <= SP_SLOT_ZERO) {
      w->stats->dropped++;
      return add_drop(addr);
    }
    break;
  case SP_CLASS_FILE:
    if (slot == SP_SLOT_ABSENT) {
      w->stats->dropped++;
      return add_drop(addr);
    }
    break;
  default:
    if (slot == SP_SLOT_ABSENT) slot = SP_SLOT_ZERO;
    if (was <= SP_SLOT_ZERO && slot == SP_SLOT_ZERO) return 0;
  }
  w->stats->written++;
  return add_write(w, addr, slot);
}

static int put_differences(struct rolling *w) {
  const struct sp_vma *vma = w->vma;
  int fresh = (vma->flags & SP_VMA_FRESH) != 0;
  uint32_t a = sp_index_first(w->live, vma->start), b = sp_index_first(w->target, vma->start);
  for (;;) {
    uint64_t at_a = a < w->live->count ? w->live->entries[a].base : UINT64_MAX;
    uint64_t at_b = b < w->target->count ? w->target->entries[b].base : UINT64_MAX;
    uint64_t base = at_a < at_b ? at_a : at_b;
    if (base >= vma->end) return 0;
    struct sp_chunk *was = at_a == base ? w->live->entries[a++].chunk : NULL;
    struct sp_chunk *wanted = at_b == base ? w->target->entries[b++].chunk : NULL;
    if (fresh) was = NULL;
    if (was == wanted) continue;
    uint64_t from = vma->start > base ? vma->start : base;
    uint64_t to = vma->end < base + SP_CHUNK_BYTES ? vma->end : base + SP_CHUNK_BYTES;
    for (uint64_t addr = from; addr < to; addr += SP_PAGE) {
      uint32_t page = addr / SP_PAGE % SP_CHUNK_PAGES;
      if (page % SP_LEAF_PAGES == 0 && was && wanted && was->leaf[page / SP_LEAF_PAGES] == wanted->leaf[page / SP_LEAF_PAGES]) {
        addr += (SP_LEAF_PAGES - 1) * SP_PAGE;
        continue;
      }
      int r = put_page(w, addr, sp_chunk_get(was, page), sp_chunk_get(wanted, page));
      if (r) return r;
    }
  }
}

int sp_roll(const struct sp_space *space, int live, int target, const struct sp_vma *vmas, int count, struct sp_stats *stats) {
  static struct rolling w;
  memset(stats, 0, sizeof *stats);
  w = (struct rolling){.space = space, .live = sp_index_of(live), .target = sp_index_of(target), .stats = stats};
  if (!w.live || !w.target) return -EBADF;
  drops.count = 0;
  for (int i = 0; i < count; i++) {
    w.vma = &vmas[i];
    stats->scanned += (vmas[i].end - vmas[i].start) / SP_PAGE;
    int r = put_differences(&w);
    if (r) return r;
  }
  int r = flush(&w);
  return r ? r : (int)drops.count;
}

int sp_roll_zero(const struct sp_space *space, uint64_t start, uint64_t end) {
  uint64_t fault_at;
  int r = 0;
  for (; r == 0 && start < end; start += SP_PAGE) r = write_mem(space, start, sp_slot_bytes(SP_SLOT_ZERO), SP_PAGE, &fault_at);
  return r;
}

static int arm_vma(const struct sp_space *space, const struct sp_vma *vma) {
  struct sp_query query = {.mask = SP_CAT_WRITTEN, .anyof = SP_CAT_PRESENT | SP_CAT_SWAPPED, .wanted = SP_CAT_WRITTEN, .flags = SP_SCAN_PROTECT};
  return sp_scan_shared(space, vma->start, vma->end, &query, NULL, NULL);
}

int sp_arm(const struct sp_space *space, const struct sp_vma *vmas, int count) {
  if (space->tier != SP_TIER_UFFD) return 0;
  for (int i = 0; i < count; i++) {
    if (vmas[i].class == SP_CLASS_SHARED) continue;
    int r = arm_vma(space, &vmas[i]);
    if (r == -EPERM && sp_register(space, &vmas[i])) r = arm_vma(space, &vmas[i]);
    if (r && r != -EPERM) return r;
  }
  return 0;
}

/* --- self-check --- */

struct checking {
  const struct sp_space *space;
  const struct sp_vma *vma;
  struct sp_index *index;
  uint64_t *out;
  int max, count;
  uint64_t seen;
};

static void mismatch(struct checking *c, uint64_t addr) {
  if (c->count < c->max) c->out[c->count] = addr;
  c->count++;
}

static int expect_nothing(struct checking *c, uint64_t start, uint64_t end) {
  for (uint64_t addr = start; addr < end;) {
    struct sp_chunk *chunk = sp_index_find(c->index, addr);
    if (!chunk) {
      uint32_t next = sp_index_first(c->index, addr);
      addr = next < c->index->count ? c->index->entries[next].base : end;
      continue;
    }
    sp_slot slot = sp_chunk_get(chunk, addr / SP_PAGE % SP_CHUNK_PAGES);
    /* Where a page of zeroes is expected, nothing is as good, but not where a file shows through. */
    if (slot > SP_SLOT_ZERO || (slot == SP_SLOT_ZERO && c->vma->class == SP_CLASS_FILE)) mismatch(c, addr);
    addr += SP_PAGE;
  }
  return 0;
}

static int on_live(void *context, const struct sp_region *region) {
  struct checking *c = context;
  unsigned char page[SP_PAGE];
  if (c->seen < region->start) expect_nothing(c, c->seen, region->start);
  c->seen = region->end;
  for (uint64_t addr = region->start; addr < region->end; addr += SP_PAGE) {
    sp_slot slot = sp_index_get(c->index, addr);
    if (slot == SP_SLOT_ABSENT && c->vma->class == SP_CLASS_FILE) {
      if (region->categories & SP_CAT_PRESENT && !(region->categories & SP_CAT_FILE)) mismatch(c, addr);
      continue;
    }
    if (slot == SP_SLOT_ABSENT) slot = SP_SLOT_ZERO;
    if (sp_read_mem(c->space, addr, page, SP_PAGE) != SP_PAGE || memcmp(page, sp_slot_bytes(slot), SP_PAGE)) mismatch(c, addr);
  }
  return 0;
}

int sp_compare(const struct sp_space *space, int index, const struct sp_vma *vmas, int count, uint64_t *out, int max) {
  struct checking c = {.space = space, .index = sp_index_of(index), .out = out, .max = max};
  if (!c.index) return -EBADF;
  for (int i = 0; i < count; i++) {
    c.vma = &vmas[i];
    c.seen = vmas[i].start;
    if (vmas[i].class == SP_CLASS_SHARED) {
      struct sp_region all = {vmas[i].start, vmas[i].end, SP_CAT_PRESENT};
      on_live(&c, &all);
      continue;
    }
    int r = sp_scan_presence(space, &vmas[i], on_live, &c);
    if (r) return r;
    if (c.seen < vmas[i].end) expect_nothing(&c, c.seen, vmas[i].end);
  }
  return c.count;
}
