#include "controller/core/rollback.h"

#include <assert.h>

#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"
#include "controller/core/observe.h"

#define CAN(state) (1u << ROLLBACK_##state)

static const uint32_t moves[] = {
    [ROLLBACK_PROPOSED] =
        CAN(PROPOSED) | CAN(INTENDED) | CAN(REFUSED) | CAN(CANCELLED),
    [ROLLBACK_INTENDED] =
        CAN(REQUESTED) | CAN(IN_PROGRESS) | CAN(APPLIED) | CAN(FAILED),
    [ROLLBACK_REQUESTED] = CAN(IN_PROGRESS) | CAN(APPLIED) | CAN(FAILED),
    [ROLLBACK_IN_PROGRESS] = CAN(APPLIED) | CAN(FAILED),
    [ROLLBACK_APPLIED] = CAN(VERIFYING),
    [ROLLBACK_VERIFYING] =
        CAN(RECOVERED) | CAN(NOT_RECOVERED) | CAN(UNVERIFIED),
    [ROLLBACK_RECOVERED] = 0,
    /* Decided anew at each look: refused for another reason, or allowed, or
     * proposed again because only the mode stands between. */
    [ROLLBACK_REFUSED] =
        CAN(REFUSED) | CAN(INTENDED) | CAN(PROPOSED) | CAN(CANCELLED),
    [ROLLBACK_CANCELLED] = 0,
    [ROLLBACK_FAILED] = 0,
    [ROLLBACK_NOT_RECOVERED] = 0,
    [ROLLBACK_UNVERIFIED] = 0,
};

struct rollback *rollback_find(const struct core *core, uint64_t id)
{
    return id ? pool_find(&core->rollbacks, id) : NULL;
}

bool rollback_can(const struct rollback *rollback, enum rollback_state next)
{
    assert(rollback->state < sizeof moves / sizeof moves[0]);
    return moves[rollback->state] >> next & 1u;
}

bool rollback_is_under_way(const struct rollback *rollback)
{
    return rollback->state >= ROLLBACK_INTENDED &&
           rollback->state <= ROLLBACK_VERIFYING;
}

bool rollback_is_spent(const struct rollback *rollback)
{
    return rollback->intended_at != 0;
}

struct record *rollback_begin_move(struct core *core,
                                   const struct rollback *rollback,
                                   enum rollback_state next, const char *code,
                                   const char *text)
{
    assert(rollback_can(rollback, next));
    struct record *record = core_record_about(
        core, RECORD_ROLLBACK_MOVED, service_at(core, rollback->service));
    record->rollback = rollback->id;
    record->incident = rollback->incident;
    record->release = rollback->release;
    record->target_release = rollback->target_release;
    text_copy(record->version, sizeof record->version, rollback->suspect);
    text_copy(record->target_version, sizeof record->target_version,
              rollback->target);
    record->rollback_state = next;
    record->mode = rollback->mode;
    record->countdown = rollback->countdown;
    text_copy(record->code, sizeof record->code, code);
    text_copy(record->by, sizeof record->by, rollback->by);
    text_copy(record->text, sizeof record->text, text);
    return record;
}

void rollback_tell_moved(struct core *core, const struct rollback *rollback,
                         enum rollback_state next, const char *code,
                         const char *text)
{
    core_tell(core, rollback_begin_move(core, rollback, next, code, text));
}

void rollback_stop_waiting(struct core *core, struct rollback *rollback)
{
    pending_drop(core, rollback->waiting);
    rollback->waiting = 0;
}

static void shift(time_ms *moment, time_ms difference)
{
    *moment += *moment ? difference : 0;
}

void rollback_shift(struct rollback *rollback, time_ms difference)
{
    shift(&rollback->proposed_at, difference);
    shift(&rollback->acts_at, difference);
    shift(&rollback->intended_at, difference);
    shift(&rollback->requested_at, difference);
    shift(&rollback->applied_at, difference);
    shift(&rollback->ended_at, difference);
}

/* ---- records ----------------------------------------------------------- */

/* The oldest that is over makes room. */
static void make_room(struct core *core)
{
    if (core->rollbacks.count < core->rollbacks.max) {
        return;
    }
    for (uint32_t i = 0; i < core->rollbacks.count; i++) {
        struct rollback *rollback = pool_at(&core->rollbacks, i);
        const struct release *release = release_find(core, rollback->release);
        const struct service *service = service_at(core, rollback->service);
        if (!rollback_is_under_way(rollback) &&
            service->put_live != rollback->id &&
            (!release || release->rollback != rollback->id)) {
            timer_stop(&core->timers, &rollback->timer);
            timer_stop(&core->timers, &rollback->ends);
            rollback_stop_waiting(core, rollback);
            pool_remove(&core->rollbacks, rollback->id);
            return;
        }
    }
}

void rollback_apply_proposed(struct core *core, const struct record *record)
{
    struct service *service =
        service_take(core, record->service, record->environment);
    assert(service);
    make_room(core);
    struct rollback *rollback = pool_add(&core->rollbacks, record->sequence);
    assert(rollback);
    rollback->id = record->sequence;
    rollback->incident = record->incident;
    rollback->release = record->release;
    rollback->target_release = record->target_release;
    rollback->service = service->index;
    rollback->rule = NONE_INDEX;
    rollback->manual = record->by[0] != '\0';
    rollback->leaf = rollback->manual ? NONE_INDEX : record->leaf;
    rollback->state = ROLLBACK_PROPOSED;
    rollback->mode = record->mode;
    rollback->countdown = record->countdown;
    rollback->proposed_at = record->at;
    text_copy(rollback->suspect, sizeof rollback->suspect, record->version);
    text_copy(rollback->target, sizeof rollback->target,
              record->target_version);
    text_copy(rollback->digest, sizeof rollback->digest, record->digest);
    text_copy(rollback->by, sizeof rollback->by, record->by);
    text_copy(rollback->text, sizeof rollback->text, record->text);
    timer_name(&rollback->timer, TIMER_ROLLBACK, rollback->id);
    timer_name(&rollback->ends, TIMER_COUNTDOWN, rollback->id);
    core->rollbacks_by_state[ROLLBACK_PROPOSED]++;
    struct release *release = release_find(core, record->release);
    if (release) {
        release->rollback = rollback->id;
    }
}

/* Rollback, taint and freeze: one record, so that there is never one without
 * the others. */
static void intend(struct core *core, struct rollback *rollback,
                   const struct record *record)
{
    struct service *service = service_at(core, rollback->service);
    struct release *release = release_find(core, rollback->release);
    assert(service->rollback == 0);
    rollback->intended_at = record->at;
    rollback->first_intended_at = record->at;
    rollback->intended = record->sequence;
    rollback->target_release = record->target_release;
    rollback->manual = record->by[0] != '\0';
    text_copy(rollback->by, sizeof rollback->by, record->by);
    text_copy(rollback->target, sizeof rollback->target,
              record->target_version);
    service->rollback = rollback->id;
    struct incident *incident = incident_find(core, rollback->incident);
    if (incident) {
        incident->rollback = rollback->id;
    }
    if (release) {
        rollback->rule = rule_take(core, release->rule);
        release->grade = GRADE_TAINTED;
        release_move(core, release, RELEASE_REVERTING);
    }
    if (record->until > record->at) {
        freeze_add(core, record);
        rollback->freeze = record->sequence;
    }
}

static void put_live(struct core *core, const struct rollback *rollback)
{
    struct service *service = service_at(core, rollback->service);
    service->put_live = rollback->id;
    struct release *release = release_find(core, rollback->release);
    if (release && release->state == RELEASE_REVERTING) {
        release_move(core, release, RELEASE_REVERTED);
    }
    struct release *target = release_find(core, rollback->target_release);
    if (target) {
        target->live_until = 0;
    }
}

static void end(struct core *core, struct rollback *rollback)
{
    struct service *service = service_at(core, rollback->service);
    assert(service->rollback == rollback->id);
    service->rollback = 0;
    struct release *release = release_find(core, rollback->release);
    if (rollback->state == ROLLBACK_FAILED && release &&
        release->state == RELEASE_REVERTING) {
        release_move(core, release, RELEASE_SUSPECT);
    }
    uint16_t rule = rollback->rule;
    rollback->rule = NONE_INDEX;
    reconcile_soon(core, service);
    rule_leave(core, rule);
}

static void note_time(struct rollback *rollback, time_ms at)
{
    switch (rollback->state) {
    case ROLLBACK_REQUESTED:
    case ROLLBACK_IN_PROGRESS:
        rollback->requested_at =
            rollback->requested_at ? rollback->requested_at : at;
        break;
    case ROLLBACK_APPLIED:
        rollback->applied_at = at;
        break;
    case ROLLBACK_RECOVERED:
    case ROLLBACK_REFUSED:
    case ROLLBACK_CANCELLED:
    case ROLLBACK_FAILED:
    case ROLLBACK_NOT_RECOVERED:
    case ROLLBACK_UNVERIFIED:
        rollback->ended_at = at;
        break;
    case ROLLBACK_PROPOSED:
    case ROLLBACK_INTENDED:
        rollback->ended_at = 0;
        break;
    case ROLLBACK_VERIFYING:
        break;
    }
}

/* Whoever said yes is asked again when it is allowed. */
static void refuse(struct rollback *rollback, const struct record *record)
{
    rollback->refusals |= 1u << refusal_of_code(record->code);
    rollback->acts_at = 0;
    rollback->overdue = false;
    rollback->approved_by[0] = '\0';
}

void rollback_apply_moved(struct core *core, const struct record *record)
{
    struct rollback *rollback = rollback_find(core, record->rollback);
    if (!rollback) {
        return; /* forgotten meanwhile */
    }
    enum rollback_state next = record->rollback_state;
    assert(rollback_can(rollback, next));
    bool was_under_way = rollback_is_under_way(rollback);
    rollback->state = next;
    rollback->mode = record->mode;
    rollback->countdown = record->countdown;
    core->rollbacks_by_state[next]++;
    text_copy(rollback->code, sizeof rollback->code, record->code);
    text_copy(rollback->text, sizeof rollback->text, record->text);
    note_time(rollback, record->at);
    if (next != ROLLBACK_PROPOSED) {
        timer_stop(&core->timers, &rollback->ends);
    }
    if (next == ROLLBACK_PROPOSED) {
        consent_apply_proposed(core, rollback, record);
    } else if (next == ROLLBACK_REFUSED) {
        refuse(rollback, record);
    } else if (next == ROLLBACK_INTENDED) {
        intend(core, rollback, record);
    } else if (next == ROLLBACK_APPLIED) {
        put_live(core, rollback);
    } else if (next == ROLLBACK_VERIFYING) {
        reconcile_soon(core, service_at(core, rollback->service));
    } else if (was_under_way && !rollback_is_under_way(rollback)) {
        end(core, rollback);
    }
}
