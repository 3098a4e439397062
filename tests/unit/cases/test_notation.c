/* Series in the compact notation: what they mean, and what is said about bad
 * ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/cases/notation.h"

#define EVERY (15 * SECOND_MS)

static const struct notation_kind ratio = {{0, 0, 0}, 1, EVERY};
static const struct notation_kind rate = {{1, -1, 0}, 1, EVERY};
static const struct notation_kind millis = {{0, 1, 0}, 0.001, EVERY};
static const struct notation_kind bytes = {{0, 0, 1}, 1, EVERY};
static const struct notation_kind count = {{1, 0, 0}, 1, EVERY};

static struct problems *problems;

/* Read "s: TEXT". */
static bool read_series(const char *text, const struct notation_kind *kind,
                        struct notation *ret_notation)
{
    char source[1024];
    struct yaml_tree *tree = NULL;
    bool good = false;

    (void)snprintf(source, sizeof(source), "s: %s\n", text);
    problems_init(problems, "t.yaml");
    tree = yaml_tree_read("t.yaml", source, strlen(source), problems);
    assert_non_null(tree);
    good = notation_read(tree, yaml_get(yaml_root(tree), "s"), kind,
                         ret_notation, problems);
    yaml_tree_free(tree);
    assert_true(good == (problems->errors == 0));
    return good;
}

/* The samples of the rows [from, to], as one line. */
static void check_rows(const char *text, const struct notation_kind *kind,
                       int from, int to, const char *expected)
{
    static struct notation notation;
    char said[1024] = "", number[NUMBER_TEXT_MAX];

    if (!read_series(text, kind, &notation)) {
        fail_msg("%s: %s", text, problems->list[0].text);
    }
    for (int row = from; row <= to; row++) {
        struct sample sample = notation_at(&notation, row);

        (void)snprintf(said + strlen(said), sizeof(said) - strlen(said),
                       "%s%s%s", row == from ? "" : " ", row == 1 ? "| " : "",
                       sample.unknown == KNOWN
                           ? number_print(sample.number, number)
                           : unknown_name(sample.unknown));
    }
    assert_string_equal(said, expected);
}

static void a_lone_value_is_there_all_the_time(void **state)
{
    (void)state;
    check_rows("142/s", &rate, -2, 3, "142 142 142 | 142 142 142");
    check_rows("_", &rate, 0, 1, "no data | no data");
}

static void counts_and_spans_are_grid_times(void **state)
{
    (void)state;
    check_rows("0.1% x2, 8% for 30s, _, 1%", &ratio, 0, 7,
               "0.001 | 0.001 0.001 0.08 0.08 no data 0.01 0.01");
    check_rows("1 x2, 2 x 1", &count, 1, 4,
               "| 1 1 2 source error"); /* it says nothing more */
}

static void what_stands_before_the_bar_was_before(void **state)
{
    (void)state;
    check_rows("1, 2 x2, 3 | 4, 5", &count, -5, 3, "1 1 1 2 2 3 | 4 5 5");
    check_rows("1 x2 | 2", &count, -3, 1, "source error source error 1 1 | 2");
    check_rows("error | 1", &count, -1, 1, "source error source error | 1");
}

static void without_a_bar_the_first_value_was_before(void **state)
{
    (void)state;
    check_rows("5 .. 7 x3, 9", &count, -1, 4, "5 5 | 5 6 7 9");
    check_rows("_ x1, 9", &count, -1, 2, "no data no data | no data 9");
}

static void a_line_begins_and_ends_with_its_numbers(void **state)
{
    (void)state;
    check_rows("10 .. 20 x11", &count, 1, 11,
               "| 10 11 12 13 14 15 16 17 18 19 20");
    check_rows("8 .. 2 for 1m", &count, 1, 4, "| 8 6 4 2");
    check_rows("-1..1 x3", &count, 1, 3, "| -1 0 1");
}

static void literals_are_turned_into_the_signals_unit(void **state)
{
    (void)state;
    check_rows("250ms x1, 2s x1, 80", &millis, 1, 3, "| 250 2000 80");
    check_rows("90/m", &rate, 1, 1, "| 1.5");
    check_rows("1.5KiB", &bytes, 1, 1, "| 1536");
    check_rows("5% x1, 0.05", &ratio, 1, 2, "| 0.05 0.05");
}

static void words_stand_for_what_is_no_number(void **state)
{
    (void)state;
    check_rows("_, nan, inf, error, true, false", &ratio, 1, 6,
               "| no data nan infinite source error 1 0");
}

/* --- What is said --------------------------------------------------------- */

static void check_refused(const char *text, const struct notation_kind *kind,
                          const char *expected)
{
    static struct notation notation;
    char said[PROBLEM_TEXT_MAX + 16];

    if (read_series(text, kind, &notation)) {
        fail_msg("'%s' was read", text);
    }
    assert_int_equal(problems->count, 1);
    (void)snprintf(said, sizeof(said), "%d-%d: %s",
                   problems->list[0].column - 3,
                   problems->list[0].column - 3 + problems->list[0].length,
                   problems->list[0].text);
    assert_string_equal(said, expected);
}

static void slips_are_explained_at_their_place(void **state)
{
    (void)state;
    check_refused("5% x20,", &ratio, "8-9: a value is missing here");
    check_refused("5%, , 6%", &ratio, "5-6: a value is missing here");
    check_refused("5% 6%", &ratio, "4-6: a comma is missing here");
    check_refused("1 | 2 | 3", &count,
                  "7-8: one '|' is enough: it is the moment of the deploy");
    check_refused("five", &count,
                  "1-5: 'five' is no value; write a number with its unit, or "
                  "_ nan inf error true false");
    check_refused("5%x20", &ratio,
                  "1-6: '5%x20' is no value: a blank, a comma or '|' ends one");
    check_refused("5s", &ratio, "1-3: the signal is ratio, this is seconds");
    check_refused("5% x", &ratio,
                  "5-6: how many grid times?  'x20' is 20 of them, at most "
                  "100000");
    check_refused("5% x0", &ratio,
                  "5-6: how many grid times?  'x20' is 20 of them, at most "
                  "100000");
    check_refused("5% x1.5", &ratio,
                  "5-8: how many grid times?  'x20' is 20 of them, at most "
                  "100000");
    check_refused("5% for ever", &ratio,
                  "8-12: 'for' wants a duration: for 5m");
    check_refused("5% for 20s", &ratio,
                  "8-11: a series has a value every 15s; write a multiple of "
                  "it, at most 100000 times as long");
    check_refused("1 .. 2", &count,
                  "1-7: a line has at least two values; say how long it is: "
                  "10 .. 20 x10, or for 5m");
    check_refused("_ .. 2 x5", &count,
                  "1-10: a line goes from one number to another: 10 .. 20 x10");
    check_refused("1 x99999, 2 x99999", &count,
                  "1-19: a series has at most 100000 values");
}

static void places_hold_in_block_scalars(void **state)
{
    static struct notation notation;

    (void)state;
    assert_false(read_series(">-\n    5%,\n    seven", &ratio, &notation));
    assert_int_equal(problems->list[0].line, 3);
    assert_int_equal(problems->list[0].column, 5);
}

static void too_many_items_are_refused(void **state)
{
    static struct notation notation;
    char text[512] = "1";

    (void)state;
    for (size_t i = 1; i < SERIES_ITEMS_MAX; i++) {
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",1");
    }
    assert_true(read_series(text, &count, &notation));
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",1");
    assert_false(read_series(text, &count, &notation));
    assert_string_equal(problems->list[0].text,
                        "more than 64 items in one series");
}

static int make_problems(void **state)
{
    (void)state;
    problems = malloc(sizeof(*problems));
    return problems == NULL;
}

static int free_problems(void **state)
{
    (void)state;
    free(problems);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_value_is_there_all_the_time),
        cmocka_unit_test(counts_and_spans_are_grid_times),
        cmocka_unit_test(what_stands_before_the_bar_was_before),
        cmocka_unit_test(without_a_bar_the_first_value_was_before),
        cmocka_unit_test(a_line_begins_and_ends_with_its_numbers),
        cmocka_unit_test(literals_are_turned_into_the_signals_unit),
        cmocka_unit_test(words_stand_for_what_is_no_number),
        cmocka_unit_test(slips_are_explained_at_their_place),
        cmocka_unit_test(places_hold_in_block_scalars),
        cmocka_unit_test(too_many_items_are_refused),
    };

    return cmocka_run_group_tests(tests, make_problems, free_problems);
}
