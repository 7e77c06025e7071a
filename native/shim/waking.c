/*
 * SIGCHLD and the eventfd that its handler writes: so that one poll covers tracees and descriptors.
 *
 * The signal is for sleepers only. Who looks with waitpid now and then finds a stop without it, and would pay for each stop with a handler, a
 * write, a sigreturn and a read. So stops send none (SA_NOCLDSTOP) while we look, and do while we sleep. No wake-up is lost:
 *   1. stops are hushed; 2. a tracee stops: no signal; 3. we are about to sleep, and have stops signalled again; 4. waitpid is asked once
 *      more, and finds the stop of 2;
 *   or the tracee stops between 3 and 4: the look finds it, and the eventfd, which is written as well, is one wake-up too many;
 *   or after 4: its signal writes the eventfd, and poll returns at once.
 * The kernel decides by the action as it is when the tracee stops (do_notify_parent_cldstop, under the lock that sigaction takes too), and makes
 * the stop visible to waitpid before (ptrace_stop).
 *
 * Why not sched_yield while we look: it gives up what the scheduler owes us; on a busy machine each costs a slice of everybody else's.
 */
#define _GNU_SOURCE
#include "waking.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A microsecond or so. */
#define PAUSES 32

static int chld_fd = -1;
static int hushed;

static void on_sigchld(int sig) {
  (void)sig;
  int saved = errno;
  uint64_t one = 1;
  if (write(chld_fd, &one, sizeof one) < 0) { /* full: it is readable all the same */
  }
  errno = saved;
}

static int install(int quiet) {
  struct sigaction sa = {.sa_handler = on_sigchld, .sa_flags = SA_RESTART | SA_ONSTACK | (quiet ? SA_NOCLDSTOP : 0)};
  if (sigaction(SIGCHLD, &sa, NULL)) return -errno;
  hushed = quiet;
  return 0;
}

int sp_wait_open(void) {
  if (chld_fd >= 0) return chld_fd;
  chld_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (chld_fd < 0) return -errno;
  int r = install(0);
  return r < 0 ? r : chld_fd;
}

void sp_hush(void) {
  if (!hushed) install(1);
}

int sp_listen_again(void) {
  if (!hushed) return 0;
  install(0);
  return 1;
}

void sp_clear_wake(void) {
  uint64_t count;
  if (read(chld_fd, &count, sizeof count) < 0) { /* was clear */
  }
}

int sp_sleep(int fd, int timeout_ms) {
  struct pollfd p[2] = {{chld_fd, POLLIN, 0}, {fd, POLLIN, 0}};
  int r;
  do
    r = poll(p, fd < 0 ? 1 : 2, timeout_ms);
  while (r < 0 && errno == EINTR); /* SIGCHLD itself: the eventfd is readable now */
  if (r < 0) return -errno;
  return (p[0].revents ? SP_WOKE_CHILD : 0) | (fd >= 0 && p[1].revents ? SP_WOKE_FD : 0);
}

void sp_pause(void) {
  for (int i = 0; i < PAUSES; i++)
    __builtin_ia32_pause();
}
