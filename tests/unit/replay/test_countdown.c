/* A countdown's turns, each by itself. */
#include "controller/replay/countdown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum countdown_news take(struct countdown *countdown,
                                enum leaf_kind kind, enum mode mode,
                                enum answer root, time_ms now)
{
    const struct countdown_verdict verdict = {
        kind, mode, mode == MODE_COUNTDOWN ? 50 : 0, root};

    return countdown_take(countdown, &verdict, now);
}

static enum countdown_news back(struct countdown *countdown, time_ms now)
{
    return take(countdown, LEAF_ROLLBACK, MODE_COUNTDOWN, ANSWER_YES, now);
}

static void it_runs_down(void **state)
{
    struct countdown countdown = {0};

    (void)state;
    assert_int_equal(countdown_due(&countdown, 100), TIME_NEVER);
    assert_int_equal(back(&countdown, 100), COUNTDOWN_BEGAN);
    assert_int_equal(countdown_due(&countdown, 100), 150);
    assert_int_equal(back(&countdown, 120), COUNTDOWN_SAME);
    assert_int_equal(countdown_due(&countdown, 120), 150);
    assert_true(countdown_end(&countdown));
    assert_int_equal(countdown_due(&countdown, 150), TIME_NEVER);
}

/* Whatever mode a `wait` has, it says nothing about the countdown. */
static void a_wait_neither_shortens_nor_withdraws(void **state)
{
    struct countdown countdown = {0};

    (void)state;
    (void)back(&countdown, 100);
    assert_int_equal(
        take(&countdown, LEAF_WAIT, MODE_AUTO, ANSWER_UNKNOWN, 110),
        COUNTDOWN_SAME);
    assert_int_equal(countdown_due(&countdown, 110), 150);
    assert_false(countdown_end(&countdown));
    assert_int_equal(countdown_due(&countdown, 160), TIME_NEVER);
    assert_int_equal(back(&countdown, 170), COUNTDOWN_SAME);
    assert_int_equal(countdown_due(&countdown, 170), 170);
    assert_true(countdown_end(&countdown));
}

static void another_known_leaf_withdraws_it(void **state)
{
    static const enum leaf_kind kinds[] = {LEAF_HEALTHY, LEAF_PAGE, LEAF_HOLD};

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct countdown countdown = {0};

        (void)back(&countdown, 100);
        assert_int_equal(take(&countdown, kinds[i], MODE_AUTO, ANSWER_YES, 110),
                         COUNTDOWN_WITHDRAWN);
        assert_int_equal(take(&countdown, kinds[i], MODE_AUTO, ANSWER_NO, 115),
                         COUNTDOWN_SAME);
        assert_int_equal(countdown_due(&countdown, 120), TIME_NEVER);
        assert_int_equal(back(&countdown, 130), COUNTDOWN_BEGAN);
        assert_int_equal(countdown_due(&countdown, 130), 180);
    }
}

static void what_could_not_act_does_not_begin_it(void **state)
{
    struct countdown countdown = {0};

    (void)state;
    (void)take(&countdown, LEAF_ROLLBACK, MODE_COUNTDOWN, ANSWER_UNKNOWN, 100);
    (void)take(&countdown, LEAF_ROLLBACK, MODE_SUGGEST, ANSWER_YES, 110);
    (void)take(&countdown, LEAF_ROLLBACK, MODE_AUTO, ANSWER_YES, 120);
    assert_int_equal(countdown_due(&countdown, 120), TIME_NEVER);
    assert_int_equal(back(&countdown, 130), COUNTDOWN_BEGAN);
    /* Nor is it carried out at its end. */
    (void)take(&countdown, LEAF_ROLLBACK, MODE_SUGGEST, ANSWER_YES, 140);
    assert_int_equal(countdown_due(&countdown, 140), 180);
    assert_false(countdown_end(&countdown));
    (void)back(&countdown, 190);
    assert_true(countdown_end(&countdown));
}

static void a_refused_order_is_tried_when_the_path_changes(void **state)
{
    struct countdown countdown = {0};

    (void)state;
    (void)back(&countdown, 100);
    assert_true(countdown_end(&countdown));
    countdown_refuse(&countdown);
    assert_int_equal(countdown_due(&countdown, 160), TIME_NEVER);
    (void)back(&countdown, 170);
    assert_int_equal(countdown_due(&countdown, 170), 170);
}

static void another_length_counts_from_the_same_beginning(void **state)
{
    struct countdown countdown = {0};
    const struct countdown_verdict shorter = {LEAF_ROLLBACK, MODE_COUNTDOWN, 20,
                                              ANSWER_YES};

    (void)state;
    (void)back(&countdown, 100);
    (void)countdown_take(&countdown, &shorter, 110);
    assert_int_equal(countdown_due(&countdown, 110), 120);
    (void)countdown_take(&countdown, &shorter, 130);
    assert_int_equal(countdown_due(&countdown, 130), 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_down),
        cmocka_unit_test(a_wait_neither_shortens_nor_withdraws),
        cmocka_unit_test(another_known_leaf_withdraws_it),
        cmocka_unit_test(what_could_not_act_does_not_begin_it),
        cmocka_unit_test(a_refused_order_is_tried_when_the_path_changes),
        cmocka_unit_test(another_length_counts_from_the_same_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
