/* A service's hours before and after one deploy, made up but physical.
 *
 * Requests arrive at random around a rate that drifts, ramps and jumps; each
 * holds a connection of a pool for its hold time (Little's law: in use = rate
 * x hold time); a full pool lets them queue, and who waits too long fails.
 * Releases add errors, hold time or a leak.  A meter writes down what a
 * monitoring system would have seen of it, gaps and all.
 *
 * A plan says everything that will happen; classes (classes.h) draw plans;
 * world_run() lives one through, second by second.  Times are seconds, 0 is
 * the deploy. */
#ifndef WORLDS_WORLD_H
#define WORLDS_WORLD_H

#include "tests/worlds/chance.h"

#include <stddef.h>

/* What a wise engineer on call wants of the controller. */
enum wanted {
    WANTED_ROLLBACK,   /* it is the release */
    WANTED_STAY,       /* there is no trouble, or it is not the release's */
    WANTED_HOLD,       /* it is the release, and there is no way back */
    WANTED_BLIND_STAY, /* nothing can be seen: page, do not act */
};

/* Grows from 1 to `factor` between `from` and from + over, and stays. */
struct ramp {
    double from, over, factor;
};

/* Something that lasts from `from` to `until`. */
struct spell {
    double from, until, size;
};

enum blindness {
    BLIND_NOT,
    BLIND_NO_ROWS,
    BLIND_EMPTY,
    BLIND_NAN,
    BLIND_FROZEN /* the same numbers again and again */
};

/* What a meter writes for the share of no requests. */
enum idle_cell { IDLE_ZERO, IDLE_EMPTY, IDLE_NAN };

struct plan {
    enum wanted wanted;
    const char *data_change; /* NULL: not said */
    double onset;            /* when the badness begins, if it does */

    /* The meter. */
    double before, after; /* how long it watched */
    int every;            /* seconds between rows */
    double offset;        /* of the rows to the deploy */
    bool smooth;          /* rates over the last minute, not the last row */
    bool instant_pool;    /* the pool as it is at the row, not the mean */
    bool has_pool, has_latency;
    enum idle_cell idle;
    double gaps;  /* share of rows that begin a gap */
    double empty; /* share of cells that are empty */
    double reset_every;
    enum blindness blindness;
    double blind_from;

    /* Traffic. */
    double rate;
    double wander; /* of the rate, relative */
    struct ramp ramp, second_ramp;
    struct spell crowd; /* size: factor */
    double day_depth;   /* the rate swings by this share ... */
    double day_phase;   /* ... over a day that began this long ago */
    double day_length;

    /* The pool. */
    double size, hold;
    double hold_wander;
    double slowing;      /* hold time grows by this times the load's growth, */
    double slowing_most; /* at most to this factor, */
    double slowing_lag;  /* with this delay */
    struct ramp resize;
    double timeout;
    double restart_first, restart_every, restart_takes;

    /* Errors. */
    double errors_base;
    double errors_wander;
    struct spell burning; /* not the release's fault; size: share */
    struct spell blip;

    /* Turbulence after the deploy; size: share of errors. */
    struct spell turbulence;
    double turbulence_hold;

    /* The release. */
    double bad_errors, bad_errors_over; /* share, reached after */
    double flap_on, flap_off;           /* 0: steady */
    double leak;                        /* share of the pool per second */
    double leak_from;                   /* may be before the deploy */
    struct ramp bad_hold;
};

struct reading {
    double at; /* seconds after the deploy */
    double error_rate, requests, pool_in_use, pool_size, latency_p99;
    uint8_t empty; /* bit i: cell i, in the order above, is empty */
    uint8_t nan;   /* the same for nan */
};
#define READING_CELLS 5

#define READINGS_MAX 12000

struct world {
    struct plan plan;
    size_t count;
    struct reading readings[READINGS_MAX];
};

/* How many connections are busy at @t on average, if nothing goes wrong. */
double plan_busy(const struct plan *plan, double t);

/* Live @world->plan through. */
void world_run(struct world *world, struct chance *chance);

#endif
