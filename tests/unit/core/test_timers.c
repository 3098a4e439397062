#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/core/timers.h"

#define COUNT 64

static void the_oldest_comes_first_and_ties_by_kind_then_id(void **state)
{
    (void)state;
    struct timers timers;
    timers_init(&timers, 4);
    struct timer late = {0}, look = {0}, act = {0}, other = {0};
    timer_name(&late, TIMER_ROLLBACK, 1);
    timer_name(&look, TIMER_LOOK, 9);
    timer_name(&act, TIMER_ACT, 1);
    timer_name(&other, TIMER_LOOK, 2);
    timer_arm(&timers, &late, 200);
    timer_arm(&timers, &act, 100);
    timer_arm(&timers, &look, 100);
    timer_arm(&timers, &other, 100);
    struct timer *const order[] = {&other, &look, &act, &late};
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(timers_first(&timers), order[i]);
        timer_stop(&timers, order[i]);
    }
    assert_null(timers_first(&timers));
    timers_release(&timers);
}

static void any_order_of_moves_keeps_the_heap(void **state)
{
    (void)state;
    struct timers timers;
    struct timer all[COUNT] = {0};
    timers_init(&timers, COUNT);
    uint32_t seed = 1;
    for (uint32_t i = 0; i < COUNT; i++) {
        timer_name(&all[i], TIMER_LOOK, i);
    }
    for (int i = 0; i < 5000; i++) {
        seed = seed * 1664525u + 1013904223u;
        struct timer *timer = &all[(seed >> 8) % COUNT];
        if (seed % 3 == 0) {
            timer_stop(&timers, timer);
        } else if (seed % 3 == 1) {
            timer_arm(&timers, timer, (time_ms)(seed >> 16));
        } else {
            timer_pull(&timers, timer, (time_ms)(seed >> 16));
        }
        timers_check(&timers);
    }
    time_ms last = 0;
    while (timers_first(&timers)) {
        struct timer *timer = timers_first(&timers);
        assert_true(timer->at >= last);
        last = timer->at;
        timer_stop(&timers, timer);
    }
    timers_release(&timers);
}

static void pull_only_makes_it_sooner(void **state)
{
    (void)state;
    struct timers timers;
    struct timer timer = {0};
    timers_init(&timers, 1);
    timer_name(&timer, TIMER_OBSERVE, 1);
    timer_pull(&timers, &timer, 50);
    timer_pull(&timers, &timer, 70);
    assert_int_equal(timer.at, 50);
    timer_pull(&timers, &timer, 30);
    assert_int_equal(timer.at, 30);
    timers_release(&timers);
}

static void a_jump_of_the_clock_leaves_freezes_where_they_are(void **state)
{
    (void)state;
    struct timers timers;
    struct timer freeze = {0}, look = {0};
    timers_init(&timers, 2);
    timer_name(&freeze, TIMER_FREEZE, 1);
    timer_name(&look, TIMER_LOOK, 1);
    timer_arm(&timers, &look, 100);
    timer_arm(&timers, &freeze, 150);
    timers_shift(&timers, 1000);
    timers_check(&timers);
    assert_int_equal(freeze.at, 150);
    assert_int_equal(look.at, 1100);
    assert_ptr_equal(timers_first(&timers), &freeze);
    timers_release(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_comes_first_and_ties_by_kind_then_id),
        cmocka_unit_test(any_order_of_moves_keeps_the_heap),
        cmocka_unit_test(pull_only_makes_it_sooner),
        cmocka_unit_test(a_jump_of_the_clock_leaves_freezes_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
