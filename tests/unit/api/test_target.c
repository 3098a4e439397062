/* Raw targets: what is split, decoded and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/api/target.h"

static void read_good(const char *raw, struct target *target)
{
    char error[256] = "";

    assert_true(target_read(raw, target, error, sizeof(error)));
    assert_string_equal(error, "");
}

static void a_path_is_split_before_it_is_decoded(void **state)
{
    struct target target;

    (void)state;
    read_good("/v1/releases/a%2Fb%3Fc", &target);
    assert_int_equal(target.count, 3);
    assert_string_equal(target.segments[0], "v1");
    assert_string_equal(target.segments[2], "a/b?c");
    read_good("/", &target);
    assert_int_equal(target.count, 0);
}

static void a_query_is_split_and_decoded(void **state)
{
    struct target target;

    (void)state;
    read_good("/x?service=a%26b&environment=pro+d&flag&empty=", &target);
    assert_string_equal(target_parameter(&target, "service"), "a&b");
    assert_string_equal(target_parameter(&target, "environment"), "pro d");
    assert_string_equal(target_parameter(&target, "flag"), "");
    assert_string_equal(target_parameter(&target, "empty"), "");
    assert_null(target_parameter(&target, "other"));
    read_good("/x?", &target);
    assert_int_equal(target.parameters_count, 0);
}

static void the_absolute_form_is_its_path(void **state)
{
    struct target target;

    (void)state;
    read_good("http://host:7333/v1/gate?service=a", &target);
    assert_int_equal(target.count, 2);
    assert_string_equal(target_parameter(&target, "service"), "a");
}

static void dishonest_targets_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "v1",
        "*",
        "/v1/",
        "//v1",
        "/v1//x",
        "/.",
        "/..",
        "/%2e%2e",
        "/v1/%2E/x",
        "/a%00b",
        "/a%0ab",
        "/a%7fb",
        "/a%4",
        "/a%",
        "/a%zz",
        "/a#b",
        "/a?x=%00",
        "/a?x=%1f",
        "/a?x=1&x=2",
        "/a?x=%4",
        "/1/2/3/4/5/6/7",
        "http://host",
        "/a?%78=1&x=2",
        "/a?a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1",
    };
    struct target target;
    char error[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error[0] = '\0';
        assert_false(target_read(bad[i], &target, error, sizeof(error)));
        assert_string_not_equal(error, "");
    }
}

static void lengths_are_bounded(void **state)
{
    static char raw[TARGET_BYTES_MAX + 2];
    struct target target;
    char error[256];

    (void)state;
    memset(raw, 'a', sizeof(raw) - 1);
    raw[0] = '/';
    assert_false(target_read(raw, &target, error, sizeof(error)));
    raw[TARGET_TEXT_MAX] = '\0'; /* a slash and 255 bytes */
    read_good(raw, &target);
    assert_int_equal(strlen(target.segments[0]), TARGET_TEXT_MAX - 1);
    raw[TARGET_TEXT_MAX] = 'a';
    raw[TARGET_TEXT_MAX + 1] = '\0';
    assert_false(target_read(raw, &target, error, sizeof(error)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_split_before_it_is_decoded),
        cmocka_unit_test(a_query_is_split_and_decoded),
        cmocka_unit_test(the_absolute_form_is_its_path),
        cmocka_unit_test(dishonest_targets_are_refused),
        cmocka_unit_test(lengths_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
