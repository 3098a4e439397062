#include "controller/core/pending.h"

#include <assert.h>

#include "controller/core/inside.h"
#include "controller/core/observe.h"

struct effect *pending_ask(struct core *core, enum effect_kind kind,
                           enum pending_kind who, uint64_t object,
                           time_ms patience)
{
    struct effect *effect = core_effect(core, kind);
    effect->needs = 0; /* it changes nothing */
    effect->deadline = core->now + patience;
    struct pending *pending = pool_add(&core->pending, effect->id.counter);
    assert(pending);
    pending->id = effect->id.counter;
    pending->kind = who;
    pending->asked = kind;
    pending->object = object;
    pending->rule = NONE_INDEX;
    timer_name(&pending->timer, TIMER_PENDING, pending->id);
    timer_arm(&core->timers, &pending->timer, effect->deadline);
    return effect;
}

static void forget(struct core *core, struct pending *pending)
{
    uint16_t rule = pending->rule;
    timer_stop(&core->timers, &pending->timer);
    pool_remove(&core->pending, pending->id);
    rule_leave(core, rule);
}

void pending_drop(struct core *core, uint32_t counter)
{
    struct pending *pending = pool_find(&core->pending, counter);
    if (pending) {
        forget(core, pending);
    }
}

static void history_answered(struct core *core, uint64_t service,
                             const struct input *input)
{
    bool ok = input->kind == INPUT_HISTORY && !input->history.error;
    watch_history(core, service_at(core, (uint16_t)service),
                  ok ? &input->history.history : NULL);
}

static void hand_over(struct core *core, const struct pending *pending,
                      const struct input *input)
{
    switch (pending->kind) {
    case PENDING_OBSERVE:
        observe_answered(core, service_at(core, (uint16_t)pending->object),
                         input);
        break;
    case PENDING_ROLLBACK:
        rollback_answered(core, rollback_find(core, pending->object),
                          pending->asked, input);
        break;
    case PENDING_HISTORY:
        history_answered(core, pending->object, input);
        break;
    }
}

static void take(struct core *core, struct pending *pending,
                 const struct input *input)
{
    struct pending answered = *pending;
    pending->rule = NONE_INDEX; /* kept until the answer was used */
    forget(core, pending);
    hand_over(core, &answered, input);
    rule_leave(core, answered.rule);
}

void pending_due(struct core *core, struct pending *pending)
{
    assert(pending);
    struct input late = {.kind = INPUT_TARGET, .now = core->now};
    late.target.result = TARGET_UNCLEAR;
    late.target.text = "no answer in time";
    take(core, pending, &late);
}

void pending_answered(struct core *core, const struct input *input)
{
    struct effect_id id =
        input->kind == INPUT_HISTORY ? input->history.id : input->target.id;
    struct pending *pending =
        id.epoch == core->epoch ? pool_find(&core->pending, id.counter) : NULL;
    bool fits = pending && (pending->kind == PENDING_HISTORY) ==
                               (input->kind == INPUT_HISTORY);
    if (!fits) {
        core->unknown_answers++;
    } else if (core->now > pending->timer.at) {
        pending_due(core, pending); /* what it saw may be so no more */
    } else {
        take(core, pending, input);
    }
}
