/*
 * ptrace(2) and waitpid(2), and waiting for tracees.
 *
 * Waiting is to look a few times, because a step or a short run ends within microseconds, and then to sleep (waking.c). waitpid runs
 * with __WNOTHREAD: Node's own children (other threads') stay untouched.
 */
#define _GNU_SOURCE
#include "shim.h"
#include "waking.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_FLAGS (__WALL | __WNOTHREAD)
#define MAX_FDS 16
/* Looks at a tracee on another CPU before we sleep. */
#define SPINS 16
/* The same on our own CPU: it has run when we are back from the first, unless the machine is busy. */
#define YIELDS 2

int64_t sp_ptrace(int request, int tid, uint64_t addr, uint64_t data) {
  long r = syscall(SYS_ptrace, request, tid, addr, data);
  return r < 0 ? -errno : r;
}

int64_t sp_ptrace_buf(int request, int tid, uint64_t addr, void *data) {
  return sp_ptrace(request, tid, addr, (uint64_t)data);
}

int64_t sp_regset_get(int tid, int type, void *buf, int length) {
  struct iovec iov = {buf, (size_t)length};
  return syscall(SYS_ptrace, PTRACE_GETREGSET, tid, type, &iov) < 0 ? -errno : (int64_t)iov.iov_len;
}

int64_t sp_regset_set(int tid, int type, const void *buf, int length) {
  struct iovec iov = {(void *)buf, (size_t)length};
  return syscall(SYS_ptrace, PTRACE_SETREGSET, tid, type, &iov) < 0 ? -errno : (int64_t)iov.iov_len;
}

int sp_peek_user(int tid, uint64_t offset, uint64_t *value) {
  /* The raw system call stores through `data`, unlike glibc's wrapper. */
  return syscall(SYS_ptrace, PTRACE_PEEKUSER, tid, offset, value) < 0 ? -errno : 0;
}

static int drain(int32_t *out, int max) {
  int n = 0;
  while (n < max) {
    int status, tid = waitpid(-1, &status, WAIT_FLAGS | WNOHANG);
    if (tid <= 0) break;
    out[2 * n] = tid;
    out[2 * n + 1] = status;
    n++;
  }
  return n;
}

int sp_wait(int32_t *out, int max, const int32_t *fds, int nfds, int32_t *ready, int timeout_ms, int spins) {
  struct pollfd p[MAX_FDS + 1];
  if (nfds > MAX_FDS) return -EINVAL;
  for (int i = 0; i < nfds; i++)
    ready[i] = 0;
  int n = drain(out, max);
  if (!n && spins > 0) sp_hush();
  for (int spin = 0; !n && spin < spins; spin++) {
    sp_pause();
    n = drain(out, max);
  }
  if (!n && sp_listen_again()) n = drain(out, max);
  if (n) return n;
  p[0] = (struct pollfd){sp_wait_open(), POLLIN, 0};
  for (int i = 0; i < nfds; i++)
    p[i + 1] = (struct pollfd){fds[i], POLLIN, 0};
  for (;;) {
    int r = poll(p, (nfds_t)nfds + 1, timeout_ms);
    if (r < 0 && errno == EINTR) continue; /* SIGCHLD itself: the eventfd is readable now */
    if (r < 0) return -errno;
    if (r == 0) return 0;
    int other = 0;
    for (int i = 0; i < nfds; i++) {
      ready[i] = p[i + 1].revents;
      other |= ready[i];
    }
    if (p[0].revents) {
      sp_clear_wake();
      n = drain(out, max);
      if (n) return n;
    }
    if (other) return 0;
  }
}

static int64_t now_ms(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * Whether the task has ended, although wait(2) does not say so: the leader of a group that is killed becomes a zombie at once, but is reported only
 * when every other thread has been reaped (delay_group_leader in kernel/exit.c), and nothing tells its tracer of the moment.
 */
static int has_ended(int tid) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 1;
  text[n] = 0;
  const char *state = strrchr(text, ')');
  return state && (state[2] == 'Z' || state[2] == 'X');
}

/* How often a task that is waited for is looked at: see has_ended. */
#define LOOK_MS 20

int sp_look(int tid, int32_t *status) {
  int s, r = waitpid(tid, &s, WAIT_FLAGS | WNOHANG);
  if (r == tid) *status = s;
  return r == tid ? 1 : r < 0 ? -errno : 0;
}

int sp_look_for_a_while(int tid, int32_t *status, int near) {
  int r = 0;
  sp_hush();
  for (int spin = 0; r == 0 && spin < (near ? YIELDS : SPINS); spin++) {
    if (near) sched_yield();
    else sp_pause();
    r = sp_look(tid, status);
  }
  if (r == 0 && sp_listen_again()) r = sp_look(tid, status);
  return r;
}

int sp_await(int tid, int32_t *status, int timeout_ms, int near) {
  int64_t end = -1;
  int r = sp_look_for_a_while(tid, status, near);
  while (r == 0) {
    if (end < 0) end = now_ms() + timeout_ms;
    else if (timeout_ms >= 0 && now_ms() >= end) return -ETIMEDOUT;
    /* Other tracees' SIGCHLDs wake us, too: clear, look again; sp_wait drains before it polls, so nothing is lost. */
    if (sp_sleep(-1, LOOK_MS) > 0) sp_clear_wake();
    r = sp_look(tid, status);
    if (r == 0 && has_ended(tid)) return sp_look(tid, status) == 1 ? 0 : -ESRCH;
  }
  return r < 0 ? r : 0;
}

int sp_wait_tid(int tid, int32_t *status, int timeout_ms) {
  return sp_await(tid, status, timeout_ms, 0);
}

void sp_interrupt_all(const int32_t *tids, int count, int32_t *results) {
  sp_hush();
  for (int i = 0; i < count; i++)
    results[i] = (int32_t)sp_ptrace(PTRACE_INTERRUPT, tids[i], 0, 0);
}

int64_t sp_ptrace_two(int request, int tid, void *addr, void *data) {
  return sp_ptrace(request, tid, (uint64_t)addr, (uint64_t)data);
}
