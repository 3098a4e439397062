/* The table of commands: help that fits, options, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/cli/cli.h"
#include "help_program.h"

static struct ran ran;

static void fits_a_screen(const char *text, size_t lines_max)
{
    size_t lines = 0;

    for (const char *at = text; *at != '\0';) {
        size_t width = strcspn(at, "\n");

        if (width > 80) {
            fail_msg("wider than 80: %.*s", (int)width, at);
        }
        lines++;
        at += width + (at[width] == '\n' ? 1 : 0);
    }
    if (lines > lines_max) {
        fail_msg("%zu lines:\n%s", lines, text);
    }
}

static void every_help_fits_a_screen_with_example_and_exits(void **state)
{
    (void)state;
    for (const struct cli_command *row = cli_commands(); row->name != NULL;
         row++) {
        run_program(&ran, row->name, "--help", NULL);
        assert_int_equal(ran.code, 0);
        assert_string_equal(ran.err, "");
        fits_a_screen(ran.out, 24);
        assert_non_null(strstr(ran.out, "Example:"));
        assert_non_null(strstr(ran.out, "Exit codes:\n  0  "));
        assert_non_null(strstr(ran.out, row->summary));
        for (const struct cli_flag *flag = row->flags; flag->name != NULL;
             flag++) {
            char shown[64];

            (void)snprintf(shown, sizeof(shown), "--%s", flag->name);
            assert_non_null(strstr(ran.out, shown));
        }
    }
}

static void every_example_is_a_call_that_parses(void **state)
{
    (void)state;
    for (const struct cli_command *row = cli_commands(); row->name != NULL;
         row++) {
        char *text = strdup(row->example);
        char *words[32];
        struct cli_call call;
        bool help = false;
        char error[256] = "";
        int count = 0;

        /* Quoted words of examples have no other quotes inside. */
        for (char *at = text; *at != '\0' && count < 31;) {
            bool quoted = *at == '"';
            size_t length = 0;

            at += quoted ? 1 : 0;
            length = strcspn(at, quoted ? "\"" : " ");
            words[count++] = at;
            at += length;
            if (*at != '\0') {
                *at++ = '\0';
                at += quoted && *at == ' ' ? 1 : 0;
            }
        }
        words[count] = NULL;
        assert_string_equal(words[0], "lastgood");
        assert_string_equal(words[1], row->name);
        if (!cli_parse(row, count - 1, words + 1, &call, &help, error,
                       sizeof(error))) {
            fail_msg("%s: %s", row->example, error);
        }
        free(text);
    }
}

static void alone_it_prints_the_overview(void **state)
{
    (void)state;
    run_program(&ran, NULL);
    assert_int_equal(ran.code, 0);
    fits_a_screen(ran.out, 40);
    for (const struct cli_command *row = cli_commands(); row->name != NULL;
         row++) {
        assert_non_null(strstr(ran.out, row->summary));
    }
    assert_non_null(strstr(ran.out, "serve"));
    assert_non_null(strstr(ran.out, "replay"));
    run_program(&ran, "help", NULL);
    assert_int_equal(ran.code, 0);
    run_program(&ran, "--version", NULL);
    assert_int_equal(ran.code, 0);
    assert_string_equal(ran.out, "lastgood " LASTGOOD_VERSION "\n");
}

static void other_rooms_parse_their_own_words(void **state)
{
    (void)state;
    run_program(&ran, "serve", "--config", "x", NULL);
    assert_int_equal(ran.code, 7);
    assert_string_equal(ran.out, "serve outside, 3 words\n");
    run_program(&ran, "help", "replay", NULL);
    assert_int_equal(ran.code, 7);
    assert_string_equal(ran.out, "replay outside, 2 words\n");
}

static void slips_are_named_with_what_was_meant(void **state)
{
    (void)state;
    run_program(&ran, "stauts", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "did you mean 'status'?"));
    run_program(&ran, "qqqqqqqq", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "'lastgood help' lists them"));
    run_program(&ran, "gate", "a", "--enviroment", "p", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "did you mean '--environment'?"));
    run_program(&ran, "gate", "a", "--zzzzzz=3", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "no option '--zzzzzz' "));
    run_program(&ran, "gate", "a", "-x", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "there is no option"));
    run_program(&ran, "gate", "a", "--environment", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "--environment needs a value"));
    run_program(&ran, "gate", "a", "b", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "'b' is one argument too many"));
    run_program(&ran, "gate", NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "usage: lastgood gate SERVICE"));
    run_program(&ran, "gate", "a", "--environment", "p", "--environment", "q",
                NULL);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(ran.err, "--environment was given twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_help_fits_a_screen_with_example_and_exits),
        cmocka_unit_test(every_example_is_a_call_that_parses),
        cmocka_unit_test(alone_it_prints_the_overview),
        cmocka_unit_test(other_rooms_parse_their_own_words),
        cmocka_unit_test(slips_are_named_with_what_was_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
