/* A driver that only listens, and a core that is a table: what sources may ask
 * of the real ones, and every input that they hand in. */
#ifndef TESTS_SOURCES_HELP_DRIVER_H
#define TESTS_SOURCES_HELP_DRIVER_H

#include "controller/runtime/driver.h"
#include "controller/sources/sources.h"

#define FAKE_QUERIES_MAX 64

/* An input that was handed in, with its arrays. */
struct told {
    enum input_kind kind;
    uint32_t query;
    time_ms g;
    char error[RECORD_TEXT_MAX]; /* "" none */
    size_t count;
    uint32_t *series;
    struct sample *samples; /* of the series, or rows x signals */
    struct effect_id id;
    time_ms from;
    size_t rows;
};

struct fake_series {
    uint32_t id, query;
    uint8_t selects;
    const char *labels[POLICY_SELECT_MAX];
    const char *values[POLICY_SELECT_MAX];
};

struct driver {
    uv_loop_t loop;
    struct http *http;
    time_ms now; /* 0: the real clock */
    struct clock clock;
    struct config config;
    struct source_config sources[4];
    struct source_option source_options[4];
    struct service_config services[8];
    struct query_view queries[FAKE_QUERIES_MAX];
    size_t queries_count;
    struct fake_series *series;
    size_t series_count, series_size;
    uint32_t signals[POLICY_SIGNALS_MAX]; /* the series that each one reads */
    struct policy policy;                 /* of history effects */
    struct told *told;
    size_t told_count, told_size;
    void (*on_push)(struct driver *driver); /* may change the table */
};

void fake_begin(struct driver *driver);

/* Add one; each returns its index or id.  Texts are lent. */
uint16_t fake_source(struct driver *driver, const char *name, enum fetch fetch,
                     const char *url);
uint32_t fake_query(struct driver *driver, uint16_t source, const char *text,
                    const char *fresh);
uint32_t fake_series(struct driver *driver, uint32_t query, size_t selects,
                     const char *const *labels, const char *const *values);

/* Shorter: a series without a selection, and one by a single label. */
uint32_t fake_all(struct driver *driver, uint32_t query);
uint32_t fake_one(struct driver *driver, uint32_t query, const char *label,
                  const char *value);

/* An EFFECT_HISTORY over the first @signals of driver->signals. */
struct effect fake_history(struct driver *driver, size_t signals, time_ms from,
                           time_ms to, time_ms every);

/* Run the loop until @count inputs were handed in, in all, and give the last;
 * fails the test after 20 s. */
const struct told *fake_wait(struct driver *driver, size_t count);

/* Run the loop until *@number is at least @least. */
void fake_wait_for(struct driver *driver, const int *number, int least);

/* Let the loop run for a while, for what needs time to pass. */
void fake_pause(struct driver *driver, uint64_t pause_ms);

/* What the newest input says of @series; fails when it says nothing. */
struct sample fake_sample(const struct told *told, uint32_t series);

/* Close everything; adapters and peers were closed before.  Fails when
 * something is still open. */
void fake_end(struct driver *driver);

#endif
