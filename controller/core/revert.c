/* From a durable intent to the target version live: observe, request, poll.
 * Nothing is requested before the live version was seen to be the suspect. */
#include "controller/core/rollback.h"

#include <assert.h>

#include "controller/core/inside.h"
#include "controller/core/observe.h"

static time_ms give_up_at(const struct core *core,
                          const struct rollback *rollback)
{
    time_ms from =
        rollback->requested_at ? rollback->requested_at : rollback->intended_at;
    return from + service_deadline(core, service_at(core, rollback->service));
}

static void wait_for(struct core *core, struct rollback *rollback, time_ms span)
{
    timer_arm(&core->timers, &rollback->timer, core->now + span);
}

static time_ms backoff(const struct core *core, const struct rollback *rollback,
                       uint32_t failures)
{
    time_ms span = REVERT_BACKOFF_MS << (failures < 6 ? failures : 6);
    span = span < 30 * SECOND_MS ? span : 30 * SECOND_MS;
    return core_jitter(core, rollback->id, failures, span);
}

/* ---- asking ------------------------------------------------------------ */

static void observe(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    struct effect *effect =
        pending_ask(core, EFFECT_OBSERVE, PENDING_ROLLBACK, rollback->id,
                    service_timeout(core, service) + SECOND_MS);
    effect->service = service->index;
    /* What it sees must be fresh when the revert leaves, and that waits for
     * the intent: so this waits for it too. */
    effect->needs = rollback->intended;
    effect->target.urgent = true;
    rollback->waiting = effect->id.counter;
    rollback->asked = EFFECT_OBSERVE;
}

static void make_key(const struct rollback *rollback, char *ret_key,
                     size_t size)
{
    char id[DIGITS_MAX], at[DIGITS_MAX];
    text_join(ret_key, size, "lastgood-", text_digits(rollback->id, id), "-",
              text_digits((uint64_t)rollback->first_intended_at, at), NULL);
}

static void request(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    if (rollback->state == ROLLBACK_INTENDED) {
        char text[RECORD_TEXT_MAX];
        text_join(text, sizeof text, rollback->suspect, " is live; asking for ",
                  rollback->target, NULL);
        rollback_tell_moved(core, rollback, ROLLBACK_REQUESTED, "requested",
                            text);
    }
    struct effect *effect =
        pending_ask(core, EFFECT_REVERT, PENDING_ROLLBACK, rollback->id,
                    service_timeout(core, service) + SECOND_MS);
    effect->service = service->index;
    effect->needs = rollback->intended;
    effect->target.urgent = true;
    effect->target.rollback = rollback->id;
    text_copy(effect->target.suspect, sizeof effect->target.suspect,
              rollback->suspect);
    text_copy(effect->target.target, sizeof effect->target.target,
              rollback->target);
    make_key(rollback, effect->target.key, sizeof effect->target.key);
    rollback->waiting = effect->id.counter;
    rollback->asked = EFFECT_REVERT;
    rollback->attempts++;
}

/* ---- ending ------------------------------------------------------------ */

static void fail(struct core *core, struct rollback *rollback, const char *code,
                 const char *what, const char *detail)
{
    char text[RECORD_TEXT_MAX];
    const struct service *service = service_at(core, rollback->service);
    text_join(text, sizeof text, "the rollback of ", service->name, " in ",
              service->environment, " from ", rollback->suspect, " to ",
              rollback->target, " failed: ", what, detail,
              ". It is not tried again; look at the deployment now", NULL);
    rollback_end(core, rollback, ROLLBACK_FAILED, code, text);
}

static void fail_raced(struct core *core, struct rollback *rollback,
                       const char *live)
{
    char detail[2 * NAME_MAX_BYTES];
    text_join(detail, sizeof detail, live, ", neither of the two", NULL);
    fail(core, rollback, "raced", "live is ", detail);
}

static void give_up(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    if (rollback->after_race) {
        fail(core, rollback, "raced", "the target said that live is not ",
             rollback->suspect);
    } else if (rollback->failures > 0) {
        fail(core, rollback, "unobservable",
             "the target does not say what is "
             "live: ",
             service->observe_error);
    } else if (rollback->state == ROLLBACK_IN_PROGRESS) {
        fail(core, rollback, "incomplete", rollback->target,
             " did not become live and complete in time");
    } else {
        fail(core, rollback, "unreachable", rollback->suspect,
             " is still live after the time that a deploy "
             "may take");
    }
}

static void applied(struct core *core, struct rollback *rollback)
{
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, rollback->target, " is live and complete",
              NULL);
    rollback_tell_moved(core, rollback, ROLLBACK_APPLIED, "applied", text);
    rollback_tell_moved(core, rollback, ROLLBACK_VERIFYING, "verifying",
                        "watching whether the trouble ends");
    timer_arm(&core->timers, &rollback->timer, core->now);
}

/* ---- what was seen ----------------------------------------------------- */

static void target_is_live(struct core *core, struct rollback *rollback,
                           bool complete)
{
    if (complete) {
        applied(core, rollback);
        return;
    }
    if (rollback->state != ROLLBACK_IN_PROGRESS) {
        rollback_tell_moved(core, rollback, ROLLBACK_IN_PROGRESS, "in_progress",
                            "the target version is coming up");
    }
    wait_for(core, rollback, PROGRESS_POLL_MS);
}

static void suspect_is_live(struct core *core, struct rollback *rollback)
{
    if (rollback->state == ROLLBACK_IN_PROGRESS) {
        wait_for(core, rollback, PROGRESS_POLL_MS);
    } else if (core->now >= give_up_at(core, rollback)) {
        give_up(core, rollback); /* decided so long ago that it is stale */
    } else if (core->stopped) {
        fail(core, rollback, "stopped", "the STOP file stands", "");
    } else if (rollback->after_race) {
        fail(core, rollback, "raced", "the target said that live is not ",
             rollback->suspect);
    } else if (rollback->attempts >= REVERT_ATTEMPTS_MAX) {
        fail(core, rollback, "unreachable", "the target did not answer ",
             "clearly, and the suspect is still live");
    } else {
        request(core, rollback);
    }
}

static void seen(struct core *core, struct rollback *rollback,
                 const struct input *input)
{
    struct service *service = service_at(core, rollback->service);
    rollback->failures = 0;
    if (!observe_take(core, service, input)) {
        wait_for(core, rollback, 0);
    } else if (text_equal(input->target.version, rollback->target)) {
        target_is_live(core, rollback, input->target.complete);
    } else if (text_equal(input->target.version, rollback->suspect)) {
        suspect_is_live(core, rollback);
    } else {
        fail_raced(core, rollback, input->target.version);
    }
}

static void not_seen(struct core *core, struct rollback *rollback,
                     const struct input *input)
{
    struct service *service = service_at(core, rollback->service);
    rollback->failures++;
    observe_note_failure(core, service, input);
    wait_for(core, rollback, backoff(core, rollback, rollback->failures));
}

static void reverted(struct core *core, struct rollback *rollback,
                     const struct input *input)
{
    const char *text = input->target.text ? input->target.text : "";
    switch (input->target.result) {
    case TARGET_ACCEPTED:
        rollback_tell_moved(core, rollback, ROLLBACK_IN_PROGRESS, "accepted",
                            text[0] ? text : "the target said yes");
        wait_for(core, rollback, PROGRESS_POLL_MS / 4);
        break;
    case TARGET_RACED:
        rollback->after_race = true;
        wait_for(core, rollback, 0);
        break;
    case TARGET_REJECTED:
        fail(core, rollback, "rejected", "the target refused: ", text);
        break;
    case TARGET_UNCLEAR:
    case TARGET_OBSERVED:
        wait_for(core, rollback, backoff(core, rollback, rollback->attempts));
        break;
    }
}

void revert_answered(struct core *core, struct rollback *rollback,
                     enum effect_kind asked, const struct input *input)
{
    if (!rollback_is_under_way(rollback) ||
        rollback->state == ROLLBACK_VERIFYING) {
        return;
    }
    rollback->looked |= asked == EFFECT_OBSERVE;
    if (asked == EFFECT_REVERT) {
        reverted(core, rollback, input);
    } else if (observe_is_clear(input)) {
        seen(core, rollback, input);
    } else {
        not_seen(core, rollback, input);
    }
}

/* ---- time -------------------------------------------------------------- */

void rollback_due(struct core *core, struct rollback *rollback)
{
    assert(rollback);
    if (rollback->state == ROLLBACK_PROPOSED && rollback->manual) {
        rollback_order_due(core, rollback);
        return;
    }
    if (!rollback_is_under_way(rollback)) {
        return;
    }
    if (rollback->state == ROLLBACK_APPLIED) {
        rollback_tell_moved(core, rollback, ROLLBACK_VERIFYING, "verifying",
                            "watching whether the trouble ends");
        timer_arm(&core->timers, &rollback->timer, core->now);
    } else if (rollback->state == ROLLBACK_VERIFYING) {
        verify_due(core, rollback);
    } else if (core->now >= give_up_at(core, rollback) && rollback->looked) {
        give_up(core, rollback);
    } else if (rollback->waiting == 0) {
        observe(core, rollback);
    }
}

void rollback_resume(struct core *core, struct rollback *rollback)
{
    if (rollback_is_under_way(rollback) ||
        (rollback->state == ROLLBACK_PROPOSED && rollback->manual)) {
        timer_arm(&core->timers, &rollback->timer, core->now);
    }
}
