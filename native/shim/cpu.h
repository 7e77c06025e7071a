/*
 * CPUID and XGETBV: which registers this machine has. Part of the shim's flat C ABI (shim.h).
 */
#ifndef SAVEPOINT_CPU_H
#define SAVEPOINT_CPU_H

#include <stdint.h>

/* eax, ebx, ecx, edx into out4. 0, or -ENOTSUP when the leaf is beyond the CPU's last. */
int sp_cpuid(uint32_t leaf, uint32_t sub, uint32_t *out4);
/* An extended control register (0: XCR0). Only where CPUID leaf 1 says OSXSAVE: SIGILL otherwise. */
uint64_t sp_xgetbv(uint32_t index);

#endif
