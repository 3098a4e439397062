/* Averages, order and lines: known values, and a slow reference for each. */
#include "policies/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct window window_of(size_t count, const double *numbers)
{
    struct window window = {.grid_times = count, .count = count};

    for (size_t i = 0; i < count; i++) {
        window.numbers[i] = numbers[i];
        window.seconds[i] = 15.0 * ((double)i - (double)(count - 1));
    }
    return window;
}

#define WINDOW(...)                                                            \
    window_of(sizeof((const double[]){__VA_ARGS__}) / sizeof(double),          \
              (const double[]){__VA_ARGS__})

static void assert_near(double is, double wanted)
{
    double margin = 1e-9 * (fabs(wanted) > 1 ? fabs(wanted) : 1);

    if (!(fabs(is - wanted) <= margin)) {
        fail_msg("%.17g is not %.17g", is, wanted);
    }
}

static void averages_of_known_values(void **state)
{
    struct window window = WINDOW(2, 4, 4, 4, 5, 5, 7, 9);

    (void)state;
    assert_near(window_sum(&window), 40);
    assert_near(window_mean(&window), 5);
    assert_near(window_least(&window), 2);
    assert_near(window_greatest(&window), 9);
    assert_near(window_deviation(&window), sqrt(32.0 / 7));
}

static void a_deviation_bears_a_large_mean(void **state)
{
    struct window window = WINDOW(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16);

    (void)state;
    assert_near(window_deviation(&window), sqrt(30));
}

/* R: quantile(c(1, 2, 4, 8, 16), c(0, .1, .25, .5, .9, 1), type = 7) */
static void quantiles_are_those_of_r7(void **state)
{
    struct window window = WINDOW(16, 1, 8, 2, 4);

    (void)state;
    assert_near(window_quantile(&window, 0), 1);
    assert_near(window_quantile(&window, 0.1), 1.4);
    assert_near(window_quantile(&window, 0.25), 2);
    assert_near(window_quantile(&window, 0.5), 4);
    assert_near(window_quantile(&window, 0.9), 12.8);
    assert_near(window_quantile(&window, 1), 16);
    window = WINDOW(7);
    assert_near(window_quantile(&window, 0.3), 7);
}

static void flat_is_every_sample_the_same(void **state)
{
    struct window window = WINDOW(3, 3, 3);

    (void)state;
    assert_true(window_is_flat(&window));
    window = WINDOW(3, 3, 3.0000000000000004);
    assert_false(window_is_flat(&window));
    window = WINDOW(2, 3, 3);
    assert_false(window_is_flat(&window));
}

static void a_rate_counts_what_follows_a_reset(void **state)
{
    struct window window = WINDOW(100, 115, 130, 145);

    (void)state;
    assert_near(window_rate(&window), 1);
    window = WINDOW(100, 130, 6, 21); /* +30, reset to 6, +15 over 45 s */
    assert_near(window_rate(&window), 51.0 / 45);
    window = WINDOW(100, 0, 0, 0);
    assert_near(window_rate(&window), 0);
    window = WINDOW(5, 5);
    assert_near(window_rate(&window), 0);
}

static void a_line_through_a_line(void **state)
{
    struct window window = WINDOW(10, 13, 16, 19, 22, 25, 28, 31);
    struct line line = line_through(&window);

    (void)state;
    assert_near(line.slope, 0.2);
    assert_near(line.level, 31);
    assert_near(line_at(line, 10 * MINUTE_MS), 151);
}

static void a_line_bears_outliers(void **state)
{
    struct window window = WINDOW(10, 13, 900, 19, 22, -500, 28, 31, 34, 37);
    struct line line = line_through(&window);

    (void)state;
    assert_near(line.slope, 0.2);
    assert_near(line.level, 37);
}

static void a_line_knows_of_holes(void **state)
{
    struct window window = {.grid_times = 10,
                            .count = 3,
                            .numbers = {0, 30, 40},
                            .seconds = {-120, -30, 0}};

    (void)state;
    assert_near(line_through(&window).slope, 1.0 / 3);
}

static void a_flat_line_costs_no_more(void **state)
{
    static struct window window;

    (void)state;
    window.count = window.grid_times = SAMPLES_MAX;
    for (size_t i = 0; i < window.count; i++) {
        window.numbers[i] = 4;
        window.seconds[i] = 15.0 * ((double)i - 511);
    }
    assert_near(line_through(&window).slope, 0);
    assert_int_equal(window.count, PAIRED_MAX);
}

static void what_overflows_is_infinite(void **state)
{
    struct window window = WINDOW(-1.7e308, 1.7e308, -1.7e308, 1.7e308);

    (void)state;
    assert_true(isinf(line_through(&window).slope));
    assert_true(isinf(line_at(line_through(&window), SECOND_MS)));
    assert_true(isinf(window_deviation(&window)));
    window = WINDOW(1.7e308, 1.7e308, 1.7e308);
    assert_true(isinf(window_mean(&window)));
    assert_true(isinf(window_deviation(&window)));
    assert_true(isinf(window_quantile(
        &(struct window){.count = 2, .numbers = {-1.7e308, 1.7e308}}, 0.5)));
}

/* --- Against slow references ---------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double slow_quantile(const double *numbers, size_t count, double q)
{
    static double sorted[SAMPLES_MAX * SAMPLES_MAX];
    double rank = (double)(count - 1) * q;
    size_t whole = (size_t)rank;

    memcpy(sorted, numbers, count * sizeof(double));
    qsort(sorted, count, sizeof(double), compare_numbers);
    if (whole + 1 == count) {
        return sorted[whole];
    }
    return sorted[whole] +
           (rank - (double)whole) * (sorted[whole + 1] - sorted[whole]);
}

static struct line slow_line(const struct window *window)
{
    static double slopes[SAMPLES_MAX * SAMPLES_MAX];
    double levels[SAMPLES_MAX];
    struct line line;
    size_t count = 0;

    for (size_t i = 0; i < window->count; i++) {
        for (size_t j = i + 1; j < window->count; j++) {
            slopes[count++] = (window->numbers[j] - window->numbers[i]) /
                              (window->seconds[j] - window->seconds[i]);
        }
    }
    line.slope = slow_quantile(slopes, count, 0.5);
    for (size_t i = 0; i < window->count; i++) {
        levels[i] = window->numbers[i] - line.slope * window->seconds[i];
    }
    line.level = slow_quantile(levels, window->count, 0.5);
    return line;
}

/* Several shapes: noise, few values with many ties, ramps, steps, holes. */
static void fill(struct window *window, int round)
{
    size_t grid_times = 2 + (size_t)(rand() % 127);

    window->grid_times = grid_times;
    window->count = 0;
    for (size_t i = 0; i < grid_times; i++) {
        double noise = rand() / (double)RAND_MAX - 0.5;
        double shapes[] = {noise, (double)(rand() % 3), 0.1 * (double)i + noise,
                           i > grid_times / 2 ? 5 + noise : noise, (double)i};
        size_t at = window->count;

        if (round % 2 == 1 && rand() % 5 == 0 && i > 1) {
            continue;
        }
        window->numbers[at] = shapes[round % 5];
        window->seconds[at] = 15.0 * ((double)i - (double)(grid_times - 1));
        window->count++;
    }
}

static void everything_agrees_with_slow_references(void **state)
{
    static struct window window;
    const double quantiles[] = {0, 0.01, 0.3, 0.5, 0.95, 0.99, 1};

    (void)state;
    srand(4711);
    for (int round = 0; round < 1000; round++) {
        struct line wanted, line;

        fill(&window, round);
        for (size_t i = 0; i < sizeof(quantiles) / sizeof(double); i++) {
            assert_near(
                window_quantile(&window, quantiles[i]),
                slow_quantile(window.numbers, window.count, quantiles[i]));
        }
        wanted = slow_line(&window);
        line = line_through(&window);
        assert_near(line.slope, wanted.slope);
        assert_near(line.level, wanted.level);
    }
}

static void medians_of_every_small_arrangement(void **state)
{
    (void)state;
    for (int code = 0; code < 4 * 4 * 4 * 4 * 4 * 4; code++) {
        for (size_t count = 1; count <= 6; count++) {
            double numbers[6], wanted = 0;
            int rest = code;

            for (size_t i = 0; i < count; i++) {
                numbers[i] = rest % 4;
                rest /= 4;
            }
            wanted = slow_quantile(numbers, count, 0.5);
            assert_true(median_of(numbers, count) == wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_of_known_values),
        cmocka_unit_test(a_deviation_bears_a_large_mean),
        cmocka_unit_test(quantiles_are_those_of_r7),
        cmocka_unit_test(flat_is_every_sample_the_same),
        cmocka_unit_test(a_rate_counts_what_follows_a_reset),
        cmocka_unit_test(a_line_through_a_line),
        cmocka_unit_test(a_line_bears_outliers),
        cmocka_unit_test(a_line_knows_of_holes),
        cmocka_unit_test(a_flat_line_costs_no_more),
        cmocka_unit_test(what_overflows_is_infinite),
        cmocka_unit_test(everything_agrees_with_slow_references),
        cmocka_unit_test(medians_of_every_small_arrangement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
