#include "controller/core/consent.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

/* After a start the first look is awaited so long, before people are told that
 * the leaf does not stand. */
#define FIRST_LOOK_MS MINUTE_MS

bool consent_is_given(const struct core *core, const struct rollback *rollback,
                      enum mode mode)
{
    bool ran_down = rollback->acts_at != 0 && core->now >= rollback->acts_at;
    return mode == MODE_AUTO || (mode == MODE_COUNTDOWN && ran_down) ||
           (mode != MODE_OBSERVE && rollback->approved_by[0]);
}

/* ---- asking ------------------------------------------------------------ */

static void say_proposal(const struct core *core,
                         const struct rollback *rollback,
                         char text[RECORD_TEXT_MAX])
{
    const struct release *suspect = release_find(core, rollback->release);
    const struct release *target = ledger_last_good(core, suspect);
    describe_proposal(core, suspect, target, text);
}

/* Were people asked the same in this incident, less than half an hour ago? */
static bool was_asked(const struct core *core, const struct rollback *rollback)
{
    const struct release *release = release_find(core, rollback->release);
    const struct incident *incident = incident_find(core, rollback->incident);
    return release && incident && release->suggested_in == incident->id &&
           core->now - incident->paged_at < PAGE_REPEAT_MS;
}

static void suggest(struct core *core, struct rollback *rollback)
{
    char id[DIGITS_MAX], what[RECORD_TEXT_MAX], text[RECORD_TEXT_MAX];
    say_proposal(core, rollback, what);
    text_digits(rollback->id, id);
    text_join(text, sizeof text, "proposed: ", what,
              ". It waits for you: 'lastgood approve ", id,
              "' carries it out, 'lastgood cancel ", id,
              " --reason \"...\"' declines", NULL);
    struct record *record = rollback_begin_move(
        core, rollback, ROLLBACK_PROPOSED, "suggested", text);
    record->mode = MODE_SUGGEST;
    record->countdown = 0;
    bool again = rollback->suggested || was_asked(core, rollback);
    core_tell(core, record);
    if (!again) {
        rollback_notify(core, rollback, "proposed", text);
    }
}

/* Each one is told: whoever wants to stop it must hear of it. */
static void count_down(struct core *core, struct rollback *rollback,
                       time_ms countdown)
{
    char id[DIGITS_MAX], span[DURATION_TEXT_MAX], at[MOMENT_TEXT_MAX];
    char what[RECORD_TEXT_MAX], text[RECORD_TEXT_MAX];
    say_proposal(core, rollback, what);
    text_digits(rollback->id, id);
    text_join(text, sizeof text, "in ", duration_print(countdown, span),
              ", at ", describe_moment(core->now + countdown, at), ": ", what,
              ". 'lastgood cancel ", id,
              " --reason \"...\"' stops it, 'lastgood approve ", id,
              "' does it now", NULL);
    struct record *record = rollback_begin_move(
        core, rollback, ROLLBACK_PROPOSED, "countdown", text);
    record->mode = MODE_COUNTDOWN;
    record->countdown = countdown;
    record->until = core->now + countdown;
    core_tell(core, record);
    timer_arm(&core->timers, &rollback->ends, rollback->acts_at);
    rollback_notify(core, rollback, "countdown", text);
}

void consent_ask(struct core *core, struct rollback *rollback, enum mode mode,
                 time_ms countdown)
{
    assert(mode == MODE_SUGGEST || mode == MODE_COUNTDOWN);
    bool waits = rollback->state == ROLLBACK_PROPOSED;
    bool counts = waits && rollback->acts_at != 0;
    if (mode == MODE_COUNTDOWN && !counts) {
        count_down(core, rollback, countdown);
    } else if (mode == MODE_SUGGEST &&
               (counts || !waits || !rollback->suggested)) {
        suggest(core, rollback);
    }
}

/* ---- the end of a countdown -------------------------------------------- */

static void tell_overdue(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    const struct watch *watch = watch_of(core, service);
    char id[DIGITS_MAX], text[RECORD_TEXT_MAX];
    text_join(
        text, sizeof text, "the countdown of the rollback of ", service->name,
        " in ", service->environment, " from ", rollback->suspect,
        " ran down, but the policy does not say so now",
        watch->on && watch->unknowns[0] ? ", unknown: " : "",
        watch->on ? watch->unknowns : "",
        ". It acts when the policy says so again; 'lastgood cancel ",
        text_digits(rollback->id, id), " --reason \"...\"' stops it", NULL);
    struct record *record =
        rollback_begin_move(core, rollback, ROLLBACK_PROPOSED, "overdue", text);
    record->until = rollback->acts_at;
    core_tell(core, record);
    rollback_notify(core, rollback, "overdue", text);
}

static bool awaits_first_look(const struct core *core,
                              const struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    const struct watch *watch = watch_of(core, service);
    return (!watch->on || watch->judged == 0) &&
           core->now < core->started_at + FIRST_LOOK_MS;
}

void consent_due(struct core *core, struct rollback *rollback)
{
    if (!rollback || rollback->state != ROLLBACK_PROPOSED ||
        rollback->acts_at == 0 || rollback->waiting != 0) {
        return;
    }
    assert(core->now >= rollback->acts_at);
    if (rollback_stands(core, rollback)) {
        rollback_weigh_again(core, rollback);
    } else if (awaits_first_look(core, rollback)) {
        timer_arm(&core->timers, &rollback->ends, core->now + SECOND_MS);
    } else if (!rollback->overdue) {
        tell_overdue(core, rollback);
    }
}

void consent_resume(struct core *core, struct rollback *rollback)
{
    if (rollback->state == ROLLBACK_PROPOSED && rollback->acts_at != 0) {
        timer_arm(&core->timers, &rollback->ends,
                  rollback->acts_at > core->now ? rollback->acts_at
                                                : core->now);
    }
}

/* ---- muted ------------------------------------------------------------- */

/* A policy that changed meanwhile has no leaf of which one could say that it
 * is another one: the "no" stands. */
bool consent_is_muted(const struct core *core, const struct release *release)
{
    const struct watch *watch =
        watch_of(core, service_at(core, release->service));
    if (core->now >= release->muted_until) {
        return false;
    }
    const struct policy *policy =
        watch->on ? rule_policy(core, watch->rule) : NULL;
    return release->muted_leaf == NONE_INDEX || !policy ||
           release->muted_leaf == watch->leaf ||
           !text_equal(release->muted_digest, policy->digest);
}

/* ---- records ----------------------------------------------------------- */

void consent_apply_proposed(struct core *core, struct rollback *rollback,
                            const struct record *record)
{
    struct release *release = release_find(core, rollback->release);
    if (text_equal(record->code, "ordered")) {
        rollback->manual = true;
        text_copy(rollback->by, sizeof rollback->by, record->by);
    } else if (text_equal(record->code, "approved")) {
        text_copy(rollback->approved_by, sizeof rollback->approved_by,
                  record->by);
    } else if (text_equal(record->code, "overdue")) {
        rollback->overdue = true;
    } else {
        bool counts = text_equal(record->code, "countdown");
        rollback->acts_at = counts ? record->until : 0;
        rollback->overdue = false;
        rollback->suggested |= !counts;
        if (release && !counts) {
            release->suggested_in = rollback->incident;
        }
    }
}

void consent_apply_muted(struct core *core, const struct record *record)
{
    struct release *release = release_find(core, record->release);
    if (!release) {
        return; /* forgotten meanwhile */
    }
    release->muted_until = record->until;
    release->muted_leaf = record->digest[0] ? record->leaf : NONE_INDEX;
    arena_text(&core->texts, &release->muted_digest, record->digest,
               RECORD_DIGEST_MAX);
    arena_text(&core->texts, &release->muted_by, record->by,
               NAME_MAX_BYTES + 1);
}
