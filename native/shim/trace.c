/*
 * ptrace(2) and waitpid(2), and the loops that would be slow across the FFI: waiting and range stepping.
 *
 * Waiting: SIGCHLD's handler writes an eventfd, so that one poll covers tracees and descriptors. waitpid runs with
 * __WNOTHREAD: Node's own children (other threads') stay untouched.
 */
#define _GNU_SOURCE
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_FLAGS (__WALL | __WNOTHREAD)
#define MAX_FDS 16
#define SPINS 16

static int chld_fd = -1;

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

static void on_sigchld(int sig) {
  (void)sig;
  int saved = errno;
  uint64_t one = 1;
  if (write(chld_fd, &one, sizeof one) < 0) { /* full: it is readable all the same */
  }
  errno = saved;
}

int sp_wait_open(void) {
  if (chld_fd >= 0) return chld_fd;
  chld_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (chld_fd < 0) return -errno;
  struct sigaction sa = {.sa_handler = on_sigchld, .sa_flags = SA_RESTART | SA_ONSTACK};
  if (sigaction(SIGCHLD, &sa, NULL)) return -errno;
  return chld_fd;
}

static void clear_eventfd(void) {
  uint64_t count;
  if (read(chld_fd, &count, sizeof count) < 0) { /* was clear */
  }
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
  /* A step or a short run ends within microseconds: cheaper to look again than to sleep and be woken by a signal. */
  for (int spin = 0; !n && spin < spins; spin++) {
    sched_yield();
    n = drain(out, max);
  }
  if (n) return n;
  p[0] = (struct pollfd){chld_fd, POLLIN, 0};
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
      clear_eventfd();
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

int sp_wait_tid(int tid, int32_t *status, int timeout_ms) {
  int64_t end = now_ms() + timeout_ms;
  for (int spin = 0;; spin++) {
    int s, r = waitpid(tid, &s, WAIT_FLAGS | WNOHANG);
    if (r == tid) {
      *status = s;
      return 0;
    }
    if (r < 0) return -errno;
    if (spin < SPINS) {
      sched_yield();
      continue;
    }
    if (has_ended(tid)) return waitpid(tid, status, WAIT_FLAGS | WNOHANG) == tid ? 0 : -ESRCH;
    if (timeout_ms >= 0 && now_ms() >= end) return -ETIMEDOUT;
    struct pollfd p = {chld_fd, POLLIN, 0};
    /* Other tracees' SIGCHLDs wake us, too: clear, look again; sp_wait drains before it polls, so nothing is lost. */
    if (poll(&p, 1, LOOK_MS) > 0) clear_eventfd();
  }
}

/* A stop that is nothing but the step we asked for (not a signal, not an event, no debug register). */
static int plain_step(int tid, int status) {
  if (!WIFSTOPPED(status) || status >> 8 != SIGTRAP) return 0;
  siginfo_t info;
  return syscall(SYS_ptrace, PTRACE_GETSIGINFO, tid, 0, &info) == 0 && info.si_code == TRAP_TRACE;
}

int sp_step_range(int tid, uint64_t start, uint64_t end, int client_fd, int max, int32_t *status, int32_t *steps) {
  *steps = 0;
  for (;;) {
    if (syscall(SYS_ptrace, PTRACE_SINGLESTEP, tid, 0, 0) < 0) return -errno;
    for (int spin = 0;; spin++) {
      int s, r = waitpid(tid, &s, WAIT_FLAGS | WNOHANG);
      if (r < 0) return -errno;
      if (r == tid) {
        *status = s;
        break;
      }
      if (spin < SPINS) {
        sched_yield();
        continue;
      }
      /* Blocked or merely slow: wait for a SIGCHLD (anybody's) or the client. */
      struct pollfd p[2] = {{chld_fd, POLLIN, 0}, {client_fd, POLLIN, 0}};
      if (poll(p, 2, -1) > 0) {
        if (p[1].revents) return 2;
        if (p[0].revents) {
          clear_eventfd();
          int w = waitpid(tid, &s, WAIT_FLAGS | WNOHANG);
          if (w == tid) {
            *status = s;
            break;
          }
          /* Somebody else's news: let the caller's loop see it. */
          if (spin > 64) return 2;
        }
      }
    }
    (*steps)++;
    if (!plain_step(tid, *status)) return 0;
    uint64_t pc;
    if (sp_peek_user(tid, offsetof(struct user_regs_struct, rip), &pc)) return 0;
    if (pc < start || pc >= end) return 0;
    if (*steps >= max) return 1;
    if ((*steps & 255) == 0) {
      struct pollfd p = {client_fd, POLLIN, 0};
      if (poll(&p, 1, 0) > 0) return 1;
    }
  }
}

int64_t sp_ptrace_two(int request, int tid, void *addr, void *data) {
  return sp_ptrace(request, tid, (uint64_t)addr, (uint64_t)data);
}
