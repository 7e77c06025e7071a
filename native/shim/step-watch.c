/*
 * Watchpoints without debug registers: the threads of a process are single-stepped one after another, and the watched bytes compared
 * after each step.
 *
 * Only one thread executes user code at a time, so the thread whose step changed a byte is the one that wrote it. A thread whose step
 * is a system call that blocks is left in flight: when the call is over it stops before any further user code. Such a call may write
 * memory, too (read(2)), while another thread has its turn; therefore the bytes are compared before a step as well while anybody is in
 * flight, and a change found there belongs to the thread that has come back from its call.
 *
 * Stops send no SIGCHLD meanwhile (waking.c): nothing here sleeps, with nobody left to step the caller waits as always.
 */
#define _GNU_SOURCE
#include "shim.h"
#include "waking.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_FLAGS (__WALL | __WNOTHREAD)
/* Steps of one thread before the next one has its turn. */
#define QUANTUM 100
/* Looks at a step that does not come back before /proc is asked whether its thread sleeps. */
#define SPINS 16
/* Looks before a thread that runs in the kernel all the time (a long system call) is given up as in flight. */
#define PATIENCE 4096
/* Looks at threads in flight when watched bytes changed in nobody's turn. */
#define BLAME_SPINS 64
/* How far behind an address in a system call's arguments the kernel is thought to write: this, or the third argument. */
#define NEAR 256
#define FAR (1u << 30)
#define COMPARE_ROOM 4096

struct watch {
  int pid, mem_fd, registers;
  struct sp_step_thread *threads;
  int nthreads;
  const struct sp_watch_point *points;
  int npoints;
  const uint8_t *values;
  int32_t *others;
  int max_others, nothers;
  int news;
};

/* The first byte that is not what it was, or the point's first when the memory has come or gone; 0: none. */
static uint64_t difference(int mem_fd, const struct sp_watch_point *point, const uint8_t *value) {
  uint8_t now[COMPARE_ROOM];
  for (uint64_t done = 0; done < point->length;) {
    size_t part = point->length - done < sizeof now ? point->length - done : sizeof now;
    int readable = pread(mem_fd, now, part, (off_t)(point->addr + done)) == (ssize_t)part;
    if (readable != (point->readable != 0)) return point->addr;
    if (!readable) return 0;
    if (memcmp(now, value + done, part) != 0) {
      size_t i = 0;
      while (now[i] == value[done + i])
        i++;
      return point->addr + done + i;
    }
    done += part;
  }
  return 0;
}

static uint64_t changed(const struct watch *w) {
  const uint8_t *value = w->values;
  for (int i = 0; i < w->npoints; i++) {
    uint64_t at = difference(w->mem_fd, &w->points[i], value);
    if (at != 0) return at;
    value += w->points[i].length;
  }
  return 0;
}

/*
 * A stop that is nothing but the end of the step: after an instruction (TRAP_TRACE), at the exit of a system call (TRAP_BRKPT; a
 * breakpoint instruction says SI_KERNEL), or at the first instruction of a signal handler (ptrace_notify: the code is SIGTRAP).
 */
static int plain_step(const struct watch *w, int tid, int status) {
  siginfo_t info;
  uint64_t dr6;
  if (!WIFSTOPPED(status) || status >> 8 != SIGTRAP) return 0;
  if (syscall(SYS_ptrace, PTRACE_GETSIGINFO, tid, 0, &info) < 0) return 0;
  if (info.si_code != TRAP_TRACE && info.si_code != TRAP_BRKPT && info.si_code != SIGTRAP) return 0;
  /* A debug register that fires during a step is told by DR6 alone. */
  if (w->registers && (sp_peek_user(tid, offsetof(struct user, u_debugreg[6]), &dr6) || (dr6 & 15))) return 0;
  return 1;
}

static void tell(struct watch *w, struct sp_step_thread *t, int status, int stepped) {
  t->state = SP_STEP_NEWS;
  t->status = status;
  t->stepped = stepped;
  w->news = 1;
}

/* A status of a thread of ours: it stands, or it is news. Who changed what is not asked here. */
static void sort_in(struct watch *w, struct sp_step_thread *t, int status) {
  uint64_t pc;
  if (!plain_step(w, t->tid, status)) {
    tell(w, t, status, 0);
    return;
  }
  t->stepped = SP_STEPPED;
  t->state = SP_STEP_STANDS;
  if (t->start == 0 && t->end == UINT64_MAX) return;
  if (sp_peek_user(t->tid, offsetof(struct user_regs_struct, rip), &pc) || pc < t->start || pc >= t->end)
    tell(w, t, status, SP_STEPPED);
}

/* Whatever else has happened: threads in flight that are back (marked so), births, deaths, other processes. */
static void gather(struct watch *w) {
  int status, tid;
  while (w->nothers < w->max_others && (tid = waitpid(-1, &status, WAIT_FLAGS | WNOHANG)) > 0) {
    int i = 0;
    while (i < w->nthreads && w->threads[i].tid != tid)
      i++;
    if (i < w->nthreads) {
      sort_in(w, &w->threads[i], status);
      w->threads[i].back = 1;
      continue;
    }
    w->others[2 * w->nothers] = tid;
    w->others[2 * w->nothers + 1] = status;
    w->nothers++;
  }
}

/* Whether the thread stands at the exit of a system call; 2: of one that was given an address at or a little before `at`. */
static int call_made(const struct sp_step_thread *t, uint64_t at) {
  struct user_regs_struct r;
  if (t->state == SP_STEP_FLIES || syscall(SYS_ptrace, PTRACE_GETREGS, t->tid, 0, &r) < 0 || (int64_t)r.orig_rax < 0) return 0;
  const uint64_t args[] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
  uint64_t span = r.rdx > NEAR && r.rdx < FAR ? r.rdx : NEAR;
  for (unsigned i = 0; i < sizeof args / sizeof *args; i++)
    if (args[i] <= at && at - args[i] < span) return 2;
  return 1;
}

static void accuse(struct watch *w, struct sp_step_thread *t) {
  tell(w, t, t->state == SP_STEP_NEWS ? t->status : SIGTRAP << 8 | 0x7f, SP_STEPPED_AND_WROTE);
}

/*
 * Bytes at `at` have changed. `turn`: whose step it was (NULL: nobody's). It did it, unless a thread in flight is back, or comes back
 * at once, from a system call that was given that address: the kernel wrote, while `turn` was at something else (perhaps at the very
 * call that woke the other one). A call whose addresses say nothing (readv, recvmsg) is accused when `turn` made a call, too, or none.
 */
static void find_writer(struct watch *w, struct sp_step_thread *turn, uint64_t at, int flying) {
  int made = turn == NULL ? 0 : call_made(turn, at);
  struct sp_step_thread *other = NULL;
  for (int spin = 0; flying && made != 2 && spin < BLAME_SPINS; spin++) {
    gather(w);
    for (int i = 0; i < w->nthreads; i++) {
      struct sp_step_thread *t = &w->threads[i];
      if (!t->back || t->stepped == 0) continue;
      int call = call_made(t, at);
      if (call == 2) {
        accuse(w, t);
        return;
      }
      if (call == 1 && other == NULL) other = t;
    }
    sched_yield();
  }
  if (other != NULL && (turn == NULL || made == 1)) accuse(w, other);
  else if (turn != NULL) accuse(w, turn);
}

/* After steps and arrivals: is anything different? */
static void compare(struct watch *w, struct sp_step_thread *turn, int flying) {
  uint64_t at = changed(w);
  if (at != 0) find_writer(w, turn, at, flying);
  /* What has come back until now has not changed anything. */
  for (int i = 0; i < w->nthreads; i++)
    w->threads[i].back = 0;
}

static void collect(struct watch *w) {
  gather(w);
  for (int i = 0; i < w->nthreads; i++) {
    if (!w->threads[i].back) continue;
    compare(w, NULL, 1);
    return;
  }
}

static int in_flight(const struct watch *w) {
  int n = 0;
  for (int i = 0; i < w->nthreads; i++)
    n += w->threads[i].state == SP_STEP_FLIES;
  return n;
}

/* Sleeps in the kernel, as /proc sees it. */
static int sleeps(int pid, int tid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 1;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n < 0 ? 0 : n] = 0;
  /* The command stands in parentheses and may hold some itself; it is shorter than this text. */
  const char *end = strrchr(text, ')');
  return end == NULL || (end[1] == ' ' && end[2] != 'R' && end[2] != 't');
}

/* 1: the status is there. 0: the thread sleeps in a system call (or is dying: its status comes by itself). */
static int await_step(const struct watch *w, int tid, int *status) {
  for (int spin = 0;; spin++) {
    int r = waitpid(tid, status, WAIT_FLAGS | WNOHANG);
    if (r == tid) return 1;
    if (r < 0 || spin >= PATIENCE) return 0;
    if (spin % SPINS == SPINS - 1 && sleeps(w->pid, tid)) return waitpid(tid, status, WAIT_FLAGS | WNOHANG) == tid;
    sched_yield();
  }
}

static void take_turn(struct watch *w, struct sp_step_thread *t, int flying, int *left) {
  for (int n = 0; n < QUANTUM && *left > 0; n++) {
    int status;
    /* If nobody comes back (the call goes on, or another process writes), the thread whose turn it is will be accused. */
    if (flying) compare(w, NULL, flying);
    if (w->news || w->nothers) return;
    if (syscall(SYS_ptrace, PTRACE_SINGLESTEP, t->tid, 0, t->signal) < 0) {
      t->state = SP_STEP_FLIES; /* killed where it stood */
      return;
    }
    t->signal = 0;
    (*left)--;
    if (!await_step(w, t->tid, &status)) {
      t->state = SP_STEP_FLIES;
      return;
    }
    sort_in(w, t, status);
    if (t->stepped) compare(w, t, flying);
    if (w->news) return;
  }
}

static int client_speaks(int fd) {
  struct pollfd p = {fd, POLLIN, 0};
  return fd >= 0 && poll(&p, 1, 0) > 0;
}

int sp_step_watch(int pid, int mem_fd, int client_fd, int registers, int max, struct sp_step_thread *threads, int nthreads,
                  const struct sp_watch_point *points, int npoints, const uint8_t *values, int32_t *others, int max_others,
                  int32_t *steps) {
  struct watch w = {pid, mem_fd, registers, threads, nthreads, points, npoints, values, others, max_others, 0, 0};
  int left = max, turn = 0;
  sp_hush();
  for (int idle = 0; left > 0 && idle < nthreads; turn = (turn + 1) % nthreads) {
    if (threads[turn].state != SP_STEP_STANDS) {
      idle++;
      continue;
    }
    idle = 0;
    take_turn(&w, &threads[turn], in_flight(&w), &left);
    if (!w.news) collect(&w);
    if (w.news || w.nothers || client_speaks(client_fd)) {
      turn = (turn + 1) % nthreads;
      break;
    }
  }
  *steps = max - left;
  for (int i = 0; i < nthreads; i++)
    threads[i].next = i == turn;
  return w.nothers;
}
