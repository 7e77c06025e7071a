/*
 * A terminal for a program whose output goes to a debug console: bytes come out as they were written, and what is typed for the
 * program is not echoed.
 */
#define _GNU_SOURCE
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

int sp_open_pty(char *name, int length) {
  int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios settings;
  int slave;
  if (fd < 0) return -errno;
  if (grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, name, (size_t)length) != 0) goto failed;
  slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) goto failed;
  if (tcgetattr(slave, &settings) == 0) {
    settings.c_oflag &= ~(tcflag_t)OPOST;
    settings.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(slave, TCSANOW, &settings);
  }
  /* Left open: without any slave open, reading the master fails with EIO. */
  return fd;
failed:
  slave = errno;
  close(fd);
  return -slave;
}
