#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "controller/sources/series_match.h"

static bool selects(const char *selector, const char *line)
{
    static struct metrics_page page;
    struct page_series series;
    char error[200] = "";
    size_t at = 0;
    struct selector *read = selector_read(selector, &at, error, sizeof(error));
    if (!read) {
        fail_msg("'%s': %s", selector, error);
    }
    metrics_page_begin(&page, line, strlen(line));
    assert_true(metrics_page_next(&page, &series));
    bool matches = series_matches(&series, read);
    selector_free(read);
    return matches;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matchers_select),
        cmocka_unit_test(a_label_that_is_not_there_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
