/* The daemon's inside for measuring: a real driver, store and HTTP target, a
 * deployment API on a thread of its own, metrics made up on the spot. */
#ifndef TESTS_BENCH_STAGE_H
#define TESTS_BENCH_STAGE_H

#include <stdatomic.h>

#include "controller/runtime/driver.h"

#define STAGE_SERVICES_MAX 10000

struct stage {
    char folder[128];
    uv_loop_t loop;
    struct config *config;
    struct log *log;
    FILE *nowhere;
    struct driver *driver;
    size_t services; /* "s0", "s1", ... in production; others run 2.0 */
    size_t answers;  /* to requests, all that came */
    size_t refused;  /* of those */
    size_t samples;  /* rows answered */

    /* What the world is like. */
    _Atomic bool is_bad[STAGE_SERVICES_MAX];
    _Atomic bool is_old[STAGE_SERVICES_MAX];         /* live is 1.0, not 2.0 */
    _Atomic int64_t received_at[STAGE_SERVICES_MAX]; /* the revert, ns */
    int64_t seen_at[STAGE_SERVICES_MAX]; /* its first bad sample, ns */
};

/* Make it, with @policy for every service; aborts with a sentence. */
struct stage *stage_begin(size_t services, const char *policy);
void stage_end(struct stage *stage);

/* Adopt 1.0, deploy and register 2.0 of every service; all answered. */
void stage_deploy_all(struct stage *stage);

/* End the driver and start it anew: how long it took until it could begin, in
 * seconds, and how many records its journal held. */
double stage_restart(struct stage *stage, uint64_t *ret_records);

/* One turn of the loop. */
void stage_turn(struct stage *stage);

/* How many releases stand in @state and have a verdict. */
size_t stage_count(const struct stage *stage, enum release_state state);

#endif
