/* The adapter to Prometheus: instant queries on the grid, one for all series
 * that select from it, and range queries for the past.
 *
 * At grid time g a query's text, its `fresh` and the source's `alive` (once for
 * all queries of that g) are asked at time = g.  The vector is split by each
 * series' selected labels:
 *     nothing             "no data", for on_no_data to judge
 *     one element         its number, or "nan", "infinite"
 *     more than one       "several"
 * and with `fresh`: an age above max_age, or none at all, is "stale".  A
 * release that lacks the fact it is selected by is "the release does not say":
 * it is not the series that lacks the label. */
#ifndef SOURCES_PROMETHEUS_H
#define SOURCES_PROMETHEUS_H

#include "controller/sources/prometheus_ask.h"

struct source_adapter *prometheus_make(struct driver *driver, uint16_t index);

/* prometheus_history.c: the rows of an EFFECT_HISTORY.  Each signal that reads
 * this source is a range query of its own, narrowed to the one series that it
 * selects; signals of other sources are left "not asked".  Answers with one
 * INPUT_HISTORY. */
void prometheus_history(struct driver *driver, struct prometheus_client *client,
                        uint16_t index, const struct effect *effect);

/* Is one of the values that @series selects by empty? */
bool series_says_nothing(const struct series_view *series);

#endif
