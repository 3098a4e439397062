/* Bodies: whatever a value holds, it lands as one JSON string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/config/json_template.h"
#include "controller/config/template.h"

static bool expand(void *data, const char *text, char *ret_text, size_t size,
                   char *ret_error, size_t error_size)
{
    const struct variable *variable = data;

    return template_expand(text, TEMPLATE_PLAIN, variable, 1, ret_text, size,
                           ret_error, error_size);
}

static void expect_body(const char *json, const char *value, const char *wanted)
{
    struct variable variable = {"v", value};
    char error[128] = "";
    char *body =
        json_template_fill(json, expand, &variable, error, sizeof(error));

    assert_string_equal(error, "");
    assert_non_null(body);
    assert_string_equal(body, wanted);
    free(body);
}

static void expect_error(const char *json, const char *value,
                         const char *wanted)
{
    struct variable variable = {"v", value};
    char error[128] = "";

    assert_null(
        json_template_fill(json, expand, &variable, error, sizeof(error)));
    assert_non_null(strstr(error, wanted));
}

static void values_land_in_strings_and_nowhere_else(void **state)
{
    (void)state;
    expect_body("{\"a\":\"{v}\",\"b\":[1.10,true,null,\"x{v}y{v}\"],\"c\":{}}",
                "1", "{\"a\":\"1\",\"b\":[1.10,true,null,\"x1y1\"],\"c\":{}}");
    expect_body("[]", "1", "[]");
    expect_body("[\"\"]", "1", "[\"\"]");
    expect_body("{\"{v}\":\"{v}\"}", "1", "{\"{v}\":\"1\"}"); /* keys stay */
}

static void values_cannot_leave_their_string(void **state)
{
    (void)state;
    expect_body("{\"a\":\"{v}\"}", "\",\"b\":\"",
                "{\"a\":\"\\\",\\\"b\\\":\\\"\"}");
    expect_body("{\"a\":\"{v}\"}", "\\", "{\"a\":\"\\\\\"}");
    expect_body("{\"a\":\"{v}\"}", "\n\x01", "{\"a\":\"\\n\\u0001\"}");
    expect_body("{\"a\":\"{v}\"}", "{v}", "{\"a\":\"{v}\"}"); /* once only */
    expect_body("{\"a\":\"\\\"{v}\\\\\"}", "é", "{\"a\":\"\\\"é\\\\\"}");
    expect_body("{\"q\\\"\":\"{v}\"}", "1", "{\"q\\\"\":\"1\"}");
}

static void what_cannot_be_filled_in_says_why(void **state)
{
    static char huge[2 * JSON_TEMPLATE_STRING_MAX];

    (void)state;
    expect_error("{\"a\":\"{w}\"}", "1", "unknown variable '{w}'");
    expect_error("{\"a\":\"{v}\"}", "\xff", "not UTF-8");
    memset(huge, 'x', sizeof(huge) - 1);
    expect_error("{\"a\":\"{v}\"}", huge, "longer than");
}

static bool note(void *data, const char *text)
{
    char *seen = data;

    (void)strcat(seen, text);
    (void)strcat(seen, "|");
    return strcmp(text, "stop") != 0;
}

static void its_strings_are_visited_decoded(void **state)
{
    char seen[64] = "";

    (void)state;
    assert_true(
        json_template_strings("{\"k\":\"a\\n\",\"l\":[\"b\",2]}", note, seen));
    assert_string_equal(seen, "a\n|b|");
    seen[0] = '\0';
    assert_false(json_template_strings("[\"stop\",\"c\"]", note, seen));
    assert_string_equal(seen, "stop|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_land_in_strings_and_nowhere_else),
        cmocka_unit_test(values_cannot_leave_their_string),
        cmocka_unit_test(what_cannot_be_filled_in_says_why),
        cmocka_unit_test(its_strings_are_visited_decoded),
    };

    return cmocka_run_group_tests_name("json_template", tests, NULL, NULL);
}
