#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/runtime/clock.h"

/* The wall clock jumps when seen from the anchor: moving the anchor is the
 * same jump, the other way round. */

static void now_is_the_wall_clock(void **state)
{
    struct clock clock;
    time_ms before = 0, now = 0, after = 0;

    (void)state;
    clock_init(&clock);
    before = clock_wall();
    now = clock_now(&clock);
    after = clock_wall();
    assert_true(now >= before - 1);
    assert_true(now <= after + 1);
    assert_true(clock_drift(&clock) <= 1);
}

static void a_jump_ahead_is_seen_and_anchored(void **state)
{
    struct clock clock;
    time_ms before = 0;

    (void)state;
    clock_init(&clock);
    clock.anchor_wall -= 10 * SECOND_MS;
    before = clock_now(&clock);
    assert_true(clock_drift(&clock) > CLOCK_DRIFT_MS);
    assert_true(clock_anchor(&clock) >= 9 * SECOND_MS);
    assert_true(clock_now(&clock) >= before + 9 * SECOND_MS);
    assert_true(clock_drift(&clock) < SECOND_MS);
}

static void a_jump_back_is_taken_over_too(void **state)
{
    struct clock clock;
    time_ms before = 0;

    (void)state;
    clock_init(&clock);
    clock.anchor_wall += HOUR_MS;
    before = clock_now(&clock);
    assert_true(clock_drift(&clock) < -CLOCK_DRIFT_MS);
    assert_true(clock_anchor(&clock) <= -HOUR_MS + SECOND_MS);
    assert_true(clock_now(&clock) < before);
    assert_true(clock_drift(&clock) > -SECOND_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(now_is_the_wall_clock),
        cmocka_unit_test(a_jump_ahead_is_seen_and_anchored),
        cmocka_unit_test(a_jump_back_is_taken_over_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
