#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sources/metrics_page.h"

static struct metrics_page page;
static struct page_series series;

/* How many series @text has; the last one is left in `series`. */
static size_t read_all(const char *text)
{
    struct page_series next;
    size_t count = 0;
    metrics_page_begin(&page, text, strlen(text));
    while (metrics_page_next(&page, &next)) {
        series = next;
        count++;
    }
    return count;
}

static void expect_error(const char *text, const char *words)
{
    (void)read_all(text);
    if (!strstr(page.error, words)) {
        fail_msg("'%s' says '%s', not '%s'", text, page.error, words);
    }
}

static void a_page_is_read(void **state)
{
    (void)state;
    size_t count =
        read_all("# HELP http_requests_total All of them.\n"
                 "# TYPE http_requests_total counter\n"
                 "\n"
                 "   # a comment\n"
                 "http_requests_total{code=\"200\",method=\"GET\"} 1027\n"
                 "go_goroutines 12\n"
                 "\t a:b_1 { x = \"a\\\\b\\\"c\\nd\" , y=\"}\", } -1.5e3  "
                 "1395066363000\n");
    assert_string_equal(page.error, "");
    assert_int_equal(count, 3);
    assert_true(part_is(series.name, "a:b_1"));
    assert_int_equal(series.labels_count, 2);
    assert_true(part_is(series.labels[0].name, "x"));
    assert_true(part_is(series.labels[0].value, "a\\b\"c\nd"));
    assert_true(part_is(series.labels[1].value, "}"));
    assert_int_equal(series.sample.unknown, KNOWN);
    assert_true(series.sample.number == -1500);
}

static void numbers_that_are_none_keep_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum unknown unknown;
    } cases[] = {{"a NaN\n", UNKNOWN_NAN},
                 {"a +Inf\n", UNKNOWN_INFINITE},
                 {"a -Inf\n", UNKNOWN_INFINITE},
                 {"a{} 0\n", KNOWN}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_all(cases[i].text), 1);
        assert_int_equal(series.sample.unknown, cases[i].unknown);
    }
}

static void type_says_what_counts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum series_kind kind;
    } cases[] = {
        {"# TYPE a counter\na 1\n", SERIES_COUNTER},
        {"# TYPE a counter\na_total 1\n", SERIES_COUNTER},
        {"# TYPE a counter\na_created 1\n", SERIES_GAUGE},
        {"# TYPE a_total gauge\na_total 1\n", SERIES_GAUGE},
        {"# TYPE a untyped\na 1\n", SERIES_GAUGE},
        {"# TYPE a_total untyped\na_total 1\n", SERIES_COUNTER},
        {"a_total 1\n", SERIES_COUNTER},
        {"# TYPE b gauge\na_total 1\n", SERIES_COUNTER},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 1\n", SERIES_COUNTER},
        {"# TYPE a histogram\na_sum 1\n", SERIES_COUNTER},
        {"# TYPE a summary\na_count 1\n", SERIES_COUNTER},
        {"# TYPE a summary\na{quantile=\"0.5\"} 1\n", SERIES_GAUGE},
        {"# TYPE a gaugehistogram\na_bucket{le=\"1\"} 1\n", SERIES_GAUGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_all(cases[i].text), 1);
        if (series.kind != cases[i].kind) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void openmetrics_is_understood(void **state)
{
    (void)state;
    assert_int_equal(read_all("# TYPE a counter\n# UNIT a seconds\n"
                              "a_total 3 1.5 # {trace=\"x\"} 0.5 1.2\n"
                              "a_created 12.5\n# EOF\n"),
                     2);
    assert_string_equal(page.error, "");
    expect_error("a 1\n# EOF\nb 2\n", "line 3: something stands behind # EOF");
}

static void what_is_no_page_is_refused_with_its_line(void **state)
{
    (void)state;
    expect_error("<html><body>502</body></html>\n",
                 "line 1: not a line of metrics: '<html><body>");
    expect_error("a 1\nb 2", "line 2: the page ends in the middle of a line");
    expect_error("a 1\n\nb x\n", "line 3: the value of 'b' is no number: 'x'");
    expect_error("a\n", "the value of 'a' is no number: ''");
    expect_error("a 1\r\n", "is no number: '1\\x0d'");
    expect_error("a 1 x\n", "the time of 'a' is no number");
    expect_error("a 1 2 3\n", "something stands behind the time");
    expect_error("a{b} 1\n", "no '=' behind label 'b'");
    expect_error("a{1=\"x\"} 1\n", "a label has no name");
    expect_error("a{b=x} 1\n", "is not quoted");
    expect_error("a{b=\"x} 1\n", "is not closed");
    expect_error("a{b=\"x\\t\"} 1\n", "before no escape");
    expect_error("a{b=\"x\" c=\"y\"} 1\n", "no ',' or '}'");
    expect_error("a{b=\"x\",,} 1\n", "a label has no name");
    expect_error("a{b=\"x\",b=\"y\"} 1\n", "label 'b' stands twice");
    expect_error("a 0x10\n", "is no number");
    expect_error("# TYPE a flavour\n", "a TYPE that is none: 'flavour'");
    expect_error("{\"json\":1}\n", "not a line of metrics");
}

static void a_page_has_bounds(void **state)
{
    (void)state;
    char *text = malloc(400000), *at = text;
    assert_non_null(text);
    for (int i = 0; i <= PAGE_SERIES_MAX; i++) {
        at += sprintf(at, "a{i=\"%d\"} 1\n", i);
    }
    expect_error(text, "line 10001: more than 10000 series");
    at = text + sprintf(text, "a{");
    for (int i = 0; i <= PAGE_LABELS_MAX; i++) {
        at += sprintf(at, "l%d=\"\",", i);
    }
    (void)sprintf(at, "} 1\n");
    expect_error(text, "more than 64 labels");
    at = text + sprintf(text, "a{b=\"");
    for (int i = 0; i <= PAGE_ESCAPES_MAX; i++) {
        at += sprintf(at, "\\n");
    }
    (void)sprintf(at, "\"} 1\n");
    expect_error(text, "values with escapes take over 4096 bytes");
    free(text);
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    static const char text[] = "a 1\nb{c=\"d\0\"} 1\n";
    metrics_page_begin(&page, text, sizeof(text) - 1);
    assert_false(metrics_page_next(&page, &series));
    assert_string_equal(page.error, "line 2: a NUL byte");
}

/* Cut at every byte: an error, or fewer whole lines; ASan looks for the rest.
 */
static void a_cut_page_is_noticed(void **state)
{
    (void)state;
    static const char text[] = "# TYPE a counter\na{b=\"\\n\"} 1 5\nb 2\n";
    for (size_t length = 1; length < strlen(text); length++) {
        char *exact = malloc(length);
        assert_non_null(exact);
        memcpy(exact, text, length);
        metrics_page_begin(&page, exact, length);
        while (metrics_page_next(&page, &series)) {
        }
        assert_int_equal(page.error[0] == '\0', exact[length - 1] == '\n');
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read),
        cmocka_unit_test(numbers_that_are_none_keep_their_reason),
        cmocka_unit_test(type_says_what_counts),
        cmocka_unit_test(openmetrics_is_understood),
        cmocka_unit_test(what_is_no_page_is_refused_with_its_line),
        cmocka_unit_test(a_page_has_bounds),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_cut_page_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
