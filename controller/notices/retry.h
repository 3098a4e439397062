/* When to try again: 1 s after the first failure, then three times as long
 * each time, a quarter more or less; 8 tries within 30 minutes.  So a blip
 * costs a second and an outage of a quarter of an hour loses nothing. */
#ifndef NOTICES_RETRY_H
#define NOTICES_RETRY_H

#include "policies/units.h"

#define RETRY_TRIES_MAX 8
#define RETRY_WITHIN_MS (30 * MINUTE_MS)
#define RETRY_FIRST_MS  SECOND_MS
#define RETRY_ASKED_MAX (5 * MINUTE_MS) /* somebody has to be told */

struct retry {
    time_ms until; /* no try after this, clock_boot() */
    int tries;     /* made so far */
};

/* Begin at @now, clock_boot(): a wall clock that is set neither ends nor
 * prolongs it.  @left is what the asker gives at most, 0: RETRY_WITHIN_MS. */
void retry_begin(struct retry *retry, time_ms now, time_ms left);

/* What is left at @now until @deadline, both of the same clock, at least 1;
 * 0 without a deadline. */
time_ms retry_left(time_ms deadline, time_ms now);

/* The try just made failed.  How long to wait for the next one: at least
 * @asked (of a Retry-After; RETRY_ASKED_MAX counts of it), jitter from
 * *@random.  False: give up. */
bool retry_next(struct retry *retry, time_ms now, time_ms asked,
                uint64_t *random, time_ms *ret_wait);

#endif
