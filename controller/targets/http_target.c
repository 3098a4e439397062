/* Deployment APIs over HTTP, as described in the configuration. */
#include "controller/targets/targets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "controller/runtime/call.h"
#include "controller/targets/http_meaning.h"
#include "policies/memory.h"

/* An answer about a version is small; reading a large one holds the loop. */
#define ANSWER_MAX (256 * 1024)

LIST_HEAD(inquiry_list, inquiry);

struct http_target {
    struct target_adapter adapter;
    struct driver *driver;
    const struct target_config *config;
    struct inquiry_list inquiries; /* asked, not answered */
};

enum asked { ASKED_LIVE, ASKED_HAS, ASKED_REVERT };

struct inquiry {
    struct http_target *target;
    enum asked asked;
    struct effect_id id;
    struct http_request *request;
    LIST_ENTRY(inquiry) list;
};

/* --- Answering ------------------------------------------------------------ */

static void answer(struct http_target *target, struct effect_id id,
                   const struct http_meaning *meaning)
{
    struct input input = {.kind = INPUT_TARGET,
                          .now = driver_now(target->driver)};

    input.target.id = id;
    input.target.result = meaning->result;
    input.target.version = meaning->version;
    input.target.complete = meaning->complete;
    input.target.has = meaning->has;
    input.target.text = meaning->text;
    (void)driver_push(target->driver, &input); /* answers are always taken */
}

static void inquiry_free(struct inquiry *inquiry)
{
    LIST_REMOVE(inquiry, list);
    free(inquiry);
}

static void on_answer(void *data, const struct http_answer *http)
{
    struct inquiry *inquiry = data;
    struct http_target *target = inquiry->target;
    struct effect_id id = inquiry->id;
    enum asked asked = inquiry->asked;
    struct http_meaning meaning = {0};

    inquiry_free(inquiry);
    if (http->end == HTTP_CANCELLED) {
        return; /* we are closing */
    }
    switch (asked) {
    case ASKED_LIVE:
        http_meaning_of_live(&target->config->live, http, &meaning);
        break;
    case ASKED_HAS:
        http_meaning_of_has(http, &meaning);
        break;
    case ASKED_REVERT:
        http_meaning_of_revert(&target->config->revert, http, &meaning);
        break;
    }
    answer(target, id, &meaning);
}

/* --- Asking --------------------------------------------------------------- */

/* The core gives up at the effect's deadline: nothing is sent after it. */
static void set_urgency(struct http_target *target, const struct effect *effect,
                        struct call_order *order)
{
    const time_ms left = effect->deadline - driver_now(target->driver);

    order->patience = left > 0 ? left : 1;
    order->urgent = effect->target.urgent;
}

static void ask(struct target_adapter *adapter, const struct effect *effect,
                enum asked asked, struct call_order *order)
{
    struct http_target *target = (struct http_target *)adapter;
    struct inquiry *inquiry = memory_zeroed(1, sizeof(*inquiry));
    struct http_meaning refused = {.result = TARGET_UNCLEAR};

    *inquiry =
        (struct inquiry){.target = target, .asked = asked, .id = effect->id};
    LIST_INSERT_HEAD(&target->inquiries, inquiry, list);
    order->service = effect->service;
    order->bearer = target->config->bearer;
    order->body_max = ANSWER_MAX;
    set_urgency(target, effect, order);
    order->done = on_answer;
    order->data = inquiry;
    inquiry->request =
        call_send(target->driver, order, refused.text, sizeof(refused.text));
    if (inquiry->request == NULL) {
        inquiry_free(inquiry);
        answer(target, effect->id, &refused);
    }
}

static void observe(struct target_adapter *adapter, const struct effect *effect)
{
    const struct http_target *target = (const struct http_target *)adapter;
    struct call_order order = {.call = &target->config->live};

    ask(adapter, effect, ASKED_LIVE, &order);
}

static void has(struct target_adapter *adapter, const struct effect *effect)
{
    const struct http_target *target = (const struct http_target *)adapter;
    const struct variable more[] = {{"target", effect->target.target}};
    struct call_order order = {
        .call = &target->config->has, .more = more, .more_count = 1};

    assert(target->config->has.given); /* the core knows: can_check */
    ask(adapter, effect, ASKED_HAS, &order);
}

/* {version} is the release's own, as in a policy's texts: the suspect. */
static void revert(struct target_adapter *adapter, const struct effect *effect)
{
    const struct http_target *target = (const struct http_target *)adapter;
    const struct variable more[] = {{"target", effect->target.target},
                                    {"suspect", effect->target.suspect},
                                    {"version", effect->target.suspect}};
    struct call_order order = {.call = &target->config->revert,
                               .more = more,
                               .more_count = 3,
                               .key = effect->target.key};

    ask(adapter, effect, ASKED_REVERT, &order);
}

/* What was sent stays sent: the next start observes before it does more. */
static void close_target(struct target_adapter *adapter)
{
    struct http_target *target = (struct http_target *)adapter;

    while (!LIST_EMPTY(&target->inquiries)) {
        struct inquiry *inquiry = LIST_FIRST(&target->inquiries);

        http_cancel(driver_http(target->driver), inquiry->request);
    }
    free(target);
}

struct target_adapter *target_make(struct driver *driver, uint16_t index)
{
    static const struct target_ops ops = {.observe = observe,
                                          .has = has,
                                          .revert = revert,
                                          .close = close_target};
    const struct config *config = driver_config(driver);
    struct http_target *target = memory_zeroed(1, sizeof(*target));

    assert(index < config->targets_count);
    target->adapter.ops = &ops;
    target->driver = driver;
    target->config = &config->targets[index];
    LIST_INIT(&target->inquiries);
    return &target->adapter;
}
