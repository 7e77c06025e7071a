/*
 * Packets to a debug server and nothing else: what the server itself can do, with a client that costs next to nothing.
 *
 *   raw-client SECONDS READY AREA BYTES -- SERVER ...     (addresses and BYTES in hex, without 0x)
 *
 * The server is started with one unix socket as its standard input and output, so every server has the same kind of connection.
 * Runs to READY, then prints `NAME PER-SECOND` lines: steps, registers, empty (a packet that no server knows), and MiB of memory.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM (8u << 20)

static char received[ROOM];
static size_t from, to;
static int line;
static pid_t server;
static int acknowledging = 1;

static void fail(const char *why, const char *what) {
  fprintf(stderr, "raw-client: %s: %s\n", why, what);
  if (server > 0) kill(server, SIGTERM);
  exit(1);
}

static void put(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(line, bytes, length);
    if (n <= 0) fail("cannot send", bytes);
    bytes += n;
    length -= (size_t)n;
  }
}

static void send_packet(const char *payload) {
  char frame[512];
  unsigned char sum = 0;
  for (const char *at = payload; *at; at++) sum += (unsigned char)*at;
  put(frame, (size_t)snprintf(frame, sizeof frame, "$%s#%02x", payload, sum));
}

/* The next packet's payload, ended by a zero; `size` receives its length on the wire. */
static char *next_packet(size_t *size) {
  for (;;) {
    char *start = memchr(received + from, '$', to - from);
    char *end = start ? memchr(start, '#', (size_t)(received + to - start)) : NULL;
    if (end && end + 3 <= received + to) {
      from = (size_t)(end + 3 - received);
      *end = 0;
      if (size) *size = (size_t)(end - start - 1);
      if (acknowledging) put("+", 1);
      return start + 1;
    }
    if (from > 0) {
      memmove(received, received + from, to - from);
      to -= from;
      from = 0;
    }
    if (to == ROOM) fail("reply too long", "");
    ssize_t n = read(line, received + to, ROOM - to);
    if (n <= 0) fail("the server has ended", "");
    to += (size_t)n;
  }
}

static char *ask(const char *payload) {
  send_packet(payload);
  for (;;) {
    char *reply = next_packet(NULL);
    /* The program's output and the server's words. */
    if (reply[0] != 'O' || reply[1] == 'K' || reply[1] == 0) return reply;
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void stop_at(const char *address) {
  char packet[64];
  snprintf(packet, sizeof packet, "Z0,%s,1", address);
  if (strcmp(ask(packet), "OK") != 0) fail("no breakpoint at", address);
  char *stop = ask("vCont;c");
  if (stop[0] != 'T') fail("no stop", stop);
  packet[0] = 'z';
  ask(packet);
}

static void rate(const char *name, const char *packet, double seconds, char first) {
  for (int i = 0; i < 500; i++) ask(packet);
  long count = 0;
  double start = now(), end;
  do {
    for (int i = 0; i < 50; i++, count++) {
      char *reply = ask(packet);
      if (first && reply[0] != first) fail(name, reply);
    }
    end = now();
  } while (end - start < seconds);
  printf("%s %.0f\n", name, (double)count / (end - start));
}

static void memory(unsigned long area, unsigned long bytes, unsigned long chunk, double seconds) {
  unsigned long done = 0, at = 0;
  double start = now(), end;
  do {
    if (at + chunk > bytes) at = 0;
    char packet[64];
    snprintf(packet, sizeof packet, "m%lx,%lx", area + at, chunk);
    send_packet(packet);
    size_t size;
    char *reply = next_packet(&size);
    if (reply[0] == 'E' || size < 2) fail("memory", reply);
    at += chunk;
    done += chunk;
    end = now();
  } while (end - start < seconds);
  printf("memory %.1f\nchunk %lu\n", (double)done / (1 << 20) / (end - start), chunk);
}

int main(int argc, char **argv) {
  if (argc < 7 || strcmp(argv[5], "--") != 0) return 2;
  double seconds = atof(argv[1]);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return 3;
  server = fork();
  if (server == 0) {
    dup2(ends[1], 0);
    dup2(ends[1], 1);
    execvp(argv[6], argv + 6);
    _exit(127);
  }
  close(ends[1]);
  line = ends[0];
  char *supported = ask("qSupported:swbreak+;hwbreak+;vContSupported+");
  char *size = strstr(supported, "PacketSize=");
  if (!size) fail("no PacketSize in", supported);
  unsigned long chunk = (strtoul(size + strlen("PacketSize="), NULL, 16) - 8) / 2 & ~7ul;
  if (strcmp(ask("QStartNoAckMode"), "OK") == 0) acknowledging = 0;
  ask("vMustReplyEmpty");
  char thread[64] = "";
  char *stop = ask("?");
  char *named = strstr(stop, "thread:");
  if (!named || sscanf(named, "thread:%63[^;]", thread) != 1) fail("no thread in", stop);
  stop_at(argv[2]);
  char step[96];
  snprintf(step, sizeof step, "vCont;s:%s", thread);
  rate("steps", step, seconds, 'T');
  rate("registers", "g", seconds, 0);
  rate("empty", "vMustReplyEmpty", seconds, 0);
  memory(strtoul(argv[3], NULL, 16), strtoul(argv[4], NULL, 16), chunk, seconds);
  send_packet("vKill;1");
  send_packet("k");
  close(line);
  int status;
  for (int i = 0; i < 200 && waitpid(server, &status, WNOHANG) == 0; i++) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  kill(server, SIGTERM);
  return 0;
}
