/* Notices as signed JSON by POST:
 *
 *   {"id":"17","what":"rollback","text":"...","service":"user-service",
 *    "environment":"production","version":"2.4.0","release":"3",
 *    "incident":"9","at":"2024-09-18T14:23:00Z","sequence":"16"}
 *
 * with the headers Lastgood-Timestamp, Lastgood-Signature and Idempotency-Key,
 * the same key for every try.  `sequence` is the journal's newest record when
 * the notice was first sent.  2xx is a receipt; 3xx and 4xx but 408, 425 and
 * 429 are final; everything else is tried again. */
#include "controller/notices/notices.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "controller/notices/retry.h"
#include "controller/notices/signature.h"
#include "policies/memory.h"

#define KEY_TEXT_MAX 64
#define HEADER_MAX   160

LIST_HEAD(delivery_list, delivery);

struct webhook {
    struct notice_adapter adapter;
    struct driver *driver;
    const struct notice_config *config;
    struct delivery_list deliveries;
    uint64_t random;
};

/* One notice: flying (request), or waiting for its next try (timer). */
struct delivery {
    struct webhook *webhook;
    uint64_t notice;
    struct retry retry;
    struct http_request *request;
    uv_timer_t timer;
    char *body;
    char key[KEY_TEXT_MAX];
    LIST_ENTRY(delivery) list;
};

/* --- The message ---------------------------------------------------------- */

static void set_id(json_t *message, const char *name, uint64_t id)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
    (void)json_object_set_new(message, name, json_string(text));
}

/* Texts that are not UTF-8 (there should be none) become "". */
static void set_text(json_t *message, const char *name, const char *text)
{
    json_t *string = json_string(text);

    (void)json_object_set_new(message, name,
                              string != NULL ? string : json_string(""));
}

static char *make_body(struct driver *driver, const struct effect *effect)
{
    json_t *message = json_object();
    struct service_view service = {.service = "", .environment = ""};
    struct release_view release = {.version = ""};
    char at[MOMENT_TEXT_MAX];
    char *body = NULL;

    assert(message != NULL);
    (void)view_service(driver_core(driver), effect->service, &service);
    (void)view_release(driver_core(driver), effect->notify.release, &release);
    set_id(message, "id", effect->notify.notice);
    set_text(message, "what", effect->notify.what);
    set_text(message, "text", effect->notify.text);
    set_text(message, "service", service.service);
    set_text(message, "environment", service.environment);
    set_text(message, "version",
             effect->notify.version[0] != '\0' ? effect->notify.version
                                               : release.version);
    set_id(message, "release", effect->notify.release);
    set_id(message, "incident", effect->notify.incident);
    set_text(message, "at", moment_print(driver_now(driver), at));
    set_id(message, "sequence", core_sequence(driver_core(driver)));
    body = json_dumps(message, JSON_COMPACT);
    assert(body != NULL);
    json_decref(message);
    return body;
}

/* The same for every try, also after a restart; another one in another
 * journal, whose ids begin anew. */
static void make_key(const struct effect *effect, char ret_key[KEY_TEXT_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    size_t used = 0;

    if (EVP_Digest(effect->notify.text, strlen(effect->notify.text), digest,
                   &length, EVP_sha256(), NULL) != 1) {
        abort(); /* out of memory */
    }
    used = (size_t)snprintf(ret_key, KEY_TEXT_MAX, "lastgood-%llu-",
                            (unsigned long long)effect->notify.notice);
    for (unsigned i = 0; i < 8; i++) {
        used += (size_t)snprintf(ret_key + used, KEY_TEXT_MAX - used, "%02x",
                                 digest[i]);
    }
}

/* --- The end of a delivery ------------------------------------------------ */

static void on_timer_closed(uv_handle_t *handle)
{
    struct delivery *delivery = handle->data;

    free(delivery->body);
    free(delivery);
}

static void delivery_close(struct delivery *delivery)
{
    LIST_REMOVE(delivery, list);
    uv_close((uv_handle_t *)&delivery->timer, on_timer_closed);
}

__attribute__((format(printf, 3, 4))) static void
finish(struct delivery *delivery, bool delivered, const char *format, ...)
{
    struct driver *driver = delivery->webhook->driver;
    struct input input = {.kind = INPUT_NOTICE_DONE, .now = driver_now(driver)};
    char text[RECORD_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    input.done.id = delivery->notice;
    input.done.delivered = delivered;
    input.done.text = text;
    delivery_close(delivery);
    (void)driver_push(driver, &input); /* answers are always taken */
}

/* --- Tries ---------------------------------------------------------------- */

static void try_now(struct delivery *delivery);

static void on_timer(uv_timer_t *timer)
{
    try_now(timer->data);
}

static void try_again(struct delivery *delivery,
                      const struct http_answer *answer)
{
    struct webhook *webhook = delivery->webhook;
    time_ms wait = 0;

    if (!retry_next(&delivery->retry, clock_boot(), answer->retry_after,
                    &webhook->random, &wait)) {
        finish(delivery, false, "given up after %d %s: %s",
               delivery->retry.tries,
               delivery->retry.tries == 1 ? "try" : "tries", answer->text);
        return;
    }
    (void)uv_timer_start(&delivery->timer, on_timer, (uint64_t)wait, 0);
}

/* Will another try get the same answer? */
static bool is_final(const struct http_answer *answer)
{
    return answer->end == HTTP_ANSWERED && answer->status >= 300 &&
           answer->status < 500 && answer->status != 408 &&
           answer->status != 425 && answer->status != 429;
}

static void on_answer(void *data, const struct http_answer *answer)
{
    struct delivery *delivery = data;

    delivery->request = NULL;
    if (answer->end == HTTP_CANCELLED) {
        return; /* we are closing; the next start sends it again */
    }
    if (answer->end == HTTP_ANSWERED && answer->status >= 200 &&
        answer->status < 300) {
        finish(delivery, true, "%s", answer->text);
    } else if (is_final(answer)) {
        finish(delivery, false, "refused for good: %s%s", answer->text,
               answer->status < 400 ? ": redirects are not followed; give "
                                      "the final address"
                                    : "");
    } else {
        try_again(delivery, answer);
    }
}

static void try_now(struct delivery *delivery)
{
    struct webhook *webhook = delivery->webhook;
    char timestamp[24], stamp_header[HEADER_MAX], key_header[HEADER_MAX];
    char signature[SIGNATURE_TEXT_MAX], signature_header[HEADER_MAX];
    const char *headers[] = {"Content-Type: application/json", stamp_header,
                             key_header, NULL, NULL};
    const struct http_call call = {.method = "POST",
                                   .url = webhook->config->url,
                                   .headers = headers,
                                   .body = delivery->body,
                                   .length = strlen(delivery->body),
                                   .timeout = webhook->config->timeout,
                                   .changes_world = true};

    (void)snprintf(timestamp, sizeof(timestamp), "%lld",
                   (long long)(driver_now(webhook->driver) / SECOND_MS));
    (void)snprintf(stamp_header, sizeof(stamp_header), "Lastgood-Timestamp: %s",
                   timestamp);
    (void)snprintf(key_header, sizeof(key_header), "Idempotency-Key: %s",
                   delivery->key);
    if (webhook->config->secret[0] != '\0') {
        signature_make(webhook->config->secret, timestamp, delivery->body,
                       signature);
        (void)snprintf(signature_header, sizeof(signature_header),
                       "Lastgood-Signature: %s", signature);
        headers[3] = signature_header;
    }
    delivery->request =
        http_send(driver_http(webhook->driver), &call, on_answer, delivery);
}

/* --- The adapter ---------------------------------------------------------- */

static void send_notice(struct notice_adapter *adapter,
                        const struct effect *effect)
{
    struct webhook *webhook = (struct webhook *)adapter;
    struct delivery *delivery = memory_zeroed(1, sizeof(*delivery));

    delivery->webhook = webhook;
    delivery->notice = effect->notify.notice;
    delivery->body = make_body(webhook->driver, effect);
    make_key(effect, delivery->key);
    retry_begin(&delivery->retry, clock_boot(),
                retry_left(effect->deadline, driver_now(webhook->driver)));
    (void)uv_timer_init(driver_loop(webhook->driver), &delivery->timer);
    delivery->timer.data = delivery;
    LIST_INSERT_HEAD(&webhook->deliveries, delivery, list);
    try_now(delivery);
}

static void close_webhook(struct notice_adapter *adapter)
{
    struct webhook *webhook = (struct webhook *)adapter;

    while (!LIST_EMPTY(&webhook->deliveries)) {
        struct delivery *delivery = LIST_FIRST(&webhook->deliveries);

        if (delivery->request != NULL) {
            http_cancel(driver_http(webhook->driver), delivery->request);
        }
        delivery_close(delivery);
    }
    free(webhook);
}

struct notice_adapter *notice_make(struct driver *driver, uint16_t index)
{
    static const struct notice_ops ops = {.send = send_notice,
                                          .close = close_webhook};
    const struct config *config = driver_config(driver);
    struct webhook *webhook = memory_zeroed(1, sizeof(*webhook));

    assert(index < config->notices_count);
    webhook->adapter.ops = &ops;
    webhook->driver = driver;
    webhook->config = &config->notices[index];
    webhook->random = config->core.seed + index;
    LIST_INIT(&webhook->deliveries);
    return &webhook->adapter;
}
