/**
 * What this kernel lets us do, found by trying (native/shim/probe.c), never by its version. Used by `savepoint doctor` and where the
 * engine chooses how it finds the pages that were written.
 */

import { bind } from './shim';

const probes = {
  /** An own child can be traced at all. */
  ptrace: bind<() => number>('int sp_probe_ptrace(void)'),
  /** Asynchronous write protection by an unprivileged userfaultfd, told apart page by page. */
  writeProtect: bind<() => number>('int sp_probe_uffd_wp_async(void)'),
  pagemapScan: bind<() => number>('int sp_probe_pagemap_scan(void)'),
  /** A system call can be held by a seccomp filter. */
  seccompTrace: bind<() => number>('int sp_probe_seccomp_trace(void)'),
  rseq: bind<() => number>('int sp_probe_rseq(void)'),
  /** /proc/PID/mem writes through read-only mappings. */
  memWrite: bind<() => number>('int sp_probe_mem_write(void)'),
  debugRegisters: bind<() => number>('int sp_probe_debug_registers(void)'),
  pidfdGetfd: bind<() => number>('int sp_probe_pidfd_getfd(void)'),
  kcmp: bind<() => number>('int sp_probe_kcmp(void)'),
} as const;

export type ProbeName = keyof typeof probes;
export const probeNames = Object.keys(probes) as ProbeName[];

/** 1: works; 0: is there but does not do what it should; below 0: -errno. */
export type ProbeResult = number;

export function runProbe(name: ProbeName): ProbeResult {
  return probes[name]();
}
