#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/core/text.h"

static void words_are_joined_and_cut(void **state)
{
    (void)state;
    char text[8];
    text_join(text, sizeof text, "ab", "", "cd", NULL);
    assert_string_equal(text, "abcd");
    text_append(text, sizeof text, "efgh", "ij", NULL);
    assert_string_equal(text, "abcdefg");
    text_copy(text, sizeof text, NULL);
    assert_string_equal(text, "");
}

static void digits_are_decimal(void **state)
{
    (void)state;
    char text[DIGITS_MAX];
    assert_string_equal(text_digits(0, text), "0");
    assert_string_equal(text_digits(1050, text), "1050");
    assert_string_equal(text_digits(UINT64_MAX, text), "18446744073709551615");
}

static void patterns_are_exact_or_a_prefix(void **state)
{
    (void)state;
    assert_true(text_matches("shop", "shop"));
    assert_false(text_matches("shop", "shops"));
    assert_true(text_matches("shop*", "shops"));
    assert_true(text_matches("*", ""));
    assert_false(text_matches("", "shop"));
}

static void hashes_tell_where_one_text_ends(void **state)
{
    (void)state;
    assert_int_not_equal(text_hash(text_hash(0, "ab"), "c"),
                         text_hash(text_hash(0, "a"), "bc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_joined_and_cut),
        cmocka_unit_test(digits_are_decimal),
        cmocka_unit_test(patterns_are_exact_or_a_prefix),
        cmocka_unit_test(hashes_tell_where_one_text_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
