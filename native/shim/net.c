/*
 * Descriptors for a thread that never runs an event loop: sockets, files, pidfds, its CPU.
 */
#define _GNU_SOURCE
#include "shim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int keep_or_close(int fd, int failed) {
  if (!failed) return fd;
  int e = errno;
  close(fd);
  return -e;
}

int sp_listen_unix(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof a.sun_path) return -ENAMETOOLONG;
  strcpy(a.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  mode_t old = umask(0177);
  int failed = bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 8);
  umask(old);
  return keep_or_close(fd, failed);
}

int sp_listen_tcp(const char *host, int port) {
  char service[16];
  snprintf(service, sizeof service, "%d", port);
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list;
  if (getaddrinfo(*host ? host : NULL, service, &hints, &list)) return -EADDRNOTAVAIL;
  int result = -EADDRNOTAVAIL, one = 1;
  for (struct addrinfo *a = list; a && result < 0; a = a->ai_next) {
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      result = -errno;
      continue;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    result = keep_or_close(fd, bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 8));
  }
  freeaddrinfo(list);
  return result;
}

int sp_local_port(int fd) {
  struct sockaddr_storage a;
  socklen_t n = sizeof a;
  if (getsockname(fd, (struct sockaddr *)&a, &n)) return -errno;
  if (a.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&a)->sin_port);
  if (a.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
  return -EAFNOSUPPORT;
}

int sp_accept(int fd, char *peer, int peer_length) {
  struct sockaddr_storage a = {0};
  socklen_t n = sizeof a;
  int client = accept4(fd, (struct sockaddr *)&a, &n, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;
  if (client < 0) return -errno;
  char host[INET6_ADDRSTRLEN] = "";
  int port = 0;
  if (a.ss_family == AF_INET) {
    inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, host, sizeof host);
    port = ntohs(((struct sockaddr_in *)&a)->sin_port);
  } else if (a.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&a)->sin6_addr, host, sizeof host);
    port = ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
  }
  if (*host)
    snprintf(peer, (size_t)peer_length, "host %s, port %d", host, port);
  else
    snprintf(peer, (size_t)peer_length, "a local socket");
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return client;
}

int64_t sp_read(int fd, void *buf, int64_t length) {
  for (;;) {
    ssize_t n = read(fd, buf, (size_t)length);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

int64_t sp_write_all(int fd, const void *buf, int64_t length, int timeout_ms) {
  int64_t done = 0;
  while (done < length) {
    ssize_t n = write(fd, (const char *)buf + done, (size_t)(length - done));
    if (n > 0) {
      done += n;
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return -errno;
    struct pollfd p = {fd, POLLOUT, 0};
    int r = poll(&p, 1, timeout_ms);
    if (r == 0) return -ETIMEDOUT;
    if (r < 0 && errno != EINTR) return -errno;
  }
  return done;
}

int sp_close(int fd) { return close(fd) ? -errno : 0; }

int sp_open(const char *path, int flags, int mode) {
  int fd = open(path, flags | O_CLOEXEC, mode);
  return fd < 0 ? -errno : fd;
}

int64_t sp_pread(int fd, void *buf, int64_t length, uint64_t offset) {
  ssize_t n = pread(fd, buf, (size_t)length, (off_t)offset);
  return n < 0 ? -errno : n;
}

int64_t sp_pwrite(int fd, const void *buf, int64_t length, uint64_t offset) {
  ssize_t n = pwrite(fd, buf, (size_t)length, (off_t)offset);
  return n < 0 ? -errno : n;
}

int sp_tgkill(int pid, int tid, int signal) { return syscall(SYS_tgkill, pid, tid, signal) < 0 ? -errno : 0; }

int sp_pidfd_open(int pid) {
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : (int)fd;
}

int sp_pidfd_getfd(int pidfd, int fd) {
  long r = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
  return r < 0 ? -errno : (int)r;
}

int sp_ignore_signals(void) {
  static const int list[] = {SIGINT, SIGQUIT, SIGPIPE, SIGTTOU};
  struct sigaction sa = {.sa_handler = SIG_IGN};
  for (unsigned i = 0; i < sizeof list / sizeof *list; i++)
    if (sigaction(list[i], &sa, NULL)) return -errno;
  return 0;
}

int sp_robust_list(int tid, void *head, void *length) { return syscall(SYS_get_robust_list, tid, head, length) < 0 ? -errno : 0; }

int sp_dup(int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? -errno : copy;
}

int sp_dup2(int from, int to) { return dup2(from, to) < 0 ? -errno : 0; }
