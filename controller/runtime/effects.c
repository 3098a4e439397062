#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

void effects_take(struct driver *driver)
{
    for (size_t i = 0; i < driver->decision.effects_count; i++) {
        struct held_effect *held = memory_resized(NULL, sizeof(*held));

        held->effect = driver->decision.effects[i];
        if (held->effect.needs <= driver->durable) {
            TAILQ_INSERT_TAIL(&driver->ready, held, link);
        } else {
            TAILQ_INSERT_TAIL(&driver->held, held, link);
            driver->held_count++;
        }
    }
}

/* In the order in which they were asked for; one may need less than those
 * before it, as the question right before a revert does. */
void effects_became_durable(struct driver *driver)
{
    struct held_effect *held = TAILQ_FIRST(&driver->held);

    while (held != NULL) {
        struct held_effect *next = TAILQ_NEXT(held, link);

        if (held->effect.needs <= driver->durable) {
            TAILQ_REMOVE(&driver->held, held, link);
            driver->held_count--;
            TAILQ_INSERT_TAIL(&driver->ready, held, link);
        }
        held = next;
    }
}

static void drop_all(struct held_effects *effects)
{
    while (!TAILQ_EMPTY(effects)) {
        struct held_effect *held = TAILQ_FIRST(effects);

        TAILQ_REMOVE(effects, held, link);
        if (held->effect.kind == EFFECT_POLICY_RELEASED) {
            policy_free(held->effect.policy);
        }
        free(held);
    }
}

void effects_drop(struct driver *driver)
{
    drop_all(&driver->ready);
    drop_all(&driver->held);
    driver->held_count = 0;
}

/* --- One effect ----------------------------------------------------------- */

static void answer_target(struct driver *driver, const struct effect *effect,
                          const char *text)
{
    const struct input input = {
        .kind = INPUT_TARGET,
        .target = {.id = effect->id, .result = TARGET_UNCLEAR, .text = text}};

    (void)driver_push(driver, &input);
}

static void ask_target(struct driver *driver, const struct effect *effect)
{
    const struct core_options *options = &driver->options.config->core;
    struct service_view service = {0};
    struct target_adapter *target = NULL;

    if (view_service(driver->core, effect->service, &service) &&
        service.option != NONE_INDEX &&
        options->services[service.option].target != NONE_INDEX) {
        target = driver->targets[options->services[service.option].target];
    }
    if (target == NULL) {
        answer_target(driver, effect,
                      "no entry of `services:` gives it a target");
        return;
    }
    revert_clock_effect(driver, effect);
    if (effect->kind == EFFECT_OBSERVE) {
        target->ops->observe(target, effect);
    } else if (effect->kind == EFFECT_HAS) {
        target->ops->has(target, effect);
    } else {
        target->ops->revert(target, effect);
    }
}

static void ask_source(struct driver *driver, const struct effect *effect)
{
    struct query_view query = {0};

    /* A query that nobody reads any more is not asked. */
    if (view_query(driver->core, effect->query.query, &query)) {
        struct source_adapter *source = driver->sources[query.source];

        source->ops->query(source, effect->query.query, effect->query.g);
    }
}

static void answer_done(struct driver *driver, enum input_kind kind,
                        uint64_t id, const char *text)
{
    const struct input input = {
        .kind = kind, .done = {.id = id, .delivered = false, .text = text}};

    (void)driver_push(driver, &input);
}

void effects_notify(struct driver *driver, const struct effect *effect)
{
    const struct config *config = driver->options.config;

    for (size_t i = 0; i < config->notices_count; i++) {
        if (strcmp(config->notices[i].name, effect->notify.sink) == 0) {
            driver->notices[i]->ops->send(driver->notices[i], effect);
            return;
        }
    }
    answer_done(driver, INPUT_NOTICE_DONE, effect->notify.notice,
                "`notices:` has no entry of this name any more");
}

static void run_action(struct driver *driver, const struct effect *effect)
{
    const struct config *config = driver->options.config;

    for (size_t i = 0; i < config->actions_count; i++) {
        if (strcmp(config->actions[i].name, effect->run.name) == 0) {
            driver->actions[i]->ops->send(driver->actions[i], effect);
            return;
        }
    }
    answer_done(driver, INPUT_ACTION_DONE, effect->run.action,
                "`actions:` has no entry of this name any more");
}

/* An effect may wait long for a store that is down.  What the core gave up
 * waiting for, and a revert that it no longer wants, stays undone: the core
 * observes and decides anew. */
static bool is_still_wanted(struct driver *driver, const struct effect *effect)
{
    struct rollback_view rollback = {0};

    switch (effect->kind) {
    case EFFECT_ANSWER:
    case EFFECT_NOTIFY:
    case EFFECT_RUN:
    case EFFECT_POLICY_RELEASED:
        return true;
    case EFFECT_QUERY:
    case EFFECT_HISTORY:
    case EFFECT_OBSERVE:
    case EFFECT_HAS:
        return driver_now(driver) < effect->deadline;
    case EFFECT_REVERT:
        return driver_now(driver) < effect->deadline &&
               view_rollback(driver->core, effect->target.rollback,
                             &rollback) &&
               rollback.ended_at == 0;
    }
    return false;
}

static void carry_out(struct driver *driver, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_ANSWER:
        if (driver->answer != NULL) {
            driver->answer(driver->answer_data, effect);
        }
        break;
    case EFFECT_QUERY:
        ask_source(driver, effect);
        break;
    case EFFECT_HISTORY:
        history_ask(driver, effect);
        break;
    case EFFECT_OBSERVE:
    case EFFECT_HAS:
    case EFFECT_REVERT:
        ask_target(driver, effect);
        break;
    case EFFECT_NOTIFY:
        effects_notify(driver, effect);
        break;
    case EFFECT_RUN:
        run_action(driver, effect);
        break;
    case EFFECT_POLICY_RELEASED:
        policy_free(effect->policy);
        break;
    }
}

/* An adapter may answer from within: the step that makes adds to the end of
 * the list, and this loop, not a deeper one, goes on with it. */
void effects_carry_out(struct driver *driver)
{
    if (driver->is_carrying_out) {
        return;
    }
    driver->is_carrying_out = true;
    while (!TAILQ_EMPTY(&driver->ready) && !driver->is_stopping) {
        struct held_effect *held = TAILQ_FIRST(&driver->ready);

        TAILQ_REMOVE(&driver->ready, held, link);
        if (is_still_wanted(driver, &held->effect)) {
            carry_out(driver, &held->effect);
        }
        free(held);
    }
    driver->is_carrying_out = false;
}
