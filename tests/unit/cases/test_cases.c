/* Test files as a person sees them: what runs, what differs, what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/cases/case_report.h"

static char folder[64];

static const char policy[] =
    "policy: a\n"
    "applies_to: {service: a, environment: production}\n"
    "mode: auto\n"
    "unsure: countdown 60s\n"
    "watch: {every: 15s, settle: 30s}\n"
    "signals:\n"
    "  errors: {prometheus: e, unit: per_second, on_no_data: zero}\n"
    "  requests: {prometheus: r, unit: per_second}\n"
    "  wait: {prometheus: w, unit: milliseconds}\n"
    "  error_rate: {is: errors / requests}\n"
    "  hurt: {is: error_rate > 5% for 1m}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: hurt\n"
    "  else:\n"
    "    question: Is it slow?\n"
    "    if: wait > 1s for 1m\n"
    "    then: {page: \"slow\"}\n"
    "    else: healthy\n"
    "  then:\n"
    "    question: Is going back safe?\n"
    "    if: release.rollback_safe\n"
    "    then: {rollback: last_good}\n"
    "    else: {hold: \"no way back\"}\n"
    "    unknown: then\n";

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/lastgood-cases-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    write_file("a.yaml", policy);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink("a.yaml");
    (void)unlink("a.test.yaml");
    assert_int_equal(chdir("/"), 0);
    return rmdir(folder);
}

/* What is printed about a.test.yaml with this text; owned by the caller. */
static char *run_text(const char *text, struct case_report *report)
{
    char *printed = NULL;
    size_t size = 0;

    *report = (struct case_report){.columns = 80};
    report->out = open_memstream(&printed, &size);
    assert_non_null(report->out);
    write_file("a.test.yaml", text);
    case_report_file(report, "a.test.yaml");
    case_report_end(report);
    assert_int_equal(fclose(report->out), 0);
    return printed;
}

static void check_text(const char *text, const char *expected)
{
    struct case_report report;
    char *printed = run_text(text, &report);

    if (strcmp(printed, expected) != 0) {
        (void)fputs(printed, stderr); /* whole: what follows is cut */
    }
    assert_string_equal(printed, expected);
    free(printed);
}

#define SERIES                                                                 \
    "series:\n"                                                                \
    "  errors: 0\n"                                                            \
    "  requests: 100/s\n"                                                      \
    "  wait: 20ms\n"

/* --- What runs ------------------------------------------------------------ */

static void cases_come_as_expected(void **state)
{
    (void)state;
    check_text(
        "release: {version: 2, previous: 1, data_change: none}\n" SERIES
        "cases:\n"
        "  - case: healthy\n"
        "    expect: {2m .. 20m: healthy}\n"
        "    acts: never\n"
        "  - case: errors\n"
        "    series: {errors: 0 | 20/s}\n"
        "    expect:\n"
        "      1m: wait\n"
        "      1m30s: {verdict: rollback, mode: auto, path: [yes, yes]}\n"
        "    final: rollback\n"
        "    acts: 90s\n"
        "  - case: no way back\n"
        "    release: {data_change: irreversible}\n"
        "    series: {error_rate: 20%}\n"
        "    expect: {2m: {verdict: hold, path: [yes, no]}}\n"
        "  - case: nobody said\n"
        "    release: {data_change: }\n"
        "    series: {hurt: false | true}\n"
        "    expect: {2m: {verdict: rollback, mode: countdown 60s}}\n"
        "    acts: 1m45s\n"
        "  - case: slow\n"
        "    release: {deployed_at: 2024-09-18T13:15:00Z}\n"
        "    series: {wait: '20 x10, 2s'}\n"
        "    expect: {2024-09-18T13:20:00Z: page}\n"
        "  - case: dark\n"
        "    series: {requests: error}\n"
        "    lasts: 20m\n"
        "    final: wait\n",
        "a.test.yaml\n"
        "  ok    healthy: healthy\n"
        "  ok    errors: rollback, the call leaves at 1m30s\n"
        "  ok    no way back: hold\n"
        "  ok    nobody said: rollback, the call leaves at 1m45s\n"
        "  ok    slow: page\n"
        "  ok    dark: wait\n"
        "6 cases passed, 0 failed\n");
}

static void a_range_means_every_look(void **state)
{
    struct case_report report;
    char *printed = NULL;

    (void)state;
    printed = run_text(SERIES "cases:\n"
                              "  - case: a blip\n"
                              "    series: {wait: '20 for 5m, 2s for 2m, 20'}\n"
                              "    expect: {2m .. 10m: healthy}\n",
                       &report);
    assert_non_null(
        strstr(printed, "error: at 6m: expected healthy, it was page"));
    assert_int_equal(report.failed, 1);
    free(printed);
}

static void json_has_the_same(void **state)
{
    struct case_report report = {.columns = 80, .files = json_array()};
    char *printed = NULL;
    size_t size = 0;

    (void)state;
    report.out = open_memstream(&printed, &size);
    assert_non_null(report.out);
    write_file("a.test.yaml", SERIES "cases:\n"
                                     "  - case: calm\n"
                                     "    lasts: 5m\n"
                                     "    final: page\n");
    case_report_file(&report, "a.test.yaml");
    case_report_end(&report);
    assert_int_equal(fclose(report.out), 0);
    assert_string_equal(printed,
                        "{\n"
                        "  \"files\": [\n"
                        "    {\n"
                        "      \"path\": \"a.test.yaml\",\n"
                        "      \"policy\": \"a.yaml\",\n"
                        "      \"problems\": [],\n"
                        "      \"cases\": [\n"
                        "        {\n"
                        "          \"case\": \"calm\",\n"
                        "          \"line\": 6,\n"
                        "          \"ok\": false,\n"
                        "          \"final\": \"healthy\",\n"
                        "          \"first_action_at\": null,\n"
                        "          \"failures\": [\n"
                        "            {\n"
                        "              \"line\": 8,\n"
                        "              \"column\": 12,\n"
                        "              \"length\": 4,\n"
                        "              \"text\": \"expected 'page' in the end, "
                        "it was 'healthy'\",\n"
                        "              \"at\": \"2024-01-01T12:05:00Z\"\n"
                        "            }\n"
                        "          ]\n"
                        "        }\n"
                        "      ]\n"
                        "    }\n"
                        "  ],\n"
                        "  \"passed\": 0,\n"
                        "  \"failed\": 1,\n"
                        "  \"broken\": 0\n"
                        "}\n");
    free(printed);
}

/* --- What is wrong -------------------------------------------------------- */

#define BROKEN "0 cases passed, 0 failed; 1 file could not be read\n"

static void a_comma_inside_brackets_is_explained(void **state)
{
    (void)state;
    check_text(
        SERIES "cases:\n"
               "  - case: one\n"
               "    series: {wait: 1 x4, 2s, errors: 1}\n"
               "    expect: {2m: healthy}\n",
        "a.test.yaml\n"
        "a.test.yaml:7:26: error: a comma ends a value inside { }: quote "
        "this series, or give each one a line of its own\n"
        "    series: {wait: 1 x4, 2s, errors: 1}\n"
        "                         ^~\n"
        "  fix: 1 x4, 2s -> '1 x4, 2s'\n" BROKEN);
}

static void a_case_needs_every_signal_that_is_read(void **state)
{
    (void)state;
    check_text("series: {errors: 1, requests: 1}\n"
               "cases:\n"
               "  - case: one\n"
               "    lasts: 5m\n"
               "    final: healthy\n"
               "  - case: two\n"
               "    series: {wait: 1 x4}\n"
               "    expect: {2m: healthy}\n",
               "a.test.yaml\n"
               "a.test.yaml:3:5: error: the policy reads 'wait', and this case "
               "has no series of it; write 'wait: _' when there was no data\n"
               "  - case: one\n"
               "    ^\n"
               "a.test.yaml:7:20: error: this series ends 1m after the deploy, "
               "the case after 2m; a last value without a count goes on to the "
               "end\n"
               "    series: {wait: 1 x4}\n"
               "                   ^~~~\n" BROKEN);
}

static void the_policy_must_be_there_and_good(void **state)
{
    (void)state;
    check_text(
        "policy: b.yaml\n"
        "cases: []\n",
        "a.test.yaml\n"
        "b.yaml: error: cannot be read: No such file or directory\n" BROKEN);
    write_file("a.yaml", "policy: a\n");
    check_text("cases: []\n",
               "a.test.yaml\n"
               "a.yaml:1:1: warning: no 'mode': this policy "
               "only observes; write 'mode: auto' to let it "
               "act\n"
               "policy: a\n"
               "^\n"
               "a.yaml:1:1: error: the policy has no 'tree:'; it begins with a "
               "question: question, if, then, else\n"
               "policy: a\n"
               "^\n" BROKEN);
    assert_int_equal(unlink("a.yaml"), 0);
    check_text("cases: []\n",
               "a.test.yaml\n"
               "a.test.yaml: error: there is no policy of this name beside it; "
               "write 'policy: FILE'\n" BROKEN);
}

static void what_is_no_test_file_says_so(void **state)
{
    (void)state;
    check_text("- a\n", "a.test.yaml\n"
                        "a.test.yaml:1:1: error: this must be a map, not a "
                        "list\n"
                        "- a\n"
                        "^\n" BROKEN);
    check_text("policy: a.yaml\n",
               "a.test.yaml\n"
               "a.test.yaml:1:1: error: 'cases' is missing: a list of '- case: "
               "NAME'\n"
               "policy: a.yaml\n"
               "^\n" BROKEN);
    check_text("cases: []\n",
               "a.test.yaml\n"
               "a.test.yaml:1:1: error: a file holds 1 to 256 cases, this one "
               "0\n"
               "cases: []\n"
               "^~~~~\n" BROKEN);
}

/* --- Bounds --------------------------------------------------------------- */

/* The file that is made of a beginning and @count pieces with a number. */
static void check_many(const char *beginning, const char *before,
                       const char *after, size_t count, const char *expected)
{
    struct case_report report;
    char *text = NULL, *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    (void)fputs(beginning, out);
    for (size_t i = 1; i <= count; i++) {
        (void)fprintf(out, "%s%zu%s", before, i, after);
    }
    assert_int_equal(fclose(out), 0);
    printed = run_text(text, &report);
    if (strstr(printed, expected) == NULL) {
        fail_msg("'%s' does not say '%s'", printed, expected);
    }
    free(printed);
    free(text);
}

static void a_case_is_bounded(void **state)
{
    (void)state;
    check_many(SERIES "cases:\n  - case: one\n    expect:\n", "      ",
               "m: healthy\n", 65,
               "more than 64 expectations in one case; split it");
    check_many("cases:\n  - case: one\n    final: wait\n    series:\n",
               "      s", ": 1\n", 65, "more than 64 series in one case");
    check_many("cases:\n", "  - case: c", "\n", 257,
               "a file holds 1 to 256 cases, this one 257");
}

static void columns_that_do_not_fit_say_so(void **state)
{
    FILE *file = NULL;

    (void)state;
    file = fopen("a.yaml", "w");
    assert_non_null(file);
    (void)fputs(
        "policy: a\nmode: auto\ntree: {question: q, if: named > 2, "
        "then: wait, else: healthy}\nsignals:\n  named: {is: s1 + s2}\n",
        file);
    for (size_t i = 1; i <= 32; i++) {
        (void)fprintf(file, "  s%zu: {prometheus: q, unit: count}\n", i);
    }
    assert_int_equal(fclose(file), 0);
    check_text(
        "cases:\n"
        "  - case: one\n"
        "    lasts: 5m\n"
        "    final: wait\n"
        "    series: {named: 1}\n",
        "a.test.yaml\n"
        "a.test.yaml:5:21: error: with these series the policy cannot be "
        "read: with the table's columns there are more than 32 fetched "
        "signals\n"
        "    series: {named: 1}\n"
        "                    ^\n" BROKEN);
}

#define STORY(name)                                                            \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(cases_come_as_expected),
        STORY(a_range_means_every_look),
        STORY(json_has_the_same),
        STORY(a_comma_inside_brackets_is_explained),
        STORY(a_case_needs_every_signal_that_is_read),
        STORY(the_policy_must_be_there_and_good),
        STORY(what_is_no_test_file_says_so),
        STORY(a_case_is_bounded),
        STORY(columns_that_do_not_fit_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
