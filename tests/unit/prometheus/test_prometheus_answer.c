#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "controller/prometheus/prometheus_answer.h"

#define VECTOR(elements)                                                       \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":"  \
    "[" elements "]}}"
#define MATRIX(elements)                                                       \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":"  \
    "[" elements "]}}"

static struct prometheus_answer answer;

/* Read a whole document; how many elements it has. */
static size_t read_all(enum prometheus_want want, const char *text,
                       struct prometheus_element *ret_last)
{
    struct prometheus_element element;
    size_t count = 0;
    prometheus_answer_begin(&answer, want, text, strlen(text));
    while (prometheus_answer_next(&answer, &element) == ANSWER_ELEMENT) {
        *ret_last = element;
        count++;
    }
    return count;
}

static void expect_broken(const char *text, const char *words)
{
    struct prometheus_element element;
    (void)read_all(WANT_VECTOR, text, &element);
    assert_int_equal(answer.state, ANSWER_BROKEN);
    if (!strstr(answer.text, words)) {
        fail_msg("'%s' says '%s', not '%s'", text, answer.text, words);
    }
}

static void labels_and_numbers_are_found(void **state)
{
    (void)state;
    struct prometheus_element element;
    const char *names[] = {"job", "gone", "quote\"d"};
    struct piece values[3];
    char plain[32];
    assert_int_equal(
        read_all(WANT_VECTOR,
                 VECTOR("{\"metric\":{},\"value\":[1.5,\"-2.5e-3\"]} , "
                        "{\"value\":[1435781451.781,\"12.75\"],\"x\":[{}],"
                        "\"metric\":{\"job\":\"a\\u00e9\\n\\ud83d\\ude00\","
                        "\"quote\\\"d\":\"plain\"}}"),
                 &element),
        2);
    assert_int_equal(answer.state, ANSWER_WHOLE);
    assert_int_equal(element.value.unknown, KNOWN);
    assert_true(element.value.number == 12.75);
    assert_true(prometheus_labels(&element, names, 3, values));
    assert_int_equal(piece_plain(&values[0], plain, sizeof(plain)), 8);
    assert_string_equal(plain, "a\xc3\xa9\n\xf0\x9f\x98\x80");
    assert_null(values[1].bytes);
    assert_true(piece_is(&values[2], "plain"));
}

static void numbers_that_are_none_keep_their_reason(void **state)
{
    (void)state;
    struct prometheus_element element;
    static const struct {
        const char *text;
        enum unknown unknown;
    } cases[] = {
        {VECTOR("{\"metric\":{},\"value\":[1,\"NaN\"]}"), UNKNOWN_NAN},
        {VECTOR("{\"metric\":{},\"value\":[1,\"+Inf\"]}"), UNKNOWN_INFINITE},
        {VECTOR("{\"metric\":{},\"value\":[1,\"-Inf\"]}"), UNKNOWN_INFINITE},
        {VECTOR("{\"metric\":{},\"value\":[1,\"1e400\"]}"), UNKNOWN_INFINITE},
        {VECTOR("{\"metric\":{},\"value\":[1,\"-0\"]}"), KNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_all(WANT_VECTOR, cases[i].text, &element), 1);
        assert_int_equal(answer.state, ANSWER_WHOLE);
        assert_int_equal(element.value.unknown, cases[i].unknown);
    }
}

static void the_points_of_a_range_are_walked(void **state)
{
    (void)state;
    struct prometheus_element element;
    struct sample sample;
    size_t cursor = 0;
    time_ms at;
    assert_int_equal(
        read_all(WANT_MATRIX,
                 MATRIX("{\"metric\":{\"a\":\"b\"},\"values\":[[1700000015,"
                        "\"1\"], [1700000030.25 ,\"NaN\"],[1e3,\"3\"]]}"),
                 &element),
        1);
    assert_int_equal(answer.state, ANSWER_WHOLE);
    assert_true(prometheus_next_point(&element, &cursor, &at, &sample));
    assert_int_equal(at, 1700000015000);
    assert_true(sample.number == 1);
    assert_true(prometheus_next_point(&element, &cursor, &at, &sample));
    assert_int_equal(at, 1700000030250);
    assert_int_equal(sample.unknown, UNKNOWN_NAN);
    assert_true(prometheus_next_point(&element, &cursor, &at, &sample));
    assert_int_equal(at, 1000000);
    assert_false(prometheus_next_point(&element, &cursor, &at, &sample));
}

static void status_may_come_last(void **state)
{
    (void)state;
    struct prometheus_element element;
    assert_int_equal(
        read_all(WANT_VECTOR,
                 "{\"data\":{\"result\":[{\"metric\":{},\"value\":[1,\"2\"]}],"
                 "\"resultType\":\"vector\"},\"status\":\"error\","
                 "\"errorType\":\"execution\",\"error\":\"it \\\"broke\\\"\"}",
                 &element),
        1);
    assert_int_equal(answer.state, ANSWER_ERROR);
    assert_string_equal(answer.text, "it \"broke\"");
    assert_string_equal(answer.error_type, "execution");
}

static void warnings_are_an_error_and_infos_are_not(void **state)
{
    (void)state;
    struct prometheus_element element;
    (void)read_all(WANT_VECTOR,
                   "{\"status\":\"success\",\"data\":{\"resultType\":"
                   "\"vector\",\"result\":[]},\"infos\":[\"x\"],"
                   "\"warnings\":[\"one store did not answer\"]}",
                   &element);
    assert_int_equal(answer.state, ANSWER_ERROR);
    assert_string_equal(answer.text, "warning: one store did not answer");
    (void)read_all(WANT_VECTOR,
                   "{\"status\":\"success\",\"data\":{\"resultType\":"
                   "\"vector\",\"result\":[]},\"infos\":[\"x\"],"
                   "\"warnings\":[]}",
                   &element);
    assert_int_equal(answer.state, ANSWER_WHOLE);
}

static void other_documents_are_refused_with_a_reason(void **state)
{
    (void)state;
    expect_broken("", "ends in the middle");
    expect_broken("<html>nginx</html>", "not the JSON");
    expect_broken("{\"status\":\"success\"", "ends in the middle");
    expect_broken(VECTOR("") "x", "behind the end");
    expect_broken("{\"status\":\"success\"}", "no result");
    expect_broken("{\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
                  "no status");
    expect_broken("{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\","
                  "\"result\":[1,\"5\"]}}",
                  "wrap the query in vector()");
    expect_broken(MATRIX(""), "ends in a range");
    expect_broken("{\"status\":\"success\",\"status\":\"error\"}", "twice");
    expect_broken(VECTOR("{\"metric\":{\"a\":1},\"value\":[1,\"2\"]}"), "JSON");
    expect_broken(VECTOR("{\"metric\":{},\"value\":[1,2]}"), "JSON");
    expect_broken(VECTOR("{\"metric\":{},\"value\":[1,\"0x10\"]}"), "number");
    expect_broken(VECTOR("{\"metric\":{},\"value\":[1,\" 1\"]}"), "number");
    expect_broken(VECTOR("{\"metric\":{},\"value\":[1,\"1\",2]}"), "JSON");
    expect_broken(VECTOR("{\"metric\":{}}"), "lacks");
    expect_broken(VECTOR("{\"value\":[1,\"2\"]}"), "lacks");
    expect_broken(VECTOR("{\"metric\":{},\"histogram\":[1,{}]}"),
                  "native histograms");
    expect_broken(VECTOR("{\"metric\":{\"a\":\"\xff\"},\"value\":[1,\"2\"]}"),
                  "UTF-8");
    expect_broken(VECTOR("{\"metric\":{\"a\":\"\\ud800\"}}"), "\\u escape");
    expect_broken(VECTOR("{\"metric\":{\"a\":\"\n\"}}"), "control character");
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[4096] = "{\"stats\":";
    size_t used = strlen(text);
    memset(text + used, '[', 2000);
    text[used + 2000] = '\0';
    expect_broken(text, "too deeply");
}

/* Cut at every byte: never whole, never past the end (ASan looks). */
static void a_cut_answer_is_never_whole(void **state)
{
    (void)state;
    static const char text[] =
        VECTOR("{\"metric\":{\"a\":\"\\u00e9\xc3\xa9\"},\"value\":[1.5,"
               "\"2\"]},{\"metric\":{},\"value\":[1e3,\"NaN\"]}");
    for (size_t length = 0; length < strlen(text); length++) {
        struct prometheus_element element;
        char *cut = malloc(length + 1);
        assert_non_null(cut);
        memcpy(cut, text, length);
        char *exact = realloc(cut, length ? length : 1);
        assert_non_null(exact);
        prometheus_answer_begin(&answer, WANT_VECTOR, exact, length);
        while (prometheus_answer_next(&answer, &element) == ANSWER_ELEMENT) {
        }
        assert_int_equal(answer.state, ANSWER_BROKEN);
        free(exact);
    }
}

static void a_label_that_stands_twice_is_noticed(void **state)
{
    (void)state;
    struct prometheus_element element;
    const char *name = "a";
    struct piece value;
    (void)read_all(WANT_VECTOR,
                   VECTOR("{\"metric\":{\"a\":\"x\",\"\\u0061\":\"y\"},"
                          "\"value\":[1,\"2\"]}"),
                   &element);
    assert_int_equal(answer.state, ANSWER_WHOLE);
    assert_false(prometheus_labels(&element, &name, 1, &value));
}

/* In slices, the bytes moving to a copy in between. */
static void an_answer_may_move_between_two_elements(void **state)
{
    (void)state;
    static const char text[] =
        "{\"warnings\":[\"careful\"],\"status\":\"success\",\"data\":{"
        "\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1,"
        "\"1\"]},{\"metric\":{},\"value\":[1,\"2\"]}]}}";
    struct prometheus_element element;
    char *first = strdup(text), *second = strdup(text);
    assert_non_null(first);
    assert_non_null(second);
    prometheus_answer_begin(&answer, WANT_VECTOR, first, strlen(text));
    assert_int_equal(prometheus_answer_next(&answer, &element), ANSWER_ELEMENT);
    prometheus_answer_moved(&answer, second);
    free(first);
    assert_int_equal(prometheus_answer_next(&answer, &element), ANSWER_ELEMENT);
    assert_true(element.value.number == 2);
    assert_int_equal(prometheus_answer_next(&answer, &element), ANSWER_ERROR);
    assert_string_equal(answer.text, "warning: careful");
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_and_numbers_are_found),
        cmocka_unit_test(numbers_that_are_none_keep_their_reason),
        cmocka_unit_test(the_points_of_a_range_are_walked),
        cmocka_unit_test(status_may_come_last),
        cmocka_unit_test(warnings_are_an_error_and_infos_are_not),
        cmocka_unit_test(other_documents_are_refused_with_a_reason),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_cut_answer_is_never_whole),
        cmocka_unit_test(a_label_that_stands_twice_is_noticed),
        cmocka_unit_test(an_answer_may_move_between_two_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
