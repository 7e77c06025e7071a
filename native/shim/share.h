#ifndef SAVEPOINT_SHARE_H
#define SAVEPOINT_SHARE_H

#include <stdint.h>

typedef void (*sp_part)(void *context, uint32_t part);

/* Parts 0 .. parts - 1, each once, in this thread or the helper; returns when all are done. */
void sp_share(uint32_t parts, sp_part part, void *context);

#endif
