#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/config/template.h"

static const struct variable variables[] = {
    {"deploy_url", "https://deploy.internal/api"},
    {"service", "team/a b"},
    {"target", "2.3.2"},
};

static bool expand(const char *text, enum template_escape escape,
                   char *ret_text, size_t size, char *ret_error)
{
    return template_expand(text, escape, variables, 3, ret_text, size,
                           ret_error, 200);
}

static void a_base_address_stays_and_parts_are_encoded(void **state)
{
    char text[128], error[200];

    (void)state;
    assert_true(expand("{deploy_url}/{service}/v?t={target}", TEMPLATE_URL,
                       text, sizeof(text), error));
    assert_string_equal(text,
                        "https://deploy.internal/api/team%2Fa%20b/v?t=2.3.2");
    assert_true(
        expand("x{deploy_url}", TEMPLATE_URL, text, sizeof(text), error));
    assert_string_equal(text, "xhttps%3A%2F%2Fdeploy.internal%2Fapi");
}

static void a_value_is_encoded_as_far_as_there_is_room(void **state)
{
    char text[16];

    (void)state;
    assert_int_equal(template_encode("a-b._~ /\xff", text, sizeof(text)), 15);
    assert_string_equal(text, "a-b._~%20%2F%FF");
    assert_int_equal(template_encode("a b", text, 5), 5);
    assert_string_equal(text, "a%20");
    assert_int_equal(template_encode("", text, 1), 0);
}

static void plain_text_is_not_encoded(void **state)
{
    char text[128], error[200];

    (void)state;
    assert_true(
        expand("to {service}: } é", TEMPLATE_PLAIN, text, sizeof(text), error));
    assert_string_equal(text, "to team/a b: } é");
    assert_true(expand("", TEMPLATE_PLAIN, text, sizeof(text), error));
    assert_string_equal(text, "");
}

static void what_cannot_be_filled_in_is_said(void **state)
{
    char text[24], error[200];

    (void)state;
    assert_false(expand("{user}/x", TEMPLATE_URL, text, sizeof(text), error));
    assert_non_null(strstr(error, "'{user}'"));
    assert_false(expand("{target", TEMPLATE_URL, text, sizeof(text), error));
    assert_non_null(strstr(error, "brace"));
    assert_false(expand("{}", TEMPLATE_URL, text, sizeof(text), error));
    assert_false(expand("{a{target}", TEMPLATE_URL, text, sizeof(text), error));
    assert_false(
        expand("{deploy_url}", TEMPLATE_URL, text, sizeof(text), error));
    assert_non_null(strstr(error, "23 bytes"));
    /* One byte less fits. */
    assert_true(expand("{target}123456789012345678", TEMPLATE_URL, text,
                       sizeof(text), error));
}

static bool note_name(void *data, const char *name)
{
    strcat(data, name);
    strcat(data, ";");
    return strcmp(name, "stop") != 0;
}

static void names_are_visited_in_order(void **state)
{
    char names[64] = "";

    (void)state;
    assert_true(template_names("{a}/x{b_c}{a}", note_name, names));
    assert_string_equal(names, "a;b_c;a;");
    assert_false(template_names("{stop}{after}", note_name, names));
    assert_string_equal(names, "a;b_c;a;stop;");
    assert_false(template_names("{x", note_name, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_address_stays_and_parts_are_encoded),
        cmocka_unit_test(a_value_is_encoded_as_far_as_there_is_room),
        cmocka_unit_test(plain_text_is_not_encoded),
        cmocka_unit_test(what_cannot_be_filled_in_is_said),
        cmocka_unit_test(names_are_visited_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
