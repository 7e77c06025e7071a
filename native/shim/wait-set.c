/*
 * Several descriptors behind one (epoll(7)): who polls that one is woken by any of them. And a pipe by which another thread of ours says that
 * it has left something to be done.
 */
#define _GNU_SOURCE
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_READY 32

int sp_set_open(void) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int sp_set_add(int set, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int sp_set_remove(int set, int fd) { return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL) ? -errno : 0; }

int sp_set_ready(int set, int32_t *fds, int max) {
  struct epoll_event events[MAX_READY];
  int n = epoll_wait(set, events, max < MAX_READY ? max : MAX_READY, 0);
  if (n < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < n; i++)
    fds[i] = events[i].data.fd;
  return n;
}

int sp_pipe(int32_t *fds) {
  int pair[2];
  if (pipe2(pair, O_CLOEXEC | O_NONBLOCK)) return -errno;
  fds[0] = pair[0];
  fds[1] = pair[1];
  return 0;
}
