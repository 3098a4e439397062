/* When a server fails it is left alone for a while, then one request goes
 * first: what comes behind it waits for how it ends.
 *
 *     works --failed--> rests --(time)--> one tries --works--> works
 *                         ^                  |
 *                         +-----failed-------+
 *
 * One request that takes too long is not a server that fails: it counts only
 * when nothing else was answered meanwhile.  Times are of clock_boot(). */
#ifndef SOURCES_BACKOFF_H
#define SOURCES_BACKOFF_H

#include "policies/units.h"

#define BACKOFF_FIRST_MS SECOND_MS
/* Below a step of the usual grid, so that every look makes one try. */
#define BACKOFF_LAST_MS (10 * SECOND_MS)
#define BACKOFF_RETRY_AFTER_MS                                                 \
    (5 * MINUTE_MS) /* the most we wait when asked                             \
                     */

struct backoff {
    unsigned failures; /* in a row; 0: it works */
    time_ms until;
    bool tries; /* one request is on its way to see */
    time_ms answered_at, failed_at;
};

enum backoff_says {
    BACKOFF_SEND,
    BACKOFF_TRY,   /* send it, as the one that goes first */
    BACKOFF_WAIT,  /* until the one that went first has ended */
    BACKOFF_REFUSE /* it failed a moment ago */
};

enum backoff_says backoff_ask(struct backoff *backoff, time_ms now);

/* It answered, whatever it said. */
void backoff_works(struct backoff *backoff, time_ms now);

/* A request sent at @sent_at failed; @retry_after as the server asked, or 0. */
void backoff_failed(struct backoff *backoff, time_ms now, time_ms sent_at,
                    time_ms retry_after);

/* A request sent at @sent_at had no answer in time.  False when others had:
 * then the server works. */
bool backoff_timed_out(struct backoff *backoff, time_ms now, time_ms sent_at);

#endif
