/*
 * Feature probes for `savepoint doctor` and for the choice of the dirty-page tier: each tries the thing itself, on memory of ours or on a
 * throw-away child, and undoes it. 1: works; 0: the call is there but does not do what we need; -errno: it failed so.
 *
 * Called in a multi-threaded process: a child made here calls nothing but async-signal-safe functions and is reaped here
 * by its pid. The ptrace probes must run on one thread each from start to end, as they do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* From linux/userfaultfd.h and linux/fs.h of 6.7; older headers lack them (the kernel that runs decides, not the headers). */
struct probe_uffdio_api { uint64_t api, features, ioctls; };
struct probe_uffdio_range { uint64_t start, len; };
struct probe_uffdio_register { struct probe_uffdio_range range; uint64_t mode, ioctls; };
struct probe_uffdio_writeprotect { struct probe_uffdio_range range; uint64_t mode; };
struct probe_page_region { uint64_t start, end, categories; };
struct probe_pm_scan_arg {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PROBE_UFFDIO_API _IOWR(0xAA, 0x3F, struct probe_uffdio_api)
#define PROBE_UFFDIO_REGISTER _IOWR(0xAA, 0x00, struct probe_uffdio_register)
#define PROBE_UFFDIO_WRITEPROTECT _IOWR(0xAA, 0x06, struct probe_uffdio_writeprotect)
#define PROBE_PAGEMAP_SCAN _IOWR('f', 16, struct probe_pm_scan_arg)
#define PROBE_UFFD_USER_MODE_ONLY 1
#define PROBE_UFFD_API 0xAA
#define PROBE_FEATURE_WP_UNPOPULATED (1u << 13)
#define PROBE_FEATURE_WP_ASYNC (1u << 15)
#define PROBE_REGISTER_MODE_WP 2
#define PROBE_WRITEPROTECT_MODE_WP 1
#define PROBE_PAGE_IS_WRITTEN 2
#define PROBE_PTRACE_GET_RSEQ_CONFIGURATION 0x420f

enum { PAGE = 4096, PAGES = 4 };

static char *map_pages(void) {
  char *area = mmap(NULL, PAGE * PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) return NULL;
  madvise(area, PAGE * PAGES, MADV_NOHUGEPAGE);
  for (int i = 0; i < PAGES; i++) area[i * PAGE] = 1;
  return area;
}

static long scan_written(char *area, struct probe_page_region *out, int room) {
  struct probe_pm_scan_arg arg = {
      .size = sizeof arg,
      .start = (uintptr_t)area,
      .end = (uintptr_t)area + PAGE * PAGES,
      .vec = (uintptr_t)out,
      .vec_len = room,
      .category_mask = PROBE_PAGE_IS_WRITTEN,
      .return_mask = PROBE_PAGE_IS_WRITTEN,
  };
  int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  long count = ioctl(fd, PROBE_PAGEMAP_SCAN, &arg);
  if (count < 0) count = -errno;
  close(fd);
  return count;
}

/* The PAGEMAP_SCAN ioctl answers at all. */
int sp_probe_pagemap_scan(void) {
  char *area = map_pages();
  if (area == NULL) return -errno;
  struct probe_page_region regions[PAGES];
  long count = scan_written(area, regions, PAGES);
  munmap(area, PAGE * PAGES);
  return count < 0 ? (int)count : 1;
}

/* Asynchronous write protection by an unprivileged userfaultfd: after one write exactly that page is reported written. */
int sp_probe_uffd_wp_async(void) {
  int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | PROBE_UFFD_USER_MODE_ONLY);
  if (uffd < 0) return -errno;
  char *area = map_pages();
  int result = 0;
  struct probe_uffdio_range whole = {(uintptr_t)area, PAGE * PAGES};
  struct probe_uffdio_api api = {PROBE_UFFD_API, PROBE_FEATURE_WP_ASYNC | PROBE_FEATURE_WP_UNPOPULATED, 0};
  struct probe_uffdio_register reg = {whole, PROBE_REGISTER_MODE_WP, 0};
  struct probe_uffdio_writeprotect protect = {whole, PROBE_WRITEPROTECT_MODE_WP};
  if (area == NULL || ioctl(uffd, PROBE_UFFDIO_API, &api) < 0 || ioctl(uffd, PROBE_UFFDIO_REGISTER, &reg) < 0 ||
      ioctl(uffd, PROBE_UFFDIO_WRITEPROTECT, &protect) < 0) {
    result = -errno;
  } else {
    struct probe_page_region regions[PAGES];
    area[2 * PAGE] = 2;
    long count = scan_written(area, regions, PAGES);
    if (count < 0) result = (int)count;
    else result = count == 1 && regions[0].start == (uintptr_t)area + 2 * PAGE && regions[0].end == regions[0].start + PAGE;
  }
  close(uffd);
  if (area != NULL) munmap(area, PAGE * PAGES);
  return result;
}

static void end_child(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, NULL, __WALL);
}

static volatile int stored;

/* A traced child stopped by SIGSTOP, with a store, a system call (getppid) and its exit ahead. `filter`: getppid goes to the tracer. */
static pid_t traced_child(int filter, volatile char *area) {
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0) _exit(errno);
    raise(SIGSTOP);
    stored = 1;
    if (filter) {
      struct sock_filter code[] = {
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      };
      struct sock_fprog program = {sizeof code / sizeof code[0], code};
      if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) _exit(errno);
      syscall(SYS_getppid);
    }
    if (area != NULL) _exit(*area == 7 ? 1 : 0);
    _exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) < 0) return -errno;
  if (WIFSTOPPED(status)) return child;
  return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? -WEXITSTATUS(status) : -EPERM;
}

/* ptrace of an own child. */
int sp_probe_ptrace(void) {
  pid_t child = traced_child(0, NULL);
  if (child < 0) return child;
  end_child(child);
  return 1;
}

/* A system call of a traced child stops it by SECCOMP_RET_TRACE: threads can be held at their exit. */
int sp_probe_seccomp_trace(void) {
  pid_t child = traced_child(1, NULL);
  if (child < 0) return child;
  int status = 0, result = 0;
  if (ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) < 0 || ptrace(PTRACE_CONT, child, 0, 0) < 0) result = -errno;
  else if (waitpid(child, &status, 0) < 0) return -errno;
  else if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? 0 : -WEXITSTATUS(status);
  else result = status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
  end_child(child);
  return result;
}

/* PTRACE_GET_RSEQ_CONFIGURATION answers. */
int sp_probe_rseq(void) {
  struct { uint64_t address; uint32_t size, signature, flags, pad; } configuration;
  pid_t child = traced_child(0, NULL);
  if (child < 0) return child;
  long got = ptrace(PROBE_PTRACE_GET_RSEQ_CONFIGURATION, child, sizeof configuration, &configuration);
  int result = got < 0 ? -errno : 1;
  end_child(child);
  return result;
}

/* /proc/PID/mem writes through a read-only mapping of a traced child (breakpoints, read-only pages); kernels may forbid it. */
int sp_probe_mem_write(void) {
  char *area = map_pages(), path[64], seven = 7;
  if (area == NULL || mprotect(area, PAGE, PROT_READ) < 0) return -errno;
  pid_t child = traced_child(0, area);
  if (child < 0) {
    munmap(area, PAGE * PAGES);
    return child;
  }
  snprintf(path, sizeof path, "/proc/%d/mem", child);
  int fd = open(path, O_RDWR | O_CLOEXEC), status = 0;
  int result = fd < 0 || pwrite(fd, &seven, 1, (uintptr_t)area) != 1 ? -errno : 1;
  if (fd >= 0) close(fd);
  if (result == 1 && ptrace(PTRACE_CONT, child, 0, 0) == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)) result = WEXITSTATUS(status);
  else end_child(child);
  munmap(area, PAGE * PAGES);
  return result;
}

/*
 * A hardware watchpoint stops a traced child at its store. Under some hypervisors the registers take any value and nothing ever
 * happens.
 */
int sp_probe_debug_registers(void) {
#ifdef __x86_64__
  enum { WRITE_4_BYTES_IN_DR0 = 0xd0001 };
  pid_t child = traced_child(0, NULL);
  if (child < 0) return child;
  int status = 0, result = 0;
  if (ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[0]), &stored) < 0 ||
      ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[7]), (long)WRITE_4_BYTES_IN_DR0) < 0 ||
      ptrace(PTRACE_CONT, child, 0, 0) < 0)
    result = -errno;
  else if (waitpid(child, &status, __WALL) < 0)
    return -errno;
  else if (!WIFSTOPPED(status))
    return 0;
  else if (WSTOPSIG(status) == SIGTRAP)
    result = ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, u_debugreg[6]), 0) & 1;
  end_child(child);
  return result;
#else
  return -ENOSYS;
#endif
}

/* Duplicating a descriptor of another (traceable) process. */
int sp_probe_pidfd_getfd(void) {
  pid_t child = traced_child(0, NULL);
  if (child < 0) return child;
  int result, copy = -1, pidfd = syscall(SYS_pidfd_open, child, 0);
  if (pidfd < 0) result = -errno;
  else if ((copy = syscall(SYS_pidfd_getfd, pidfd, 2, 0)) < 0) result = -errno;
  else result = 1;
  if (copy >= 0) close(copy);
  if (pidfd >= 0) close(pidfd);
  end_child(child);
  return result;
}

/* kcmp tells whether two descriptors are one open file. */
int sp_probe_kcmp(void) {
  int copy = dup(2);
  if (copy < 0) return -errno;
  long same = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 2, copy);
  int result = same < 0 ? -errno : same == 0;
  close(copy);
  return result;
}
