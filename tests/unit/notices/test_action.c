/* Actions on a scripted server: run once per span, again only when the call
 * surely did nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/notices/notices.h"
#include "tests/unit/notices/help_driver.h"
#include "tests/unit/runtime/help_peer.h"

#define REQUESTS_MAX 8
#define ENTRIES_MAX  8

struct stage {
    struct driver driver;
    struct action_config config;
    struct service_config service;
    struct notice_adapter *action;
    struct effect effect;
    struct peer peer;
    const char *answers[REQUESTS_MAX]; /* a status, "hang" or "close" */
    char *requests[REQUESTS_MAX];
    int count;
    struct entry entries[ENTRIES_MAX];
};

static void serve(struct visitor *visitor)
{
    struct stage *stage = visitor->peer->data;
    const char *answer = stage->answers[stage->count];

    assert_non_null(answer);
    stage->requests[stage->count] = strdup(visitor->request);
    stage->count++;
    if (strcmp(answer, "close") == 0) {
        visitor_close(visitor);
    } else if (strcmp(answer, "hang") != 0) {
        visitor_answer(visitor, answer, "Connection: close\r\n", "words");
        visitor_close(visitor);
    }
}

static void close_visitor(uv_handle_t *handle, void *peer)
{
    if (handle->type == UV_TCP && handle->data != peer &&
        !uv_is_closing(handle)) {
        visitor_close(handle->data);
    }
}

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    driver_begin(&stage->driver);
    peer_start(&stage->peer, &stage->driver.loop, serve, stage);
    (void)strcpy(stage->config.name, "scale-pool");
    stage->config.call.method = "POST";
    stage->config.call.timeout = 20 * SECOND_MS;
    (void)snprintf(stage->config.call.url, sizeof(stage->config.call.url),
                   "http://127.0.0.1:%d/scale", stage->peer.port);
    (void)strcpy(stage->config.call.json, "{\"by\":1.5}");
    stage->driver.config.actions = &stage->config;
    stage->driver.config.actions_count = 1;
    stage->driver.config.services = &stage->service;
    stage->driver.config.services_count = 1;
    stage->driver.entries = stage->entries;
    stage->effect.kind = EFFECT_RUN;
    stage->effect.run.action = 23;
    (void)strcpy(stage->effect.run.name, "scale-pool");
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;

    if (stage->action != NULL) {
        stage->action->ops->close(stage->action);
    }
    if (stage->driver.read_done != NULL) {
        driver_answer_read(&stage->driver);
    }
    uv_walk(&stage->driver.loop, close_visitor, &stage->peer);
    peer_stop(&stage->peer);
    driver_end(&stage->driver);
    for (int i = 0; i < stage->count; i++) {
        free(stage->requests[i]);
    }
    for (size_t i = 0; i < stage->driver.entries_count; i++) {
        free((void *)(uintptr_t)stage->entries[i].payload);
    }
    free(stage);
    return 0;
}

/* The configuration is as it shall be: make the adapter. */
static void make(struct stage *stage)
{
    stage->action = action_make(&stage->driver, 0);
}

static void run(struct stage *stage)
{
    stage->action->ops->send(stage->action, &stage->effect);
}

/* The answer to the newest run. */
static const struct told *answer_of(struct stage *stage, size_t count)
{
    const struct told *told = NULL;

    driver_wait(&stage->driver, count);
    assert_int_equal(stage->driver.told_count, count);
    told = &stage->driver.told[count - 1];
    assert_int_equal(told->kind, INPUT_ACTION_DONE);
    assert_int_equal(told->done_id, 23);
    return told;
}

static struct entry *add_entry(struct stage *stage, struct record *record)
{
    struct entry *entry = &stage->entries[stage->driver.entries_count];

    assert_true(stage->driver.entries_count < ENTRIES_MAX);
    record->sequence = stage->driver.entries_count + 1;
    record->epoch = 1;
    entry->sequence = record->sequence;
    entry->kind = record->kind;
    entry->at = record->at;
    entry->payload = record_to_json(record, &entry->length);
    stage->driver.entries_count++;
    return entry;
}

/* The journal knows of a run @ago before now, and how it ended; NULL: not. */
static void remember(struct stage *stage, const char *name, const char *service,
                     const char *text, time_ms ago)
{
    struct record record;
    uint64_t id = 0;

    record_init(&record, RECORD_ACTION);
    record.at = stage->driver.now - ago;
    (void)snprintf(record.name, sizeof(record.name), "%s", name);
    (void)snprintf(record.service, sizeof(record.service), "%s", service);
    (void)snprintf(record.environment, sizeof(record.environment),
                   "production");
    id = add_entry(stage, &record)->sequence;
    if (text == NULL) {
        return;
    }
    record_init(&record, RECORD_ACTION_DONE);
    record.at = stage->driver.now - ago;
    record.notice = id;
    record.delivered = text[0] == '2';
    (void)snprintf(record.text, sizeof(record.text), "%s", text);
    (void)add_entry(stage, &record);
}

/* Answer both questions: how runs ended, and which there were. */
static void answer_journal(struct stage *stage)
{
    driver_answer_read(&stage->driver);
    driver_answer_read(&stage->driver);
}

/* --- One call ------------------------------------------------------------- */

static void an_action_is_one_call_with_its_body(void **state)
{
    struct stage *stage = *state;

    stage->answers[0] = "200 OK";
    (void)strcpy(stage->config.bearer, "the-token");
    (void)strcpy(stage->config.call.idempotency_header, "X-Once");
    (void)strcpy(stage->config.call.json,
                 "{\"by\":1.5,\"for\":\"{service} in {environment}\"}");
    make(stage);
    run(stage);
    assert_true(answer_of(stage, 1)->delivered);
    assert_int_equal(stage->count, 1);
    assert_non_null(strstr(stage->requests[0], "POST /scale HTTP/1.1\r\n"));
    assert_non_null(
        strstr(stage->requests[0], "\r\nAuthorization: Bearer the-token\r\n"));
    assert_non_null(strstr(stage->requests[0], "\r\nX-Once: lastgood-23-"));
    assert_non_null(
        strstr(stage->requests[0],
               "{\"by\":1.5,\"for\":\"user-service in production\"}"));
    assert_int_equal(stage->driver.reads, 0); /* no once_per, no journal */
}

static void a_refusal_did_not_run(void **state)
{
    struct stage *stage = *state;
    const struct told *told = NULL;

    stage->answers[0] = "422 Unprocessable Entity";
    make(stage);
    run(stage);
    told = answer_of(stage, 1);
    assert_false(told->delivered);
    assert_int_equal(strncmp(told->text, "not run: POST http://", 21), 0);
    assert_int_equal(stage->count, 1);
}

static void a_429_is_tried_again(void **state)
{
    struct stage *stage = *state;

    stage->answers[0] = "429 Too Many Requests";
    stage->answers[1] = "200 OK";
    make(stage);
    run(stage);
    assert_true(answer_of(stage, 1)->delivered);
    assert_int_equal(stage->count, 2);
}

static void what_may_have_run_is_not_repeated(void **state)
{
    static const char *const answers[] = {"503 Service Unavailable",
                                          "408 Request Timeout", "close",
                                          "303 See Other"};
    struct stage *stage = *state;

    make(stage);
    for (size_t i = 0; i < 4; i++) {
        const struct told *told = NULL;

        stage->answers[i] = answers[i];
        run(stage);
        told = answer_of(stage, i + 1);
        assert_false(told->delivered);
        assert_non_null(strstr(told->text, "it may or may not have run: POST"));
        assert_int_equal(stage->count, i + 1);
    }
}

static void under_a_key_it_is_repeated(void **state)
{
    struct stage *stage = *state;
    const char *first = NULL, *second = NULL;

    stage->answers[0] = "503 Service Unavailable";
    stage->answers[1] = "200 OK";
    (void)strcpy(stage->config.call.idempotency_header, "Idempotency-Key");
    make(stage);
    run(stage);
    assert_true(answer_of(stage, 1)->delivered);
    assert_int_equal(stage->count, 2);
    first = strstr(stage->requests[0], "\r\nIdempotency-Key: ");
    second = strstr(stage->requests[1], "\r\nIdempotency-Key: ");
    assert_non_null(first);
    assert_non_null(second);
    assert_memory_equal(first, second, strcspn(first + 2, "\r") + 2);
}

static void a_hang_ends_with_its_time_out(void **state)
{
    struct stage *stage = *state;

    stage->answers[0] = "hang";
    stage->config.call.timeout = 200;
    make(stage);
    run(stage);
    assert_false(answer_of(stage, 1)->delivered);
    assert_non_null(strstr(stage->driver.told[0].text, "may or may not"));
}

static void nobody_listens_so_it_did_not_run(void **state)
{
    struct stage *stage = *state;

    (void)strcpy(stage->config.call.url, "http://127.0.0.1:1/scale");
    stage->effect.deadline = stage->driver.now + 100; /* before a second try */
    make(stage);
    run(stage);
    assert_false(answer_of(stage, 1)->delivered);
    assert_int_equal(strncmp(stage->driver.told[0].text, "not run: ", 9), 0);
}

static void what_cannot_be_filled_in_did_not_run(void **state)
{
    struct stage *stage = *state;

    (void)strcpy(stage->config.call.json, "{\"pool\":\"{pool}\"}");
    make(stage);
    run(stage);
    assert_false(answer_of(stage, 1)->delivered);
    assert_string_equal(stage->driver.told[0].text,
                        "not run: unknown variable '{pool}': give it in the "
                        "service's `vars`");
    assert_int_equal(stage->count, 0);
}

/* --- Once per ------------------------------------------------------------- */

static void it_runs_once_per_its_span(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    stage->answers[0] = "200 OK";
    stage->answers[1] = "200 OK";
    make(stage);
    run(stage);
    assert_int_equal(stage->driver.told_count, 0); /* the journal first */
    answer_journal(stage);
    assert_true(answer_of(stage, 1)->delivered);
    stage->driver.now += HOUR_MS - 1;
    run(stage);
    assert_false(answer_of(stage, 2)->delivered);
    assert_string_equal(stage->driver.told[1].text,
                        "not run: it ran at 2024-09-18T14:20:00Z, and runs "
                        "once per 1h at most");
    stage->driver.now += 1;
    run(stage);
    assert_true(answer_of(stage, 3)->delivered);
    assert_int_equal(stage->count, 2);
    assert_int_equal(stage->driver.reads, 2);
}

static void a_restart_does_not_forget(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    remember(stage, "scale-pool", "other-service", "200 OK", HOUR_MS / 2);
    make(stage);
    run(stage);
    answer_journal(stage);
    assert_false(answer_of(stage, 1)->delivered);
    assert_non_null(strstr(stage->driver.told[0].text,
                           "not run: it ran at 2024-09-18T13:50:00Z"));
    assert_int_equal(stage->count, 0);
}

static void what_may_have_run_counts_as_a_run(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    remember(stage, "scale-pool", "user-service", "no answer within 10m",
             MINUTE_MS);
    make(stage);
    run(stage);
    answer_journal(stage);
    assert_non_null(strstr(answer_of(stage, 1)->text, "not run: it ran at"));
}

static void a_run_without_an_end_counts(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    remember(stage, "scale-pool", "user-service", NULL, MINUTE_MS);
    make(stage);
    run(stage);
    answer_journal(stage);
    assert_non_null(strstr(answer_of(stage, 1)->text, "not run: it ran at"));
}

static void its_own_record_does_not_count(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    stage->answers[0] = "200 OK";
    remember(stage, "scale-pool", "user-service", NULL, 0);
    stage->entries[0].sequence = stage->effect.run.action;
    make(stage);
    run(stage);
    answer_journal(stage);
    assert_true(answer_of(stage, 1)->delivered);
}

static void other_runs_and_refusals_do_not_count(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    stage->answers[0] = "200 OK";
    remember(stage, "scale-pool", "user-service", "200 OK", HOUR_MS + 1);
    remember(stage, "other", "user-service", "200 OK", MINUTE_MS);
    remember(stage, "scale-pool", "user-service", "not run: it ran at ...",
             MINUTE_MS);
    make(stage);
    run(stage);
    answer_journal(stage);
    assert_true(answer_of(stage, 1)->delivered);
}

static void a_call_with_variables_runs_once_per_service(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    (void)strcpy(stage->config.call.json, "{\"pool\":\"{service}\"}");
    stage->answers[0] = "200 OK";
    stage->answers[1] = "200 OK";
    remember(stage, "scale-pool", "other-service", "200 OK", MINUTE_MS);
    make(stage);
    run(stage);
    answer_journal(stage);
    assert_true(answer_of(stage, 1)->delivered);
    stage->driver.service.service = "third-service";
    run(stage);
    assert_true(answer_of(stage, 2)->delivered);
    run(stage);
    assert_false(answer_of(stage, 3)->delivered);
}

static void a_run_that_surely_failed_may_come_again(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    stage->answers[0] = "404 Not Found";
    stage->answers[1] = "200 OK";
    make(stage);
    run(stage);
    answer_journal(stage);
    assert_false(answer_of(stage, 1)->delivered);
    run(stage);
    assert_true(answer_of(stage, 2)->delivered);
}

static void without_the_journal_it_does_not_run(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    stage->answers[0] = "200 OK";
    stage->driver.is_busy = true;
    make(stage);
    run(stage);
    assert_non_null(
        strstr(answer_of(stage, 1)->text, "not run: the journal is too busy"));
    stage->driver.is_busy = false;
    stage->driver.read_result = STORE_UNAVAILABLE;
    run(stage);
    driver_answer_read(&stage->driver);
    assert_non_null(
        strstr(answer_of(stage, 2)->text, "not run: the journal cannot say"));
    stage->driver.read_result = STORE_OK;
    run(stage);
    stage->driver.is_busy = true; /* for the second question */
    driver_answer_read(&stage->driver);
    assert_non_null(
        strstr(answer_of(stage, 3)->text, "not run: the journal cannot say"));
    stage->driver.is_busy = false;
    run(stage);
    answer_journal(stage);
    assert_true(answer_of(stage, 4)->delivered);
}

static void closing_says_nothing_and_leaves_nothing(void **state)
{
    struct stage *stage = *state;

    stage->config.once_per = HOUR_MS;
    remember(stage, "scale-pool", "user-service", "not run: x", 0);
    make(stage);
    run(stage);
    run(stage);
    driver_answer_read(&stage->driver); /* the first question's */
    stage->action->ops->close(stage->action);
    stage->action = NULL;
    driver_answer_read(&stage->driver); /* comes late */
    assert_int_equal(stage->driver.told_count, 0);
    stage->config.once_per = 0;
    stage->answers[0] = "hang";
    make(stage);
    run(stage);
    driver_wait_for(&stage->driver, &stage->count, 1);
    stage->action->ops->close(stage->action);
    stage->action = NULL;
    assert_int_equal(stage->driver.told_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_action_is_one_call_with_its_body),
        TEST(a_refusal_did_not_run),
        TEST(a_429_is_tried_again),
        TEST(what_may_have_run_is_not_repeated),
        TEST(under_a_key_it_is_repeated),
        TEST(a_hang_ends_with_its_time_out),
        TEST(nobody_listens_so_it_did_not_run),
        TEST(what_cannot_be_filled_in_did_not_run),
        TEST(it_runs_once_per_its_span),
        TEST(a_restart_does_not_forget),
        TEST(what_may_have_run_counts_as_a_run),
        TEST(a_run_without_an_end_counts),
        TEST(its_own_record_does_not_count),
        TEST(other_runs_and_refusals_do_not_count),
        TEST(a_call_with_variables_runs_once_per_service),
        TEST(a_run_that_surely_failed_may_come_again),
        TEST(without_the_journal_it_does_not_run),
        TEST(closing_says_nothing_and_leaves_nothing),
    };

    return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
