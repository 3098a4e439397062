#include "controller/runtime/clock.h"

#include <assert.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec at = {0};
    const int failed = clock_gettime(id, &at);

    assert(failed == 0);
    (void)failed;
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

time_ms clock_wall(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_boot_ns(void)
{
    return read_ns(CLOCK_BOOTTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000;
}

time_ms clock_boot(void)
{
    return clock_boot_ns() / 1000000;
}

void clock_init(struct clock *clock)
{
    clock->latest = 0;
    clock_anchor(clock);
}

void clock_anchor(struct clock *clock)
{
    clock->anchor_boot = clock_boot();
    clock->anchor_wall = clock_wall();
}

static time_ms by_anchor(const struct clock *clock)
{
    return clock->anchor_wall + (clock_boot() - clock->anchor_boot);
}

time_ms clock_now(struct clock *clock)
{
    const time_ms now = by_anchor(clock);

    if (now > clock->latest) {
        clock->latest = now;
    }
    return clock->latest;
}

time_ms clock_drift(struct clock *clock)
{
    return clock_wall() - by_anchor(clock);
}
