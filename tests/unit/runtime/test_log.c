#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* --- A reader that does not keep up ----------------------------------------
 */

#define MANY 4000 /* lines of some 120 bytes: more than is kept for a reader   \
                   */

/* All that is there now; the other end goes on. */
static size_t drain(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t got = 0;

    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while ((got = read(fd, text + used, size - 1 - used)) > 0) {
        used += (size_t)got;
    }
    text[used] = '\0';
    return used;
}

static size_t lines_of(const char *text)
{
    size_t count = 0;

    for (const char *at = text; *at != '\0'; at++) {
        count += *at == '\n' ? 1 : 0;
    }
    return count;
}

/* @ends[0] is read by nobody until everything was said: if that held the
 * writer, this would never end. */
static void expect_no_wait(int ends[2])
{
    static const char *const pairs[] = {
        "text", "a line of some length, so that there is no room for all",
        NULL};
    static char text[4 << 20];
    FILE *out = fdopen(ends[1], "w");
    struct log *log = log_new(out, LOG_LOGFMT, LOG_INFO);
    const char *dropped = NULL;
    size_t used = 0, lines = 0;

    for (int i = 0; i < MANY; i++) {
        log_fact(log, LOG_INFO, "flood", pairs);
    }
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    for (int i = 0; i < 100 && dropped == NULL; i++) {
        used += drain(ends[0], text + used, sizeof(text) - used);
        log_flush(log);
        dropped = strstr(text, "event=log.dropped lines=");
    }
    assert_non_null(dropped);
    used += drain(ends[0], text + used, sizeof(text) - used);
    lines = strtoul(dropped + strlen("event=log.dropped lines="), NULL, 10);
    assert_true(lines > 0);
    /* Every line is whole, and none is forgotten. */
    assert_int_equal(lines_of(text) - 1 + lines, MANY);
    assert_int_equal(text[used - 1], '\n');
    log_free(log);
    (void)fclose(out);
    (void)close(ends[0]);
}

static void a_full_pipe_holds_nobody(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    expect_no_wait(ends);
}

static void a_full_socket_holds_nobody(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect_no_wait(ends);
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
        cmocka_unit_test(a_full_pipe_holds_nobody),
        cmocka_unit_test(a_full_socket_holds_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
