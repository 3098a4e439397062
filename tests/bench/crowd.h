/* A hundred pipelines on a thread of their own: each has a connection, posts a
 * registration, waits for its answer, and posts the next. */
#ifndef TESTS_BENCH_CROWD_H
#define TESTS_BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#define CROWD_CLIENTS 100
/* Registrations go round so many services, "t0", "t1", ... */
#define CROWD_SERVICES 100

struct crowd {
    int port;
    double rate; /* a second, 0: as many as are answered */
    uv_thread_t thread;
    _Atomic bool enough;
    /* Read after crowd_stop(). */
    uint64_t registered, refused;
    double seconds;
    double p50_ms, p99_ms; /* from post to answer */
};

void crowd_start(struct crowd *crowd, int port, double rate);
void crowd_stop(struct crowd *crowd);

#endif
