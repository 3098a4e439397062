/* Collecting and printing what is wrong. */
#include "policies/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int make_problems(void **state)
{
    *state = malloc(sizeof(struct problems));
    if (*state == NULL) {
        return -1;
    }
    problems_init(*state, "policies/a.yaml");
    return 0;
}

static int free_problems(void **state)
{
    free(*state);
    return 0;
}

static void check_printed(const struct problems *problems, const char *source,
                          bool colour, const char *expected)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);

    assert_non_null(out);
    problems_print(problems, source, source == NULL ? 0 : strlen(source),
                   colour, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(printed, expected);
    free(printed);
}

static void problems_come_in_order_of_place(void **state)
{
    struct problems *problems = *state;
    struct problem *problem = NULL;

    (void)problems_error(problems, 2, 9, "unknown signal '%s'", "x");
    problem = problems_warning(problems, 1, 1, "first");
    problem->length = 4;
    (void)snprintf(problem->note, sizeof(problem->note), "elsewhere");
    (void)snprintf(problem->fix, sizeof(problem->fix), "that: 1");
    (void)problems_error(problems, 0, 0, "no place");
    (void)problems_error(problems, 2, 9, "the same place, later");
    assert_int_equal(problems->errors, 3);
    check_printed(problems, "this: 1\n    is: x > 70%\n", false,
                  "policies/a.yaml: error: no place\n"
                  "policies/a.yaml:1:1: warning: first\n"
                  "this: 1\n"
                  "^~~~\n"
                  "  note: elsewhere\n"
                  "  fix: this -> that: 1\n"
                  "policies/a.yaml:2:9: error: unknown signal 'x'\n"
                  "    is: x > 70%\n"
                  "        ^\n"
                  "policies/a.yaml:2:9: error: the same place, later\n"
                  "    is: x > 70%\n"
                  "        ^\n");
}

static void a_terminal_gets_colour(void **state)
{
    struct problems *problems = *state;

    (void)problems_error(problems, 1, 1, "bad");
    check_printed(problems, "x", true,
                  "\033[1mpolicies/a.yaml:1:1:\033[0m "
                  "\033[1;31merror\033[0m: \033[1mbad\033[0m\n"
                  "x\n"
                  "\033[1;32m^\033[0m\n");
}

static void without_a_source_only_the_place_is_said(void **state)
{
    struct problems *problems = *state;

    (void)problems_error(problems, 3, 1, "bad");
    check_printed(problems, NULL, false, "policies/a.yaml:3:1: error: bad\n");
    check_printed(problems, "one line\n", false,
                  "policies/a.yaml:3:1: error: bad\n");
}

static void the_caret_counts_code_points(void **state)
{
    struct problems *problems = *state;

    (void)problems_error(problems, 1, 4, "here");
    problems->list[0].length = 2;
    check_printed(problems, "\xc3\xa9\xe2\x82\xac\tzz\r\nnext\n", false,
                  "policies/a.yaml:1:4: error: here\n"
                  "\xc3\xa9\xe2\x82\xac zz\n"
                  "   ^~\n");
    check_printed(problems, "\xef\xbb\xbfmmmz", false,
                  "policies/a.yaml:1:4: error: here\n"
                  "mmmz\n"
                  "   ^~\n");
}

static void a_long_line_is_shown_around_the_place(void **state)
{
    struct problems *problems = *state;
    char source[1001];
    char expected[400] = "policies/a.yaml:1:501: error: here\n";

    memset(source, '-', 1000);
    source[1000] = '\0';
    source[500] = 'X';
    memset(expected + strlen(expected), '-', 60);
    strcat(expected, "X");
    memset(expected + strlen(expected), '-', 59);
    strcat(expected, "\n");
    memset(expected + strlen(expected), ' ', 60);
    strcat(expected, "^\n");
    (void)problems_error(problems, 1, 501, "here");
    check_printed(problems, source, false, expected);
}

static void what_comes_from_outside_is_escaped(void **state)
{
    struct problems *problems = *state;
    struct problem *problem = NULL;

    problems_init(problems, "a\033b");
    problem = problems_error(problems, 1, 1, "'%s'", "x\n\033[31m\x80");
    assert_string_equal(problem->text, "'x\\x0a\\x1b[31m\\x80'");
    check_printed(problems, "a\033b", false,
                  "a\\x1bb:1:1: error: 'x\\x0a\\x1b[31m\\x80'\n"
                  "a?b\n"
                  "^\n");
}

static void a_full_list_says_so_and_errors_win(void **state)
{
    struct problems *problems = *state;

    for (int i = 0; i < PROBLEMS_MAX; i++) {
        (void)problems_warning(problems, i + 1, 1, "warning %d", i);
    }
    assert_false(problems->cut);
    (void)problems_error(problems, 7, 1, "an error");
    (void)problems_warning(problems, 8, 1, "one more");
    assert_int_equal(problems->count, PROBLEMS_MAX);
    assert_int_equal(problems->errors, 1);
    assert_true(problems->cut);
    assert_string_equal(problems->list[PROBLEMS_MAX - 1].text, "an error");
    for (int i = 0; i < 2 * PROBLEMS_MAX; i++) {
        assert_non_null(problems_error(problems, 1, 1, "error %d", i));
    }
    assert_int_equal(problems->errors, 1 + 2 * PROBLEMS_MAX);
    assert_int_equal(problems->count, PROBLEMS_MAX);
    assert_string_equal(problems->list[PROBLEMS_MAX - 2].text, "error 0");
}

static void a_cut_list_ends_with_a_sentence(void **state)
{
    struct problems *problems = *state;
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    const char *end = "policies/a.yaml: more problems follow; these are 64 "
                      "of them\n";

    assert_non_null(out);
    for (int i = 0; i <= PROBLEMS_MAX; i++) {
        (void)problems_error(problems, 1, 1, "bad");
    }
    problems_print(problems, NULL, 0, false, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(printed + size - strlen(end), end);
    free(printed);
}

static void escaping_cuts_whole_characters(void **state)
{
    char text[8];

    (void)state;
    text_escape("abc", text, sizeof(text));
    assert_string_equal(text, "abc");
    text_escape("abcdefg", text, sizeof(text));
    assert_string_equal(text, "abcdefg");
    text_escape("abcdefgh", text, sizeof(text));
    assert_string_equal(text, "abcd...");
    text_escape("abc\xc3\xa9z\xc3\xa9z", text, sizeof(text));
    assert_string_equal(text, "abc...");
    text_escape("ab\ncd", text, sizeof(text));
    assert_string_equal(text, "ab...");
    text_escape("\xe2\x80\xae", text, sizeof(text));
    assert_string_equal(text, "...");
    text_escape("anything", text, 1);
    assert_string_equal(text, "");
}

static void the_nearest_name_is_a_likely_slip(void **state)
{
    static const char *const names[] = {"pool_saturation", "errors", "requests",
                                        "is"};

    (void)state;
    assert_string_equal(nearest_name("pool_saturaton", names, 4),
                        "pool_saturation");
    assert_string_equal(nearest_name("erorrs", names, 4), "errors");
    assert_string_equal(nearest_name("request", names, 4), "requests");
    assert_null(nearest_name("latency", names, 4));
    assert_null(nearest_name("", names, 4));
    assert_null(nearest_name("x", names, 0));
    assert_null(nearest_name("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
                             names, 4));
}

#define problem_test(test)                                                     \
    cmocka_unit_test_setup_teardown(test, make_problems, free_problems)

static void control_characters_are_found(void **state)
{
    (void)state;
    assert_false(text_has_control(""));
    assert_false(text_has_control("a b\xc3\xa4~"));
    assert_true(text_has_control("a\tb"));
    assert_true(text_has_control("a\r\n"));
    assert_true(text_has_control("\x7f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_are_found),
        problem_test(problems_come_in_order_of_place),
        problem_test(a_terminal_gets_colour),
        problem_test(without_a_source_only_the_place_is_said),
        problem_test(the_caret_counts_code_points),
        problem_test(a_long_line_is_shown_around_the_place),
        problem_test(what_comes_from_outside_is_escaped),
        problem_test(a_full_list_says_so_and_errors_win),
        problem_test(a_cut_list_ends_with_a_sentence),
        cmocka_unit_test(escaping_cuts_whole_characters),
        cmocka_unit_test(the_nearest_name_is_a_likely_slip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
