#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "controller/runtime/log.h"

/* A log into memory.  The text is whole, and the stream's again, only after
 * close_log(); it is the caller's to free. */
struct memory_log {
    char *text;
    size_t length;
    FILE *out;
    struct log *log;
};

static void open_log(struct memory_log *it, enum log_format format)
{
    it->out = open_memstream(&it->text, &it->length);
    assert_non_null(it->out);
    it->log = log_new(it->out, format, LOG_INFO);
}

static char *close_log(struct memory_log *it)
{
    log_free(it->log);
    (void)fclose(it->out);
    return it->text;
}

static void a_line_is_logfmt_with_escaped_values(void **state)
{
    struct memory_log it;
    char *text = NULL;

    (void)state;
    open_log(&it, LOG_LOGFMT);
    log_event(it.log, LOG_DEBUG, "not.said", NULL);
    log_event(it.log, LOG_INFO, "rollback.intended", "service", "user-service",
              "why", "a \"b\" c\n\x1b[31m", "empty", "", "none", NULL, "k",
              "a=b", NULL);
    text = close_log(&it);
    assert_memory_equal(text, "time=2", 6);
    assert_non_null(strstr(text,
                           "Z level=info event=rollback.intended "
                           "service=user-service "
                           "why=\"a \\\"b\\\" c\\\\x0a\\\\x1b[31m\" empty=\"\" "
                           "none=\"\" k=\"a=b\"\n"));
    /* time=2026-11-24T23:00:00.123Z */
    assert_int_equal(text[24], '.');
    assert_int_equal(text[28], 'Z');
    assert_null(strstr(text, "not.said"));
    free(text);
}

/* A next line (U+0085), a line separator, text that runs backwards, a value
 * that looks like another pair: none of it is more than a value. */
static void nothing_in_a_value_ends_its_line_or_turns_it_round(void **state)
{
    struct memory_log it;
    char *text = NULL;

    (void)state;
    open_log(&it, LOG_LOGFMT);
    log_event(it.log, LOG_INFO, "x", "a", "1\n\rtime=0 level=info", "b",
              "\xc2\x85z", "c", "\xe2\x80\xa8z", "d", "\xe2\x80\xaez", "e",
              "level=error", NULL);
    text = close_log(&it);
    assert_non_null(strstr(text, "a=\"1\\\\x0a\\\\x0dtime=0 level=info\""));
    assert_non_null(strstr(text, "b=\"\\\\xc2\\\\x85z\""));
    assert_non_null(strstr(text, "c=\"\\\\xe2\\\\x80\\\\xa8z\""));
    assert_non_null(strstr(text, "d=\"\\\\xe2\\\\x80\\\\xaez\""));
    assert_non_null(strstr(text, "e=\"level=error\"\n"));
    assert_int_equal(strchr(text, '\n') - text, (int)strlen(text) - 1);
    free(text);
}

static void json_lines_are_json(void **state)
{
    struct memory_log it;
    char *text = NULL;
    json_t *line = NULL;

    (void)state;
    open_log(&it, LOG_JSON);
    log_event(it.log, LOG_ERROR, "x", "text", "say \"no\" \xff \\", NULL);
    text = close_log(&it);
    line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")),
                        "error");
    assert_string_equal(json_string_value(json_object_get(line, "text")),
                        "say \"no\" \\xff \\");
    json_decref(line);
    free(text);
}

static void a_huge_value_is_cut_and_the_line_stays_whole(void **state)
{
    static char huge[20000];
    struct memory_log it;
    char *text = NULL;
    json_t *line = NULL;

    (void)state;
    memset(huge, '"', sizeof(huge) - 1);
    open_log(&it, LOG_JSON);
    log_event(it.log, LOG_INFO, "x", "a", huge, "b", huge, "c", huge, "d",
              "small", NULL);
    text = close_log(&it);
    line = json_loads(text, 0, NULL);
    assert_non_null(line);
    assert_non_null(json_object_get(line, "d"));
    json_decref(line);
    free(text);
}

static int count_of(const char *text, const char *needle)
{
    int count = 0;

    for (const char *at = strstr(text, needle); at != NULL;
         at = strstr(at + 1, needle)) {
        count++;
    }
    return count;
}

/* 200 lines a second of one event, and another event is still said. */
static void a_flood_is_cut_and_counted(void **state)
{
    struct memory_log it;
    char *text = NULL;

    (void)state;
    open_log(&it, LOG_LOGFMT);
    for (int i = 0; i < 1000; i++) {
        log_event(it.log, LOG_INFO, "flood", NULL);
    }
    log_event(it.log, LOG_INFO, "other", NULL);
    text = close_log(&it);
    /* A second may turn meanwhile; then there are two windows. */
    assert_true(count_of(text, "event=flood") < 1000);
    assert_true(count_of(text, "event=flood") >= 200);
    assert_int_equal(count_of(text, "event=other"), 1);
    assert_true(count_of(text, "event=log.left_out of=flood lines=") >= 1);
    free(text);
}

/* What was decided is said, however much of it there is; and it leaves what
 * else is said its room. */
static void facts_are_never_left_out(void **state)
{
    static const char *const pairs[] = {"service", "shop", NULL};
    struct memory_log it;
    char *text = NULL;

    (void)state;
    open_log(&it, LOG_LOGFMT);
    for (int i = 0; i < 1000; i++) {
        log_fact(it.log, LOG_WARNING, "rollback.refused", pairs);
    }
    log_event(it.log, LOG_WARNING, "rollback.refused", NULL);
    log_fact(it.log, LOG_DEBUG, "rollback.quiet", pairs);
    text = close_log(&it);
    assert_int_equal(count_of(text, "event=rollback.refused service=shop\n"),
                     1000);
    assert_int_equal(count_of(text, "event=rollback.refused\n"), 1);
    assert_null(strstr(text, "left_out"));
    assert_null(strstr(text, "rollback.quiet"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_logfmt_with_escaped_values),
        cmocka_unit_test(nothing_in_a_value_ends_its_line_or_turns_it_round),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(a_huge_value_is_cut_and_the_line_stays_whole),
        cmocka_unit_test(a_flood_is_cut_and_counted),
        cmocka_unit_test(facts_are_never_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
