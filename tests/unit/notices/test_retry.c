/* When a notice is tried again, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/notices/retry.h"

#define NOW (1726669200 * SECOND_MS)

static void eight_tries_spread_over_half_an_hour(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        uint64_t random = seed;
        time_ms now = NOW, wait = 0, usual = SECOND_MS;
        struct retry retry;

        retry_begin(&retry, now, 0);
        for (int i = 1; i < RETRY_TRIES_MAX; i++) {
            assert_true(retry_next(&retry, now, 0, &random, &wait));
            assert_in_range(wait, usual * 3 / 4, usual * 5 / 4 + 1);
            now += wait;
            usual *= 3;
        }
        assert_in_range(now - NOW, 10 * MINUTE_MS, 30 * MINUTE_MS);
        assert_false(retry_next(&retry, now, 0, &random, &wait));
        assert_int_equal(retry.tries, RETRY_TRIES_MAX);
    }
}

static void the_same_seed_waits_the_same(void **state)
{
    uint64_t one = 5, two = 5, other = 6;
    time_ms wait_one = 0, wait_two = 0, wait_other = 0;
    struct retry a, b, c;

    (void)state;
    retry_begin(&a, NOW, 0);
    retry_begin(&b, NOW, 0);
    retry_begin(&c, NOW, 0);
    assert_true(retry_next(&a, NOW, 0, &one, &wait_one));
    assert_true(retry_next(&b, NOW, 0, &two, &wait_two));
    assert_true(retry_next(&c, NOW, 0, &other, &wait_other));
    assert_int_equal(wait_one, wait_two);
    assert_int_not_equal(wait_one, wait_other);
}

static void a_peer_may_ask_for_more_time_but_not_for_ever(void **state)
{
    uint64_t random = 1;
    time_ms wait = 0;
    struct retry retry;

    (void)state;
    retry_begin(&retry, NOW, 0);
    assert_true(retry_next(&retry, NOW, MINUTE_MS, &random, &wait));
    assert_int_equal(wait, MINUTE_MS);
    assert_true(retry_next(&retry, NOW, HOUR_MS, &random, &wait));
    assert_int_equal(wait, RETRY_ASKED_MAX);
    assert_false(retry_next(&retry, NOW + RETRY_WITHIN_MS - MINUTE_MS, HOUR_MS,
                            &random, &wait));
    assert_int_equal(wait, RETRY_ASKED_MAX); /* untouched */
}

static void nothing_is_tried_after_the_end(void **state)
{
    uint64_t random = 1;
    time_ms wait = 0;
    struct retry retry;

    (void)state;
    retry_begin(&retry, NOW, retry_left(NOW + 10 * MINUTE_MS, NOW));
    assert_true(retry_next(&retry, NOW, 0, &random, &wait));
    assert_false(retry_next(&retry, NOW + 10 * MINUTE_MS, 0, &random, &wait));
    retry_begin(&retry, NOW, 0);
    assert_false(retry_next(&retry, NOW + RETRY_WITHIN_MS, 0, &random, &wait));
    retry_begin(&retry, NOW, retry_left(NOW - 1, NOW));
    assert_false(retry_next(&retry, NOW, 0, &random, &wait));
    retry_begin(&retry, NOW, HOUR_MS);
    assert_false(retry_next(&retry, NOW + RETRY_WITHIN_MS, 0, &random, &wait));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_tries_spread_over_half_an_hour),
        cmocka_unit_test(the_same_seed_waits_the_same),
        cmocka_unit_test(a_peer_may_ask_for_more_time_but_not_for_ever),
        cmocka_unit_test(nothing_is_tried_after_the_end),
    };

    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
