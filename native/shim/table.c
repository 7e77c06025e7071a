/*
 * Indexes: sorted tables of 2 MiB regions, whose chunks of 512 slot numbers are shared between indexes until one of them changes one.
 */
#include "pages.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern uint64_t sp_chunk_count, sp_slab_pages, sp_index_count;

/*
 * Chunks and leaves live in the store's memory, which is there already: a checkpoint copies one for each place that was written to, and fresh
 * memory from malloc(3) would cost it page faults. What a slab holds never goes back to the store, only from chunk to chunk, leaf to leaf.
 */
#define SLAB_PAGES 64u

struct spare {
  struct spare *next;
};
struct pool {
  size_t size;
  struct spare *spares;
};
static struct pool chunks = {.size = sizeof(struct sp_chunk)}, leaves = {.size = (sizeof(struct sp_leaf) + 7) & ~(size_t)7};

static int take_spare(struct pool *pool, void *out) {
  if (!pool->spares) {
    sp_slot first;
    int got = sp_slot_alloc(SLAB_PAGES, &first);
    if (got < 0) return got;
    sp_slab_pages += (uint64_t)got;
    char *slab = sp_slot_bytes(first);
    for (size_t at = 0; at + pool->size <= (size_t)got * SP_PAGE; at += pool->size) {
      struct spare *spare = (struct spare *)(slab + at);
      spare->next = pool->spares;
      pool->spares = spare;
    }
  }
  struct spare *taken = pool->spares;
  pool->spares = taken->next;
  *(void **)out = taken;
  return 0;
}

static void give_spare(struct pool *pool, void *given) {
  struct spare *spare = given;
  spare->next = pool->spares;
  pool->spares = spare;
}

static struct sp_index **handles;
static int handle_room;
static struct sp_index empty = {.holders = 1};

struct sp_index *sp_index_of(int handle) {
  if (handle == 0) return &empty;
  return handle > 0 && handle < handle_room ? handles[handle] : NULL;
}

int sp_index_publish(struct sp_index *index) {
  for (int i = 1; i < handle_room; i++)
    if (!handles[i]) {
      handles[i] = index;
      return i;
    }
  int room = handle_room ? handle_room * 2 : 64;
  struct sp_index **grown = realloc(handles, (size_t)room * sizeof *grown);
  if (!grown) return -ENOMEM;
  memset(grown + handle_room, 0, (size_t)(room - handle_room) * sizeof *grown);
  int first = handle_room ? handle_room : 1;
  handles = grown;
  handle_room = room;
  handles[first] = index;
  return first;
}

int sp_index_hold(int handle) {
  struct sp_index *index = sp_index_of(handle);
  if (!index) return -EBADF;
  index->holders++;
  return handle;
}

int sp_index_drop(int handle) {
  struct sp_index *index = sp_index_of(handle);
  if (!index) return -EBADF;
  if (index == &empty || --index->holders) return 0;
  handles[handle] = NULL;
  sp_index_free(index);
  return 0;
}

static void drop_leaf(struct sp_leaf *leaf) {
  if (!leaf || --leaf->holders) return;
  for (uint32_t i = 0; i < SP_LEAF_PAGES; i++) sp_slot_drop(leaf->slot[i]);
  give_spare(&leaves, leaf);
}

static void drop_chunk(struct sp_chunk *chunk) {
  if (--chunk->holders) return;
  for (uint32_t i = 0; i < SP_LEAVES; i++) drop_leaf(chunk->leaf[i]);
  give_spare(&chunks, chunk);
  sp_chunk_count--;
}

void sp_index_free(struct sp_index *index) {
  for (uint32_t i = 0; i < index->count; i++) drop_chunk(index->entries[i].chunk);
  free(index->entries);
  free(index);
  sp_index_count--;
}

struct sp_index *sp_index_copy(const struct sp_index *from) {
  struct sp_index *index = calloc(1, sizeof *index);
  if (!index) return NULL;
  index->holders = 1;
  index->count = from->count;
  index->room = from->count + 16;
  index->entries = malloc(index->room * sizeof *index->entries);
  if (!index->entries) {
    free(index);
    return NULL;
  }
  for (uint32_t i = 0; i < from->count; i++) {
    index->entries[i] = from->entries[i];
    index->entries[i].chunk->holders++;
  }
  sp_index_count++;
  return index;
}

/* The first entry whose base is >= base. */
static uint32_t position(struct sp_index *index, uint64_t base) {
  uint32_t near = index->near;
  if (near < index->count && index->entries[near].base == base) return near;
  if (near + 1 < index->count && index->entries[near].base < base && index->entries[near + 1].base >= base) return index->near = near + 1;
  uint32_t low = 0, high = index->count;
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (index->entries[mid].base < base)
      low = mid + 1;
    else
      high = mid;
  }
  return index->near = low;
}

uint32_t sp_index_first(const struct sp_index *index, uint64_t addr) {
  uint32_t low = 0, high = index->count;
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (index->entries[mid].base + SP_CHUNK_BYTES <= addr)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

struct sp_chunk *sp_index_find(struct sp_index *index, uint64_t addr) {
  uint64_t base = addr & ~(SP_CHUNK_BYTES - 1);
  uint32_t at = position(index, base);
  return at < index->count && index->entries[at].base == base ? index->entries[at].chunk : NULL;
}

sp_slot sp_chunk_get(const struct sp_chunk *chunk, uint32_t page) {
  const struct sp_leaf *leaf = chunk ? chunk->leaf[page / SP_LEAF_PAGES] : NULL;
  return leaf ? leaf->slot[page % SP_LEAF_PAGES] : SP_SLOT_ABSENT;
}

sp_slot sp_index_get(struct sp_index *index, uint64_t addr) { return sp_chunk_get(sp_index_find(index, addr), addr / SP_PAGE % SP_CHUNK_PAGES); }

static int new_chunk(struct sp_chunk **chunk) {
  int r = take_spare(&chunks, chunk);
  if (r) return r;
  **chunk = (struct sp_chunk){.holders = 1};
  sp_chunk_count++;
  return 0;
}

/* Makes the chunk of entry `at` ours alone. */
static int own_chunk(struct sp_index *index, uint32_t at) {
  struct sp_chunk *chunk = index->entries[at].chunk, *copy;
  if (chunk->holders == 1) return 0;
  int r = new_chunk(&copy);
  if (r) return r;
  *copy = *chunk;
  copy->holders = 1;
  for (uint32_t i = 0; i < SP_LEAVES; i++)
    if (copy->leaf[i]) copy->leaf[i]->holders++;
  chunk->holders--;
  index->entries[at].chunk = copy;
  return 0;
}

/* Makes a leaf of a chunk that is ours alone the same. */
static int own_leaf(struct sp_chunk *chunk, uint32_t i) {
  struct sp_leaf *leaf = chunk->leaf[i], *copy;
  if (leaf && leaf->holders == 1) return 0;
  int r = take_spare(&leaves, &copy);
  if (r) return r;
  *copy = leaf ? *leaf : (struct sp_leaf){.holders = 1};
  copy->holders = 1;
  for (uint32_t k = 0; leaf && k < SP_LEAF_PAGES; k++) sp_slot_hold(copy->slot[k]);
  if (leaf) leaf->holders--;
  chunk->leaf[i] = copy;
  return 0;
}

/* Takes over the caller's hold on `slot`, when it returns 0. */
static int change(struct sp_index *index, uint32_t at, uint32_t page, sp_slot slot) {
  sp_slot old = sp_chunk_get(index->entries[at].chunk, page);
  if (old == slot) {
    sp_slot_drop(slot);
    return 0;
  }
  int r = own_chunk(index, at);
  struct sp_chunk *chunk = index->entries[at].chunk;
  if (r == 0) r = own_leaf(chunk, page / SP_LEAF_PAGES);
  if (r) return r;
  chunk->leaf[page / SP_LEAF_PAGES]->slot[page % SP_LEAF_PAGES] = slot;
  chunk->used += (slot != SP_SLOT_ABSENT) - (old != SP_SLOT_ABSENT);
  chunk->stored += (slot > SP_SLOT_ZERO) - (old > SP_SLOT_ZERO);
  sp_slot_drop(old);
  return 0;
}

static int insert(struct sp_index *index, uint32_t at, uint64_t base) {
  if (index->count == index->room) {
    uint32_t room = index->room ? index->room * 2 : 64;
    struct sp_entry *grown = realloc(index->entries, room * sizeof *grown);
    if (!grown) return -ENOMEM;
    index->entries = grown;
    index->room = room;
  }
  struct sp_chunk *chunk;
  int r = new_chunk(&chunk);
  if (r) return r;
  memmove(index->entries + at + 1, index->entries + at, (index->count - at) * sizeof *index->entries);
  index->entries[at] = (struct sp_entry){base, chunk};
  index->count++;
  return 0;
}

int sp_index_set(struct sp_index *index, uint64_t addr, sp_slot slot) {
  uint64_t base = addr & ~(SP_CHUNK_BYTES - 1);
  uint32_t at = position(index, base);
  if (at == index->count || index->entries[at].base != base) {
    if (slot == SP_SLOT_ABSENT) return 0;
    int r = insert(index, at, base);
    if (r) return r;
  }
  return change(index, at, addr / SP_PAGE % SP_CHUNK_PAGES, slot);
}

int sp_index_clear(struct sp_index *index, uint64_t start, uint64_t end) {
  uint32_t at = position(index, start & ~(SP_CHUNK_BYTES - 1));
  while (at < index->count && index->entries[at].base < end) {
    uint64_t base = index->entries[at].base;
    uint64_t from = start > base ? start : base;
    uint64_t to = end < base + SP_CHUNK_BYTES ? end : base + SP_CHUNK_BYTES;
    for (uint64_t addr = from; addr < to; addr += SP_PAGE) {
      int r = change(index, at, addr / SP_PAGE % SP_CHUNK_PAGES, SP_SLOT_ABSENT);
      if (r) return r;
    }
    if (index->entries[at].chunk->used == 0) {
      drop_chunk(index->entries[at].chunk);
      memmove(index->entries + at, index->entries + at + 1, (index->count - at - 1) * sizeof *index->entries);
      index->count--;
      index->near = 0;
    } else {
      at++;
    }
  }
  return 0;
}

int64_t sp_index_bytes(int handle) {
  struct sp_index *index = sp_index_of(handle);
  if (!index) return -EBADF;
  int64_t pages = 0;
  for (uint32_t i = 0; i < index->count; i++) pages += index->entries[i].chunk->stored;
  return pages * SP_PAGE;
}
