#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/sources/backoff.h"

static void a_server_that_works_is_asked_freely(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    assert_int_equal(backoff_ask(&backoff, 100), BACKOFF_SEND);
    assert_int_equal(backoff_ask(&backoff, 100), BACKOFF_SEND);
    backoff_works(&backoff, 110);
    assert_int_equal(backoff_ask(&backoff, 111), BACKOFF_SEND);
}

static void after_a_failure_one_goes_first(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    backoff_failed(&backoff, 1000, 900, 0);
    assert_int_equal(backoff_ask(&backoff, 1000), BACKOFF_REFUSE);
    assert_int_equal(backoff_ask(&backoff, 1999), BACKOFF_REFUSE);
    assert_int_equal(backoff_ask(&backoff, 2000), BACKOFF_TRY);
    assert_int_equal(backoff_ask(&backoff, 2000), BACKOFF_WAIT);
    backoff_works(&backoff, 2100);
    assert_int_equal(backoff_ask(&backoff, 2100), BACKOFF_SEND);
}

static void the_rest_doubles_up_to_its_bound(void **state)
{
    (void)state;
    static const time_ms rests[] = {1000, 2000, 4000, 8000, 10000, 10000};
    struct backoff backoff = {0};
    time_ms now = 1000;
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        backoff_failed(&backoff, now, now, 0);
        assert_int_equal(backoff.until, now + rests[i]);
        now += rests[i];
        assert_int_equal(backoff_ask(&backoff, now - 1), BACKOFF_REFUSE);
        assert_int_equal(backoff_ask(&backoff, now), BACKOFF_TRY);
    }
}

static void requests_sent_before_the_failure_are_the_same_one(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    backoff_failed(&backoff, 1000, 900, 0);
    backoff_failed(&backoff, 1001, 900, 0);
    backoff_failed(&backoff, 1002, 1000, 0);
    assert_int_equal(backoff.failures, 1);
    assert_int_equal(backoff.until, 2000);
}

static void the_server_may_ask_for_more_within_reason(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    backoff_failed(&backoff, 1000, 900, 60000);
    assert_int_equal(backoff.until, 61000);
    backoff_failed(&backoff, 2000, 900, 120000); /* another one of them */
    assert_int_equal(backoff.until, 122000);
    backoff_failed(&backoff, 200000, 199000, DAY_MS);
    assert_int_equal(backoff.until, 200000 + BACKOFF_RETRY_AFTER_MS);
    /* It never makes the rest shorter. */
    backoff = (struct backoff){0};
    backoff_failed(&backoff, 1000, 900, 10);
    assert_int_equal(backoff.until, 2000);
}

static void a_time_out_counts_only_when_nothing_else_was_answered(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    backoff_works(&backoff, 1500);
    assert_false(backoff_timed_out(&backoff, 6000, 1000));
    assert_int_equal(backoff_ask(&backoff, 6000), BACKOFF_SEND);
    assert_true(backoff_timed_out(&backoff, 7000, 2000));
    assert_int_equal(backoff_ask(&backoff, 7000), BACKOFF_REFUSE);
    /* Nor does the one that tries, when it takes too long. */
    assert_int_equal(backoff_ask(&backoff, 8000), BACKOFF_TRY);
    assert_true(backoff_timed_out(&backoff, 13000, 8000));
    assert_int_equal(backoff_ask(&backoff, 14999), BACKOFF_REFUSE);
    assert_int_equal(backoff_ask(&backoff, 15000), BACKOFF_TRY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_works_is_asked_freely),
        cmocka_unit_test(after_a_failure_one_goes_first),
        cmocka_unit_test(the_rest_doubles_up_to_its_bound),
        cmocka_unit_test(requests_sent_before_the_failure_are_the_same_one),
        cmocka_unit_test(the_server_may_ask_for_more_within_reason),
        cmocka_unit_test(a_time_out_counts_only_when_nothing_else_was_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
