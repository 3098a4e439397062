/* Tests for more than chance: known values, slow references, error rates. */
#include "policies/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

static struct window window_of(size_t count, const double *numbers)
{
    struct window window = {.grid_times = count, .count = count};

    for (size_t i = 0; i < count; i++) {
        window.numbers[i] = numbers[i];
        window.seconds[i] = 15.0 * ((double)i - (double)(count - 1));
    }
    return window;
}

#define RISES(...)                                                             \
    rises(sizeof((const double[]){__VA_ARGS__}) / sizeof(double),              \
          (const double[]){__VA_ARGS__})

static bool rises(size_t count, const double *numbers)
{
    struct window window = window_of(count, numbers);

    return window_is_rising(&window);
}

/* --- Rising --------------------------------------------------------------- */

static void a_climb_rises_and_a_fall_does_not(void **state)
{
    (void)state;
    assert_true(RISES(1, 2, 3, 4, 5, 6, 7, 8));
    assert_false(RISES(8, 7, 6, 5, 4, 3, 2, 1));
    assert_false(RISES(5, 5, 5, 5, 5, 5, 5, 5));
    assert_false(RISES(5, 6, 5, 6, 5, 6, 5, 6));
}

/* Of 8 values the variance is 65.33, so S must exceed sqrt(5.412 * 65.33),
 * which is 18.8; S is 28 less two for each pair in the wrong order. */
static void the_threshold_is_that_of_the_normal_table(void **state)
{
    (void)state;
    assert_true(RISES(20, 10, 30, 40, 50, 60, 80, 70));  /* S = 24 */
    assert_true(RISES(20, 10, 40, 30, 60, 50, 80, 70));  /* S = 20 */
    assert_false(RISES(30, 20, 10, 40, 60, 50, 80, 70)); /* S = 18 */
}

/* Two groups of 4: Var(S) = (1176 - 312) / 18 = 48, and 16^2 < 5.412 * 48.
 * Groups of 5 and 4: (1656 - 300 - 156) / 18 = 66.7, and 20^2 > 5.412 * 66.7;
 * without the correction it were 92, and 20 not enough. */
static void ties_are_corrected_for(void **state)
{
    (void)state;
    assert_false(RISES(1, 1, 1, 1, 2, 2, 2, 2));
    assert_true(RISES(1, 1, 1, 1, 1, 2, 2, 2, 2));
}

/* A certain rise of less than 5 % is no reason to wake anybody. */
static void a_rise_must_be_worth_the_name(void **state)
{
    (void)state;
    assert_false(RISES(100, 100.1, 100.2, 100.3, 100.4, 100.5, 100.6, 100.7));
    assert_true(RISES(100, 101, 102, 103, 104, 105, 106, 107));
    /* Thirds of 2: medians 100.5 and 105.525 = 1.05 * 100.5. */
    assert_true(RISES(100, 101, 102, 103, 104, 105, 105.525, 105.526));
    assert_false(RISES(100, 101, 102, 103, 104, 105, 105.5, 105.52));
}

static bool slow_rising(const struct window *window)
{
    double score = 0, variance = 0;
    double n = (double)window->count;

    for (size_t i = 0; i < window->count; i++) {
        for (size_t j = i + 1; j < window->count; j++) {
            score += (window->numbers[j] > window->numbers[i]) -
                     (window->numbers[j] < window->numbers[i]);
        }
    }
    variance = n * (n - 1) * (2 * n + 5) / 18;
    for (size_t i = 0; i < window->count; i++) {
        double alike = 0;
        bool first = true;

        for (size_t j = 0; j < window->count; j++) {
            alike += window->numbers[j] == window->numbers[i];
            first =
                first && (j >= i || window->numbers[j] != window->numbers[i]);
        }
        if (first) {
            variance -= alike * (alike - 1) * (2 * alike + 5) / 18;
        }
    }
    return score > 0 && score * score > 5.412 * variance;
}

static void rising_agrees_with_a_slow_reference(void **state)
{
    static struct window window;
    int seen[2] = {0, 0};

    (void)state;
    srand(42);
    for (int round = 0; round < 3000; round++) {
        double lift = 0.02 * (round % 5);

        window.count = 8 + (size_t)(rand() % 60);
        for (size_t i = 0; i < window.count; i++) {
            /* Without an offset the 5 % are met by every certain rise. */
            window.numbers[i] = floor(lift * (double)i + 3.0 * (rand() % 3));
        }
        if (slow_rising(&window)) {
            size_t third = window.count / 3;
            double first[SAMPLES_MAX], last[SAMPLES_MAX];

            for (size_t i = 0; i < third; i++) {
                first[i] = window.numbers[i];
                last[i] = window.numbers[window.count - third + i];
            }
            seen[window_is_rising(&window)]++;
            assert_int_equal(window_is_rising(&window),
                             median_of(last, third) >=
                                 1.05 * median_of(first, third));
        } else {
            assert_false(window_is_rising(&window));
        }
    }
    assert_true(seen[1] > 100);
}

/* --- Too many ------------------------------------------------------------- */

/* Worked out in fractions; R: pbinom(k - 1, n, p, lower.tail = FALSE). */
static void tails_of_known_value(void **state)
{
    (void)state;
    assert_true(fabs(binomial_tail(1, 1, 0.05) - 0.05) < 1e-15);
    assert_true(fabs(binomial_tail(0, 7, 0.05) - 1) < 1e-15);
    assert_true(fabs(binomial_tail(3, 10, 0.05) - 0.011503557379296874) <
                1e-13);
    assert_true(fabs(binomial_tail(4, 10, 0.05) - 0.001028497937890625) <
                1e-13);
    assert_true(fabs(binomial_tail(5, 10, 0.5) - 0.623046875) < 1e-14);
    assert_true(fabs(binomial_tail(10, 10, 0.5) - 0.0009765625) < 1e-15);
}

/* Pascal's rule, one request at a time: P(n, k) grows out of P(n - 1, .). */
static void tails_agree_with_a_slow_reference(void **state)
{
    static double terms[401];
    const double shares[] = {0.001, 0.05, 0.5, 0.93};

    (void)state;
    for (size_t s = 0; s < sizeof(shares) / sizeof(double); s++) {
        double share = shares[s];

        terms[0] = 1;
        for (int n = 1; n <= 400; n++) {
            double tail = 0;

            terms[n] = 0;
            for (int k = n; k > 0; k--) {
                terms[k] = terms[k] * (1 - share) + terms[k - 1] * share;
            }
            terms[0] *= 1 - share;
            for (int k = n; k >= 0 && n % 37 == 0; k--) {
                tail += terms[k];
                assert_true(fabs(binomial_tail(k, n, share) - tail) < 1e-12);
                if (fabs(tail - 0.01) > 1e-9) {
                    assert_int_equal(is_too_many(k, n, share), tail < 0.01);
                }
            }
        }
    }
}

static void low_traffic_is_not_judged_by_single_errors(void **state)
{
    (void)state;
    assert_false(is_too_many(0, 0, 0.05));
    assert_false(is_too_many(1, 1, 0.05));
    assert_true(is_too_many(2, 2, 0.05));
    assert_false(is_too_many(3, 10, 0.05));
    assert_true(is_too_many(4, 10, 0.05));
    assert_true(is_too_many(12, 10, 0.05)); /* more than all is all */
    assert_false(is_too_many(3, 0, 0.05));
}

static void edges_of_the_share(void **state)
{
    (void)state;
    assert_true(is_too_many(1, 1000, 0));
    assert_false(is_too_many(0, 1000, 0));
    assert_false(is_too_many(1000, 1000, 1));
    assert_true(is_too_many(1000, 1000, 0.9));
    assert_false(is_too_many(1, 1e15, 1e-15));
}

/* The borders between exact, Cantelli and normal leave no step in between:
 * the least count that is too many grows with traffic. */
static void the_verdict_is_monotone_in_errors_and_traffic(void **state)
{
    double last = 0;

    (void)state;
    for (double requests = 10; requests < 1e9; requests *= 1.7) {
        double low = 0, high = floor(requests);

        while (high - low > 1) {
            double middle = floor((low + high) / 2);

            if (is_too_many(middle, floor(requests), 0.05)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        assert_true(high >= last);
        assert_true(is_too_many(high + 1, floor(requests), 0.05));
        /* About 2.326 deviations and the skew's share above the mean. */
        if (requests > 1000) {
            double sigmas =
                (high - requests * 0.05) / sqrt(requests * 0.05 * 0.95);

            assert_true(sigmas > 2.30);
            assert_true(sigmas < 2.75);
        }
        last = high;
    }
}

static void events_are_rounded_half_up(void **state)
{
    (void)state;
    assert_true(whole_events(0.1, 5 * SECOND_MS) == 1); /* 0.5 */
    assert_true(whole_events(0.3, 5 * SECOND_MS) == 2); /* 1.5 */
    assert_true(whole_events(0.0998, 5 * SECOND_MS) == 0);
    assert_true(whole_events(-4, 5 * SECOND_MS) == 0);
    assert_true(whole_events(1e300, MINUTE_MS) == 6e301);
}

/* --- Worse than before ---------------------------------------------------- */

static bool worsened(double errors, double requests, double errors_before,
                     double requests_before)
{
    return has_worsened(&(struct events){errors, requests},
                        &(struct events){errors_before, requests_before}, 1.5,
                        0.003);
}

/* From none in 36,000 to 2 %: five in a hundred requests are certain already,
 * three in a thousand are too few to matter. */
static void from_nothing_a_few_are_worse(void **state)
{
    (void)state;
    assert_true(worsened(5, 100, 0, 36000));
    assert_false(worsened(1, 100, 0, 36000)); /* 0.3 %: by chance */
    assert_false(worsened(2.9, 1000, 0, 36000));
    assert_false(worsened(0, 100, 0, 36000));
}

static void the_same_share_is_never_worse(void **state)
{
    (void)state;
    assert_false(worsened(100, 1000, 3600, 36000));
    assert_false(worsened(149, 1000, 3600, 36000)); /* below 1.5 times */
    assert_true(worsened(151, 1000, 3600, 36000));
    assert_false(worsened(1, 3, 3600, 36000)); /* above, by chance */
}

/* At 0.1 requests a second an hour is 360 requests. */
static void the_time_before_is_chance_too(void **state)
{
    (void)state;
    assert_false(worsened(4, 60, 0, 360)); /* (1/7)^4 = 4e-4 */
    assert_false(worsened(5, 60, 0, 360)); /* 6e-5 */
    assert_true(worsened(6, 60, 0, 360));  /* 8.5e-6 */
    assert_false(worsened(6, 60, 1, 360));
    assert_false(worsened(60, 60, 0, 0)); /* nothing to compare with */
    assert_false(worsened(0, 0, 0, 360));
}

static void shares_of_millions_do_not_take_long(void **state)
{
    (void)state;
    assert_true(worsened(4e7, 1e9, 2e7, 1e9));
    assert_false(worsened(2.9e7, 1e9, 2e7, 1e9));
}

/* 40 samples, 15 s apart: the worst 14 of them are left out. */
static void the_worst_stretch_is_left_out(void **state)
{
    double failed[40], asked[40];
    struct window errors, requests;
    struct events events;

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        failed[i] = i >= 20 && i < 28 ? 50 : 0.1;
        asked[i] = 100;
    }
    failed[39] = 500; /* more than there were count as all */
    asked[0] = -1;    /* a counter that was reset */
    errors = window_of(40, failed);
    requests = window_of(40, asked);
    events = events_but_worst(&errors, &requests, 15 * SECOND_MS);
    assert_true(fabs(events.errors - (19 * 0.1 + 6 * 50) * 15) < 1e-6);
    assert_true(fabs(events.requests - 25 * 100 * 15) < 1e-6);
    failed[39] = 0.1;
    errors = window_of(40, failed);
    events = events_but_worst(&errors, &requests, 15 * SECOND_MS);
    assert_true(fabs(events.errors - 25 * 0.1 * 15) < 1e-6);
    assert_true(fabs(events.requests - 25 * 100 * 15) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_climb_rises_and_a_fall_does_not),
        cmocka_unit_test(the_threshold_is_that_of_the_normal_table),
        cmocka_unit_test(ties_are_corrected_for),
        cmocka_unit_test(a_rise_must_be_worth_the_name),
        cmocka_unit_test(rising_agrees_with_a_slow_reference),
        cmocka_unit_test(tails_of_known_value),
        cmocka_unit_test(tails_agree_with_a_slow_reference),
        cmocka_unit_test(low_traffic_is_not_judged_by_single_errors),
        cmocka_unit_test(edges_of_the_share),
        cmocka_unit_test(the_verdict_is_monotone_in_errors_and_traffic),
        cmocka_unit_test(events_are_rounded_half_up),
        cmocka_unit_test(from_nothing_a_few_are_worse),
        cmocka_unit_test(the_same_share_is_never_worse),
        cmocka_unit_test(the_time_before_is_chance_too),
        cmocka_unit_test(shares_of_millions_do_not_take_long),
        cmocka_unit_test(the_worst_stretch_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
