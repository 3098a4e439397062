/* The only place that reads clocks.
 *
 * `now` is a wall-clock anchor plus CLOCK_BOOTTIME since the anchor, so it
 * never goes back and never jumps by itself.  When the real wall clock has
 * moved more than 2 s away, clock_drift() says by how much; clock_anchor()
 * takes it over, ahead or back, and answers by how much `now` moved, which is
 * what the core must be told (INPUT_CLOCK_SET). */
#ifndef RUNTIME_CLOCK_H
#define RUNTIME_CLOCK_H

#include "policies/units.h"

#define CLOCK_DRIFT_MS (2 * SECOND_MS)

struct clock {
    time_ms anchor_wall, anchor_boot;
};

void clock_init(struct clock *clock);
time_ms clock_now(const struct clock *clock);
time_ms clock_drift(const struct clock *clock);
time_ms clock_anchor(struct clock *clock);

/* The wall clock as it is, for logs and the drift. */
time_ms clock_wall(void);

/* Monotonic, for measuring: CLOCK_BOOTTIME in ms and in ns. */
time_ms clock_boot(void);
int64_t clock_boot_ns(void);

/* CLOCK_MONOTONIC, which systemd counts in. */
int64_t clock_monotonic_us(void);

#endif
