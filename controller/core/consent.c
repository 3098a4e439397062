#include "controller/core/consent.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

/* After a start the first look is awaited so long, before people are told that
 * the leaf does not stand. */
#define FIRST_LOOK_MS MINUTE_MS

bool consent_counts_down(const struct core *core,
                         const struct rollback *rollback)
{
    return rollback->state == ROLLBACK_PROPOSED && !rollback->manual &&
           !rollback->approved_by[0] && rollback->acts_at > core->now;
}

/* ---- asking ------------------------------------------------------------ */

static const struct release *target_of(const struct core *core,
                                       const struct rollback *rollback)
{
    const struct release *target =
        ledger_last_good(core, release_find(core, rollback->release));
    assert(target); /* an interlock */
    return target;
}

/* Were people asked the same in this incident, less than half an hour ago? */
static bool was_asked(const struct core *core, const struct rollback *rollback)
{
    const struct release *release = release_find(core, rollback->release);
    const struct incident *incident = incident_find(core, rollback->incident);
    return release && incident && release->suggested_in == incident->id &&
           core->now - incident->paged_at < PAGE_REPEAT_MS;
}

static struct record *begin_asking(struct core *core,
                                   const struct rollback *rollback,
                                   const char *code, const char *text)
{
    const struct release *target = target_of(core, rollback);
    struct record *record =
        rollback_begin_move(core, rollback, ROLLBACK_PROPOSED, code, text);
    record->target_release = target->id;
    text_copy(record->target_version, sizeof record->target_version,
              target->version);
    return record;
}

/* What it is about, how to answer, and why: in the order in which it would be
 * missed. */
static void say_proposal(const struct core *core,
                         const struct rollback *rollback, const char *before,
                         const char *answers, char text[RECORD_TEXT_MAX])
{
    const struct service *service = service_at(core, rollback->service);
    const struct watch *watch = watch_of(core, service);
    text_join(text, RECORD_TEXT_MAX, before, "roll back ", service->name,
              " in ", service->environment, " from ", rollback->suspect, " to ",
              target_of(core, rollback)->version, ". ", answers,
              watch->on && watch->values[0] ? ". Because " : "",
              watch->on ? watch->values : "", NULL);
}

#define ANSWERS_TEXT_MAX 160

static void suggest(struct core *core, struct rollback *rollback, bool told)
{
    char id[DIGITS_MAX], answers[ANSWERS_TEXT_MAX], text[RECORD_TEXT_MAX];
    text_digits(rollback->id, id);
    text_join(answers, sizeof answers, "It waits for you: 'lastgood approve ",
              id, "' carries it out, 'lastgood cancel ", id,
              " --reason \"...\"' declines", NULL);
    say_proposal(core, rollback, "proposed: ", answers, text);
    struct record *record = begin_asking(core, rollback, "suggested", text);
    record->mode = MODE_SUGGEST;
    record->countdown = 0;
    core_tell(core, record);
    if (!told) {
        rollback_notify(core, rollback, "proposed", text);
    }
}

/* Each one is told: whoever wants to stop it must hear of it. */
static void count_down(struct core *core, struct rollback *rollback,
                       time_ms countdown, time_ms ends)
{
    char id[DIGITS_MAX], span[DURATION_TEXT_MAX], at[MOMENT_TEXT_MAX];
    char before[128], answers[ANSWERS_TEXT_MAX], text[RECORD_TEXT_MAX];
    text_digits(rollback->id, id);
    text_join(before, sizeof before, "in ",
              duration_print(ends - core->now, span), ", at ",
              describe_moment(ends, at), ": ", NULL);
    text_join(answers, sizeof answers, "'lastgood cancel ", id,
              " --reason \"...\"' stops it, 'lastgood approve ", id,
              "' does it now", NULL);
    say_proposal(core, rollback, before, answers, text);
    struct record *record = begin_asking(core, rollback, "countdown", text);
    record->mode = MODE_COUNTDOWN;
    record->countdown = countdown;
    record->until = ends;
    core_tell(core, record);
    timer_arm(&core->timers, &rollback->ends, rollback->acts_at);
    rollback_notify(core, rollback, "countdown", text);
}

/* Nobody answered for half an hour, and its leaf stands. */
static void repeat(struct core *core, const struct rollback *rollback)
{
    const struct incident *incident = incident_find(core, rollback->incident);
    if (incident && core->now - incident->paged_at >= PAGE_REPEAT_MS) {
        rollback_notify(core, rollback, "proposed", rollback->text);
    }
}

static void ask_for_yes(struct core *core, struct rollback *rollback, bool same)
{
    bool waits = rollback->state == ROLLBACK_PROPOSED;
    if (waits && same && rollback->suggested && rollback->acts_at == 0) {
        repeat(core, rollback);
    } else {
        suggest(core, rollback,
                same && (rollback->suggested || was_asked(core, rollback)));
    }
}

/* A length that grew counts from the same beginning. */
static bool ran_down(struct core *core, struct rollback *rollback,
                     time_ms countdown, bool same)
{
    bool counts =
        rollback->state == ROLLBACK_PROPOSED && same && rollback->acts_at != 0;
    time_ms began = rollback->acts_at - rollback->countdown;
    if (!counts) {
        count_down(core, rollback, countdown, core->now + countdown);
    } else if (began + countdown > core->now &&
               countdown > rollback->countdown) {
        count_down(core, rollback, countdown, began + countdown);
    } else {
        return core->now >= rollback->acts_at;
    }
    return false;
}

bool consent_is_given(struct core *core, struct rollback *rollback,
                      enum mode mode, time_ms countdown)
{
    if (mode == MODE_AUTO) {
        return true;
    }
    assert(mode != MODE_OBSERVE); /* an interlock */
    bool same =
        text_equal(rollback->target, target_of(core, rollback)->version);
    if (same && rollback->approved_by[0]) {
        return true;
    }
    if (mode == MODE_COUNTDOWN) {
        return ran_down(core, rollback, countdown, same);
    }
    ask_for_yes(core, rollback, same);
    return false;
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
    if (!rollback || rollback->state != ROLLBACK_PROPOSED || rollback->manual ||
        rollback->acts_at == 0 || rollback->acts_at > core->now ||
        rollback->waiting != 0) {
        return;
    }
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

static void apply_asked(struct core *core, struct rollback *rollback,
                        const struct record *record)
{
    struct release *release = release_find(core, rollback->release);
    bool counts = text_equal(record->code, "countdown");
    rollback->acts_at = counts ? record->until : 0;
    rollback->overdue = false;
    rollback->suggested |= !counts;
    rollback->approved_by[0] = '\0';
    rollback->target_release = record->target_release;
    text_copy(rollback->target, sizeof rollback->target,
              record->target_version);
    if (release && !counts) {
        release->suggested_in = rollback->incident;
    }
}

void consent_apply_proposed(struct core *core, struct rollback *rollback,
                            const struct record *record)
{
    if (text_equal(record->code, "ordered")) {
        rollback->manual = true;
        rollback->acts_at = 0;
        text_copy(rollback->by, sizeof rollback->by, record->by);
    } else if (text_equal(record->code, "approved")) {
        text_copy(rollback->approved_by, sizeof rollback->approved_by,
                  record->by);
    } else if (text_equal(record->code, "overdue")) {
        rollback->overdue = true;
    } else {
        apply_asked(core, rollback, record);
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
