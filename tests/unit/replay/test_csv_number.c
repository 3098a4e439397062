/* Numbers read the fast way are the doubles that strtod() reads. */
#include "controller/replay/csv_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Taken whole, or not at all. */
static bool is_taken(const char *text)
{
    const char *at = text;
    double number = 0, expected = strtod(text, NULL);

    if (!number_scan(&at, text + strlen(text), &number)) {
        assert_ptr_equal(at, text);
        return false;
    }
    assert_ptr_equal(at, text + strlen(text));
    if (memcmp(&number, &expected, sizeof(number)) != 0) {
        fail_msg("%s is %.17g, not %.17g", text, expected, number);
    }
    return true;
}

static void plain_numbers_are_taken(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "7",
        "-12.5",
        "0.1",
        ".5",
        "5.",
        "0.30000000000000004",
        "9007199254740993",    /* 2^53 + 1: a tie, to even */
        "9007199254740995",    /* a tie the other way */
        "9007199254740992.5",  /* just above nothing */
        "9999999999999999999", /* 19 digits */
        "184467440737095516.5",
        "0000000000000000001",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!is_taken(texts[i])) {
            fail_msg("%s was left", texts[i]);
        }
    }
}

static void the_rest_is_left_to_others(void **state)
{
    static const char *const texts[] = {
        "", "-", ".", "-.", "+1", "nan", "inf", "12345678901234567890", " 1",
    };
    const char *at = "1e5", *begin = at;
    double number = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(is_taken(texts[i]));
    }
    /* Where it stops is for the caller to judge. */
    assert_true(number_scan(&at, begin + 3, &number));
    assert_ptr_equal(at, begin + 1);
    at = "12,3";
    assert_true(number_scan(&at, at + 1, &number));
    assert_true(number == 1);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void a_hundred_thousand_are_rounded_as_strtod_does(void **state)
{
    uint64_t seed = 88172645463325252ULL;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        char text[32];
        uint64_t digits = 1 + next_random(&seed) % 19;
        uint64_t point = next_random(&seed) % 20;
        size_t used = 0;

        for (uint64_t digit = 0; digit < digits; digit++) {
            if (digit == point) {
                text[used++] = '.';
            }
            text[used++] = (char)('0' + next_random(&seed) % 10);
        }
        text[used] = '\0';
        assert_true(is_taken(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_numbers_are_taken),
        cmocka_unit_test(the_rest_is_left_to_others),
        cmocka_unit_test(a_hundred_thousand_are_rounded_as_strtod_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
