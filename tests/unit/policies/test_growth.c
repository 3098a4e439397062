/* Growth that the load does not explain: the classes of courses it is for. */
#include "policies/growth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#define SAMPLES 60

static struct window x, load;
static unsigned seed;

static double noise(void)
{
    seed = seed * 1664525U + 1013904223U;
    return seed / 4294967296.0 - 0.5;
}

static void begin(void)
{
    x = (struct window){.grid_times = SAMPLES};
    load = (struct window){.grid_times = SAMPLES};
    seed = 7;
}

static void add(double in_use, double requests)
{
    x.numbers[x.count] = in_use;
    x.seconds[x.count] = 15.0 * ((double)x.count - (SAMPLES - 1));
    load.numbers[x.count] = requests;
    load.seconds[x.count] = x.seconds[x.count];
    x.count++;
    load.count++;
}

/* Where a sample stands in its window, from 0 to 1. */
static double course(int i)
{
    return (double)i / (SAMPLES - 1);
}

static void a_leak_at_steady_load_outgrows_it(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(50 + 30 * course(i) + 4 * noise(), 100 + 4 * noise());
    }
    assert_true(window_outgrows(&x, &load, 1.2));
}

static void not_by_as_much_as_is_asked(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(50 + 30 * course(i), 100);
    }
    assert_true(window_outgrows(&x, &load, 1.3));
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(50 + 30 * course(i), 100 + noise());
    }
    assert_false(window_outgrows(&x, &load, 1.5));
}

/* Twice the load, and a database that is slower for it. */
static void a_ramp_excuses_what_grows_with_it(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        double ramp = 1 + course(i);

        add(20 * ramp * sqrt(ramp) + noise(), 100 * ramp + 2 * noise());
    }
    assert_false(window_outgrows(&x, &load, 1.05));
}

/* Less to do, and no less in use. */
static void a_falling_load_excuses_nothing(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(50 + 10 * course(i) + noise(), 100 - 40 * course(i));
    }
    assert_true(window_outgrows(&x, &load, 1.05));
}

static void a_step_does_not_go_on(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add((i < 15 ? 20 : 60) + noise(), 100 + noise());
    }
    assert_false(window_outgrows(&x, &load, 1.05));
}

/* Up quickly, then less and less: a load that has reached its plateau. */
static void a_plateau_does_not_go_on(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(60 - 30 * exp(-6 * course(i)) + 0.1 * noise(), 100 + noise());
    }
    assert_false(window_outgrows(&x, &load, 1.05));
}

static void noise_does_not_grow(void **state)
{
    (void)state;
    for (unsigned world = 1; world <= 2000; world++) {
        begin();
        seed = world;
        for (int i = 0; i < SAMPLES; i++) {
            add(10 + 8 * noise(), 100 + 30 * noise());
        }
        assert_false(window_outgrows(&x, &load, 1));
    }
}

/* A meter that writes every minute, asked every 15 s: 15 numbers are no 60. */
static void repeats_are_not_evidence(void **state)
{
    static const double few[] = {1, 5, 2, 6, 3, 7, 4};

    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        int minute = i * 7 / SAMPLES;

        add(few[minute] + 2 * minute, 100);
    }
    assert_false(window_outgrows(&x, &load, 1.05));
}

static void from_nothing_any_growth_is_enough(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(i < 15 ? 0 : 10 * course(i), 100 + noise());
    }
    assert_true(window_outgrows(&x, &load, 3));
}

static void numbers_at_the_edge_are_no_trap(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(1e308 * course(i), i % 2 == 0 ? 0 : 1e-308);
    }
    (void)window_outgrows(&x, &load, 1.05);
    begin();
    for (int i = 0; i < SAMPLES; i++) {
        add(-5 - i, -100 + i);
    }
    assert_false(window_outgrows(&x, &load, 1.05));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leak_at_steady_load_outgrows_it),
        cmocka_unit_test(not_by_as_much_as_is_asked),
        cmocka_unit_test(a_ramp_excuses_what_grows_with_it),
        cmocka_unit_test(a_falling_load_excuses_nothing),
        cmocka_unit_test(a_step_does_not_go_on),
        cmocka_unit_test(a_plateau_does_not_go_on),
        cmocka_unit_test(noise_does_not_grow),
        cmocka_unit_test(repeats_are_not_evidence),
        cmocka_unit_test(from_nothing_any_growth_is_enough),
        cmocka_unit_test(numbers_at_the_edge_are_no_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
