/*
 * A terminal for a program whose output goes to a debug console: bytes come out as they were written, and what is typed for the
 * program is not echoed.
 */
#define _GNU_SOURCE
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

int sp_use_pty(int master) {
  char name[64];
  struct termios settings;
  int slave;
  if (grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, sizeof name) != 0) return -errno;
  slave = open(name, O_RDWR | O_NOCTTY);
  if (slave < 0) return -errno;
  if (tcgetattr(slave, &settings) == 0) {
    settings.c_oflag &= ~(tcflag_t)OPOST;
    settings.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(slave, TCSANOW, &settings);
  }
  for (int fd = 0; fd <= 2; fd++)
    if (dup2(slave, fd) < 0) return -errno;
  if (slave > 2) close(slave);
  close(master);
  return 0;
}
