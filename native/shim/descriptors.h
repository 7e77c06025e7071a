/* Descriptors shared with a tracee. Results >= 0 or -errno. */
#ifndef SAVEPOINT_DESCRIPTORS_H
#define SAVEPOINT_DESCRIPTORS_H

#include <stdint.h>

/* 0: descriptor a of process pid_a and b of pid_b are one open file; > 0: they are not. */
int sp_kcmp_file(int pid_a, int a, int pid_b, int b);
/* Sends descriptors of ours through a socket in one message (SCM_RIGHTS); at most SP_SEND_MAX. */
int sp_send_fds(int socket, const int32_t *fds, int count);
#define SP_SEND_MAX 200
int64_t sp_lseek(int fd, int64_t offset, int whence);

#endif
