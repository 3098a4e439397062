/* Selectors that are refused, and where; tests/unit/sources has what they
 * select. */
#include "policies/read/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static size_t expect_refused(const char *selector, const char *words)
{
    char error[200] = "";
    size_t at = 0;

    assert_null(selector_read(selector, &at, error, sizeof(error)));
    if (!strstr(error, words)) {
        fail_msg("'%s' says '%s', not '%s'", selector, error, words);
    }
    assert_true(at <= strlen(selector));
    return at;
}

static void expect_at(const char *selector, size_t at, const char *words)
{
    assert_int_equal(expect_refused(selector, words), at);
}

static void what_is_no_selector_is_refused_at_its_place(void **state)
{
    (void)state;
    expect_at("", 0, "the name of a metric is expected");
    expect_refused("{code=\"1\"}", "the name of a metric");
    expect_refused("1a", "the name of a metric");
    expect_at("rate(a[1m])", 4, "a selector is name{");
    expect_at("a{", 2, "a label's name is expected");
    expect_at("a{b}", 3, "one of = != =~ !~ is expected");
    expect_at("a{b=c}", 4, "a quoted value");
    expect_refused("a{b=\"c}", "the quote is not closed");
    expect_refused("a{b=\"c\" d=\"e\"}", "',' or '}' is expected");
    expect_refused("a{b=\"\\d\"}", "use `...`");
    expect_refused("a{b=\"c\"} > 5", "and nothing else");
}

/* What RE2 reads otherwise, or what could take long, is not read at all. */
static void patterns_that_posix_reads_otherwise_are_refused(void **state)
{
    (void)state;
    expect_refused("a{b=~`\\d+`}", "a backslash may only stand before a sign");
    expect_refused("a{b=~`(a)\\1`}", "a backslash");
    expect_refused("a{b=~`[\\.]`}", "a backslash");
    expect_refused("a{b=~`a\\`}", "a backslash");
    expect_refused("a{b=~\"(?i)a\"}", "(?");
    expect_refused("a{b=~\"a*?\"}", "one repetition behind another");
    expect_refused("a{b=~\"a{2}\"}", "counts in braces");
    expect_refused("a{b=~\"(a\"}", "the pattern before");
    expect_refused("a{b=~\"[a\"}", "the pattern before");
    char deep[400] = "a{b=~\"";
    memset(deep + 6, 'x', 300);
    (void)memcpy(deep + 306, "\"}", 3);
    expect_refused(deep, "longer than 256 bytes");
}

static void there_is_a_bound_of_matchers(void **state)
{
    (void)state;
    char many[200] = "a{";
    for (int i = 0; i < 17; i++) {
        (void)memcpy(many + 2 + i * 6, "b=\"c\",", 7);
    }
    expect_refused(many, "more than 16 labels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_selector_is_refused_at_its_place),
        cmocka_unit_test(patterns_that_posix_reads_otherwise_are_refused),
        cmocka_unit_test(there_is_a_bound_of_matchers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
