/*
 * Single steps of a thread that runs alone: all others stand.
 *
 * It makes them on our CPU (placement.c says why). The program must not see its mask changed, and cannot: it could only ask by a system call, and
 * an instruction that may be one is stepped under the thread's own mask. So is one that does not come back at once (a page fault that waits
 * for storage): it gets its mask back before we sleep.
 */
#define _GNU_SOURCE
#include "placement.h"
#include "shim.h"
#include "waking.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* The longest instruction. */
#define CODE_BYTES 15
/* The client is asked for every so many steps. */
#define CLIENT_STEPS 256

_Static_assert(sizeof(siginfo_t) == sizeof((struct sp_stepped *)0)->siginfo, "siginfo_t");
_Static_assert(sizeof(struct user_regs_struct) == sizeof((struct sp_stepped *)0)->registers, "user_regs_struct");

static int is_prefix(uint8_t byte) {
  switch (byte) {
  case 0x26:
  case 0x2e:
  case 0x36:
  case 0x3e:
  case 0x64:
  case 0x65:
  case 0x66:
  case 0x67:
  case 0xf0:
  case 0xf2:
  case 0xf3:
    return 1;
  default:
    return byte >= 0x40 && byte <= 0x4f; /* REX */
  }
}

/* syscall, sysenter, int n. What cannot be read may be one, too. */
static int may_be_system_call(int mem_fd, uint64_t pc) {
  uint8_t code[CODE_BYTES];
  ssize_t i = 0, n = pread(mem_fd, code, sizeof code, (off_t)pc);
  while (i < n && is_prefix(code[i]))
    i++;
  if (i >= n || code[i] == 0xcd) return 1;
  return code[i] == 0x0f && (i + 1 >= n || code[i + 1] == 0x05 || code[i + 1] == 0x34);
}

/* Any tracee has something to say; it stays to be said. */
static int anybody_has_news(void) {
  siginfo_t info = {0};
  return waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD) == 0 && info.si_pid != 0;
}

/*
 * 1: the status is there. 2: the caller's loop must wait for it. Others' news end this, too: the thread may be the leader of a group that is killed,
 * of which nothing is heard until the others have been reaped (has_ended in trace.c).
 */
static int await_step(int tid, int client_fd, struct sp_place *place, int32_t *status) {
  int r = sp_look_for_a_while(tid, status, place->near);
  if (r == 0) sp_place_back(tid, place);
  while (r == 0) {
    if (anybody_has_news()) return sp_look(tid, status) == 1 ? 1 : 2;
    int woken = sp_sleep(client_fd, -1);
    if (woken < 0 || woken & SP_WOKE_FD) return 2;
    sp_clear_wake();
    r = sp_look(tid, status);
  }
  return r;
}

static int is_trap(int tid, struct sp_stepped *s) {
  if (!WIFSTOPPED(s->status) || s->status >> 8 != SIGTRAP) return 0;
  s->known = syscall(SYS_ptrace, PTRACE_GETSIGINFO, tid, 0, s->siginfo) == 0 &&
             syscall(SYS_ptrace, PTRACE_GETREGS, tid, 0, s->registers) == 0;
  return s->known;
}

/* A stop that is nothing but the step we asked for (not a signal, not an event, no debug register); where it has led to. */
static int is_plain_step(int tid, struct sp_stepped *s, uint64_t *pc) {
  siginfo_t info;
  struct user_regs_struct registers;
  if (!is_trap(tid, s)) return 0;
  memcpy(&info, s->siginfo, sizeof info);
  memcpy(&registers, s->registers, sizeof registers);
  *pc = registers.rip;
  return info.si_code == TRAP_TRACE;
}

static int client_speaks(int fd) {
  struct pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, 0) > 0;
}

int sp_step_range(int tid, int mem_fd, uint64_t pc, uint64_t start, uint64_t end, int client_fd, int max, struct sp_stepped *s) {
  struct sp_place place = {.bytes = 0};
  int outcome;
  s->steps = s->known = 0;
  sp_hush();
  for (;;) {
    if (may_be_system_call(mem_fd, pc)) sp_place_back(tid, &place);
    else if (!place.near) sp_place_near(tid, &place);
    s->known = 0;
    outcome = syscall(SYS_ptrace, PTRACE_SINGLESTEP, tid, 0, 0) < 0 ? -errno : await_step(tid, client_fd, &place, &s->status);
    if (outcome != 1) break;
    s->steps++;
    outcome = 0;
    if (!is_plain_step(tid, s, &pc) || pc < start || pc >= end) break;
    outcome = 1;
    if (s->steps >= max || (s->steps % CLIENT_STEPS == 0 && client_speaks(client_fd))) break;
  }
  sp_place_back(tid, &place);
  return outcome;
}
