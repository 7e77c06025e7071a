/*
 * For the adapter's rows. `adapter MIB`: so much memory, and a loop to step through. `adapter MIB pause`: prints each time that it
 * stood still for more than a millisecond, as `gap MILLISECONDS`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile int steps;

static int work(int i) {
    int a = i * 2;
    int b = a + 1;
    return a + b;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void tell_gaps(volatile char *memory, size_t size) {
    printf("ready\n");
    fflush(stdout);
    double before = now();
    for (size_t i = 0;; i++) {
        memory[i * 4096 % (64 * 4096) % size]++;
        double after = now();
        if (after - before > 1) {
            printf("gap %.3f\n", after - before);
            fflush(stdout);
            after = now();
        }
        before = after;
    }
}

int main(int argc, char **argv) {
    size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 1) << 20;
    volatile char *memory = malloc(size);
    int numbers[1000];
    int sum = 0;
    memset((char *)memory, 1, size);
    for (int i = 0; i < 1000; i++)
        numbers[i] = i * i;
    if (argc > 2)
        tell_gaps(memory, size);
    for (int i = 0;; i++) {
        steps = i; /* first stop */
        memory[(size_t)i * 4096 % size] = (char)i;
        sum += work(i);
        sum ^= steps + numbers[i % 1000];
    }
}
