#include "cpu.h"
#include <cpuid.h>
#include <errno.h>

int sp_cpuid(uint32_t leaf, uint32_t sub, uint32_t *out4) {
  return __get_cpuid_count(leaf, sub, &out4[0], &out4[1], &out4[2], &out4[3]) ? 0 : -ENOTSUP;
}

uint64_t sp_xgetbv(uint32_t index) {
  uint32_t low, high;
  /* As instruction, not as intrinsic: that would want -mxsave for the whole file. */
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
  return (uint64_t)high << 32 | low;
}
