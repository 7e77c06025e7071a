#ifndef SAVEPOINT_WAKING_H
#define SAVEPOINT_WAKING_H

#include <stdint.h>

/* Installs the SIGCHLD handler; the eventfd that it writes, or -errno. Once per process. */
int sp_wait_open(void);

/* Stops of tracees send no SIGCHLD from here on (deaths do). For the time in which waitpid is asked again and again. */
void sp_hush(void);
/*
 * They do again. Must come before a sleep in poll, and waitpid must be asked between the two: 1 when that is needed, because stops were
 * hushed until now.
 */
int sp_listen_again(void);

/* Sleeps until a SIGCHLD has come (anybody's), `fd` has input (-1: none), or time is up. Bits of SP_WOKE_; -errno. */
int sp_sleep(int fd, int timeout_ms);
#define SP_WOKE_CHILD 1
#define SP_WOKE_FD 2

/* A SIGCHLD that has come is answered: waitpid is asked next. */
void sp_clear_wake(void);

/* waitpid for one tracee (trace.c). 1: its status is there. 0: not yet. -errno: it is no tracee of ours. */
int sp_look(int tid, int32_t *status);
/*
 * The same until the time has come to sleep. Of a tracee placed on our CPU (`near`): it runs only when we do not, so we step aside, and
 * come back when it has stopped; of another we hold on to our CPU.
 */
int sp_look_for_a_while(int tid, int32_t *status, int near);
/* Until it has stopped or ended, as sp_wait_tid. */
int sp_await(int tid, int32_t *status, int timeout_ms, int near);

/* A short while on our own CPU, without giving it away. */
void sp_pause(void);

#endif
