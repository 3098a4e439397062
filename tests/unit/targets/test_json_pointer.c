/* The examples of RFC 6901, and what is no pointer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/targets/json_pointer.h"

static const char document[] =
    "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, "
    "\"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, "
    "\"m~n\": 8, \"deep\": {\"er\": [{\"x\": 9}]}, \"01\": 10}";

static void the_examples_of_the_rfc(void **state)
{
    static const char *const pointers[] = {
        "/",     "/a~1b", "/c%d",  "/e^f",         "/g|h", "/i\\j",
        "/k\"l", "/ ",    "/m~0n", "/deep/er/0/x", "/01"};
    json_t *json = json_loads(document, 0, NULL);

    (void)state;
    assert_non_null(json);
    assert_ptr_equal(json_pointer_get(json, ""), json);
    assert_true(json_is_array(json_pointer_get(json, "/foo")));
    assert_string_equal(json_string_value(json_pointer_get(json, "/foo/0")),
                        "bar");
    assert_string_equal(json_string_value(json_pointer_get(json, "/foo/1")),
                        "baz");
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        assert_int_equal(
            json_integer_value(json_pointer_get(json, pointers[i])), i);
    }
    json_decref(json);
}

static void nothing_is_there(void **state)
{
    static const char *const pointers[] = {"foo",
                                           "/fo",
                                           "/foo/2",
                                           "/foo/-",
                                           "/foo/00",
                                           "/foo/01",
                                           "/foo/+1",
                                           "/foo/",
                                           "/foo/0/",
                                           "/a/b",
                                           "/m~2n",
                                           "/m~",
                                           "/foo/99999999999999999999",
                                           "/deep/er/x",
                                           "//",
                                           "/a~1b/x"};
    char pointer[600] = "/";
    json_t *json = json_loads(document, 0, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        assert_null(json_pointer_get(json, pointers[i]));
    }
    memset(pointer + 1, 'x', sizeof(pointer) - 2);
    pointer[sizeof(pointer) - 1] = '\0';
    assert_null(json_pointer_get(json, pointer));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(nothing_is_there),
    };

    return cmocka_run_group_tests_name("json_pointer", tests, NULL, NULL);
}
