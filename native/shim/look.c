/*
 * Looking into indexes without a tracee: the bytes of one page, and how far two indexes differ. Nothing is changed, of the store or of anybody's memory.
 */
#include "pages.h"
#include <errno.h>
#include <string.h>

int sp_index_page(int handle, uint64_t addr, void *out) {
  struct sp_index *index = sp_index_of(handle);
  if (!index) return -EBADF;
  sp_slot slot = sp_index_get(index, addr);
  if (slot == SP_SLOT_ABSENT) return 0;
  memcpy(out, sp_slot_bytes(slot), SP_PAGE);
  return 1;
}

struct comparing {
  uint32_t class;
  uint64_t *changed, *unsure;
  int max, count;
};

static void compare_page(struct comparing *c, uint64_t addr, sp_slot a, sp_slot b) {
  if (a == b) return;
  if (c->class == SP_CLASS_FILE && (a == SP_SLOT_ABSENT || b == SP_SLOT_ABSENT)) {
    if (c->count < c->max) c->unsure[c->count] = addr;
    c->count++;
    return;
  }
  if (a == SP_SLOT_ABSENT) a = SP_SLOT_ZERO;
  if (b == SP_SLOT_ABSENT) b = SP_SLOT_ZERO;
  /* Two branches may have stored the same content twice. */
  if (a != b && memcmp(sp_slot_bytes(a), sp_slot_bytes(b), SP_PAGE)) ++*c->changed;
}

static void compare_chunks(struct comparing *c, const struct sp_chunk *a, const struct sp_chunk *b, uint64_t from, uint64_t to) {
  if (a == b) return;
  for (uint64_t addr = from; addr < to; addr += SP_PAGE) {
    uint32_t page = addr / SP_PAGE % SP_CHUNK_PAGES;
    if (page % SP_LEAF_PAGES == 0 && a && b && a->leaf[page / SP_LEAF_PAGES] == b->leaf[page / SP_LEAF_PAGES]) {
      addr += (SP_LEAF_PAGES - 1) * SP_PAGE;
      continue;
    }
    compare_page(c, addr, sp_chunk_get(a, page), sp_chunk_get(b, page));
  }
}

int sp_index_diff(int one, int other, uint64_t start, uint64_t end, uint32_t class, uint64_t *changed, uint64_t *unsure, int max) {
  struct sp_index *a = sp_index_of(one), *b = sp_index_of(other);
  if (!a || !b) return -EBADF;
  struct comparing c = {.class = class, .changed = changed, .unsure = unsure, .max = max};
  *changed = 0;
  uint32_t i = sp_index_first(a, start), k = sp_index_first(b, start);
  for (;;) {
    uint64_t at_a = i < a->count ? a->entries[i].base : UINT64_MAX;
    uint64_t at_b = k < b->count ? b->entries[k].base : UINT64_MAX;
    uint64_t base = at_a < at_b ? at_a : at_b;
    if (base >= end) return c.count;
    const struct sp_chunk *of_a = at_a == base ? a->entries[i++].chunk : NULL;
    const struct sp_chunk *of_b = at_b == base ? b->entries[k++].chunk : NULL;
    uint64_t from = start > base ? start : base;
    uint64_t to = end < base + SP_CHUNK_BYTES ? end : base + SP_CHUNK_BYTES;
    compare_chunks(&c, of_a, of_b, from, to);
  }
}
