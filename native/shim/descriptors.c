/*
 * What the checkpoint engine does with descriptors it shares with a tracee.
 */
#define _GNU_SOURCE
#include "descriptors.h"
#include <errno.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int sp_kcmp_file(int pid_a, int a, int pid_b, int b) {
  long r = syscall(SYS_kcmp, pid_a, pid_b, KCMP_FILE, a, b);
  return r < 0 ? -errno : (int)r;
}

int sp_send_fds(int socket, const int32_t *fds, int count) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(SP_SEND_MAX * sizeof(int))];
  } control;
  char byte = 0;
  struct iovec iov = {&byte, 1};
  if (count < 1 || count > SP_SEND_MAX) return -EINVAL;
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
  memset(&control, 0, sizeof control);
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
  memcpy(CMSG_DATA(&control.header), fds, (size_t)count * sizeof(int));
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int64_t sp_lseek(int fd, int64_t offset, int whence) {
  off_t r = lseek(fd, (off_t)offset, whence);
  return r < 0 ? -errno : (int64_t)r;
}
