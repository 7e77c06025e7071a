/*
 * System calls made by a tracee on our behalf. compel's idea with ptrace's own means: registers are borrowed, never code.
 *
 * The tracee must stand in a signal-type stop: in an event or syscall stop the kernel would overwrite rax on the way out. All signals but SIGTRAP
 * are blocked meanwhile (PTRACE_SETSIGMASK), so only our own SIGTRAP, somebody else's, a late PTRACE_EVENT_STOP, or death can come. SIGTRAP
 * stays open because the kernel forces ours on the thread: were it blocked, the program's handler for it would be taken away.
 */
#define _GNU_SOURCE
#include "placement.h"
#include "shim.h"
#include "waking.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGSET_BYTES 8
/* A remote call never blocks for long; one that does is a broken promise of ours or a machine in trouble. */
#define LIMIT_MS 10000

#define ONLY_TRAP (1ULL << (SIGTRAP - 1))

struct borrowed {
  struct user_regs_struct regs;
  uint64_t mask;
  struct sp_place place;
  int traps; /* SIGTRAPs of somebody else that came meanwhile: sent again afterwards, by us (a burst of them is one: sigaction(2)) */
};

static long trace(int request, int tid, uint64_t addr, void *data) {
  long r = syscall(SYS_ptrace, request, tid, addr, data);
  return r < 0 ? -errno : r;
}

/* Whether the thread or its process has a SIGTRAP in store: the program blocks it, and it must stay where it is, at the price of the handler. */
static int has_trap(int tid) {
  siginfo_t infos[8];
  for (uint32_t shared = 0; shared < 2; shared++) {
    struct __ptrace_peeksiginfo_args args = {.off = 0, .flags = shared, .nr = 8};
    long n;
    while ((n = trace(PTRACE_PEEKSIGINFO, tid, (uint64_t)(uintptr_t)&args, infos)) > 0) {
      for (long i = 0; i < n; i++)
        if (infos[i].si_signo == SIGTRAP) return 1;
      args.off += (uint64_t)n;
    }
  }
  return 0;
}

static int borrow(int tid, struct borrowed *b) {
  long r = trace(PTRACE_GETREGS, tid, 0, &b->regs);
  if (r < 0) return (int)r;
  r = trace(PTRACE_GETSIGMASK, tid, SIGSET_BYTES, &b->mask);
  if (r < 0) return (int)r;
  b->traps = 0;
  uint64_t blocked = (b->mask & ONLY_TRAP) && has_trap(tid) ? ~0ULL : ~ONLY_TRAP;
  r = trace(PTRACE_SETSIGMASK, tid, SIGSET_BYTES, &blocked);
  if (r < 0) return (int)r;
  sp_place_near(tid, &b->place);
  return 0;
}

static int give_back(int tid, struct borrowed *b) {
  sp_place_back(tid, &b->place);
  long r = trace(PTRACE_SETREGS, tid, 0, &b->regs);
  long s = trace(PTRACE_SETSIGMASK, tid, SIGSET_BYTES, &b->mask);
  /* To the process: in the thread's own queue it would swallow a trap of the thread's own (one of a kind is queued). */
  if (b->traps > 0) kill(tid, SIGTRAP);
  return (int)(r < 0 ? r : s < 0 ? s : 0);
}

/* Resumes with `request` until our SIGTRAP; a PTRACE_EVENT_STOP left over from an earlier interrupt is passed by. */
static int run(int tid, int request, struct borrowed *b, int32_t *stop) {
  for (;;) {
    int32_t status;
    long r = trace(request, tid, 0, NULL);
    if (r < 0) return (int)r;
    r = sp_await(tid, &status, LIMIT_MS, b->place.near);
    if (r < 0) return (int)r;
    if (!WIFSTOPPED(status)) {
      *stop = status;
      return -ESRCH;
    }
    if (status >> 8 == SIGTRAP) {
      siginfo_t info;
      r = trace(PTRACE_GETSIGINFO, tid, 0, &info);
      if (r < 0) return (int)r;
      if (info.si_code > 0) return 0;
      b->traps++;
      continue;
    }
    if (status >> 16 == PTRACE_EVENT_STOP) continue;
    /* Our own call met the program's filter (process.c): it is to be made. */
    if (status >> 16 == PTRACE_EVENT_SECCOMP) continue;
    /* A synchronous fault inside a call that we made: the scratch page is not what we think. */
    *stop = status;
    return -EFAULT;
  }
}

int sp_inject_call(int tid, uint64_t syscall_at, struct sp_call *call, int32_t *stop) {
  struct borrowed b;
  *stop = 0;
  int r = borrow(tid, &b);
  if (r) return r;
  struct user_regs_struct regs = b.regs;
  regs.rip = syscall_at;
  regs.rax = call->nr;
  regs.orig_rax = (unsigned long)-1;
  regs.rdi = call->args[0];
  regs.rsi = call->args[1];
  regs.rdx = call->args[2];
  regs.r10 = call->args[3];
  regs.r8 = call->args[4];
  regs.r9 = call->args[5];
  regs.eflags &= ~0x100UL;
  r = (int)trace(PTRACE_SETREGS, tid, 0, &regs);
  if (r == 0) r = run(tid, PTRACE_SINGLESTEP, &b, stop);
  if (r == -ESRCH) return r;
  if (r == 0) r = (int)trace(PTRACE_GETREGS, tid, 0, &regs);
  if (r == 0) call->result = (int64_t)regs.rax;
  int back = give_back(tid, &b);
  return r ? r : back;
}

int sp_inject_batch(int tid, uint64_t code_at, uint64_t table_at, int mem_fd, struct sp_call *calls, int count, int32_t *stop) {
  struct borrowed b;
  size_t bytes = (size_t)count * sizeof *calls;
  *stop = 0;
  if (count == 0) return 0;
  if (pwrite(mem_fd, calls, bytes, (off_t)table_at) != (ssize_t)bytes) return errno ? -errno : -EIO;
  int r = borrow(tid, &b);
  if (r) return r;
  struct user_regs_struct regs = b.regs;
  regs.rip = code_at;
  regs.rbx = table_at;
  regs.r12 = (uint64_t)count;
  /* Not used, but sigaltstack(2) refuses to change the stack that the stack pointer is on. */
  regs.rsp = table_at;
  regs.orig_rax = (unsigned long)-1;
  regs.eflags &= ~0x500UL;
  r = (int)trace(PTRACE_SETREGS, tid, 0, &regs);
  if (r == 0) r = run(tid, PTRACE_CONT, &b, stop);
  if (r == -ESRCH) return r;
  if (r == 0 && pread(mem_fd, calls, bytes, (off_t)table_at) != (ssize_t)bytes) r = -EIO;
  int back = give_back(tid, &b);
  return r ? r : back;
}
