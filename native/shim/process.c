/*
 * Starting a program under the tracer: fork, PTRACE_SEIZE, exec.
 *
 * The child does only async-signal-safe work between fork and exec: the parent is a process with many threads. It waits on a pipe until
 * it is seized, so that the exec happens under trace, and tells through a second, close-on-exec pipe what failed.
 */
#define _GNU_SOURCE
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct failure {
  int32_t stage;
  int32_t error;
};

static _Noreturn void fail(int fd, int stage) {
  struct failure f = {stage, errno};
  if (write(fd, &f, sizeof f) < 0) { /* the parent sees end of file and the death */
  }
  /* Not _exit: with the filter in place that would be held. */
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;)
    pause();
}

/*
 * Stops the program (SECCOMP_RET_TRACE) at exit and exit_group, so that what ends can come back, and at the rare calls that change what only the
 * program itself can ask the kernel for (registrations of a thread, signal handlers, interval timers), so that it need not be asked at each
 * checkpoint. Everything else runs at full speed, rt_sigaction(2) that only asks as well.
 */
static int install_filter(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 12),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 11, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 10, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_set_tid_address, 9, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 8, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setitimer, 7, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_alarm, 6, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
  };
  struct sock_fprog prog = {sizeof code / sizeof code[0], code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0) return 0;
  if (errno != EACCES) return -1;
  /* Without CAP_SYS_ADMIN a filter wants no_new_privs (seccomp(2)). */
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

static _Noreturn void run_child(const char *path, char **argv, char **envp, const char *cwd, int flags, const int32_t *fds, int go,
                                int report) {
  struct sigaction dfl = {.sa_handler = SIG_DFL};
  for (int sig = 1; sig < 65; sig++)
    if (sig != SIGKILL && sig != SIGSTOP) sigaction(sig, &dfl, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  char byte;
  if (read(go, &byte, 1) != 1) _exit(127); /* the tracer died before it seized us */
  int copies[3];
  for (int i = 0; i < 3; i++) {
    copies[i] = -1;
    if (fds[i] >= 0 && (copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10)) < 0) fail(report, 6);
  }
  for (int i = 0; i < 3; i++)
    if (copies[i] >= 0 && dup2(copies[i], i) < 0) fail(report, 6);
  /* Node marks even 0, 1 and 2 close-on-exec at its start (uv_disable_stdio_inheritance). */
  for (int i = 0; i < 3; i++)
    fcntl(i, F_SETFD, 0);
  /* libuv marks its own descriptors close-on-exec; whatever else is open of ours must not reach the program either. */
  syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
  if (cwd && chdir(cwd)) fail(report, 3);
  if (flags & SP_SPAWN_NO_RANDOMIZE) {
    int old = personality(0xffffffff);
    if (old >= 0) personality((unsigned long)old | ADDR_NO_RANDOMIZE);
  }
  if ((flags & SP_SPAWN_HOLD_EXITS) && install_filter()) fail(report, 4);
  execve(path, argv, envp);
  fail(report, 5);
}

static char **split_block(const char *block, int count) {
  char **list = malloc(((size_t)count + 1) * sizeof *list);
  if (!list) return NULL;
  for (int i = 0; i < count; i++) {
    list[i] = (char *)block;
    block += strlen(block) + 1;
  }
  list[count] = NULL;
  return list;
}

static void reap(int pid) {
  int status;
  kill(pid, SIGKILL);
  while (waitpid(pid, &status, __WALL) == pid && !WIFEXITED(status) && !WIFSIGNALED(status))
    ptrace(PTRACE_CONT, pid, 0, 0);
}

int sp_spawn(const char *path, const char *argv_block, int argc, const char *env_block, int envc, const char *cwd, int flags,
             const int32_t *fds, int64_t options, int32_t *stage) {
  int go[2] = {-1, -1}, report[2] = {-1, -1}, result, pid = -1;
  char **argv = split_block(argv_block, argc), **envp = split_block(env_block, envc);
  *stage = 1;
  if (!argv || !envp || pipe2(go, O_CLOEXEC) || pipe2(report, O_CLOEXEC) || (pid = fork()) < 0) {
    result = -errno;
    goto out;
  }
  if (pid == 0) {
    close(go[1]);
    close(report[0]);
    run_child(path, argv, envp, cwd && *cwd ? cwd : NULL, flags, fds, go[0], report[1]);
  }
  close(report[1]);
  report[1] = -1;
  if (ptrace(PTRACE_SEIZE, pid, 0, options)) {
    *stage = 2;
    result = -errno;
    reap(pid);
    goto out;
  }
  if (write(go[1], "g", 1) != 1) {
    result = -errno;
    reap(pid);
    goto out;
  }
  /*
   * The exec closes the report pipe; before that the child may stand in a stop that we must see (it cannot: no event comes before
   * PTRACE_EVENT_EXEC, and the point of no return that closes the pipe lies before that stop).
   */
  struct failure f;
  ssize_t n;
  do
    n = read(report[0], &f, sizeof f);
  while (n < 0 && errno == EINTR);
  if (n == (ssize_t)sizeof f) {
    *stage = f.stage;
    result = -f.error;
    reap(pid);
    goto out;
  }
  *stage = 0;
  result = pid;
out:
  for (int i = 0; i < 2; i++) {
    if (go[i] >= 0) close(go[i]);
    if (report[i] >= 0) close(report[i]);
  }
  free(argv);
  free(envp);
  return result;
}
