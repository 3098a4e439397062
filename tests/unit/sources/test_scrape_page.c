#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sources/scrape_page.h"

#define EVERY 15000
#define AGE   30000

/* Give the page of grid time @step; its reason when it is none. */
static const char *came(struct scrape_page *page, time_ms step,
                        const char *text)
{
    static char error[256];
    error[0] = '\0';
    (void)scrape_page_came(page, step * EVERY, text, strlen(text), error,
                           sizeof(error));
    return error;
}

static uint32_t want(struct scrape_page *page, const char *text)
{
    return scrape_page_want(page, text, 1);
}

static double number(const struct scrape_page *page, uint32_t reading,
                     time_ms step)
{
    struct sample sample = scrape_page_at(page, reading, step * EVERY, AGE);
    if (sample.unknown != KNOWN) {
        fail_msg("at step %d: %s", (int)step, unknown_name(sample.unknown));
    }
    return sample.number;
}

static enum unknown unknown(const struct scrape_page *page, uint32_t reading,
                            time_ms step)
{
    return scrape_page_at(page, reading, step * EVERY, AGE).unknown;
}

static void a_gauge_is_the_sum_of_what_matches(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t all = want(page, "used"), some = want(page, "used{pool=\"a\"}");
    uint32_t none = want(page, "used{pool=\"z\"}");
    assert_string_equal(
        came(page, 1, "used{pool=\"a\"} 3\nused{pool=\"b\"} 4\nfree 9\n"), "");
    assert_true(number(page, all, 1) == 7);
    assert_true(number(page, some, 1) == 3);
    assert_int_equal(unknown(page, none, 1), UNKNOWN_NO_DATA);
    assert_string_equal(came(page, 2, "used{pool=\"a\"} 1\n"), "");
    assert_true(number(page, all, 2) == 1);
    assert_string_equal(came(page, 3, "used NaN\nused{pool=\"a\"} 1\n"), "");
    assert_int_equal(unknown(page, all, 3), UNKNOWN_NAN);
    assert_true(number(page, some, 3) == 1);
    assert_string_equal(came(page, 4, "used +Inf\n"), "");
    assert_int_equal(unknown(page, all, 4), UNKNOWN_INFINITE);
    assert_string_equal(came(page, 5, "used 1e308\nused{pool=\"a\"} 1e308\n"),
                        "");
    assert_int_equal(unknown(page, all, 5), UNKNOWN_INFINITE);
    scrape_page_free(page);
}

static void a_counter_never_falls_while_something_matches(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t all = want(page, "n_total");
    (void)came(page, 1, "n_total{i=\"1\"} 100\nn_total{i=\"2\"} 10\n");
    assert_true(number(page, all, 1) == 110);
    (void)came(page, 2, "n_total{i=\"1\"} 105\nn_total{i=\"2\"} 11\n");
    assert_true(number(page, all, 2) == 116);
    /* One of them begins anew; the other's steps are not lost in it. */
    (void)came(page, 3, "n_total{i=\"1\"} 2\nn_total{i=\"2\"} 20\n");
    assert_true(number(page, all, 3) == 127);
    /* One is gone, and comes back where it was. */
    (void)came(page, 4, "n_total{i=\"2\"} 21\n");
    assert_true(number(page, all, 4) == 128);
    (void)came(page, 5, "n_total{i=\"2\"} 21\nn_total{i=\"1\"} 3\n");
    assert_true(number(page, all, 5) == 129);
    /* One that is new counts from zero. */
    (void)came(page, 6,
               "n_total{i=\"2\"} 21\nn_total{i=\"1\"} 3\nn_total{i=\"3\"} 4\n");
    assert_true(number(page, all, 6) == 133);
    scrape_page_free(page);
}

/* With `on_no_data: zero` the judge reads 0 there; what follows is no jump. */
static void after_nothing_a_counter_begins_at_zero(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t errors = want(page, "n_total{code=\"500\"}");
    (void)came(page, 1, "n_total{code=\"500\"} 1000\n");
    (void)came(page, 2, "n_total{code=\"200\"} 1\n");
    assert_int_equal(unknown(page, errors, 2), UNKNOWN_NO_DATA);
    (void)came(page, 3, "n_total{code=\"500\"} 3\n");
    assert_true(number(page, errors, 3) == 3);
    (void)came(page, 4, "n_total{code=\"200\"} 1\n");
    (void)came(page, 5, "n_total{code=\"500\"} 5\n");
    assert_true(number(page, errors, 5) == 2);
    scrape_page_free(page);
}

static void labels_in_another_order_are_the_same_series(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t all = want(page, "n_total");
    (void)came(page, 1, "n_total{a=\"1\",b=\"2\"} 100\n");
    (void)came(page, 2, "n_total{b=\"2\",a=\"1\"} 101\n");
    assert_true(number(page, all, 2) == 101);
    (void)came(page, 3, "n_total{a=\"2\",b=\"1\"} 101\n");
    assert_true(number(page, all, 3) == 202);
    scrape_page_free(page);
}

static void a_page_that_breaks_late_moves_no_counter(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t all = want(page, "n_total");
    (void)came(page, 1, "n_total 100\n");
    assert_string_equal(came(page, 2, "n_total 5\nbroken"),
                        "line 2: the page ends in the middle of a line");
    assert_int_equal(unknown(page, all, 2), UNKNOWN_SOURCE_ERROR);
    (void)came(page, 3, "n_total 103\n");
    assert_true(number(page, all, 3) == 103);
    scrape_page_failed(page, 4 * EVERY);
    assert_int_equal(unknown(page, all, 4), UNKNOWN_SOURCE_ERROR);
    assert_int_equal(unknown(page, all, 400), UNKNOWN_SOURCE_ERROR);
    scrape_page_free(page);
}

static void a_row_speaks_until_the_next_but_not_for_ever(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t used = want(page, "used");
    (void)came(page, 10, "used 1\n");
    (void)came(page, 12, "used 2\n");
    assert_int_equal(unknown(page, used, 9), UNKNOWN_NOT_ASKED);
    assert_true(number(page, used, 10) == 1);
    assert_true(number(page, used, 11) == 1);
    assert_true(number(page, used, 14) == 2);
    assert_int_equal(unknown(page, used, 15), UNKNOWN_STALE);
    uint32_t late = want(page, "free");
    assert_int_equal(unknown(page, late, 12), UNKNOWN_NOT_ASKED);
    scrape_page_free(page);
}

static void the_past_is_kept_as_long_as_it_is_wanted(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t used = want(page, "used");
    char text[32];
    scrape_page_keep(page, 1000);
    for (int step = 1; step <= 2500; step++) {
        (void)snprintf(text, sizeof(text), "used %d\n", step);
        (void)came(page, step, text);
        if (step == 700) { /* in the middle of growing */
            for (int past = 1; past <= step; past++) {
                assert_true(number(page, used, past) == past);
            }
        }
    }
    for (int step = 1501; step <= 2500; step++) {
        assert_true(number(page, used, step) == step);
    }
    assert_int_equal(unknown(page, used, 1500), UNKNOWN_NOT_ASKED);
    scrape_page_keep(page, 100);
    assert_true(number(page, used, 2401) == 2401);
    assert_int_equal(unknown(page, used, 2400), UNKNOWN_NOT_ASKED);
    (void)came(page, 2501, "used 7\n");
    assert_true(number(page, used, 2501) == 7);
    assert_true(number(page, used, 2402) == 2402);
    scrape_page_free(page);
}

static void expect_fault(const struct scrape_page *page, uint32_t reading,
                         const char *words)
{
    char fault[512];
    scrape_page_fault(page, reading, fault, sizeof(fault));
    if (!strstr(fault, words)) {
        fail_msg("'%s' does not say '%s'", fault, words);
    }
}

static void a_reading_that_cannot_be_read_says_why(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t broken = want(page, "rate(x[1m])"), good = want(page, "x");
    uint32_t many = want(page, "n");
    char *text = malloc(40000), *at = text;
    assert_non_null(text);
    at += sprintf(at, "x 1\n");
    for (int i = 0; i <= PAGE_MATCHES_MAX; i++) {
        at += sprintf(at, "n{i=\"%d\"} 1\n", i);
    }
    assert_string_equal(came(page, 1, text), "");
    assert_int_equal(unknown(page, broken, 1), UNKNOWN_SOURCE_ERROR);
    expect_fault(page, broken, "selector, column 5");
    assert_true(number(page, good, 1) == 1);
    assert_int_equal(unknown(page, many, 1), UNKNOWN_SOURCE_ERROR);
    expect_fault(page, many, "more than 1000 series match 'n'");
    (void)came(page, 2, "x 1\nx 1\nn 5\n");
    assert_int_equal(unknown(page, good, 2), UNKNOWN_SOURCE_ERROR);
    expect_fault(page, good, "stands twice on the page");
    assert_true(number(page, many, 2) == 5);
    free(text);
    scrape_page_free(page);
}

static void many_series_come_and_go(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t all = want(page, "n_total");
    char *text = malloc(40000);
    assert_non_null(text);
    for (int round = 0; round < 5; round++) {
        char *at = text;
        for (int i = 0; i < PAGE_MATCHES_MAX; i++) {
            at += sprintf(at, "n_total{i=\"%d-%d\"} 1\n", round, i);
        }
        assert_string_equal(came(page, round + 1, text), "");
        assert_true(number(page, all, round + 1) ==
                    PAGE_MATCHES_MAX * (round + 1));
    }
    free(text);
    scrape_page_free(page);
}

/* Of the whole program, in bytes. */
extern size_t __sanitizer_get_current_allocated_bytes(void)
    __attribute__((weak));

static size_t allocated(void)
{
    return __sanitizer_get_current_allocated_bytes != NULL
               ? __sanitizer_get_current_allocated_bytes()
               : mallinfo2().uordblks;
}

/* Pages that are no good, each with labels that were never seen before: what
 * they held is not kept. */
static void pages_that_are_no_good_leave_nothing_behind(void **state)
{
    static const char *const ends[] = {"broken", "n_total 1\nn_total 1\n"};
    (void)state;
    for (size_t end = 0; end < 2; end++) {
        struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
        uint32_t all = want(page, "n_total");
        char *text = malloc(40000);
        size_t before = 0;
        assert_non_null(text);
        (void)came(page, 1, "n_total{i=\"x\"} 7\n");
        for (int round = 1; round <= 40; round++) {
            char *at = text;
            for (int i = 0; i < PAGE_MATCHES_MAX - 3; i++) {
                at += sprintf(at, "n_total{i=\"%d-%d\"} 1\n", round, i);
            }
            (void)sprintf(at, "%s", ends[end]);
            (void)came(page, round + 1, text);
            assert_int_equal(unknown(page, all, round + 1),
                             UNKNOWN_SOURCE_ERROR);
            before = round == 1 ? allocated() : before;
        }
        assert_int_equal(allocated(), before);
        (void)came(page, 42, "n_total{i=\"x\"} 9\n");
        assert_true(number(page, all, 42) == 9);
        free(text);
        scrape_page_free(page);
    }
}

static void a_clock_that_went_back_takes_its_rows_along(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t used = want(page, "used");
    for (int step = 1; step <= 100; step++) {
        (void)came(page, step, "used 5\n");
    }
    scrape_page_rewind(page, 98 * EVERY);
    assert_int_equal(scrape_page_newest(page), 97 * EVERY);
    (void)came(page, 98, "used 6\n");
    assert_true(number(page, used, 97) == 5);
    assert_true(number(page, used, 99) == 6);
    scrape_page_rewind(page, 1);
    assert_int_equal(scrape_page_newest(page), 0);
    assert_int_equal(unknown(page, used, 98), UNKNOWN_NOT_ASKED);
    scrape_page_free(page);
}

static void readings_that_nobody_wants_make_room(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    char names[PAGE_READINGS_MAX][16];
    for (int i = 0; i < PAGE_READINGS_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%d_total", i);
        time_ms now = i % 2 ? 3 * HOUR_MS : HOUR_MS;
        assert_int_equal(scrape_page_want(page, names[i], now), i);
    }
    (void)came(page, 1, "n3_total 5\n");
    uint32_t fresh = scrape_page_want(page, "fresh", 3 * HOUR_MS);
    assert_int_equal(fresh, PAGE_READINGS_MAX / 2);
    uint32_t kept = scrape_page_want(page, names[3], 3 * HOUR_MS);
    assert_int_equal(kept, 1);
    assert_true(number(page, kept, 1) == 5);
    (void)came(page, 2, "n3_total 6\nfresh 1\n");
    assert_true(number(page, kept, 2) == 6);
    assert_true(number(page, fresh, 2) == 1);
    /* All of them wanted: no room is made. */
    for (int i = 0; i < PAGE_READINGS_MAX - 2; i += 2) {
        assert_int_not_equal(scrape_page_want(page, names[i], 3 * HOUR_MS),
                             NO_READING);
    }
    assert_int_equal(scrape_page_want(page, "one too many", 3 * HOUR_MS),
                     NO_READING);
    scrape_page_free(page);
}

static void a_json_document_is_a_page_too(void **state)
{
    (void)state;
    struct scrape_page *page = scrape_page_new(FETCH_JSON);
    uint32_t used = want(page, "/pool/used"), gone = want(page, "/gone");
    uint32_t broken = want(page, "pool");
    assert_string_equal(came(page, 1, "{\"pool\":{\"used\":7}}"), "");
    assert_true(number(page, used, 1) == 7);
    assert_int_equal(unknown(page, gone, 1), UNKNOWN_NO_DATA);
    assert_int_equal(unknown(page, broken, 1), UNKNOWN_SOURCE_ERROR);
    expect_fault(page, broken, "no JSON pointer");
    assert_string_equal(came(page, 2, "{\"pool\":"),
                        "byte 9: it ends in the middle");
    assert_int_equal(unknown(page, used, 2), UNKNOWN_SOURCE_ERROR);
    scrape_page_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gauge_is_the_sum_of_what_matches),
        cmocka_unit_test(a_counter_never_falls_while_something_matches),
        cmocka_unit_test(after_nothing_a_counter_begins_at_zero),
        cmocka_unit_test(labels_in_another_order_are_the_same_series),
        cmocka_unit_test(a_page_that_breaks_late_moves_no_counter),
        cmocka_unit_test(a_row_speaks_until_the_next_but_not_for_ever),
        cmocka_unit_test(the_past_is_kept_as_long_as_it_is_wanted),
        cmocka_unit_test(a_reading_that_cannot_be_read_says_why),
        cmocka_unit_test(many_series_come_and_go),
        cmocka_unit_test(pages_that_are_no_good_leave_nothing_behind),
        cmocka_unit_test(a_clock_that_went_back_takes_its_rows_along),
        cmocka_unit_test(readings_that_nobody_wants_make_room),
        cmocka_unit_test(a_json_document_is_a_page_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
