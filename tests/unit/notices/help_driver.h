/* A driver that only listens: what adapters may ask of the real one, a clock
 * that the test sets, and every input that they hand in. */
#ifndef TESTS_NOTICES_HELP_DRIVER_H
#define TESTS_NOTICES_HELP_DRIVER_H

#include "controller/runtime/driver.h"

#define TOLD_MAX 64

/* An input that was handed in, with its texts. */
struct told {
    enum input_kind kind;
    struct effect_id id;
    enum target_result result;
    char version[NAME_MAX_BYTES + 1];
    bool complete, has;
    uint64_t done_id;
    bool delivered;
    char text[RECORD_TEXT_MAX];
};

struct driver {
    uv_loop_t loop;
    struct http *http;
    struct config config; /* the test fills in what it needs */
    time_ms now;
    struct service_view service; /* answers for every index */
    struct release_view release;
    struct told told[TOLD_MAX];
    size_t told_count;

    /* The journal: entries that a read answers with, or its failure. */
    struct entry *entries;
    size_t entries_count;
    enum store_result read_result;
    bool is_busy; /* driver_read() answers false */
    driver_read_done *read_done;
    void *read_data;
    int reads;
};

void driver_begin(struct driver *driver);

/* Run the loop until @count inputs were handed in, in all. */
void driver_wait(struct driver *driver, size_t count);

/* Run the loop until *@number is at least @least. */
void driver_wait_for(struct driver *driver, const int *number, int least);

/* Answer the read that waits. */
void driver_answer_read(struct driver *driver);

/* Close the HTTP client and the loop; adapters and peers were closed before.
 * Fails when something is still open. */
void driver_end(struct driver *driver);

#endif
