/* The release of a replay: the body of `register` as a file. */
#include "controller/replay/release.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct problems problems;
static struct replay_release release;

static bool read_text(const char *text)
{
    problems_init(&problems, "release.json");
    return release_read(text, strlen(text), &release, &problems);
}

#define NAMES                                                                  \
    "\"service\": \"shop\", \"environment\": \"prod\", \"version\": \"2.0\""

/* Refused with one error at its place. */
static void assert_refused(const char *text, int line, int column,
                           const char *words)
{
    assert_false(read_text(text));
    if (problems.errors != 1 || strstr(problems.list[0].text, words) == NULL) {
        fail_msg("%zu errors: %s", problems.errors, problems.list[0].text);
    }
    assert_int_equal(problems.list[0].line, line);
    assert_int_equal(problems.list[0].column, column);
}

static void everything_is_read(void **state)
{
    (void)state;
    assert_true(read_text(
        "{" NAMES ", \"deployed_at\": \"2024-09-18T13:15:00Z\",\n"
        "\"previous\": \"1.9\", \"last_good\": \"1.8\", \"kind\": \"deploy\",\n"
        "\"data_change\": \"expand\", \"rollback_compatible_from\": \"1.8\",\n"
        "\"labels\": {\"team\": \"a b\", \"n\": \"\"}, \"key\": \"k\"}"));
    assert_string_equal(release.service, "shop");
    assert_string_equal(release.environment, "prod");
    assert_string_equal(release.version, "2.0");
    assert_string_equal(release.previous, "1.9");
    assert_string_equal(release.last_good, "1.8");
    assert_string_equal(release.kind, "deploy");
    assert_string_equal(release.data_change, "expand");
    assert_string_equal(release.compatible_from, "1.8");
    assert_int_equal(release.deployed_at, 1726665300 * SECOND_MS);
    assert_int_equal(release.line, 1);
    assert_int_equal(release.labels_count, 2);
    assert_string_equal(release.labels[0].name, "team");
    assert_string_equal(release.labels[0].value, "a b");
    assert_string_equal(release.labels[1].value, "");
}

static void what_is_not_said_is_empty(void **state)
{
    (void)state;
    assert_true(read_text("{" NAMES ", \"previous\": null, \"labels\": null,"
                          "\"deployed_at\": 1726665300.25}"));
    assert_string_equal(release.previous, "");
    assert_string_equal(release.data_change, "");
    assert_int_equal(release.labels_count, 0);
    assert_int_equal(release.deployed_at, 1726665300250);
    assert_true(read_text("{" NAMES "}"));
    assert_int_equal(release.deployed_at, 0);
}

static void the_last_good_is_the_previous_or_somebody(void **state)
{
    (void)state;
    assert_true(read_text("{" NAMES ", \"previous\": \"1.9\"}"));
    assert_string_equal(release.last_good, "1.9");
    assert_true(read_text("{" NAMES ", \"previous\": \"2.0\"}"));
    assert_string_equal(release.last_good, "last-good");
    assert_true(read_text("{" NAMES "}"));
    assert_string_equal(release.last_good, "last-good");
    assert_true(read_text("{\"service\": \"shop\", \"environment\": \"prod\", "
                          "\"version\": \"last-good\"}"));
    assert_string_equal(release.last_good, "before");
    assert_refused("{" NAMES ",\n \"last_good\": \"2.0\"}", 2, 15,
                   "the version itself");
}

static void what_is_no_body_is_refused(void **state)
{
    (void)state;
    assert_refused("", 1, 1, "not JSON");
    assert_refused("{" NAMES ",}", 1, 61, "not JSON");
    assert_refused("[]", 1, 1, "must be a map");
    assert_refused("{" NAMES ", \"verson\": \"1\"}", 1, 62,
                   "unknown key 'verson'; did you mean 'version'?");
    assert_refused("{\"environment\": \"prod\", \"version\": \"2.0\"}", 1, 1,
                   "'service' is needed");
    assert_refused("{\"service\": \"shop\", \"environment\": null, "
                   "\"version\": \"2.0\"}",
                   1, 1, "'environment' is needed");
    assert_refused("{\"service\": \"shop\", \"environment\": \"prod\",\n"
                   "\"version\": 1.10}",
                   2, 12, "'version' must be a text, in quotes");
    assert_refused("{\"service\": \"a b\", \"environment\": \"prod\", "
                   "\"version\": \"2.0\"}",
                   1, 13, "is not a name");
    assert_refused("{" NAMES ", \"service\": \"x\"}", 1, 70, "duplicate");
}

static void what_is_no_value_is_refused(void **state)
{
    (void)state;
    assert_refused("{" NAMES ",\n\"data_change\": \"nothing\"}", 2, 16,
                   "none, expand, contract or irreversible");
    assert_refused("{" NAMES ",\n\"deployed_at\": \"13:15\"}", 2, 16,
                   "is not a time");
    assert_refused("{" NAMES ",\n\"deployed_at\": true}", 2, 16,
                   "is not a time");
    assert_refused("{" NAMES ",\n\"labels\": [\"a\"]}", 2, 11, "must be a map");
    assert_refused("{" NAMES ",\n\"labels\": {\"a b\": \"x\"}}", 2, 12,
                   "a label is a name");
    assert_refused("{" NAMES ",\n\"labels\": {\"a\": 5}}", 2, 17,
                   "must be a text, in quotes");
    assert_refused("{" NAMES ",\n\"labels\": {\"a\": \"\\u0007\"}}", 2, 17,
                   "no control characters");
    assert_refused("{" NAMES ",\n\"key\": \"a\\tb\"}", 2, 8,
                   "no control characters");
}

static void too_many_labels(void **state)
{
    char text[1024];
    size_t used =
        (size_t)snprintf(text, sizeof(text), "{" NAMES ",\n\"labels\": {");

    (void)state;
    for (int i = 0; i <= LABELS_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "%s\"l%d\": \"v\"", i > 0 ? "," : "", i);
    }
    (void)snprintf(text + used, sizeof(text) - used, "}}");
    assert_refused(text, 2, 11, "at most 16 labels");
}

static void all_errors_in_one_go(void **state)
{
    (void)state;
    assert_false(read_text("{\"service\": \"a b\", \"version\": 1,\n"
                           "\"data_change\": \"x\"}"));
    assert_int_equal(problems.errors, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(what_is_not_said_is_empty),
        cmocka_unit_test(the_last_good_is_the_previous_or_somebody),
        cmocka_unit_test(what_is_no_body_is_refused),
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(too_many_labels),
        cmocka_unit_test(all_errors_in_one_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
