/* Requests whose answer comes later: orders, until they are durable, and
 * readings of the journal.  A suspended connection never times out by itself,
 * so each has a deadline here. */
#include "controller/api/api_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "policies/memory.h"

#define RETRY_AFTER_SECS 5

enum waits_for { WAITS_FOR_ORDER, WAITS_FOR_READING };

struct waiting {
    struct api *api; /* NULL: the answer is not wanted any more */
    struct waiting *previous, *next;
    struct exchange *exchange;
    enum waits_for waits_for;
    time_ms until; /* clock_boot() */
    uint64_t reply;
    order_done *done;
    reading_done *read;
    void (*forget)(void *);
    void *data;
};

/* --- The list ------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer);

static void arm(struct api *api)
{
    time_ms left = 0;

    if (api->first == NULL) {
        (void)uv_timer_stop(&api->timer);
        return;
    }
    left = api->first->until - clock_boot();
    (void)uv_timer_start(&api->timer, on_deadline,
                         left > 0 ? (uint64_t)left : 0, 0);
}

static struct waiting *add(struct api *api, struct exchange *exchange,
                           enum waits_for waits_for)
{
    struct waiting *waiting = memory_zeroed(1, sizeof(*waiting));

    waiting->api = api;
    waiting->exchange = exchange;
    waiting->waits_for = waits_for;
    waiting->until = clock_boot() + api->wait;
    waiting->previous = api->last;
    if (api->last != NULL) {
        api->last->next = waiting;
    } else {
        api->first = waiting;
        arm(api);
    }
    api->last = waiting;
    return waiting;
}

/* Out of the list; an order is freed, a reading is until the driver answers. */
static void drop(struct waiting *waiting)
{
    struct api *api = waiting->api;

    if (waiting->previous != NULL) {
        waiting->previous->next = waiting->next;
    } else {
        api->first = waiting->next;
    }
    if (waiting->next != NULL) {
        waiting->next->previous = waiting->previous;
    } else {
        api->last = waiting->previous;
    }
    waiting->api = NULL;
    waiting->exchange = NULL;
}

static void give_up(struct waiting *waiting)
{
    struct exchange *exchange = waiting->exchange;
    bool order = waiting->waits_for == WAITS_FOR_ORDER;
    struct refusal refusal;

    drop(waiting);
    if (order) {
        free(waiting);
    }
    (void)refuse(&refusal, 503, "not_durable", NULL,
                 "%s: look at the controller's log, then ask again",
                 order ? "the store did not confirm in time; the request may "
                         "still be recorded (the same Idempotency-Key is "
                         "safe)"
                       : "the store did not answer in time");
    refusal.retry_after = RETRY_AFTER_SECS;
    exchange_refuse(exchange, &refusal, NULL);
}

static void on_deadline(uv_timer_t *timer)
{
    struct api *api = timer->data;
    time_ms now = clock_boot();

    while (api->first != NULL && api->first->until <= now) {
        give_up(api->first);
    }
    arm(api);
}

void waiting_give_up(struct api *api)
{
    while (api->first != NULL) {
        give_up(api->first);
    }
    arm(api);
}

/* --- Orders --------------------------------------------------------------- */

static void refuse_store(struct api *api, struct exchange *exchange)
{
    const char *why = NULL;
    struct refusal refusal;

    if (api->closing) {
        why = "shutting down";
    } else if (driver_is_ready(api->driver, &why)) {
        why = "too much waits for the store";
    }
    (void)refuse(&refusal, 503, "not_ready", NULL,
                 "nothing can be recorded now: %s; ask again in %d s", why,
                 RETRY_AFTER_SECS);
    refusal.retry_after = RETRY_AFTER_SECS;
    exchange_refuse(exchange, &refusal, NULL);
}

void waiting_order(struct api *api, struct exchange *exchange,
                   struct input *input, order_done *done)
{
    struct waiting *waiting = NULL;

    if (api->closing) {
        refuse_store(api, exchange);
        return;
    }
    waiting = add(api, exchange, WAITS_FOR_ORDER);
    waiting->reply = ++api->replies;
    waiting->done = done;
    input->reply = waiting->reply;
    input->now = driver_now(api->driver);
    if (!driver_push(api->driver, input)) {
        drop(waiting);
        free(waiting);
        refuse_store(api, exchange);
    }
}

static void on_answer(void *data, const struct effect *effect)
{
    struct api *api = data;
    struct waiting *waiting = api->first;
    struct exchange *exchange = NULL;
    order_done *done = NULL;

    while (waiting != NULL && waiting->reply != effect->answer.reply) {
        waiting = waiting->next;
    }
    if (waiting == NULL) {
        return; /* it came after the deadline */
    }
    exchange = waiting->exchange;
    done = waiting->done;
    drop(waiting);
    free(waiting);
    done(api, exchange, effect);
}

void waiting_start(struct api *api)
{
    driver_on_answer(api->driver, on_answer, api);
    api->hears = true;
}

void waiting_stop(struct api *api)
{
    waiting_give_up(api);
    if (api->hears) {
        driver_on_answer(api->driver, NULL, NULL);
        api->hears = false;
    }
}

/* --- Readings ------------------------------------------------------------- */

static void on_read(void *data, const struct store_event *event)
{
    struct waiting *waiting = data;
    struct api *api = waiting->api;
    struct exchange *exchange = waiting->exchange;
    struct waiting copy = *waiting;

    if (api != NULL) {
        drop(waiting);
    }
    free(waiting);
    if (api == NULL) {
        copy.forget(copy.data);
        return;
    }
    if (event->result != STORE_OK) {
        copy.forget(copy.data);
        answer_refusal(exchange, 503, "store", NULL,
                       "the journal cannot be read: %s", event->error);
        return;
    }
    copy.read(api, exchange, event, copy.data);
}

void waiting_read(struct api *api, struct exchange *exchange,
                  const struct store_query *query, reading_done *done,
                  void (*forget)(void *), void *data)
{
    struct waiting *waiting = NULL;

    if (api->closing) { /* nothing may wait beyond the server's patience */
        forget(data);
        refuse_store(api, exchange);
        return;
    }
    waiting = add(api, exchange, WAITS_FOR_READING);
    waiting->read = done;
    waiting->forget = forget;
    waiting->data = data;
    if (!driver_read(api->driver, query, on_read, waiting)) {
        drop(waiting);
        free(waiting);
        forget(data);
        refuse_store(api, exchange);
    }
}
