/* Everything that is to happen later: one heap of deadlines that live inside
 * the things they are about.  One tick handles the one oldest.  Same moment:
 * the lower kind first, then the lower id, so that replays agree. */
#ifndef CORE_TIMERS_H
#define CORE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/units.h"

/* In order of urgency.  A rollback is decided after all looks that are due, so
 * that a cause which services share is seen before the first one acts. */
enum timer_kind {
    TIMER_ROLLBACK,  /* the next move of a rollback; id: its id */
    TIMER_PENDING,   /* nobody answered an effect; id: its counter */
    TIMER_RECONCILE, /* ledger and live version disagree; id: service */
    TIMER_QUERY,     /* ask a query; id: the query's */
    TIMER_LOOK,      /* judge a release; id: the service's index */
    TIMER_ACT,       /* a rollback leaf stands; id: the service's index */
    TIMER_COUNTDOWN, /* one ran down, unless a look changed that; id: rollback
                      */
    TIMER_ACCOUNT,   /* clock, grade, blindness after a look; id: service */
    TIMER_OBSERVE,   /* ask what is live; id: the service's index */
    TIMER_FREEZE,    /* a freeze ends; id: the freeze's */
    TIMER_NOTICE,    /* tell again, or give up; id: the notice's */
    TIMER_ACTION     /* give up on an action; id: the action's */
};

struct timer {
    time_ms at;
    uint64_t id;
    uint32_t place; /* in the heap, from 1; 0: not armed */
    enum timer_kind kind;
};

struct timers {
    struct timer **heap; /* [1, count] */
    uint32_t count, max;
};

void timers_init(struct timers *timers, uint32_t max);
void timers_release(struct timers *timers);

/* Once, before anything else; a zeroed timer is not armed. */
void timer_name(struct timer *timer, enum timer_kind kind, uint64_t id);

/* Set or move it to @at. */
void timer_arm(struct timers *timers, struct timer *timer, time_ms at);

/* Set it to @at unless it is due before. */
void timer_pull(struct timers *timers, struct timer *timer, time_ms at);

void timer_stop(struct timers *timers, struct timer *timer);

/* The oldest one, or NULL. */
struct timer *timers_first(const struct timers *timers);

/* The clock was set: move all but freezes by @difference. */
void timers_shift(struct timers *timers, time_ms difference);

/* Assert the heap's order. */
void timers_check(const struct timers *timers);

#endif
