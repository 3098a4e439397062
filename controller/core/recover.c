#include "controller/core/recover.h"

#include <assert.h>

#include "controller/core/inside.h"
#include "controller/core/observe.h"

/* Everything knows what it was about; ask first what is live. */
static void wake_services(struct core *core)
{
    for (uint32_t i = 0; i < core->services_count; i++) {
        struct service *service = &core->services[i];
        /* Not all at once: a few hundred a second. */
        timer_arm(&core->timers, &service->observe, core->now + (time_ms)i * 5);
        reconcile_soon(core, service);
    }
}

static void wake_rollbacks(struct core *core)
{
    for (uint32_t i = 0; i < core->rollbacks.count; i++) {
        struct rollback *rollback = pool_at(&core->rollbacks, i);
        rollback_resume(core, rollback);
        consent_resume(core, rollback);
    }
}

/* Undelivered notices are told again; an action is never run twice. */
static void wake_notices(struct core *core)
{
    for (uint32_t i = 0; i < core->notices.count; i++) {
        struct notice *notice = pool_at(&core->notices, i);
        notice->sent = false;
        timer_arm(&core->timers, &notice->timer, core->now);
    }
    for (uint32_t i = 0; i < core->actions.count; i++) {
        struct action *action = pool_at(&core->actions, i);
        timer_arm(&core->timers, &action->timer, core->now);
    }
}

void recover_start(struct core *core)
{
    assert(!core->started);
    assert(core->pending.count == 0);
    struct record *record = core_record(core, RECORD_STARTED);
    record->epoch = core->epoch + 1;
    text_copy(record->name, sizeof record->name, "lastgood");
    text_copy(record->version, sizeof record->version, core->options.version);
    text_copy(record->text, sizeof record->text, "the controller started");
    core_tell(core, record);
    core->started = true;
    core->started_at = core->now;
    wake_services(core);
    wake_rollbacks(core);
    wake_notices(core);
}

void recover_clock(struct core *core, const struct input *input)
{
    struct record *record = core_record(core, RECORD_CLOCK_SET);
    record->difference = input->difference;
    text_copy(record->text, sizeof record->text,
              "the wall clock was set; no watch time is credited for it");
    core_tell(core, record);
    core->started_at += input->difference;
    timers_shift(&core->timers, input->difference);
    queries_restart(core);
    for (uint32_t i = 0; i < core->services_count; i++) {
        struct service *service = &core->services[i];
        service->observed_at += service->observed_at ? input->difference : 0;
        watch_restart_clock(core, service);
        reconcile_soon(core, service); /* it may begin elsewhere now */
    }
}

/* A watch that begins in the future would not look until then: after the clock
 * went back it begins now, and its deploy settles anew. */
static void begin_now(struct core *core, time_ms at)
{
    for (uint32_t i = 0; i < core->releases.count; i++) {
        struct release *release = pool_at(&core->releases, i);
        if (release_is_active(release) && release->since > at) {
            release->since = at;
        }
    }
}

static void at_most(time_ms *moment, time_ms at)
{
    *moment = *moment > at ? at : *moment;
}

/* The clock went back while nobody ran: what counts from a moment that is to
 * come would wait for it.  Deadlines, budgets and repeats count from now. */
static void count_from_now(struct core *core, time_ms at)
{
    for (uint32_t i = 0; i < core->rollbacks.count; i++) {
        struct rollback *rollback = pool_at(&core->rollbacks, i);
        at_most(&rollback->intended_at, at);
        at_most(&rollback->requested_at, at);
        at_most(&rollback->applied_at, at);
        at_most(&rollback->acts_at, at + rollback->countdown);
    }
    for (uint32_t i = 0; i < core->incidents.count; i++) {
        struct incident *incident = pool_at(&core->incidents, i);
        at_most(&incident->blamed_at, at);
        at_most(&incident->paged_at, at);
        at_most(&incident->closed_at, at);
    }
    for (uint32_t i = 0; i < core->services_count; i++) {
        at_most(&core->services[i].announced_until, at + ANNOUNCED_FOR_MS);
    }
    for (uint32_t i = 0; i < core->releases.count; i++) {
        struct release *release = pool_at(&core->releases, i);
        at_most(&release->muted_until, at + MUTE_MOST_MS);
    }
}

void recover_apply_started(struct core *core, const struct record *record)
{
    assert(core->pending.count == 0);
    core->epoch = record->epoch;
    core->counter = 0;
    begin_now(core, record->at);
    count_from_now(core, record->at);
}

void recover_apply_clock_set(struct core *core, const struct record *record)
{
    for (uint32_t i = 0; i < core->rollbacks.count; i++) {
        rollback_shift(pool_at(&core->rollbacks, i), record->difference);
    }
    for (uint32_t i = 0; i < core->incidents.count; i++) {
        incident_shift(pool_at(&core->incidents, i), record->difference);
    }
    for (uint32_t i = 0; i < core->releases.count; i++) {
        struct release *release = pool_at(&core->releases, i);
        release->muted_until += release->muted_until ? record->difference : 0;
    }
    for (uint32_t i = 0; i < core->services_count; i++) {
        struct service *service = &core->services[i];
        service->announced_until +=
            service->announced_until ? record->difference : 0;
    }
    begin_now(core, record->at);
}

static void stop_file(struct core *core, bool stop)
{
    if (core->stopped == stop) {
        return;
    }
    struct record *record = core_record(core, RECORD_STOP_FILE);
    record->on = stop;
    text_copy(record->text, sizeof record->text,
              stop ? "the STOP file stands: nothing is rolled back"
                   : "the STOP file is gone");
    core_tell(core, record);
}

void recover_file(struct core *core, const struct input *input)
{
    if (input->kind == INPUT_STOP_FILE) {
        stop_file(core, input->stop);
    } else {
        core->store_is_down = input->store_is_down;
    }
}
