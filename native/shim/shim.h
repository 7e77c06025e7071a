/*
 * The flat C ABI of the shim: what TypeScript cannot do, and loops that must not pay for a call across each time.
 *
 * Rules: results are >= 0 or -errno; no state but SIGCHLD's (waking.c); no policy. All ptrace work happens on the one
 * thread that calls in (ptrace(2): requests from another thread than the tracer fail with ESRCH).
 */
#ifndef SAVEPOINT_SHIM_H
#define SAVEPOINT_SHIM_H

#include <stdint.h>

/* ---- process.c ---- */

/*
 * Forks, seizes the child, lets it exec. `argv_block` and `env_block` hold argc and envc NUL-terminated strings; fds[3] are
 * descriptors of ours for 0, 1, 2 (-1: inherit); options are PTRACE_O_ bits.
 * Returns the pid (the child is on its way to PTRACE_EVENT_EXEC), or -errno; *stage tells which step failed
 * (1 fork, 2 seize, 3 cwd, 4 filter, 5 exec, 6 descriptors).
 */
int sp_spawn(const char *path, const char *argv_block, int argc, const char *env_block, int envc, const char *cwd, int flags,
             const int32_t *fds, int64_t options, int32_t *stage);
#define SP_SPAWN_NO_RANDOMIZE 1
#define SP_SPAWN_HOLD_EXITS 2

/* ---- waking.c ---- */

/* Installs the SIGCHLD handler; returns the eventfd that it writes. Once per process. */
int sp_wait_open(void);

/* ---- pty.c ---- */

/* Makes the other side of a pseudo terminal, whose master is closed then, our standard input, output and errors; -errno when it cannot. */
int sp_use_pty(int master);

/* ---- trace.c ---- */

int64_t sp_ptrace(int request, int tid, uint64_t addr, uint64_t data);
int64_t sp_ptrace_buf(int request, int tid, uint64_t addr, void *data);
/* For PTRACE_PEEKSIGINFO, whose addr is a structure, too. */
int64_t sp_ptrace_two(int request, int tid, void *addr, void *data);
/* Bytes transferred. */
int64_t sp_regset_get(int tid, int type, void *buf, int length);
int64_t sp_regset_set(int tid, int type, const void *buf, int length);
/* PTRACE_PEEKUSER into *value. */
int sp_peek_user(int tid, uint64_t offset, uint64_t *value);

/*
 * Collects what our tracees have to say: pairs {tid, status} into `out`, at most `max`. When there is nothing yet: waits in
 * poll for the eventfd or one of `fds` (revents go to `ready`, one a descriptor), at most timeout_ms (-1: for ever).
 * Before it sleeps it looks again `spins` times, a microsecond or so each: worth it while a tracee runs.
 * Returns the number of pairs (0: a descriptor is ready or time is up).
 */
int sp_wait(int32_t *out, int max, const int32_t *fds, int nfds, int32_t *ready, int timeout_ms, int spins);
/* The same for one tid and its stop only; other tracees' events stay in the kernel. -ETIMEDOUT; -ESRCH: it has ended, its status comes later. */
int sp_wait_tid(int tid, int32_t *status, int timeout_ms);
/* PTRACE_INTERRUPT to each; `results`: 0 or -errno. */
void sp_interrupt_all(const int32_t *tids, int count, int32_t *results);
/* ---- step-range.c ---- */

/* How stepping ended. 360 bytes. */
struct sp_stepped {
  int32_t status; /* of the last stop */
  int32_t steps;
  int32_t known; /* the stop is one of SIGTRAP, and what follows is filled in */
  int32_t unused;
  uint8_t siginfo[128];
  uint8_t registers[216]; /* struct user_regs_struct */
};
/*
 * Single-steps `tid`, which stands at `pc`, once, and again while start <= pc < end and each stop is a plain step; at most `max` steps; ends
 * early when client_fd has input. All other threads must stand. Returns 1 when the thread stands stopped inside the range by `max` or client
 * input (not to be reported), 0 when the status is to be looked at, 2 when a step is still on its way (blocked in a call).
 */
int sp_step_range(int tid, int mem_fd, uint64_t pc, uint64_t start, uint64_t end, int client_fd, int max, struct sp_stepped *stepped);

/* ---- step-watch.c ---- */

#define SP_STEP_STANDS 0
#define SP_STEP_FLIES 1
#define SP_STEP_NEWS 2
#define SP_STEPPED 1
#define SP_STEPPED_AND_WROTE 2
/* One thread of a watched process. 48 bytes. */
struct sp_step_thread {
  int32_t tid;
  /* In: STANDS (to be stepped) or FLIES (its step, or its first stop, is awaited). Out: the same, or NEWS: `status` is to be looked at. */
  int32_t state;
  int32_t status;
  /* Delivered with the first step. */
  int32_t signal;
  /* Out: SP_STEPPED when the last status was a plain step: the thread stands in a stop of SIGTRAP if it stands. */
  int32_t stepped;
  /* Out: 1 for the thread whose turn is next. */
  int32_t next;
  /* A step that ends outside [start, end) is news; 0 and ~0: never. */
  uint64_t start, end;
  /* Used inside: it was in flight and is back. */
  int64_t back;
};
/* 24 bytes. */
struct sp_watch_point {
  uint64_t addr, length;
  /* 0: could not be read, and has no value that could change; that it can be read now is a change. */
  uint64_t readable;
};
/*
 * Steps the standing threads in turn until: one of them (or of those in flight) has news; watched bytes differ from `values` (the
 * thread that did it has news); tracees outside `threads` have news (`others`: pairs as sp_wait gives); client_fd has input; `max`
 * steps are done; or nobody stands. `values` holds the bytes of all points one after another. `registers`: debug registers are in use,
 * too. Returns the number of pairs.
 */
int sp_step_watch(int pid, int mem_fd, int client_fd, int registers, int max, struct sp_step_thread *threads, int nthreads,
                  const struct sp_watch_point *points, int npoints, const uint8_t *values, int32_t *others, int max_others,
                  int32_t *steps);

/* ---- inject-x86-64.c ---- */

/* One system call of a batch. Layout known to the batch code (arch.batchCode): 64 bytes. */
struct sp_call {
  uint64_t nr;
  uint64_t args[6];
  int64_t result;
};

/*
 * Runs system calls in a tracee that stands in a signal-type stop; all its signals are blocked meanwhile; registers, mask and
 * orig_rax are as before afterwards. The thread is then in a signal-delivery stop (SIGTRAP). Returns 0, or -ESRCH with the wait
 * status in *stop when the tracee died, -EFAULT with it when it stopped for another reason, or another -errno.
 */
int sp_inject_call(int tid, uint64_t syscall_at, struct sp_call *call, int32_t *stop);
/* The table lies at `table_at` in the tracee and is written and read through mem_fd. */
int sp_inject_batch(int tid, uint64_t code_at, uint64_t table_at, int mem_fd, struct sp_call *calls, int count, int32_t *stop);

/* ---- net.c ---- */

/* A listening unix socket with mode 0600; removes nothing. */
int sp_listen_unix(const char *path);
/* TCP on a literal IPv4/IPv6 address or a name; port 0: any. */
int sp_listen_tcp(const char *host, int port);
int sp_local_port(int fd);
/* Close-on-exec, non-blocking, TCP_NODELAY. `peer` gets a printable address (64 bytes). */
int sp_accept(int fd, char *peer, int peer_length);
/* -EAGAIN when nothing is there; 0 at end of file. */
int64_t sp_read(int fd, void *buf, int64_t length);
/* Writes everything, waiting in poll when the peer is slow; -ETIMEDOUT after timeout_ms without progress. */
int64_t sp_write_all(int fd, const void *buf, int64_t length, int timeout_ms);
int sp_close(int fd);
/* Close-on-exec, above 2. */
int sp_dup(int fd);
int sp_dup2(int from, int to);
int sp_open(const char *path, int flags, int mode);
int64_t sp_pread(int fd, void *buf, int64_t length, uint64_t offset);
int64_t sp_pwrite(int fd, const void *buf, int64_t length, uint64_t offset);
int sp_tgkill(int pid, int tid, int signal);
int sp_pidfd_open(int pid);
int sp_pidfd_getfd(int pidfd, int fd);
/* get_robust_list(2). */
int sp_robust_list(int tid, void *head, void *length);
/* Ignores SIGINT, SIGQUIT, SIGPIPE, SIGTTOU in this process. */
int sp_ignore_signals(void);

/* ---- wait-set.c ---- */

int sp_set_open(void);
int sp_set_add(int set, int fd);
int sp_set_remove(int set, int fd);
/* Does not wait; how many of `fds` were filled in. */
int sp_set_ready(int set, int32_t *fds, int max);
/* Close-on-exec, non-blocking: read end, write end. */
int sp_pipe(int32_t *fds);

#endif
