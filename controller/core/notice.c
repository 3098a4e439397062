#include "controller/core/notice.h"

#include <assert.h>

#include "controller/core/inside.h"

/* ---- telling ----------------------------------------------------------- */

static void send(struct core *core, struct notice *notice)
{
    struct effect *effect = core_effect(core, EFFECT_NOTIFY);
    effect->service = notice->service;
    effect->deadline = core->now + NOTICE_PATIENCE_MS;
    effect->notify.notice = notice->id;
    effect->notify.release = notice->release;
    effect->notify.incident = notice->incident;
    text_copy(effect->notify.sink, sizeof effect->notify.sink, notice->sink);
    text_copy(effect->notify.version, sizeof effect->notify.version,
              notice->version);
    text_copy(effect->notify.what, sizeof effect->notify.what, notice->what);
    text_copy(effect->notify.text, sizeof effect->notify.text, notice->text);
    notice->sent = true;
    timer_arm(&core->timers, &notice->timer, effect->deadline);
}

/* Above the bound the oldest is due before everything else. */
static void give_up_oldest(struct core *core)
{
    if (core->notices.count > NOTICES_FULL) {
        struct notice *oldest = pool_at(&core->notices, 0);
        timer_arm(&core->timers, &oldest->timer, 0);
    }
}

/* What is told, to whomever. */
struct message {
    uint64_t release;
    const char *version; /* NULL: the release says it */
    const char *what, *text;
};

static void tell_sink(struct core *core, const struct service *service,
                      const char *sink, const struct message *message)
{
    struct record *record =
        service ? core_record_about(core, RECORD_NOTICE, service)
                : core_record(core, RECORD_NOTICE);
    record->release = message->release;
    record->incident = service ? service->incident : 0;
    text_copy(record->version, sizeof record->version, message->version);
    text_copy(record->name, sizeof record->name, sink);
    text_copy(record->code, sizeof record->code, message->what);
    text_copy(record->text, sizeof record->text, message->text);
    uint64_t id = core_tell(core, record);
    send(core, pool_find(&core->notices, id));
    give_up_oldest(core);
}

#define WHOM_MAX (POLICY_NOTIFY_MAX + PAGE_SINKS_MAX)

static size_t add_sink(const char *sinks[WHOM_MAX], size_t count,
                       const char *sink)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(sinks[i], sink)) {
            return count;
        }
    }
    assert(count < WHOM_MAX);
    sinks[count] = sink;
    return count + 1;
}

void notice_tell(struct core *core, const struct service *service,
                 const struct policy *policy, uint16_t leaf, uint64_t release,
                 const char *what, const char *text)
{
    const struct message message = {
        .release = release, .what = what, .text = text};
    const char *sinks[WHOM_MAX];
    size_t count = 0;
    if (policy && leaf != NONE_INDEX) {
        const struct leaf *said = policy_leaf(policy, leaf);
        for (uint8_t i = 0; i < said->notifies; i++) {
            count =
                add_sink(sinks, count, policy_text(policy, said->notify[i]));
        }
    }
    for (size_t i = 0; i < core->options.pages_count; i++) {
        count = add_sink(sinks, count, core->options.page[i]);
    }
    for (size_t i = 0; i < count; i++) {
        tell_sink(core, service, sinks[i], &message);
    }
}

void notice_tell_of(struct core *core, const struct service *service,
                    const char *version, const char *what, const char *text)
{
    const struct message message = {
        .version = version, .what = what, .text = text};
    for (size_t i = 0; i < core->options.pages_count; i++) {
        tell_sink(core, service, core->options.page[i], &message);
    }
}

static void tell_done(struct core *core, enum record_kind kind, uint64_t id,
                      bool delivered, const char *code, const char *text)
{
    struct record *record = core_record(core, kind);
    record->notice = id;
    record->delivered = delivered;
    text_copy(record->code, sizeof record->code, code);
    text_copy(record->text, sizeof record->text, text);
    core_tell(core, record);
}

void notice_answered(struct core *core, const struct input *input)
{
    if (!pool_find(&core->notices, input->done.id)) {
        core->unknown_answers++;
        return;
    }
    tell_done(core, RECORD_NOTICE_DONE, input->done.id, input->done.delivered,
              input->done.delivered ? "delivered" : "failed", input->done.text);
}

void notice_due(struct core *core, struct notice *notice)
{
    assert(notice);
    if (core->notices.count > NOTICES_FULL) {
        tell_done(core, RECORD_NOTICE_DONE, notice->id, false, "pushed_out",
                  "given up: too many notices wait");
        give_up_oldest(core);
    } else if (!notice->sent) {
        send(core, notice);
    } else {
        tell_done(core, RECORD_NOTICE_DONE, notice->id, false, "expired",
                  "nobody could be told within 1h");
    }
}

static void forget_notice(struct core *core, struct notice *notice)
{
    timer_stop(&core->timers, &notice->timer);
    pool_remove(&core->notices, notice->id);
}

static void note_undelivered(struct core *core, const struct notice *notice,
                             time_ms at, const char *why)
{
    struct undelivered *one =
        &core->undelivered[core->undelivered_count % UNDELIVERED_MAX];
    core->undelivered_count++;
    one->notice = notice->id;
    one->at = at;
    one->service = notice->service;
    text_copy(one->sink, sizeof one->sink, notice->sink);
    text_copy(one->what, sizeof one->what, notice->what);
    text_copy(one->text, sizeof one->text, notice->text);
    text_copy(one->why, sizeof one->why, why);
}

void notice_apply(struct core *core, const struct record *record)
{
    if (core->notices.count == core->notices.max) {
        /* More in one turn than ticks could give up. */
        struct notice *oldest = pool_at(&core->notices, 0);
        note_undelivered(core, oldest, record->at, "too many notices wait");
        forget_notice(core, oldest);
    }
    struct notice *notice = pool_add(&core->notices, record->sequence);
    assert(notice);
    notice->id = record->sequence;
    notice->release = record->release;
    notice->incident = record->incident;
    const struct service *service =
        service_find(core, record->service, record->environment);
    notice->service = service ? service->index : NONE_INDEX;
    text_copy(notice->sink, sizeof notice->sink, record->name);
    text_copy(notice->version, sizeof notice->version, record->version);
    text_copy(notice->what, sizeof notice->what, record->code);
    text_copy(notice->text, sizeof notice->text, record->text);
    timer_name(&notice->timer, TIMER_NOTICE, notice->id);
    struct release *release = release_find(core, record->release);
    if (release && text_equal(record->code, "not_live")) {
        release->late = true;
    }
    struct incident *incident = incident_find(core, record->incident);
    if (incident) {
        incident->paged_at = record->at;
    }
}

void notice_apply_done(struct core *core, const struct record *record)
{
    struct notice *notice = pool_find(&core->notices, record->notice);
    if (notice && !record->delivered) {
        note_undelivered(core, notice, record->at, record->text);
    }
    if (notice) {
        forget_notice(core, notice);
    }
}

/* ---- acting ------------------------------------------------------------ */

static void tell_not_run(struct core *core, const struct service *service,
                         uint64_t release, const char *name, const char *why)
{
    struct record *record =
        core_record_about(core, RECORD_ACTION_DONE, service);
    record->release = release;
    record->incident = service->incident;
    text_copy(record->name, sizeof record->name, name);
    text_copy(record->code, sizeof record->code, "not_run");
    text_join(record->text, sizeof record->text, name, " was not run: ", why,
              NULL);
    core_tell(core, record);
}

void action_run(struct core *core, const struct service *service,
                const struct policy *policy, uint16_t leaf, uint64_t release,
                enum mode mode)
{
    const struct leaf *said = policy_leaf(policy, leaf);
    if (said->run == 0) {
        return;
    }
    const char *name = policy_text(policy, said->run);
    if (mode != MODE_AUTO || core->actions.count == core->actions.max) {
        tell_not_run(core, service, release, name,
                     mode != MODE_AUTO ? "only auto runs actions"
                                       : "too many actions are under way");
        return;
    }
    struct record *record = core_record_about(core, RECORD_ACTION, service);
    record->release = release;
    record->incident = service->incident;
    record->leaf = leaf;
    text_copy(record->name, sizeof record->name, name);
    uint64_t id = core_tell(core, record);
    struct effect *effect = core_effect(core, EFFECT_RUN);
    effect->service = service->index;
    effect->deadline = core->now + ACTION_PATIENCE_MS;
    effect->run.action = id;
    text_copy(effect->run.name, sizeof effect->run.name, name);
    struct action *action = pool_find(&core->actions, id);
    timer_arm(&core->timers, &action->timer, effect->deadline);
}

void action_answered(struct core *core, const struct input *input)
{
    if (!pool_find(&core->actions, input->done.id)) {
        core->unknown_answers++;
        return;
    }
    tell_done(core, RECORD_ACTION_DONE, input->done.id, input->done.delivered,
              input->done.delivered ? "done" : "failed", input->done.text);
}

void action_due(struct core *core, struct action *action)
{
    assert(action);
    tell_done(core, RECORD_ACTION_DONE, action->id, false, "unclear",
              "nobody knows whether it ran; it is not run twice");
}

void action_apply(struct core *core, const struct record *record)
{
    struct action *action = pool_add(&core->actions, record->sequence);
    assert(action);
    action->id = record->sequence;
    timer_name(&action->timer, TIMER_ACTION, action->id);
}

void action_apply_done(struct core *core, const struct record *record)
{
    struct action *action = pool_find(&core->actions, record->notice);
    if (action) {
        timer_stop(&core->timers, &action->timer);
        pool_remove(&core->actions, action->id);
    }
}
