/* The driver's double: the real core, a journal in memory, and a world that
 * answers as the test says.  Nothing here waits. */
#ifndef TESTS_API_HELP_DRIVER_H
#define TESTS_API_HELP_DRIVER_H

#include "controller/runtime/driver.h"

#define WORLD_JOURNAL_MAX 4000

struct driver {
    uv_loop_t *loop;
    struct config config;
    struct service_config service;
    struct source_config source;
    struct core *core;
    struct log *log;
    struct problems problems;
    struct revert_timing timing;
    time_ms now;
    driver_answer *answer;
    void *answer_data;

    /* What the test arranges. */
    char live[64];     /* at the target */
    double errors;     /* what every query answers */
    bool lose_samples; /* the source answers 503 */
    bool ready;        /* false: as with a store that is down */
    bool hold_answers; /* as with a store that is slow */
    bool lose_reads;   /* a read is never answered before world_close() */
    bool refuse_reads, break_reads;
    size_t reads_waiting;

    /* The journal, and answers that wait for it. */
    char *journal[WORLD_JOURNAL_MAX];
    struct entry entries[WORLD_JOURNAL_MAX];
    size_t journal_count;
    struct effect held[16];
    size_t held_count;
    struct effect queue[256];
    size_t queue_count;
    struct decision decision;
};

/* One service, "user-service" in "production", with a target; the policy in
 * tests/unit/api/policy.yaml. */
void world_open(struct driver *driver, uv_loop_t *loop);
void world_close(struct driver *driver);

/* Time passes; the core's deadlines are kept, its effects carried out. */
void world_pass(struct driver *driver, time_ms span);

/* Let the held answers go. */
void world_release(struct driver *driver);

#endif
