/* How replay is called, and what it says when a file or a word is wrong. */
#include "help_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/replay/replay.h"

static struct ran ran;

static const char policy[] =
    "policy: small\n"
    "mode: observe\n"
    "watch: {every: 15s, settle: 0s}\n"
    "signals:\n"
    "  bad: {prometheus: bad, unit: ratio}\n"
    "tree: {question: Bad?, if: bad > 5% for 2m, then: {page: p}, "
    "else: healthy}\n";

static const char samples[] = "time,bad\n1726665300,0.01\n1726665600,0.01\n";

/* One line, and a code of its own. */
static void assert_usage(const char *words)
{
    assert_int_equal(ran.code, REPLAY_EXIT_ERROR);
    assert_string_equal(ran.out, "");
    if (strncmp(ran.err, "lastgood replay: ", 17) != 0 ||
        strstr(ran.err, words) == NULL ||
        strchr(ran.err, '\n') != ran.err + strlen(ran.err) - 1) {
        fail_msg("%s", ran.err);
    }
}

static void assert_error(const char *line)
{
    assert_int_equal(ran.code, REPLAY_EXIT_ERROR);
    assert_string_equal(ran.out, "");
    if (strstr(ran.err, line) == NULL) {
        fail_msg("%s", ran.err);
    }
}

static void words_that_are_wrong(void **state)
{
    (void)state;
    run_replay(&ran, NULL);
    assert_usage("usage: lastgood replay POLICY --samples FILE.csv");
    run_replay(&ran, "p.yaml", NULL);
    assert_usage("usage: lastgood replay POLICY --samples FILE.csv");
    run_replay(&ran, "p.yaml", "--samples", NULL);
    assert_usage("--samples needs a value");
    run_replay(&ran, "p.yaml", "q.yaml", "--samples", "s", NULL);
    assert_usage("'q.yaml' is one argument too many");
    run_replay(&ran, "p.yaml", "--samples", "s", "--chart", "--format", "json",
               NULL);
    assert_usage("--chart is for people; with --format json, --svg FILE");
    run_replay(&ran, "p.yaml", "--sampels", "s", NULL);
    assert_usage("'--sampels'; did you mean '--samples'?");
    run_replay(&ran, "p.yaml", "--x\033[m=1", NULL);
    assert_usage("no option '--x\\x1b[m'");
    run_replay(&ran, "p.yaml", "--samples", "s", "--samples", "s", NULL);
    assert_usage("--samples was given twice");
}

static void values_that_are_wrong(void **state)
{
    (void)state;
    run_replay(&ran, "p", "--samples", "s", "--interpolate", "cubic", NULL);
    assert_usage("--interpolate is 'linear', not 'cubic'");
    run_replay(&ran, "p", "--samples", "s", "--format", "xml", NULL);
    assert_usage("--format is 'text' or 'json', not 'xml'");
    run_replay(&ran, "p", "--samples", "s", "--every", "15", NULL);
    assert_usage("--every is a time from 100ms to 1h, such as 15s, not '15'");
    run_replay(&ran, "p", "--samples", "s", "--every", "99ms", NULL);
    assert_usage("not '99ms'");
    run_replay(&ran, "p", "--samples", "s", "--every", "61m", NULL);
    assert_usage("not '61m'");
}

static void help_fits_a_screen(void **state)
{
    int lines = 0;

    (void)state;
    run_replay(&ran, "--help", NULL);
    assert_int_equal(ran.code, REPLAY_EXIT_DONE);
    assert_string_equal(ran.err, "");
    for (const char *at = ran.out; *at != '\0'; lines++) {
        size_t length = strcspn(at, "\n");

        assert_true(length <= 80);
        at += length + 1;
    }
    assert_true(lines <= 24);
    assert_non_null(strstr(ran.out, "--interpolate linear"));
}

static void files_that_are_not_there(void **state)
{
    const char *policy_path = file_of("p.yaml", policy);
    const char *samples_path = file_of("s.csv", samples);

    (void)state;
    run_replay(&ran, policy_path, "--samples", "/nowhere/s.csv", NULL);
    assert_error("/nowhere/s.csv: error: cannot be read: No such file or "
                 "directory\n");
    run_replay(&ran, "/nowhere/p.yaml", "--samples", samples_path, NULL);
    assert_error("/nowhere/p.yaml: error: cannot be read: No such file or "
                 "directory\n");
    run_replay(&ran, policy_path, "--samples", samples_path, "--release",
               "/nowhere/r.json", NULL);
    assert_error("/nowhere/r.json: error: cannot be read: No such file or "
                 "directory\n");
    run_replay(&ran, policy_path, "--samples", "/", NULL);
    assert_error("/: error: cannot be read: Is a directory\n");
}

/* "folder/name:place" at the beginning of a line of the errors. */
static void assert_place(const char *path, const char *place)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "%s%s", path, place);
    assert_error(line);
}

static void files_that_are_wrong(void **state)
{
    const char *good = file_of("p.yaml", policy);
    const char *table = file_of("s.csv", samples);
    const char *path = NULL;

    (void)state;
    path = file_of("bad.yaml", "policy: x\ntree: {if: nothing > 5}\n");
    run_replay(&ran, path, "--samples", table, NULL);
    assert_place(path, ":2:");
    path = file_of("bad.csv", "time,bad\n1726665300,0.01\n1726665315,many\n");
    run_replay(&ran, good, "--samples", path, NULL);
    assert_place(path, ":3:12: error: 'many' is not a number (column 'bad')");
    assert_non_null(strstr(ran.err, "1726665315,many\n"
                                    "           ^\n"));
    path = file_of("bad.json", "{\"service\": \"shop\"}");
    run_replay(&ran, good, "--samples", table, "--release", path, NULL);
    assert_place(path, ":1:1: error: 'environment' is needed");
}

#define NAMES                                                                  \
    "\"service\": \"shop\", \"environment\": \"prod\", \"version\": \"2.0\""

static void a_deploy_that_leaves_nothing_to_judge(void **state)
{
    const char *good = file_of("p.yaml", policy);
    const char *table = file_of("s.csv", samples);
    const char *path = NULL;

    (void)state;
    path = file_of("late.json", "{" NAMES ",\n\"deployed_at\": 1726665600}");
    run_replay(&ran, good, "--samples", table, "--release", path, NULL);
    assert_place(path, ":2:16: error: deployed_at is not before the table's "
                       "last row, 2024-09-18T13:20:00Z: there is nothing to "
                       "judge");
    path = file_of("old.json", "{" NAMES ",\n\"deployed_at\": 1}");
    run_replay(&ran, good, "--samples", table, "--release", path, NULL);
    assert_place(path, ":2:16: error: from the deploy to the table's end there "
                       "are more than 10000000 grid times");
}

static void a_grid_too_wide_for_the_policy(void **state)
{
    const char *good = file_of("p.yaml", policy);
    const char *table = file_of("s.csv", samples);

    (void)state;
    run_replay(&ran, good, "--samples", table, "--every", "1m", NULL);
    assert_place(good, ":6:");
    assert_non_null(strstr(ran.err, "2m"));
}

static void columns_that_nobody_wants_may_hold_anything(void **state)
{
    const char *good = file_of("p.yaml", policy);
    const char *table =
        file_of("s.csv", "time,phase,bad,note\n"
                         "1726665300,before,0.01,\"a, \"\"b\"\"\"\n"
                         "1726665315,after \xff,0.01,1e\n");

    (void)state;
    run_replay(&ran, good, "--samples", table, "--format", "json", NULL);
    json_decref(json_of(&ran));
    assert_non_null(strstr(ran.err, "phase, note"));
}

static void warnings_come_once_beside_the_answer(void **state)
{
    const char *good = file_of("p.yaml", policy);
    const char *table = file_of("s.csv", "time,x,y\n1726665300,1,2\n"
                                         "1726665900,1,2\n");
    const char *first = NULL;

    (void)state;
    run_replay(&ran, good, "--samples", table, "--format", "json", NULL);
    json_decref(json_of(&ran));
    first = strstr(ran.err, "the policy names no such signal: x, y");
    assert_non_null(first);
    assert_null(strstr(first + 20, "names no such signal"));
}

/* Seconds since anything: many a made-up table begins at 0. */
static void a_table_that_begins_at_zero(void **state)
{
    (void)state;
    run_replay(&ran, file_of("p.yaml", policy), "--samples",
               file_of("s.csv", "time,bad\n0,0.01\n15,0.01\n30,0.01\n45,0.01\n"
                                "60,0.01\n75,0.01\n90,0.01\n"),
               "--format", "json", NULL);
    json_decref(json_of(&ran));
    assert_non_null(strstr(ran.out, "\"final\":\"healthy\""));
}

/* A million rows cost memory for what is kept, and one pass. */
static void a_million_rows(void **state)
{
    enum { ROWS = 1000000, BYTES = 16 };
    char *text = malloc(ROWS * BYTES + 64);
    const char *good = file_of("p.yaml", policy);
    size_t used = 0;

    (void)state;
    assert_non_null(text);
    used = (size_t)sprintf(text, "time,bad\n");
    for (int i = 0; i < ROWS; i++) {
        used += (size_t)snprintf(text + used, BYTES + 1, "%d,0.01\n",
                                 1726665300 + i);
    }
    run_replay(&ran, good, "--samples", file_of("s.csv", text), "--format",
               "json", "--continue", NULL);
    free(text);
    json_decref(json_of(&ran));
    assert_non_null(strstr(ran.out, "\"final\":\"healthy\""));
}

int main(void)
{
#define STORY(name) cmocka_unit_test_teardown(name, forget_files)
    const struct CMUnitTest tests[] = {
        STORY(words_that_are_wrong),
        STORY(values_that_are_wrong),
        STORY(help_fits_a_screen),
        STORY(files_that_are_not_there),
        STORY(files_that_are_wrong),
        STORY(a_deploy_that_leaves_nothing_to_judge),
        STORY(a_grid_too_wide_for_the_policy),
        STORY(columns_that_nobody_wants_may_hold_anything),
        STORY(warnings_come_once_beside_the_answer),
        STORY(a_table_that_begins_at_zero),
        STORY(a_million_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
