#include "controller/core/freeze.h"

#include <assert.h>

#include "controller/core/describe.h"
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

/* A rollback's is short: "2.4.0 was rolled back (error_rate 8.7% > 5%)". */
static void say_reason(const struct core *core, const struct record *record,
                       char text[RECORD_TEXT_MAX])
{
    const struct service *service =
        service_find(core, record->service, record->environment);
    char rolling[ROLLING_TEXT_MAX];
    if (record->kind != RECORD_ROLLBACK_MOVED || !service) {
        text_copy(text, RECORD_TEXT_MAX, record->text);
        return;
    }
    const char *rest = text_after(
        record->text, describe_rolling_back(service, record->version,
                                            record->target_version, rolling));
    const char *why = rest ? text_after(rest, ": ") : NULL;
    text_join(text, RECORD_TEXT_MAX, record->version, " was rolled back",
              why ? " (" : "", why ? why : "", why ? ")" : "", NULL);
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
    say_reason(core, record, freeze->reason);
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
