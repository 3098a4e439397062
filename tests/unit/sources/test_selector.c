#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "controller/sources/selector.h"

static bool selects(const char *selector, const char *line)
{
    static struct metrics_page page;
    struct page_series series;
    char error[200] = "";
    struct selector *read = selector_read(selector, error, sizeof(error));
    if (!read) {
        fail_msg("'%s': %s", selector, error);
    }
    metrics_page_begin(&page, line, strlen(line));
    assert_true(metrics_page_next(&page, &series));
    bool matches = selector_matches(read, &series);
    selector_free(read);
    return matches;
}

static void expect_refused(const char *selector, const char *words)
{
    char error[200] = "";
    assert_null(selector_read(selector, error, sizeof(error)));
    if (!strstr(error, words)) {
        fail_msg("'%s' says '%s', not '%s'", selector, error, words);
    }
}

static void matchers_select(void **state)
{
    (void)state;
    static const char line[] =
        "http_requests_total{code=\"503\",path=\"/a b\\\"c\"} 1\n";
    assert_true(selects("http_requests_total", line));
    assert_true(selects(" http_requests_total { } ", line));
    assert_false(selects("http_requests", line));
    assert_false(selects("http_requests_total_x", line));
    assert_true(selects("http_requests_total{code=\"503\"}", line));
    assert_false(selects("http_requests_total{code=\"50\"}", line));
    assert_true(selects("http_requests_total{code!=\"200\",}", line));
    assert_true(selects("http_requests_total{path='/a b\"c'}", line));
    assert_true(selects("http_requests_total{path=\"/a b\\\"c\"}", line));
    assert_true(selects("http_requests_total{path=~`/a b.c`}", line));
    /* A pattern matches the whole value. */
    assert_true(selects("http_requests_total{code=~\"5..\"}", line));
    assert_false(selects("http_requests_total{code=~\"5.\"}", line));
    assert_false(selects("http_requests_total{code=~\"03\"}", line));
    assert_true(selects("http_requests_total{code=~\"4..|5..\"}", line));
    assert_false(selects("http_requests_total{code=~\"5|50\"}", line));
    assert_true(selects("http_requests_total{code!~\"4..|2..\"}", line));
    assert_false(
        selects("http_requests_total{code=~\"5..\",code!=\"503\"}", line));
    assert_true(selects("http_requests_total{code=~\"[45][0-9]+\"}", line));
    assert_true(selects("http_requests_total{path=~\"\\\\/a.*\"}", line));
}

static void a_label_that_is_not_there_is_empty(void **state)
{
    (void)state;
    assert_true(selects("a{b=\"\"}", "a 1\n"));
    assert_false(selects("a{b!=\"\"}", "a 1\n"));
    assert_true(selects("a{b=~\".*\"}", "a 1\n"));
    assert_true(selects("a{b=~\"\"}", "a 1\n"));
    assert_false(selects("a{b=~\".+\"}", "a 1\n"));
    assert_true(selects("a{b!~\".+\"}", "a 1\n"));
    assert_false(selects("a{b=\"\"}", "a{b=\"x\"} 1\n"));
}

static void what_is_no_selector_is_refused_with_its_column(void **state)
{
    (void)state;
    expect_refused("", "column 1: the name of a metric is expected");
    expect_refused("{code=\"1\"}", "the name of a metric");
    expect_refused("1a", "the name of a metric");
    expect_refused("rate(a[1m])", "column 5: a selector is name{");
    expect_refused("a{", "column 3: a label's name is expected");
    expect_refused("a{b}", "column 4: one of = != =~ !~ is expected");
    expect_refused("a{b=c}", "column 5: a quoted value");
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
        cmocka_unit_test(matchers_select),
        cmocka_unit_test(a_label_that_is_not_there_is_empty),
        cmocka_unit_test(what_is_no_selector_is_refused_with_its_column),
        cmocka_unit_test(patterns_that_posix_reads_otherwise_are_refused),
        cmocka_unit_test(there_is_a_bound_of_matchers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
