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
    clock->anchor_boot = clock_boot();
    clock->anchor_wall = clock_wall();
}

time_ms clock_anchor(struct clock *clock)
{
    const time_ms before = clock_now(clock);

    clock_init(clock);
    return clock->anchor_wall - before;
}

time_ms clock_now(const struct clock *clock)
{
    return clock->anchor_wall + (clock_boot() - clock->anchor_boot);
}

time_ms clock_drift(const struct clock *clock)
{
    return clock_wall() - clock_now(clock);
}
