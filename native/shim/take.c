/*
 * Memory into an index. Per mapping: what is not there any more becomes absent; what was written is read into slots; the rest is taken over from the
 * index before. Mappings that cannot be armed are read whole and compared.
 *
 * Long runs are read through /proc/PID/mem: process_vm_readv pins pages, which un-shares copy-on-write ones and would double the memory of a
 * program that has forked. Short ones are read by it nevertheless, many in one call and without a second copy (less than half the time): they are
 * what the program has written since, so what it un-shares the program mostly has un-shared itself.
 */
#define _GNU_SOURCE
#include "pages.h"
#include "share.h"
#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define GATHER 1024u /* UIO_MAXIOV */
#define PART 32u
#define PARTS (GATHER / PART)

struct taking {
  const struct sp_space *space;
  const struct sp_vma *vma;
  struct sp_index *index;
  struct sp_stats *stats;
  int arm;
  uint64_t seen; /* presence: everything below was dealt with */
  /* Short runs that wait to be read together, and where each goes. */
  uint32_t gathered;
  struct iovec from[GATHER], to[GATHER];
  sp_slot slot[GATHER];
  uint64_t got[PARTS];
};

int64_t sp_read_mem(const struct sp_space *space, uint64_t addr, void *out, uint64_t length) {
  uint64_t done = 0;
  while (done < length) {
    ssize_t n = pread(space->mem_fd, (char *)out + done, length - done, (off_t)(addr + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += (uint64_t)n;
  }
  return (int64_t)done;
}

static int same(sp_slot slot, const void *bytes) { return memcmp(sp_slot_bytes(slot), bytes, SP_PAGE) == 0; }

static int make_absent(struct taking *t, uint64_t start, uint64_t end) { return sp_index_clear(t->index, start, end); }

/*
 * Fresh slots hold [addr, addr + got): keeps those that say something new. When memory is about to be rolled nobody asks what is new: looking for it
 * would cost more than it saves.
 */
static int file_slots(struct taking *t, uint64_t addr, sp_slot first, uint32_t got) {
  int r = 0;
  for (uint32_t i = 0; i < got; i++, addr += SP_PAGE) {
    sp_slot slot = first + i;
    sp_slot old = t->arm ? sp_index_get(t->index, addr) : SP_SLOT_ABSENT;
    const void *bytes = sp_slot_bytes(slot);
    if (r || (old != SP_SLOT_ABSENT && same(old, bytes))) {
      sp_slot_drop(slot);
    } else if (same(SP_SLOT_ZERO, bytes)) {
      sp_slot_drop(slot);
      r = sp_index_set(t->index, addr, SP_SLOT_ZERO);
    } else {
      r = sp_index_set(t->index, addr, slot);
      if (r) sp_slot_drop(slot);
      t->stats->stored++;
    }
  }
  return r;
}

/* Longest run read at once. */
#define RUN_PAGES 1024u
/* Runs up to this length are gathered: one process_vm_readv for many, with no copy in between. */
#define SHORT_PAGES 64u

/* A page that nobody may read (a guard, memfd_secret) is not ours to keep. */
static int lose_page(struct taking *t, uint64_t addr, sp_slot slot) {
  sp_slot_drop(slot);
  if (getpgid(t->space->pid) < 0) return -ESRCH;
  t->stats->unreadable++;
  return make_absent(t, addr, addr + SP_PAGE);
}

static void drop_slots(sp_slot first, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) sp_slot_drop(first + i);
}

/* Reads pages [from, pages) of a run into the slots from `first` on, past the protection; all slots are dealt with, whatever it returns. */
static int read_run(struct taking *t, uint64_t addr, sp_slot first, uint32_t from, uint32_t pages) {
  int r = 0;
  while (r == 0 && from < pages) {
    uint64_t at = addr + (uint64_t)from * SP_PAGE;
    int64_t n = sp_read_mem(t->space, at, sp_slot_bytes(first + from), (uint64_t)(pages - from) * SP_PAGE);
    uint32_t read = (uint32_t)(n / SP_PAGE);
    r = file_slots(t, at, first + from, read);
    from += read;
    if (r == 0 && from < pages) r = lose_page(t, addr + (uint64_t)from * SP_PAGE, first + from), from++;
  }
  drop_slots(first + from, pages - from);
  return r;
}

static void read_part(void *context, uint32_t part) {
  struct taking *t = context;
  uint32_t first = part * PART, left = t->gathered - first, count = left < PART ? left : PART;
  ssize_t n = process_vm_readv(t->space->pid, t->to + first, count, t->from + first, count, 0);
  t->got[part] = n < 0 ? 0 : (uint64_t)n;
}

static int read_gathered(struct taking *t) {
  uint32_t count = t->gathered, i = 0;
  uint64_t got = 0;
  int r = 0;
  if (count == 0) return 0;
  sp_share((count + PART - 1) / PART, read_part, t);
  t->gathered = 0;
  for (; r == 0 && i < count; i++) {
    if (i % PART == 0) got = t->got[i / PART];
    uint64_t addr = (uint64_t)(uintptr_t)t->from[i].iov_base;
    uint64_t length = t->from[i].iov_len;
    uint32_t pages = (uint32_t)(length / SP_PAGE), read = (uint32_t)((got < length ? got : length) / SP_PAGE);
    got -= (uint64_t)read * SP_PAGE;
    r = file_slots(t, addr, t->slot[i], read);
    if (r) drop_slots(t->slot[i] + read, pages - read);
    else r = read_run(t, addr, t->slot[i], read, pages);
  }
  for (; i < count; i++) drop_slots(t->slot[i], (uint32_t)(t->from[i].iov_len / SP_PAGE));
  return r;
}

static int capture(struct taking *t, uint64_t start, uint64_t end) {
  uint64_t pages = (end - start) / SP_PAGE;
  int gather = pages <= SHORT_PAGES;
  t->stats->written += pages;
  while (start < end) {
    sp_slot first;
    pages = (end - start) / SP_PAGE;
    int got = sp_slot_alloc(pages < RUN_PAGES ? (uint32_t)pages : RUN_PAGES, &first);
    if (got < 0) return got;
    int r = 0;
    if (gather) {
      t->from[t->gathered] = (struct iovec){(void *)(uintptr_t)start, (size_t)got * SP_PAGE};
      t->to[t->gathered] = (struct iovec){sp_slot_bytes(first), (size_t)got * SP_PAGE};
      t->slot[t->gathered++] = first;
      if (t->gathered == GATHER) r = read_gathered(t);
    } else {
      r = read_run(t, start, first, 0, (uint32_t)got);
    }
    if (r) return r;
    start += (uint64_t)got * SP_PAGE;
  }
  return 0;
}

/* Reads [start, end) and gives slots only to pages that differ from the index: no slot is spent on equal ones. */
static int compare_and_capture(struct taking *t, uint64_t start, uint64_t end) {
  static unsigned char room[64 * SP_PAGE];
  t->stats->written += (end - start) / SP_PAGE;
  while (start < end) {
    uint64_t bytes = end - start < sizeof room ? end - start : sizeof room;
    int64_t n = sp_read_mem(t->space, start, room, bytes);
    uint64_t read = (uint64_t)n / SP_PAGE;
    for (uint64_t i = 0; i < read; i++, start += SP_PAGE) {
      const unsigned char *page = room + i * SP_PAGE;
      sp_slot old = sp_index_get(t->index, start);
      if (old != SP_SLOT_ABSENT && same(old, page)) continue;
      sp_slot slot = SP_SLOT_ZERO;
      int r;
      if (!same(SP_SLOT_ZERO, page)) {
        r = sp_slot_alloc(1, &slot);
        if (r < 0) return r;
        memcpy(sp_slot_bytes(slot), page, SP_PAGE);
        t->stats->stored++;
      }
      r = sp_index_set(t->index, start, slot);
      if (r) return r;
    }
    if (read * SP_PAGE == bytes) continue;
    if (getpgid(t->space->pid) < 0) return -ESRCH;
    int r = make_absent(t, start, start + SP_PAGE);
    if (r) return r;
    t->stats->unreadable++;
    start += SP_PAGE;
  }
  return 0;
}

/* --- armed mappings --- */

static int on_hole(void *context, const struct sp_region *region) {
  struct taking *t = context;
  return make_absent(t, region->start, region->end);
}

/* A protected page of a file mapping that was dropped leaves a marker, shown like a swapped page that nobody has written. */
static int settle_swapped(struct taking *t, uint64_t start, uint64_t end) {
  unsigned char page[SP_PAGE];
  for (uint64_t addr = start; addr < end; addr += SP_PAGE) {
    sp_slot slot = sp_index_get(t->index, addr);
    if (slot == SP_SLOT_ABSENT) continue;
    if (sp_read_mem(t->space, addr, page, SP_PAGE) == SP_PAGE && same(slot, page)) continue;
    int r = make_absent(t, addr, addr + SP_PAGE);
    if (r) return r;
  }
  return 0;
}

static int on_file_presence(void *context, const struct sp_region *region) {
  struct taking *t = context;
  int r = t->seen < region->start ? make_absent(t, t->seen, region->start) : 0;
  t->seen = region->end;
  if (r) return r;
  if (region->categories & SP_CAT_PRESENT) return region->categories & SP_CAT_FILE ? make_absent(t, region->start, region->end) : 0;
  return region->categories & SP_CAT_WRITTEN ? 0 : settle_swapped(t, region->start, region->end);
}

static int on_written(void *context, const struct sp_region *region) {
  struct taking *t = context;
  /* A page of the file itself that was only read. */
  if (region->categories & SP_CAT_FILE) return make_absent(t, region->start, region->end);
  return capture(t, region->start, region->end);
}

/* One walk for both questions. */
static int on_written_or_hole(void *context, const struct sp_region *region) {
  if (!(region->categories & (SP_CAT_PRESENT | SP_CAT_SWAPPED))) return on_hole(context, region);
  return region->categories & SP_CAT_WRITTEN ? capture(context, region->start, region->end) : 0;
}

static int take_armed(struct taking *t) {
  const struct sp_vma *vma = t->vma;
  int r;
  if (vma->class == SP_CLASS_FILE) {
    struct sp_query written = {.mask = SP_CAT_WRITTEN, .anyof = SP_CAT_PRESENT | SP_CAT_SWAPPED, .wanted = SP_CAT_WRITTEN | SP_CAT_FILE, .flags = SP_SCAN_CHECK};
    t->seen = vma->start;
    r = sp_scan_presence(t->space, vma, on_file_presence, t);
    if (r == 0 && t->seen < vma->end) r = make_absent(t, t->seen, vma->end);
    if (r == 0) r = sp_scan(t->space, vma->start, vma->end, &written, on_written, t);
  } else {
    struct sp_query either = {.inverted = SP_CAT_PRESENT, .anyof = SP_CAT_WRITTEN | SP_CAT_PRESENT, .wanted = SP_CAT_WRITTEN | SP_CAT_PRESENT | SP_CAT_SWAPPED, .flags = SP_SCAN_CHECK};
    r = sp_scan_shared(t->space, vma->start, vma->end, &either, on_written_or_hole, t);
  }
  int rest = read_gathered(t);
  return r ? r : rest;
}

/* --- mappings nobody reports about --- */

static int on_presence(void *context, const struct sp_region *region) {
  struct taking *t = context;
  int r = t->seen < region->start ? make_absent(t, t->seen, region->start) : 0;
  t->seen = region->end;
  if (r) return r;
  if (region->categories & SP_CAT_FILE) return make_absent(t, region->start, region->end);
  return compare_and_capture(t, region->start, region->end);
}

static int take_compared(struct taking *t) {
  /* Shared memory may hold what others wrote and this process never touched: no presence to go by. */
  if (t->vma->class == SP_CLASS_SHARED) return compare_and_capture(t, t->vma->start, t->vma->end);
  t->seen = t->vma->start;
  int r = sp_scan_presence(t->space, t->vma, on_presence, t);
  if (r == 0 && t->seen < t->vma->end) r = make_absent(t, t->seen, t->vma->end);
  return r;
}

static int take_vma(struct taking *t) {
  t->stats->scanned += (t->vma->end - t->vma->start) / SP_PAGE;
  if (t->space->tier != SP_TIER_UFFD || t->vma->class == SP_CLASS_SHARED) return take_compared(t);
  int r = take_armed(t);
  if (r != -EPERM) return r;
  /* Not registered: new since the last time. Once it is, every page in it counts as written. */
  if (sp_register(t->space, t->vma)) r = take_armed(t);
  if (r != -EPERM) return r;
  t->stats->fallback++;
  return take_compared(t);
}

int sp_take(const struct sp_space *space, int cur, const struct sp_vma *vmas, int count, int arm, struct sp_stats *stats) {
  struct sp_index *before = sp_index_of(cur);
  if (!before) return -EBADF;
  struct sp_index *index = sp_index_copy(before);
  if (!index) return -ENOMEM;
  memset(stats, 0, sizeof *stats);
  static struct taking t;
  t = (struct taking){.space = space, .index = index, .stats = stats, .arm = arm};
  uint64_t end = 0;
  int r = 0;
  for (int i = 0; r == 0 && i < count; i++) {
    t.vma = &vmas[i];
    if (end < t.vma->start) r = sp_index_clear(index, end, t.vma->start);
    end = t.vma->end;
    if (r == 0) r = take_vma(&t);
  }
  if (r == 0) r = sp_index_clear(index, end, UINT64_MAX);
  if (r == 0 && arm) {
    r = sp_arm(space, vmas, count);
    /* What has been protected is in no index: everything counts as written again. */
    for (int i = 0; r && i < count; i++) sp_unprotect(space, vmas[i].start, vmas[i].end);
  }
  if (r == 0) r = sp_index_publish(index);
  sp_store_want(2 * stats->stored * SP_PAGE);
  if (r > 0) return r;
  sp_index_free(index);
  return r;
}
