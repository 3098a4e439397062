#include "controller/core/freeze.h"

#include <assert.h>

#include "controller/core/inside.h"

static bool concerns(const struct freeze *freeze, const char *service,
                     const char *environment)
{
    return text_matches(freeze->service, service) &&
           text_matches(freeze->environment, environment);
}

const struct freeze *freeze_of(const struct core *core, const char *service,
                               const char *environment, time_ms now)
{
    const struct freeze *longest = NULL;
    for (uint32_t i = 0; i < core->freezes.count; i++) {
        const struct freeze *freeze = pool_at(&core->freezes, i);
        if (freeze->until > now && concerns(freeze, service, environment) &&
            (!longest || freeze->until > longest->until)) {
            longest = freeze;
        }
    }
    return longest;
}

void freeze_due(struct core *core, struct freeze *freeze)
{
    assert(freeze);
    if (freeze->until > core->now) {
        timer_arm(&core->timers, &freeze->timer, freeze->until);
        return;
    }
    struct record *record = core_record(core, RECORD_THAWED);
    record->freeze = freeze->id;
    text_copy(record->service, sizeof record->service, freeze->service);
    text_copy(record->environment, sizeof record->environment,
              freeze->environment);
    text_copy(record->code, sizeof record->code, "ended");
    text_copy(record->text, sizeof record->text, "the freeze has run out");
    core_tell(core, record);
}

static void remove_freeze(struct core *core, struct freeze *freeze)
{
    timer_stop(&core->timers, &freeze->timer);
    pool_remove(&core->freezes, freeze->id);
}

/* Full: the one that ends first makes room.  Only a rollback's freeze can
 * come to this; a person's is refused at the door. */
static void make_room(struct core *core)
{
    struct freeze *first = NULL;
    if (core->freezes.count < core->freezes.max) {
        return;
    }
    for (uint32_t i = 0; i < core->freezes.count; i++) {
        struct freeze *freeze = pool_at(&core->freezes, i);
        if (!first || freeze->until < first->until) {
            first = freeze;
        }
    }
    remove_freeze(core, first);
}

void freeze_add(struct core *core, const struct record *record)
{
    make_room(core);
    struct freeze *freeze = pool_add(&core->freezes, record->sequence);
    assert(freeze);
    freeze->id = record->sequence;
    freeze->incident = record->incident;
    freeze->at = record->at;
    freeze->until = record->until;
    text_copy(freeze->service, sizeof freeze->service, record->service);
    text_copy(freeze->environment, sizeof freeze->environment,
              record->environment);
    text_copy(freeze->by, sizeof freeze->by, record->by);
    text_copy(freeze->reason, sizeof freeze->reason, record->text);
    timer_name(&freeze->timer, TIMER_FREEZE, freeze->id);
    timer_arm(&core->timers, &freeze->timer, freeze->until);
}

void freeze_apply_thawed(struct core *core, const struct record *record)
{
    for (uint32_t i = core->freezes.count; i > 0; i--) {
        struct freeze *freeze = pool_at(&core->freezes, i - 1);
        bool meant =
            record->freeze
                ? freeze->id == record->freeze
                : text_equal(freeze->service, record->service) &&
                      text_equal(freeze->environment, record->environment);
        if (meant) {
            remove_freeze(core, freeze);
        }
    }
}
