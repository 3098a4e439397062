/* Rings and the windows over them: gaps, cuts, missing and thinned samples. */
#include "policies/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define EVERY (15 * SECOND_MS)
#define START (1000 * EVERY) /* some grid time */

struct past {
    struct ring ring;
    struct moment moment;
    int index; /* of the newest grid time, after START's */
    union {
        uint64_t aligned;
        unsigned char block[16 * 1024];
    } memory;
};

static void past_begin(struct past *past, uint16_t slots, bool condition)
{
    memset(past, 0xa5, sizeof(*past));
    past->ring =
        (struct ring){.slots = slots, .condition = condition, .offset = 64};
    past->moment = moment_at(START, EVERY, NO_CUT);
    past->index = 0;
    ring_clear(&past->ring, past->memory.block);
}

/* The value at the @n-th grid time after START. */
static void past_put(struct past *past, int n, struct value value)
{
    past->moment = moment_at(START + n * EVERY, EVERY, NO_CUT);
    ring_skip(&past->ring, past->memory.block, &past->moment,
              (size_t)(n - past->index - 1));
    ring_put(&past->ring, past->memory.block, &past->moment, value);
    past->index = n;
}

static void past_cut(struct past *past, time_ms cut)
{
    past->moment = moment_at(past->moment.g, EVERY, cut);
}

static void past_put_number(struct past *past, int n, double number)
{
    past_put(past, n, value_of_number(number));
}

static void past_put_answer(struct past *past, int n, enum answer answer)
{
    past_put(past, n, value_of_answer(answer, UNKNOWN_STALE));
}

static struct window past_window(struct past *past, time_ms span)
{
    struct window window;

    window_read(&past->ring, past->memory.block, &past->moment, span, &window);
    return window;
}

static struct tally past_tally(struct past *past, size_t grid_times)
{
    return tally_read(&past->ring, past->memory.block, &past->moment,
                      grid_times);
}

static void a_window_is_open_on_the_left(void **state)
{
    struct past past;
    struct window window;

    (void)state;
    past_begin(&past, 10, false);
    for (int n = 1; n <= 10; n++) {
        past_put_number(&past, n, n);
    }
    window = past_window(&past, 4 * EVERY);
    assert_int_equal(window.grid_times, 4);
    assert_int_equal(window.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(window.numbers[i] == (double)(7 + i));
        assert_true(window.seconds[i] == -15.0 * (double)(3 - i));
    }
}

static void a_span_between_grid_times_takes_the_one_begun(void **state)
{
    (void)state;
    assert_int_equal(span_grid_times(1, EVERY), 1);
    assert_int_equal(span_grid_times(EVERY, EVERY), 1);
    assert_int_equal(span_grid_times(EVERY + 1, EVERY), 2);
    assert_int_equal(span_grid_times(5 * MINUTE_MS, EVERY), 20);
    assert_int_equal(span_grid_times(100 * SECOND_MS, EVERY), 7);
}

static void a_ring_forgets_what_is_older_than_its_slots(void **state)
{
    struct past past;
    struct window window;

    (void)state;
    past_begin(&past, 5, false);
    for (int n = 1; n <= 23; n++) {
        past_put_number(&past, n, n);
    }
    window = past_window(&past, 5 * EVERY);
    assert_int_equal(window.count, 5);
    assert_true(window.numbers[0] == 19);
    assert_true(window.numbers[4] == 23);
}

static void grid_times_never_looked_at_are_missing(void **state)
{
    struct past past;
    struct window window;

    (void)state;
    past_begin(&past, 8, false);
    for (int n = 1; n <= 8; n++) {
        past_put_number(&past, n, n);
    }
    past_put_number(&past, 11, 11); /* 9 and 10 were not */
    window = past_window(&past, 8 * EVERY);
    assert_int_equal(window.grid_times, 8);
    assert_int_equal(window.count, 6);
    assert_true(window.numbers[4] == 8);
    assert_true(window.seconds[4] == -45);
    assert_true(window.numbers[5] == 11);
}

static void a_gap_longer_than_the_ring_empties_it(void **state)
{
    struct past past;

    (void)state;
    past_begin(&past, 8, false);
    for (int n = 1; n <= 8; n++) {
        past_put_number(&past, n, n);
    }
    past_put_number(&past, 100000, 1);
    assert_int_equal(past_window(&past, 8 * EVERY).count, 1);
}

static void unknown_values_are_not_gathered(void **state)
{
    struct past past;
    struct window window;

    (void)state;
    past_begin(&past, 8, false);
    past_put_number(&past, 1, 1);
    past_put(&past, 2, value_unknown(UNKNOWN_SOURCE_ERROR));
    past_put_number(&past, 3, (double)NAN);
    past_put_number(&past, 4, -(double)INFINITY);
    past_put_number(&past, 5, 5);
    window = past_window(&past, 5 * EVERY);
    assert_int_equal(window.count, 2);
    assert_true(window.numbers[0] == 1);
    assert_true(window.numbers[1] == 5);
}

static void a_window_never_reaches_across_the_cut(void **state)
{
    struct past past;

    (void)state;
    past_begin(&past, 20, false);
    for (int n = 1; n <= 20; n++) {
        past_put_number(&past, n, n);
    }
    past_cut(&past, START + 17 * EVERY);
    assert_int_equal(past_window(&past, 10 * EVERY).count, 3);
    assert_int_equal(past_window(&past, 10 * EVERY).grid_times, 10);
    assert_true(past_window(&past, 10 * EVERY).numbers[0] == 18);
    past_cut(&past, START + 17 * EVERY - 1); /* 17 itself is after it */
    assert_int_equal(past_window(&past, 10 * EVERY).count, 4);
    past_cut(&past, START + 17 * EVERY + 1);
    assert_int_equal(past_window(&past, 10 * EVERY).count, 3);
    past_cut(&past, START + 20 * EVERY);
    assert_int_equal(past_window(&past, 10 * EVERY).count, 0);
    past_cut(&past, START + 99 * EVERY);
    assert_int_equal(past_window(&past, 10 * EVERY).count, 0);
}

static void coverage_asks_for_80_percent_of_all_of_w(void **state)
{
    static struct window window;

    (void)state;
    window.grid_times = 20;
    window.count = 16;
    assert_true(window_is_covered(&window, 3));
    window.count = 15;
    assert_false(window_is_covered(&window, 3));
    window.grid_times = 3;
    window.count = 3;
    assert_true(window_is_covered(&window, 3));
    assert_false(window_is_covered(&window, 8));
    window.grid_times = 4; /* 80 % is more than three */
    assert_false(window_is_covered(&window, 2));
    window.count = 4;
    assert_true(window_is_covered(&window, 2));
}

static void thinning_keeps_both_ends_and_the_order(void **state)
{
    static struct window window;

    (void)state;
    for (size_t before = 128; before <= SAMPLES_MAX; before++) {
        window.count = before;
        for (size_t i = 0; i < before; i++) {
            window.numbers[i] = (double)i;
            window.seconds[i] = (double)i - (double)before;
        }
        window_thin(&window, 128);
        assert_int_equal(window.count, 128);
        assert_true(window.numbers[0] == 0);
        assert_true(window.numbers[127] == (double)(before - 1));
        for (size_t i = 1; i < 128; i++) {
            double step = window.numbers[i] - window.numbers[i - 1];

            assert_true(step >= 1);
            assert_true(step <= (double)(before / 127 + 1));
            assert_true(window.seconds[i] ==
                        window.numbers[i] - (double)before);
        }
    }
}

static void few_values_are_not_thinned(void **state)
{
    static struct window window;

    (void)state;
    window.count = 128;
    window.numbers[127] = 9;
    window_thin(&window, 128);
    assert_int_equal(window.count, 128);
    assert_true(window.numbers[127] == 9);
}

static void pairing_keeps_times_that_both_know(void **state)
{
    static struct window a, b;

    (void)state;
    a = (struct window){.grid_times = 5,
                        .count = 4,
                        .numbers = {1, 2, 4, 5},
                        .seconds = {-60, -45, -15, 0}};
    b = (struct window){.grid_times = 5,
                        .count = 3,
                        .numbers = {20, 30, 40},
                        .seconds = {-45, -30, -15}};
    window_pair(&a, &b);
    assert_int_equal(a.count, 2);
    assert_int_equal(b.count, 2);
    assert_true(a.numbers[0] == 2 && b.numbers[0] == 20);
    assert_true(a.numbers[1] == 4 && b.numbers[1] == 40);
    assert_true(a.seconds[1] == -15 && b.seconds[1] == -15);
}

static void a_tally_counts_each_answer(void **state)
{
    struct past past;
    struct tally tally;

    (void)state;
    past_begin(&past, 9, true);
    past_put_answer(&past, 1, ANSWER_YES);
    past_put_answer(&past, 2, ANSWER_NO);
    past_put_answer(&past, 3, ANSWER_UNKNOWN);
    past_put_answer(&past, 6, ANSWER_YES); /* 4 and 5 were not looked at */
    tally = past_tally(&past, 6);
    assert_int_equal(tally.yes, 2);
    assert_int_equal(tally.no, 1);
    assert_int_equal(tally.unknown, 3);
    assert_int_equal(tally.cut, 0);

    past_cut(&past, START + 2 * EVERY);
    tally = past_tally(&past, 6);
    assert_int_equal(tally.yes, 1);
    assert_int_equal(tally.no, 0);
    assert_int_equal(tally.unknown, 3);
    assert_int_equal(tally.cut, 2);
    assert_int_equal(tally.grid_times, 6);
}

static void a_condition_can_be_read_as_zeros_and_ones(void **state)
{
    struct past past;
    struct window window;

    (void)state;
    past_begin(&past, 4, true);
    past_put_answer(&past, 1, ANSWER_YES);
    past_put_answer(&past, 2, ANSWER_UNKNOWN);
    past_put_answer(&past, 3, ANSWER_NO);
    window = past_window(&past, 4 * EVERY);
    assert_int_equal(window.count, 2);
    assert_true(window.numbers[0] == 1);
    assert_true(window.numbers[1] == 0);
}

static void rings_stay_in_their_own_bytes(void **state)
{
    const uint16_t slots[] = {1, 7, 8, 9, 511, 512};

    (void)state;
    assert_int_equal(ring_bytes(8, true), 8);
    assert_int_equal(ring_bytes(9, true), 16);
    assert_int_equal(ring_bytes(9, false), 9 * 8 + 16);
    for (size_t i = 0; i < 2 * sizeof(slots) / sizeof(slots[0]); i++) {
        bool condition = i % 2 == 1;
        struct past past;
        size_t end = 0;

        past_begin(&past, slots[i / 2], condition);
        end = 64 + ring_bytes(slots[i / 2], condition);
        for (int n = 1; n <= 600; n += n % 50 == 0 ? 7 : 1) {
            past_put_number(&past, n, 1);
        }
        assert_int_equal(past.memory.block[63], 0xa5);
        assert_int_equal(past.memory.block[end], 0xa5);
    }
}

static void before_1970_too_times_have_their_places(void **state)
{
    struct past past;

    (void)state;
    past_begin(&past, 7, false);
    past.index = -2003;
    for (int n = -2002; n <= -998; n++) { /* from -1002 to 2 */
        past_put_number(&past, n, n);
        if (n >= -1996) {
            struct window window = past_window(&past, 7 * EVERY);

            assert_int_equal(window.count, 7);
            for (int i = 0; i < 7; i++) {
                assert_true(window.numbers[i] == n - 6 + i);
            }
        }
    }
}

static void what_is_not_a_number_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(value_of_number((double)NAN).unknown, UNKNOWN_NAN);
    assert_int_equal(value_of_number((double)INFINITY).unknown,
                     UNKNOWN_INFINITE);
    assert_int_equal(value_of_number(-(double)INFINITY).unknown,
                     UNKNOWN_INFINITE);
    assert_true(value_of_number((double)NAN).number == 0);
    assert_int_equal(value_of_number(-0.0).unknown, KNOWN);
    assert_false(signbit(value_of_number(-0.0).number));
    assert_int_equal(answer_of_value(value_unknown(UNKNOWN_FACT)),
                     ANSWER_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_open_on_the_left),
        cmocka_unit_test(a_span_between_grid_times_takes_the_one_begun),
        cmocka_unit_test(a_ring_forgets_what_is_older_than_its_slots),
        cmocka_unit_test(grid_times_never_looked_at_are_missing),
        cmocka_unit_test(a_gap_longer_than_the_ring_empties_it),
        cmocka_unit_test(unknown_values_are_not_gathered),
        cmocka_unit_test(a_window_never_reaches_across_the_cut),
        cmocka_unit_test(coverage_asks_for_80_percent_of_all_of_w),
        cmocka_unit_test(thinning_keeps_both_ends_and_the_order),
        cmocka_unit_test(few_values_are_not_thinned),
        cmocka_unit_test(pairing_keeps_times_that_both_know),
        cmocka_unit_test(a_tally_counts_each_answer),
        cmocka_unit_test(a_condition_can_be_read_as_zeros_and_ones),
        cmocka_unit_test(rings_stay_in_their_own_bytes),
        cmocka_unit_test(before_1970_too_times_have_their_places),
        cmocka_unit_test(what_is_not_a_number_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
