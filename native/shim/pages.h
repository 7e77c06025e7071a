/*
 * The page store and the work on memory: taking it into an index, rolling it back to one, comparing the two.
 *
 * Three layers. store.c: slots, page-sized places in one big arena, ref-counted. table.c: an index says for each page of an address space which
 * slot holds its content; made of ref-counted chunks and leaves that indexes share (a persistent table). scan.c, take.c, roll.c: the tracee's side.
 * Nothing here decides when or what: TypeScript does. One thread only (but for the one in store.c that touches memory
 * ahead, and the helper in share.c that copies).
 *
 * The rule everything rests on: a page that the kernel does not report as written since the last arming has the content that the index taken
 * then says. So a page is read only when it was written, and written only when its slots differ.
 */
#ifndef SAVEPOINT_PAGES_H
#define SAVEPOINT_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define SP_PAGE 4096u
#define SP_CHUNK_PAGES 512u
/* What one change copies: small, because changes are scattered. */
#define SP_LEAF_PAGES 16u
#define SP_LEAVES (SP_CHUNK_PAGES / SP_LEAF_PAGES)
#define SP_CHUNK_BYTES (SP_CHUNK_PAGES * (uint64_t)SP_PAGE)

/* What a slot number means: nothing private there (hole, or the mapped file's own page) ... */
#define SP_SLOT_ABSENT 0u
/* ... a page of zeroes (one shared slot) ... any other number: that page of the arena. */
#define SP_SLOT_ZERO 1u

typedef uint32_t sp_slot;

/* ---- store.c ---- */

int sp_store_open(uint64_t limit_bytes);
/* Seven numbers: 0 limit, 1 bytes in use, 2 bytes of arena touched, 3 slots free, 4 chunks, 5 indexes, 6 bytes of slabs (in use for chunks and leaves, or kept for them). */
int sp_store_stats(uint64_t *out);
/* That much will soon be stored: memory for it is made ready in the background. */
void sp_store_want(uint64_t bytes);
void *sp_slot_bytes(sp_slot slot);
/* Up to `want` slots with following numbers, the first in *first; returns how many (at least 1), or -ENOSPC, -ENOMEM. Each has one holder. */
int sp_slot_alloc(uint32_t want, sp_slot *first);
void sp_slot_hold(sp_slot slot);
void sp_slot_drop(sp_slot slot);

/* ---- table.c ---- */

struct sp_leaf {
  uint32_t holders;
  sp_slot slot[SP_LEAF_PAGES];
};

struct sp_chunk {
  uint32_t holders;
  uint32_t used;   /* slots that are not absent */
  uint32_t stored; /* of those, the ones that are not the page of zeroes */
  struct sp_leaf *leaf[SP_LEAVES]; /* NULL: all absent */
};

struct sp_entry {
  uint64_t base; /* 2 MiB aligned */
  struct sp_chunk *chunk;
};

struct sp_index {
  uint32_t holders;
  uint32_t count, room;
  uint32_t near; /* where the last look-up ended */
  struct sp_entry *entries;
};

/* Handles for TypeScript: small positive numbers; 0 is the empty index. */
struct sp_index *sp_index_of(int handle);
int sp_index_publish(struct sp_index *index);
int sp_index_hold(int handle);
int sp_index_drop(int handle);
/* Bytes of the pages that the index names, zero pages not counted. */
int64_t sp_index_bytes(int handle);

struct sp_index *sp_index_copy(const struct sp_index *from);
void sp_index_free(struct sp_index *index);
struct sp_chunk *sp_index_find(struct sp_index *index, uint64_t addr);
/* The number of the first entry that ends behind `addr`; `count` when there is none. */
uint32_t sp_index_first(const struct sp_index *index, uint64_t addr);
sp_slot sp_index_get(struct sp_index *index, uint64_t addr);
/* Of page `page` of a chunk; without a chunk all is absent. */
sp_slot sp_chunk_get(const struct sp_chunk *chunk, uint32_t page);
/* Takes over the caller's hold on `slot`. */
int sp_index_set(struct sp_index *index, uint64_t addr, sp_slot slot);
/* Makes [start, end) absent. */
int sp_index_clear(struct sp_index *index, uint64_t start, uint64_t end);

/* ---- scan.c ---- */

#define SP_CLASS_ANON 1u   /* private anonymous */
#define SP_CLASS_FILE 2u   /* private, of a file: only copied pages are ours */
#define SP_CLASS_SHARED 3u /* shared anonymous: always read whole and compared */

/* Everything below may be written by writev; else only by way of /proc/PID/mem (FOLL_FORCE). */
#define SP_VMA_WRITABLE 1u
/* Mapped anew since the live index was taken: its content is the kernel's (zeroes, or the file). */
#define SP_VMA_FRESH 2u

struct sp_vma {
  uint64_t start, end;
  uint32_t class;
  uint32_t flags;
};

#define SP_TIER_COMPARE 0u
#define SP_TIER_UFFD 1u

struct sp_space {
  int32_t pid;
  int32_t mem_fd;
  int32_t pagemap_fd;
  int32_t uffd; /* -1: none */
  uint32_t tier;
  uint32_t pad;
};

struct sp_stats {
  uint64_t scanned;    /* pages of the mappings given */
  uint64_t written;    /* pages reported written, or looked at because nothing reports */
  uint64_t stored;     /* pages that got a new slot */
  uint64_t dropped;    /* pages that became absent */
  uint64_t unreadable; /* pages the kernel would not read to us */
  uint64_t fallback;   /* mappings that were compared because they cannot be armed */
  uint64_t fault_at;   /* the page that could not be written (-EFAULT) */
};

/* 0 when the kernel has what the uffd tier needs (tried on this very process), or -errno. */
int sp_probe_uffd(void);
/* UFFDIO_API on a descriptor that came from a tracee. */
int sp_uffd_open(int fd);

#define SP_CAT_WRITTEN 2u
#define SP_CAT_FILE 4u
#define SP_CAT_PRESENT 8u
#define SP_CAT_SWAPPED 16u

struct sp_region {
  uint64_t start, end, categories;
};
/* One walk over [start, end); `visit` gets regions in order, non-zero ends it. */
typedef int (*sp_visit)(void *context, const struct sp_region *region);
struct sp_query {
  uint64_t inverted, mask, anyof, wanted;
  uint32_t flags;
};
/* Write-protect what matches, atomically with reporting it. */
#define SP_SCAN_PROTECT 1u
/* -EPERM when writes to the mapping are not reported. Implied by SP_SCAN_PROTECT. */
#define SP_SCAN_CHECK 2u
int sp_scan(const struct sp_space *space, uint64_t start, uint64_t end, const struct sp_query *query, sp_visit visit, void *context);
/* The same, by two threads where that pays: all of it is walked before the first region is visited. `visit` may be NULL. */
int sp_scan_shared(const struct sp_space *space, uint64_t start, uint64_t end, const struct sp_query *query, sp_visit visit, void *context);
/* 1: writes to the mapping are reported (it was registered before, or is now); 0: it refuses. */
int sp_register(const struct sp_space *space, const struct sp_vma *vma);
/* What is there: PRESENT, SWAPPED, FILE (and WRITTEN) of each page that has something; works on every kernel. */
int sp_scan_presence(const struct sp_space *space, const struct sp_vma *vma, sp_visit visit, void *context);
/* Declares [start, end) written, after a failure: what was protected there is not in any index. */
void sp_unprotect(const struct sp_space *space, uint64_t start, uint64_t end);

/* ---- take.c ---- */

/*
 * Memory of the tracee as a new index, from what is known of it (`cur`). Returns a handle. Without `arm` pages that were written stay so: they are
 * read again the next time, and they get slots of their own whether or not they differ. That is for a snapshot of what is about to be
 * overwritten, where arming would only cost a fault for each page.
 */
int sp_take(const struct sp_space *space, int cur, const struct sp_vma *vmas, int count, int arm, struct sp_stats *stats);
int64_t sp_read_mem(const struct sp_space *space, uint64_t addr, void *out, uint64_t length);

/* ---- roll.c ---- */

/*
 * Writes what differs between `live` (what memory is, taken since the tracee stood still) and `target`. Pages that must be absent are not
 * touched but listed: fetch them with sp_roll_drops, let the tracee drop them, then call sp_arm.
 * Returns the number of ranges to drop.
 */
int sp_roll(const struct sp_space *space, int live, int target, const struct sp_vma *vmas, int count, struct sp_stats *stats);
/* Pairs start, end. Returns how many were copied. */
int sp_roll_drops(uint64_t *out, int from, int max);
/* Zeroes written over a range that cannot be dropped (locked memory). */
int sp_roll_zero(const struct sp_space *space, uint64_t start, uint64_t end);
/* After roll and drops: memory is what `target` says; from here on writes are reported. */
int sp_arm(const struct sp_space *space, const struct sp_vma *vmas, int count);
/* Self-check: addresses of pages whose live content is not the index's, at most `max` of them into `out`; returns the count of all. */
int sp_compare(const struct sp_space *space, int index, const struct sp_vma *vmas, int count, uint64_t *out, int max);

/* ---- look.c ---- */

/* The page at `addr` (aligned) as the index has it: 1 and its bytes in `out`, or 0: nothing of its own is there; or -EBADF. */
int sp_index_page(int handle, uint64_t addr, void *out);
/*
 * Pages of [start, end) whose content in two indexes differs, counted into *changed. Where a file shows through in one of them only, the indexes
 * do not say: these pages are not counted but listed, at most `max` of them. Returns how many there are of these, or -EBADF.
 */
int sp_index_diff(int a, int b, uint64_t start, uint64_t end, uint32_t class, uint64_t *changed, uint64_t *unsure, int max);

#endif
