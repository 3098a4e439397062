/* A webhook on a scripted server: signed, tried again, given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "controller/notices/notices.h"
#include "tests/unit/notices/help_driver.h"
#include "tests/unit/runtime/help_peer.h"

#define REQUESTS_MAX 8

static const char secret[] = "the webhook's shared secret";

struct stage {
    struct driver driver;
    struct notice_config notice;
    struct notice_adapter *webhook;
    struct effect effect;
    struct peer peer;
    const char *answers[REQUESTS_MAX]; /* a status, "hang" or "close" */
    char *requests[REQUESTS_MAX];
    int count;
};

/* --- The server ----------------------------------------------------------- */

static void serve(struct visitor *visitor)
{
    struct stage *stage = visitor->peer->data;
    const char *answer = stage->answers[stage->count];

    assert_true(stage->count < REQUESTS_MAX);
    stage->requests[stage->count] = strdup(visitor->request);
    stage->count++;
    if (strcmp(answer, "close") == 0) {
        visitor_close(visitor);
    } else if (strcmp(answer, "hang") != 0) {
        visitor_answer(visitor, answer,
                       "Location: http://127.0.0.1:1/\r\n"
                       "Connection: close\r\n",
                       "what the hook says");
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
    stage->notice.timeout = 20 * SECOND_MS;
    (void)snprintf(stage->notice.url, sizeof(stage->notice.url),
                   "http://127.0.0.1:%d/page", stage->peer.port);
    (void)snprintf(stage->notice.secret, sizeof(stage->notice.secret), "%s",
                   secret);
    stage->driver.config.notices = &stage->notice;
    stage->driver.config.notices_count = 1;
    stage->effect.kind = EFFECT_NOTIFY;
    stage->effect.notify.notice = 17;
    stage->effect.notify.release = 3;
    stage->effect.notify.incident = 9;
    (void)strcpy(stage->effect.notify.what, "rollback");
    (void)strcpy(stage->effect.notify.text, "2.4.0 \"leaks\"\nconnections");
    stage->webhook = notice_make(&stage->driver, 0);
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;

    if (stage->webhook != NULL) {
        stage->webhook->ops->close(stage->webhook);
    }
    uv_walk(&stage->driver.loop, close_visitor, &stage->peer);
    peer_stop(&stage->peer);
    driver_end(&stage->driver);
    for (int i = 0; i < stage->count; i++) {
        free(stage->requests[i]);
    }
    free(stage);
    return 0;
}

static void send_notice(struct stage *stage)
{
    stage->webhook->ops->send(stage->webhook, &stage->effect);
}

/* Send, and wait for the one answer. */
static const struct told *deliver(struct stage *stage)
{
    send_notice(stage);
    driver_wait(&stage->driver, 1);
    assert_int_equal(stage->driver.told_count, 1);
    assert_int_equal(stage->driver.told[0].kind, INPUT_NOTICE_DONE);
    assert_int_equal(stage->driver.told[0].done_id, 17);
    return &stage->driver.told[0];
}

/* --- Reading what arrived ------------------------------------------------- */

static const char *body_of(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

static void header_of(const char *request, const char *name, char *ret_value,
                      size_t size)
{
    char start[64];
    const char *line = NULL;

    (void)snprintf(start, sizeof(start), "\r\n%s: ", name);
    line = strstr(request, start);
    assert_non_null(line);
    line += strlen(start);
    (void)snprintf(ret_value, size, "%.*s", (int)strcspn(line, "\r"), line);
}

/* RFC 2104 by hand, so that nothing of ours signs its own homework. */
static void sign_by_hand(const char *key, const char *message, char ret_hex[65])
{
    unsigned char inner[64 + 4096], outer[64 + 32], digest[32];
    unsigned length = 0;
    size_t size = strlen(message);

    assert_true(strlen(key) <= 64 && size <= 4096);
    memset(inner, 0, 64);
    memcpy(inner, key, strlen(key));
    memcpy(outer, inner, 64);
    for (int i = 0; i < 64; i++) {
        inner[i] ^= 0x36;
        outer[i] ^= 0x5c;
    }
    memcpy(inner + 64, message, size);
    (void)EVP_Digest(inner, 64 + size, digest, &length, EVP_sha256(), NULL);
    memcpy(outer + 64, digest, 32);
    (void)EVP_Digest(outer, sizeof(outer), digest, &length, EVP_sha256(), NULL);
    for (int i = 0; i < 32; i++) {
        (void)snprintf(ret_hex + 2 * (size_t)i, 3, "%02x", digest[i]);
    }
}

static void check_signature(const char *request)
{
    char timestamp[32], signature[128], hex[65], wanted[128], message[4096];

    header_of(request, "Lastgood-Timestamp", timestamp, sizeof(timestamp));
    header_of(request, "Lastgood-Signature", signature, sizeof(signature));
    (void)snprintf(message, sizeof(message), "%s.%s", timestamp,
                   body_of(request));
    sign_by_hand(secret, message, hex);
    (void)snprintf(wanted, sizeof(wanted), "v1=%s", hex);
    assert_string_equal(signature, wanted);
}

static void check_member(const json_t *message, const char *name,
                         const char *wanted)
{
    const char *text = json_string_value(json_object_get(message, name));

    assert_non_null(text);
    assert_string_equal(text, wanted);
}

/* --- Stories -------------------------------------------------------------- */

static void our_hand_made_signature_is_that_of_rfc_4231(void **state)
{
    char hex[65];

    (void)state;
    sign_by_hand("Jefe", "what do ya want for nothing?", hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d27398"
                             "39dec58b964ec3843");
}

static void a_notice_arrives_whole_and_signed(void **state)
{
    struct stage *stage = *state;
    const struct told *told = NULL;
    json_t *message = NULL;
    char header[128];

    stage->answers[0] = "204 No Content";
    told = deliver(stage);
    assert_true(told->delivered);
    assert_non_null(strstr(told->text, "204"));
    assert_non_null(strstr(stage->requests[0], "POST /page HTTP/1.1\r\n"));
    check_signature(stage->requests[0]);
    header_of(stage->requests[0], "Lastgood-Timestamp", header, sizeof(header));
    assert_string_equal(header, "1726669200");
    header_of(stage->requests[0], "Content-Type", header, sizeof(header));
    assert_string_equal(header, "application/json");
    message =
        json_loads(body_of(stage->requests[0]), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(message);
    check_member(message, "id", "17");
    check_member(message, "what", "rollback");
    check_member(message, "text", "2.4.0 \"leaks\"\nconnections");
    check_member(message, "service", "user-service");
    check_member(message, "environment", "production");
    check_member(message, "version", "2.4.0");
    check_member(message, "release", "3");
    check_member(message, "incident", "9");
    check_member(message, "at", "2024-09-18T14:20:00Z");
    check_member(message, "sequence", "41");
    assert_int_equal(json_object_size(message), 10);
    json_decref(message);
}

static void a_503_is_tried_again_with_the_same_key_and_a_new_stamp(void **state)
{
    struct stage *stage = *state;
    char first[128], second[128];

    stage->answers[0] = "503 Service Unavailable";
    stage->answers[1] = "200 OK";
    send_notice(stage);
    driver_wait_for(&stage->driver, &stage->count, 1);
    stage->driver.now += MINUTE_MS;
    driver_wait(&stage->driver, 1);
    assert_true(stage->driver.told[0].delivered);
    assert_int_equal(stage->count, 2);
    header_of(stage->requests[0], "Idempotency-Key", first, sizeof(first));
    header_of(stage->requests[1], "Idempotency-Key", second, sizeof(second));
    assert_string_equal(first, second);
    assert_string_equal(body_of(stage->requests[0]),
                        body_of(stage->requests[1]));
    header_of(stage->requests[1], "Lastgood-Timestamp", second, sizeof(second));
    assert_string_equal(second, "1726669260");
    check_signature(stage->requests[1]);
}

static void an_early_close_is_tried_again(void **state)
{
    struct stage *stage = *state;

    stage->answers[0] = "close";
    stage->answers[1] = "200 OK";
    assert_true(deliver(stage)->delivered);
    assert_int_equal(stage->count, 2);
}

static void a_refusal_is_final(void **state)
{
    struct stage *stage = *state;
    const struct told *told = NULL;

    stage->answers[0] = "400 Bad Request";
    told = deliver(stage);
    assert_false(told->delivered);
    assert_int_equal(stage->count, 1);
    assert_non_null(strstr(told->text, "refused for good: POST http://"));
    assert_non_null(strstr(told->text, "400"));
    assert_non_null(strstr(told->text, "what the hook says"));
}

static void a_redirect_is_final_and_not_followed(void **state)
{
    struct stage *stage = *state;
    const struct told *told = NULL;

    stage->answers[0] = "302 Found";
    told = deliver(stage);
    assert_false(told->delivered);
    assert_int_equal(stage->count, 1);
    assert_non_null(strstr(told->text, "redirects are not followed"));
}

static void a_hanging_hook_is_given_up_with_a_sentence(void **state)
{
    struct stage *stage = *state;

    stage->notice.timeout = 200;
    stage->answers[0] = "hang";
    stage->effect.deadline = stage->driver.now + 100; /* before a second try */
    send_notice(stage);
    driver_wait(&stage->driver, 1);
    assert_false(stage->driver.told[0].delivered);
    assert_non_null(
        strstr(stage->driver.told[0].text, "given up after 1 try: POST http"));
}

static void a_clock_that_is_set_ahead_gives_nobody_up(void **state)
{
    struct stage *stage = *state;

    stage->answers[0] = "503 Service Unavailable";
    stage->answers[1] = "200 OK";
    send_notice(stage);
    stage->driver.now += DAY_MS;
    driver_wait(&stage->driver, 1);
    assert_true(stage->driver.told[0].delivered);
    assert_int_equal(stage->count, 2);
}

static void nobody_listens_and_it_is_given_up(void **state)
{
    struct stage *stage = *state;

    (void)snprintf(stage->notice.url, sizeof(stage->notice.url),
                   "http://127.0.0.1:1/page");
    stage->effect.deadline = stage->driver.now + 100; /* before a second try */
    assert_false(deliver(stage)->delivered);
    assert_non_null(strstr(stage->driver.told[0].text, "given up after 1"));
}

static void without_a_secret_nothing_is_signed(void **state)
{
    struct stage *stage = *state;

    stage->notice.secret[0] = '\0';
    stage->answers[0] = "200 OK";
    assert_true(deliver(stage)->delivered);
    assert_null(strstr(stage->requests[0], "Lastgood-Signature"));
    assert_non_null(strstr(stage->requests[0], "Lastgood-Timestamp"));
}

static void closing_says_nothing_and_leaves_nothing(void **state)
{
    struct stage *stage = *state;

    stage->answers[0] = "500 Internal Server Error"; /* waits for its timer */
    stage->answers[1] = "hang";                      /* flies */
    stage->answers[2] = "hang"; /* the first one again, on a slow machine */
    send_notice(stage);
    driver_wait_for(&stage->driver, &stage->count, 1);
    while (http_in_flight(stage->driver.http) > 0) {
        (void)uv_run(&stage->driver.loop, UV_RUN_ONCE);
    }
    send_notice(stage);
    driver_wait_for(&stage->driver, &stage->count, 2);
    stage->webhook->ops->close(stage->webhook);
    stage->webhook = NULL;
    assert_int_equal(stage->driver.told_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_hand_made_signature_is_that_of_rfc_4231),
        TEST(a_notice_arrives_whole_and_signed),
        TEST(a_503_is_tried_again_with_the_same_key_and_a_new_stamp),
        TEST(an_early_close_is_tried_again),
        TEST(a_refusal_is_final),
        TEST(a_redirect_is_final_and_not_followed),
        TEST(a_hanging_hook_is_given_up_with_a_sentence),
        TEST(a_clock_that_is_set_ahead_gives_nobody_up),
        TEST(nobody_listens_and_it_is_given_up),
        TEST(without_a_secret_nothing_is_signed),
        TEST(closing_says_nothing_and_leaves_nothing),
    };

    return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
