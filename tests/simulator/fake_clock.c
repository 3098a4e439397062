/* controller/runtime/clock.h in virtual time. */
#include "tests/simulator/fake_clock.h"

#include <assert.h>

static time_ms boot, offset;

void fake_clock_begin(time_ms wall)
{
    boot = 1000; /* 0 means never in many places */
    offset = wall - boot;
}

void fake_clock_advance(time_ms at)
{
    assert(at >= boot);
    boot = at;
}

void fake_clock_jump(time_ms difference)
{
    offset += difference;
}

time_ms clock_wall(void)
{
    return boot + offset;
}

time_ms clock_boot(void)
{
    return boot;
}

int64_t clock_boot_ns(void)
{
    return boot * 1000000;
}

int64_t clock_monotonic_us(void)
{
    return boot * 1000;
}

/* What follows is as the real one. */

void clock_init(struct clock *clock)
{
    clock->anchor_boot = clock_boot();
    clock->anchor_wall = clock_wall();
}

time_ms clock_now(const struct clock *clock)
{
    return clock->anchor_wall + (clock_boot() - clock->anchor_boot);
}

time_ms clock_drift(const struct clock *clock)
{
    return clock_wall() - clock_now(clock);
}

time_ms clock_anchor(struct clock *clock)
{
    const time_ms before = clock_now(clock);
    clock_init(clock);
    return clock->anchor_wall - before;
}
