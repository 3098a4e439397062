/* What each operation and function is worth, as product.md says it. */
#include "help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static void assert_value(double wanted)
{
    struct value value = world_value(&world, "v");

    if (value.unknown != KNOWN) {
        fail_msg("unknown: %s", unknown_name(value.unknown));
    }
    if (!(fabs(value.number - wanted) <= 1e-9 * (1 + fabs(wanted)))) {
        fail_msg("%.17g is not %.17g", value.number, wanted);
    }
}

static void assert_unknown(enum unknown reason)
{
    struct value value = world_value(&world, "v");

    assert_string_equal(unknown_name(value.unknown), unknown_name(reason));
}

static void assert_yes(void)
{
    assert_int_equal(world_answer(&world), ANSWER_YES);
}

static void assert_no(void)
{
    assert_int_equal(world_answer(&world), ANSWER_NO);
}

static void assert_not_known(enum unknown reason)
{
    assert_int_equal(world_answer(&world), ANSWER_UNKNOWN);
    assert_string_equal(unknown_name(world_why(&world)), unknown_name(reason));
}

/* --- Three-valued logic --------------------------------------------------- */

static const enum answer NO = ANSWER_NO, YES = ANSWER_YES, UN = ANSWER_UNKNOWN;

static void say(const char *signal, enum answer answer, enum unknown reason)
{
    if (answer == ANSWER_UNKNOWN) {
        world_unknown(&world, signal, reason);
    } else {
        world_say(&world, signal, answer == ANSWER_YES ? 2 : 0);
    }
}

/* In the order no, yes, unknown; rows are the left operand. */
static void assert_table(const char *condition, const enum answer table[3][3])
{
    int n = 10;

    world_condition(&world, condition);
    for (enum answer left = ANSWER_NO; left <= ANSWER_UNKNOWN; left++) {
        for (enum answer right = ANSWER_NO; right <= ANSWER_UNKNOWN; right++) {
            say("x", left, UNKNOWN_STALE);
            say("y", right, UNKNOWN_SEVERAL);
            world_look(&world, n++);
            assert_int_equal(world_answer(&world), table[left][right]);
            if (world_answer(&world) == ANSWER_UNKNOWN) {
                assert_int_equal(world_why(&world), left == ANSWER_UNKNOWN
                                                        ? UNKNOWN_STALE
                                                        : UNKNOWN_SEVERAL);
            }
        }
    }
    world_end(&world);
}

static void kleene_tables(void **state)
{
    const enum answer and[3][3] = {{NO, NO, NO}, {NO, YES, UN}, {NO, UN, UN}};
    const enum answer or [3][3] = {
        {NO, YES, UN}, {YES, YES, YES}, {UN, YES, UN}};
    const enum answer left[3][3] = {
        {YES, YES, YES}, {NO, NO, NO}, {UN, UN, UN}};
    const enum answer surely[3][3] = {
        {NO, NO, NO}, {NO, YES, NO}, {NO, NO, NO}};

    (void)state;
    assert_table("x > 1 and y > 1", and);
    assert_table("x > 1 or y > 1", or);
    assert_table("not x > 1", left);
    assert_table("surely(x > 1 and y > 1)", surely);
    /* De Morgan holds for three values too. */
    assert_table("not (not x > 1 or not y > 1)", and);
    assert_table("not (not x > 1 and not y > 1)", or);
}

static void comparisons_at_equality(void **state)
{
    const struct {
        const char *condition;
        enum answer less, equal, greater;
    } cases[] = {
        {"x < 5", YES, NO, NO},
        {"x <= 5", YES, YES, NO},
        {"x > 5", NO, NO, YES},
        {"x >= 5", NO, YES, YES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_condition(&world, cases[i].condition);
        world_say(&world, "x", 4);
        world_look(&world, 10);
        assert_int_equal(world_answer(&world), cases[i].less);
        world_say(&world, "x", 5);
        world_look(&world, 11);
        assert_int_equal(world_answer(&world), cases[i].equal);
        world_say(&world, "x", 6);
        world_look(&world, 12);
        assert_int_equal(world_answer(&world), cases[i].greater);
        world_unknown(&world, "x", UNKNOWN_SOURCE_ERROR);
        world_look(&world, 13);
        assert_not_known(UNKNOWN_SOURCE_ERROR);
        world_end(&world);
    }
}

/* --- Numbers -------------------------------------------------------------- */

static void arithmetic(void **state)
{
    (void)state;
    world_number(&world, "-(x + 2 * y - x / 4)");
    world_say(&world, "x", 8);
    world_say(&world, "y", 3);
    world_look(&world, 10);
    assert_value(-12);
    world_unknown(&world, "y", UNKNOWN_STALE);
    world_look(&world, 11);
    assert_unknown(UNKNOWN_STALE);
    world_unknown(&world, "x", UNKNOWN_NAN);
    world_look(&world, 12);
    assert_unknown(UNKNOWN_NAN); /* the left one's reason */
    world_end(&world);
}

static void division_by_zero_is_unknown(void **state)
{
    (void)state;
    world_number(&world, "x / y");
    world_say(&world, "x", 8);
    world_say(&world, "y", 0);
    world_look(&world, 10);
    assert_unknown(UNKNOWN_DIVIDE_BY_ZERO);
    world_say(&world, "y", -0.0);
    world_look(&world, 11);
    assert_unknown(UNKNOWN_DIVIDE_BY_ZERO);
    world_say(&world, "x", 0);
    world_look(&world, 12);
    assert_unknown(UNKNOWN_DIVIDE_BY_ZERO);
    world_say(&world, "y", 4);
    world_look(&world, 13);
    assert_value(0);
    world_end(&world);
}

static void overflow_is_infinite_and_never_leaves(void **state)
{
    const char *const numbers[] = {"x * y", "x + y", "x - -y", "x / 0.01"};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        world_number(&world, numbers[i]);
        world_say(&world, "x", 1.7e308);
        world_say(&world, "y", 1.7e308);
        world_look(&world, 10);
        assert_unknown(UNKNOWN_INFINITE);
        assert_true(world_value(&world, "v").number == 0);
        world_end(&world);
    }
}

static void a_sample_that_is_no_number(void **state)
{
    (void)state;
    world_number(&world, "x");
    world_say(&world, "x", (double)NAN);
    world_look(&world, 10);
    assert_unknown(UNKNOWN_NAN);
    world_say(&world, "x", -(double)INFINITY);
    world_look(&world, 11);
    assert_unknown(UNKNOWN_INFINITE);
    for (enum unknown unknown = UNKNOWN_NO_DATA; unknown < UNKNOWN_LAST;
         unknown++) {
        world_unknown(&world, "x", unknown);
        world_look(&world, 11 + (int)unknown);
        assert_unknown(unknown);
    }
    world_end(&world);
}

static void milliseconds_become_seconds(void **state)
{
    (void)state;
    world_condition(&world, "ms > 1500ms");
    world_say(&world, "ms", 1500);
    world_look(&world, 10);
    assert_no();
    world_say(&world, "ms", 1500.1);
    world_look(&world, 11);
    assert_yes();
    assert_true(fabs(world_value(&world, "ms").number - 1.5001) < 1e-12);
    world_end(&world);
}

static void
zero_is_what_an_empty_answer_means_when_the_policy_says_so(void **state)
{
    (void)state;
    world_number(&world, "z");
    world_unknown(&world, "z", UNKNOWN_NO_DATA);
    world_look(&world, 10);
    assert_value(0);
    world_unknown(&world, "z", UNKNOWN_SOURCE_ERROR);
    world_look(&world, 11);
    assert_unknown(UNKNOWN_SOURCE_ERROR);
    world_end(&world);
}

static void absent_is_an_answer_with_nothing_in_it(void **state)
{
    (void)state;
    world_condition(&world, "absent(z)"); /* on_no_data does not hide it */
    world_unknown(&world, "z", UNKNOWN_NO_DATA);
    world_look(&world, 10);
    assert_yes();
    world_say(&world, "z", 0);
    world_look(&world, 11);
    assert_no();
    world_unknown(&world, "z", UNKNOWN_SEVERAL);
    world_look(&world, 12);
    assert_no();
    world_unknown(&world, "z", UNKNOWN_NAN);
    world_look(&world, 13);
    assert_no();
    world_unknown(&world, "z", UNKNOWN_SOURCE_ERROR);
    world_look(&world, 14);
    assert_not_known(UNKNOWN_SOURCE_ERROR);
    world_unknown(&world, "z", UNKNOWN_STALE);
    world_look(&world, 15);
    assert_not_known(UNKNOWN_STALE);
    world_end(&world);
}

/* --- Facts ---------------------------------------------------------------- */

static void facts_of_the_release(void **state)
{
    const struct label labels[] = {{"team", "checkout"}, {"tier", "1"}};

    (void)state;
    world_condition(&world, "release.service == \"shop\" and "
                            "release.labels.team == \"checkout\" and "
                            "release.kind != \"config\" and release.stuck");
    world.facts.labels = labels;
    world.facts.labels_count = 2;
    world.facts.stuck = true;
    world_look(&world, 10);
    assert_not_known(UNKNOWN_FACT); /* kind is not said */
    world.facts.kind = "code";
    world_look(&world, 11);
    assert_yes();
    world.facts.kind = "config";
    world_look(&world, 12);
    assert_no();
    world.facts.kind = NULL;
    world.facts.stuck = false;
    world_look(&world, 13);
    assert_no();
    world_end(&world);
}

static void the_age_of_a_release(void **state)
{
    (void)state;
    world_condition(&world, "release.age >= 2m");
    world_look(&world, 11);
    assert_no();
    world_look(&world, 12);
    assert_yes();
    world_end(&world);
}

static void going_back_is_safe_or_not_or_nobody_knows(void **state)
{
    (void)state;
    world_condition(&world, "release.rollback_safe");
    world_look(&world, 10);
    assert_not_known(UNKNOWN_FACT);
    world.facts.rollback_safe = ANSWER_YES;
    world_look(&world, 11);
    assert_yes();
    world.facts.rollback_safe = ANSWER_NO;
    world_look(&world, 12);
    assert_no();
    world_end(&world);
}

/* --- Windows -------------------------------------------------------------- */

/* x is 1, 2, 3, ... from grid time 1 on; W is 10 grid times. */
static void ramp(const char *number, int looks)
{
    world_number(&world, number);
    for (int n = 1; n <= looks; n++) {
        world_say(&world, "x", n);
        world_look(&world, n);
    }
}

static void averages_over_a_window(void **state)
{
    const struct {
        const char *number;
        double wanted;
    } cases[] = {
        {"avg(x, 100s)", 15.5},
        {"min(x, 100s)", 11},
        {"max(x, 100s)", 20},
        {"sum(x, 100s)", 155},
        {"stddev(x, 100s)", 3.02765035},
        {"quantile(x, 90%, 100s)", 19.1},
        {"slope(x, 100s) * 1s", 0.1},
        {"forecast(x, 100s, 100s)", 30},
        {"avg(x * x, 30s)", 361.66666667},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ramp(cases[i].number, 20);
        assert_true(fabs(world_value(&world, "v").number - cases[i].wanted) <
                    1e-8);
        assert_int_equal(world_value(&world, "v").unknown, KNOWN);
        world_end(&world);
    }
}

/* 80 % of 10 grid times, none at or before the 3rd: known from the 11th on. */
static void settling_is_cut_out_of_windows(void **state)
{
    (void)state;
    world_number(&world, "avg(x, 100s)");
    for (int n = 1; n <= 13; n++) {
        world_say(&world, "x", n <= 3 ? 1e6 : n);
        world_look(&world, n);
        if (n < 11) {
            assert_unknown(UNKNOWN_WINDOW);
        } else {
            assert_value((4 + n) / 2.0);
        }
    }
    world_end(&world);
}

static void a_window_bears_a_fifth_missing(void **state)
{
    (void)state;
    ramp("avg(x, 100s)", 20);
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_look(&world, 21);
    world_look(&world, 22);
    assert_value((13 + 20) / 2.0);
    world_say(&world, "x", 23);
    world_look(&world, 24); /* 23 was not asked at all */
    assert_unknown(UNKNOWN_WINDOW);
    world_end(&world);
}

/* Of 8 grid times 7 are more than 80 %, but fewer than a trend's least. */
static void trends_need_eight(void **state)
{
    (void)state;
    ramp("slope(x, 80s)", 10);
    assert_unknown(UNKNOWN_WINDOW);
    world_look(&world, 11);
    assert_int_equal(world_value(&world, "v").unknown, KNOWN);
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_look(&world, 12);
    assert_unknown(UNKNOWN_WINDOW);
    world_end(&world);
    ramp("avg(x, 80s)", 12);
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_look(&world, 13);
    assert_value((6 + 12) / 2.0);
    world_end(&world);
}

static void rising_and_flat(void **state)
{
    (void)state;
    world_condition(&world, "rising(x, 100s)");
    for (int n = 1; n <= 13; n++) {
        world_say(&world, "x", 10 + n);
        world_look(&world, n);
    }
    assert_yes();
    for (int n = 14; n <= 23; n++) {
        world_say(&world, "x", 10);
        world_look(&world, n);
    }
    assert_no();
    world_end(&world);

    world_condition(&world, "flat(x, 100s)");
    world_say(&world, "x", 4);
    world_looks(&world, 1, 13);
    assert_yes();
    world_say(&world, "x", 5);
    world_look(&world, 14);
    assert_no();
    world_end(&world);
}

static void count_is_exempt_from_the_80_percent(void **state)
{
    (void)state;
    world_number(&world, "count(x > 1, 100s)");
    world_say(&world, "x", 2);
    world_looks(&world, 1, 3);
    assert_unknown(UNKNOWN_WINDOW); /* settling: of nothing, nothing */
    world_looks(&world, 4, 5);
    assert_value(2);
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_looks(&world, 6, 9);
    assert_value(2);
    world_say(&world, "x", 0);
    world_look(&world, 10);
    assert_value(2);
    world_looks(&world, 11, 14);
    assert_value(1); /* the 5th */
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_looks(&world, 15, 24);
    assert_unknown(UNKNOWN_WINDOW);
    world_end(&world);
}

static void a_scraped_counter_has_a_rate(void **state)
{
    (void)state;
    world_number(&world, "rate(c, 40s)");
    for (int n = 4; n <= 10; n++) {
        world_say(&world, "c", 1000 + 50 * n);
        world_look(&world, n);
    }
    assert_value(5);
    world_say(&world, "c", 20); /* restarted: 20 since then */
    world_look(&world, 11);
    assert_value((50 + 50 + 20) / 30.0);
    world_end(&world);
}

/* No requests, no errors: whatever a share of nothing is said to be. */
static void a_known_zero_decides_a_product(void **state)
{
    (void)state;
    world_number(&world, "p * r");
    world_unknown(&world, "p", UNKNOWN_NAN);
    world_say(&world, "r", 0);
    world_look(&world, 4);
    assert_value(0);
    world_say(&world, "r", 1);
    world_look(&world, 5);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_NAN);
    world_say(&world, "p", 0);
    world_unknown(&world, "r", UNKNOWN_STALE);
    world_look(&world, 6);
    assert_value(0);
    world_unknown(&world, "p", UNKNOWN_SOURCE_ERROR);
    world_look(&world, 7);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_SOURCE_ERROR);
    world_end(&world);
}

/* --- Evidence ------------------------------------------------------------- */

static void too_many_errors_for_low_traffic(void **state)
{
    (void)state;
    world_condition(&world, "too_many(e, r, 5%, 100s)");
    world_say(&world, "r", 0.1); /* 10 requests */
    world_say(&world, "e", 0.03);
    world_looks(&world, 1, 10);
    assert_not_known(UNKNOWN_WINDOW);
    world_looks(&world, 11, 13);
    assert_no(); /* 3 of 10 happen by chance: 1.15 % */
    world_say(&world, "e", 0.04);
    world_looks(&world, 14, 23);
    assert_yes(); /* 4 of 10: 0.1 % */
    world_say(&world, "e", 0);
    world_say(&world, "r", 0);
    world_looks(&world, 24, 33);
    assert_no();
    world_end(&world);
}

/* 14.4 * (1 - 99 %) = 14.4 %, in 120 grid times and in the last 12. */
static void burning_in_both_windows(void **state)
{
    (void)state;
    world_condition(&world, "burn(e, r, 99%, 20m, 2m)");
    world_say(&world, "r", 10);
    world_say(&world, "e", 1.4);
    world_looks(&world, 1, 15);
    assert_no(); /* the short one is known and below; the long one unknown */
    world_say(&world, "e", 1.5);
    world_looks(&world, 16, 60);
    assert_not_known(UNKNOWN_WINDOW);
    world_looks(&world, 61, 150);
    assert_yes();
    world_say(&world, "e", 0);
    world_looks(&world, 151, 152);
    assert_no(); /* the short one is over */
    world_say(&world, "r", 0);
    world_looks(&world, 153, 164);
    assert_not_known(UNKNOWN_DIVIDE_BY_ZERO);
    world_end(&world);
}

/* --- Against a slow reference --------------------------------------------- */

#define LOOKS 400

static double numbers[LOOKS];
static enum unknown unknowns[LOOKS];

/* Random samples with unknown ones and grid times without a look. */
static void random_past(unsigned seed)
{
    int since = 0;
    double level = 1;

    srand(seed);
    for (int n = 0; n < LOOKS; n++) {
        numbers[n] = level + rand() % 4;
        unknowns[n] = KNOWN;
        if (since > 0) {
            since--;
            unknowns[n] =
                seed % 2 == 1 ? UNKNOWN_NOT_ASKED : UNKNOWN_SOURCE_ERROR;
        } else if (rand() % 12 == 0) {
            since = rand() % 6;
        }
        level += rand() % 20 == 0;
    }
}

static void look_at_past(int n)
{
    if (unknowns[n] == KNOWN) {
        world_say(&world, "x", numbers[n]);
    } else {
        world_unknown(&world, "x", unknowns[n]);
    }
    world_look(&world, n);
}

/* Known values of the last @wanted grid times up to @n, after the settling. */
static size_t known_of(int n, int wanted, double *ret_known)
{
    size_t count = 0;

    for (int i = n - wanted + 1; i <= n; i++) {
        if (i > WORLD_SETTLE && unknowns[i] == KNOWN) {
            ret_known[count++] = numbers[i];
        }
    }
    return count;
}

static void windows_agree_with_a_slow_reference(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        random_past(seed);
        world_number(&world, "sum(x, 130s)"); /* 13 grid times, 11 needed */
        for (int n = 1; n < LOOKS; n++) {
            double known[13], sum = 0;
            size_t count = known_of(n, 13, known);

            if (unknowns[n] == UNKNOWN_NOT_ASKED) {
                continue; /* no look */
            }
            look_at_past(n);
            for (size_t i = 0; i < count; i++) {
                sum += known[i];
            }
            if (count >= 11) {
                assert_value(sum);
            } else {
                assert_unknown(UNKNOWN_WINDOW);
            }
        }
        world_end(&world);
    }
}

/* A condition holds over the last five grid times, or 3 of them. */
static enum answer slow_for(int n)
{
    enum answer answer = YES;

    for (int i = n - 4; i <= n; i++) {
        if (i <= WORLD_SETTLE || unknowns[i] != KNOWN) {
            answer = answer == NO ? NO : UN;
        } else if (numbers[i] <= 4) {
            answer = NO;
        }
    }
    return answer;
}

static enum answer slow_of(int n)
{
    int yes = 0, no = 0;

    for (int i = n - 4; i <= n; i++) {
        if (i > WORLD_SETTLE && unknowns[i] == KNOWN) {
            yes += numbers[i] > 4;
            no += numbers[i] <= 4;
        }
    }
    return yes >= 3 ? YES : no > 2 ? NO : UN;
}

static void for_agrees_with_a_slow_reference(void **state)
{
    int seen[3] = {0};

    (void)state;
    for (unsigned seed = 0; seed < 40; seed++) {
        bool of = seed % 4 >= 2;

        random_past(seed);
        world_condition(&world, of ? "x > 4 for 3 of 5" : "x > 4 for 50s");
        for (int n = 1; n < 120; n++) {
            if (unknowns[n] == UNKNOWN_NOT_ASKED) {
                continue;
            }
            look_at_past(n);
            seen[world_answer(&world)]++;
            assert_int_equal(world_answer(&world),
                             of ? slow_of(n) : slow_for(n));
        }
        world_end(&world);
    }
    assert_true(seen[NO] > 100 && seen[YES] > 100 && seen[UN] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kleene_tables),
        cmocka_unit_test(comparisons_at_equality),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(division_by_zero_is_unknown),
        cmocka_unit_test(overflow_is_infinite_and_never_leaves),
        cmocka_unit_test(a_sample_that_is_no_number),
        cmocka_unit_test(milliseconds_become_seconds),
        cmocka_unit_test(
            zero_is_what_an_empty_answer_means_when_the_policy_says_so),
        cmocka_unit_test(absent_is_an_answer_with_nothing_in_it),
        cmocka_unit_test(facts_of_the_release),
        cmocka_unit_test(the_age_of_a_release),
        cmocka_unit_test(going_back_is_safe_or_not_or_nobody_knows),
        cmocka_unit_test(averages_over_a_window),
        cmocka_unit_test(settling_is_cut_out_of_windows),
        cmocka_unit_test(a_window_bears_a_fifth_missing),
        cmocka_unit_test(trends_need_eight),
        cmocka_unit_test(rising_and_flat),
        cmocka_unit_test(count_is_exempt_from_the_80_percent),
        cmocka_unit_test(a_scraped_counter_has_a_rate),
        cmocka_unit_test(a_known_zero_decides_a_product),
        cmocka_unit_test(too_many_errors_for_low_traffic),
        cmocka_unit_test(burning_in_both_windows),
        cmocka_unit_test(windows_agree_with_a_slow_reference),
        cmocka_unit_test(for_agrees_with_a_slow_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
