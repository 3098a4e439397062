#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "controller/sources/json_page.h"

static const char document[] =
    "{\"pool\":{\"in_use\":17,\"a/b\":1,\"c~d\":2,\"\":3},\n"
    " \"list\":[10,20,{\"x\":[1.5e1]}],\"text\":\"7\",\"yes\":true,"
    "\"none\":null,\"twice\":1,\"twice\":2,\"huge\":1e999,\"\\u00e9\":4}";

static struct sample at(const char *pointer)
{
    char error[200];
    assert_true(json_page_pointer(pointer, error, sizeof(error)));
    return json_page_number(document, strlen(document), pointer);
}

static void numbers_are_found_by_their_pointers(void **state)
{
    (void)state;
    static const struct {
        const char *pointer;
        double number;
    } cases[] = {{"/pool/in_use", 17}, {"/pool/a~1b", 1}, {"/pool/c~0d", 2},
                 {"/pool/", 3},        {"/list/0", 10},   {"/list/1", 20},
                 {"/list/2/x/0", 15},  {"/twice", 2},     {"/\xc3\xa9", 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample sample = at(cases[i].pointer);
        assert_int_equal(sample.unknown, KNOWN);
        assert_true(sample.number == cases[i].number);
    }
}

static void what_is_no_number_has_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *pointer;
        enum unknown unknown;
    } cases[] = {
        {"/gone", UNKNOWN_NO_DATA},    {"/pool/gone", UNKNOWN_NO_DATA},
        {"/list/3", UNKNOWN_NO_DATA},  {"/list/-1", UNKNOWN_NO_DATA},
        {"/list/01", UNKNOWN_NO_DATA}, {"/list/x", UNKNOWN_NO_DATA},
        {"/text/x", UNKNOWN_NO_DATA},  {"/none", UNKNOWN_NO_DATA},
        {"/text", UNKNOWN_NAN},        {"/yes", UNKNOWN_NAN},
        {"/pool", UNKNOWN_NAN},        {"", UNKNOWN_NAN},
        {"/list", UNKNOWN_NAN},        {"/huge", UNKNOWN_INFINITE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (at(cases[i].pointer).unknown != cases[i].unknown) {
            fail_msg("%s: %s", cases[i].pointer,
                     unknown_name(at(cases[i].pointer).unknown));
        }
    }
    assert_true(json_page_number("5", 1, "").number == 5);
}

static void what_is_no_pointer_is_refused(void **state)
{
    (void)state;
    char error[200];
    assert_false(json_page_pointer("pool", error, sizeof(error)));
    assert_false(json_page_pointer("/a~2", error, sizeof(error)));
    assert_false(json_page_pointer("/a~", error, sizeof(error)));
    assert_string_equal(error, "'/a~' is no JSON pointer: it begins with '/', "
                               "behind '~' stand only 0 and 1");
    char longer[200];
    memset(longer, '/', sizeof(longer));
    memset(longer + 1, 'x', sizeof(longer) - 1);
    longer[199] = '\0';
    assert_false(json_page_pointer(longer, error, sizeof(error)));
}

static void what_is_no_document_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "<html>",   "{\"a\":1",
                                      "{} x", "[1,]",     "{\"a\":01}",
                                      "nul",  "{\"a\" 1}"};
    char error[200];
    assert_true(json_page_check(document, strlen(document), error, 200));
    assert_true(json_page_check(" 5 \n", 4, error, 200));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (json_page_check(bad[i], strlen(bad[i]), error, 200)) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_memory_equal(error, "byte ", 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_found_by_their_pointers),
        cmocka_unit_test(what_is_no_number_has_a_reason),
        cmocka_unit_test(what_is_no_pointer_is_refused),
        cmocka_unit_test(what_is_no_document_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
