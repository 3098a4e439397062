/* What a Prometheus remembers of one release: the table that its past makes.
 *
 *     past = past_new(policy, release);
 *     for (i = 0; i < past_questions(past); i++)
 *         ask past_question(past, i) for every grid time of the past, and
 *         past_take() each point of the series that is selected
 *     table = past_table(past)
 *
 * As in the daemon: no point is an answer with nothing in it, two are several
 * series, what is not fresh is stale, and a selection by a fact that the
 * release does not say is never asked. */
#ifndef REPLAY_BACKTEST_PAST_H
#define REPLAY_BACKTEST_PAST_H

#include "controller/prometheus/selection.h"
#include "controller/replay/backtest_releases.h"
#include "controller/replay/csv.h"

/* Grid times x columns of one release: eight bytes each. */
#define PAST_CELLS_MAX 16000000

struct past_question {
    uint16_t signal;
    bool ages; /* seconds since the newest sample, instead of the value */
    const char *query;
    struct selection selection;
    size_t column; /* of the table */
};

struct past;

/* The grid times that the judge reads: *ret_from, + every, ... */
size_t past_rows(const struct policy *policy,
                 const struct backtest_release *release, time_ms *ret_from);

/* Both are lent for its life.  past_rows() x (signals + fresh ones) must be at
 * most PAST_CELLS_MAX. */
struct past *past_new(const struct policy *policy,
                      const struct backtest_release *release);
void past_free(struct past *past);

/* How many there are for any release, and columns of their tables. */
size_t past_columns(const struct policy *policy);

size_t past_questions(const struct past *past);
const struct past_question *past_question(const struct past *past, size_t i);

/* A point of a selected series.  One that no grid time asked for is ignored. */
void past_take(struct past *past, const struct past_question *question,
               time_ms at, struct sample sample);

/* All was taken.  Lent. */
const struct csv *past_table(struct past *past);

#endif
