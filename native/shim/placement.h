#ifndef SAVEPOINT_PLACEMENT_H
#define SAVEPOINT_PLACEMENT_H

#include <stdint.h>

/* A tracee's own CPU mask, while it is kept beside us. */
struct sp_place {
  uint64_t mask[16];
  long bytes; /* of the kernel's mask; 0: it was not moved */
  int near;   /* it runs on our CPU and no other: it was moved, or has no choice */
};

/* Lets a stopped tracee run on our CPU only. Does nothing when it may not run there, or has no choice anyway. */
void sp_place_near(int tid, struct sp_place *place);
/* Gives it its own mask again. */
void sp_place_back(int tid, struct sp_place *place);

#endif
