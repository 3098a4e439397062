#include "controller/core/observe.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/forget.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

/* ---- asking ------------------------------------------------------------ */

static const struct release *awaited(const struct core *core,
                                     const struct service *service)
{
    if (service->releases_count == 0) {
        return NULL;
    }
    const struct release *newest =
        ledger_at(core, service, service->releases_count - 1);
    bool rolls_out =
        (release_is_active(newest) && newest->live_from == 0) ||
        (ledger_live(core, service) == newest && !service->complete);
    time_ms until = newest->deployed_at > newest->registered_at
                        ? newest->deployed_at
                        : newest->registered_at;
    until += service_deadline(core, service);
    return rolls_out && core->now < until ? newest : NULL;
}

static time_ms interval(const struct core *core, const struct service *service)
{
    const struct release *newest = awaited(core, service);
    if (service->rollback) {
        return 15 * SECOND_MS;
    }
    const struct policy *policy =
        newest ? rule_policy(core, newest->rule) : NULL;
    time_ms usual = newest ? policy ? policy->watch.every : 15 * SECOND_MS
                           : OBSERVE_EVERY_MS;
    if (service->failures == 0) {
        return usual;
    }
    uint32_t doublings = service->failures < 6 ? service->failures : 6;
    time_ms backoff = core_jitter(core, service->index, service->failures,
                                  5 * SECOND_MS << doublings);
    return backoff < usual ? backoff : usual;
}

/* Registered, and not live when the deploy should be over: said once. */
static void tell_late(struct core *core, const struct service *service)
{
    const struct release *newest =
        service->releases_count > 0
            ? ledger_at(core, service, service->releases_count - 1)
            : NULL;
    if (!newest || newest->late || newest->live_from != 0 ||
        !release_is_active(newest) || newest->origin != ORIGIN_REGISTERED ||
        core->now < newest->registered_at + service_deadline(core, service)) {
        return;
    }
    char name[RELEASE_TEXT_MAX], span[DURATION_TEXT_MAX];
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, describe_release(core, newest, name),
              " was registered and is not live after ",
              duration_print(service_deadline(core, service), span),
              service->live[0] ? ": live is " : "", service->live,
              service->observe_error[0] ? "; the target says: " : "",
              service->observe_error, ". Look at the deploy", NULL);
    notice_tell(core, service, NULL, NONE_INDEX, newest->id, "not_live", text);
}

void observe_due(struct core *core, struct service *service)
{
    tell_late(core, service);
    /* Regular observations are spread, or all services are asked at once. */
    time_ms next = interval(core, service);
    if (next == OBSERVE_EVERY_MS) {
        next = core_jitter(core, service->index, service->failures,
                           OBSERVE_EVERY_MS);
    }
    timer_arm(&core->timers, &service->observe, core->now + next);
    if (service->observing || service_target(core, service) == NONE_INDEX) {
        return;
    }
    struct effect *effect =
        pending_ask(core, EFFECT_OBSERVE, PENDING_OBSERVE, service->index,
                    service_timeout(core, service) + SECOND_MS);
    effect->service = service->index;
    service->observing = effect->id.counter;
}

void observe_soon(struct core *core, struct service *service)
{
    timer_pull(&core->timers, &service->observe, core->now);
}

bool observe_is_clear(const struct input *input)
{
    return input->target.result == TARGET_OBSERVED && input->target.version &&
           name_is_valid(input->target.version);
}

static const char *observe_failure(const struct input *input)
{
    if (input->target.result == TARGET_OBSERVED) {
        return "the version that it names is not a version";
    }
    return input->target.text ? input->target.text : "no answer";
}

void observe_note_failure(struct core *core, struct service *service,
                          const struct input *input)
{
    arena_text(&core->texts, &service->observe_error, observe_failure(input),
               OBSERVE_ERROR_MAX);
}

void observe_answered(struct core *core, struct service *service,
                      const struct input *input)
{
    service->observing = 0;
    if (!observe_is_clear(input)) {
        service->failures++;
        observe_note_failure(core, service, input);
    } else {
        (void)observe_take(core, service, input);
    }
    timer_pull(&core->timers, &service->observe,
               core->now + interval(core, service));
}

/* While a deploy or a rollback rolls out, an instance that goes may still
 * answer: that does not bring back what is over, and shows nobody live. */
static bool is_straggler(const struct core *core, const struct service *service,
                         const char *version, bool complete)
{
    const struct rollback *rollback = rollback_find(core, service->rollback);
    if (complete || text_equal(version, service->live) ||
        (rollback && text_equal(version, rollback->target))) {
        return false;
    }
    const struct release *old = ledger_version(core, service, version);
    return ledger_live(core, service) && old && !release_is_active(old);
}

void observe_learn(struct core *core, struct service *service,
                   const char *version, bool complete)
{
    service->failures = 0;
    arena_text(&core->texts, &service->observe_error, "", OBSERVE_ERROR_MAX);
    if (is_straggler(core, service, version, complete)) {
        return;
    }
    service->observed_at = core->now;
    if (text_equal(service->live, version) && service->complete == complete) {
        return;
    }
    struct record *record = core_record_about(core, RECORD_OBSERVED, service);
    text_copy(record->version, sizeof record->version, version);
    record->complete = complete;
    core_tell(core, record);
    struct rollback *rollback = rollback_find(core, service->rollback);
    if (rollback && rollback->state == ROLLBACK_VERIFYING) {
        timer_arm(&core->timers, &rollback->timer, core->now);
    }
}

bool observe_take(struct core *core, struct service *service,
                  const struct input *input)
{
    assert(observe_is_clear(input));
    uint32_t asked = input->target.id.counter;
    if (asked < service->learned) {
        return false;
    }
    service->learned = asked;
    observe_learn(core, service, input->target.version, input->target.complete);
    return true;
}

/* ---- squaring ---------------------------------------------------------- */

void reconcile_soon(struct core *core, struct service *service)
{
    timer_pull(&core->timers, &service->reconcile, core->now);
}

/* Live again shortly after an observation ended its watch: the same deploy,
 * seen through several instances.  It goes on. */
static struct release *interrupted(const struct core *core,
                                   const struct service *service)
{
    struct release *release = ledger_version(core, service, service->live);
    bool goes_on =
        release && release->state == RELEASE_SUPERSEDED &&
        release->grade != GRADE_TAINTED &&
        release->origin == ORIGIN_REGISTERED &&
        core->now - release->deployed_at < service_deadline(core, service);
    return goes_on ? release : NULL;
}

/* Was nothing of the service ever seen live before this? */
static bool is_first_sight(const struct core *core,
                           const struct service *service)
{
    bool is_first = true;
    for (uint32_t i = 0; i < service->releases_count; i++) {
        is_first = is_first && ledger_at(core, service, i)->live_from == 0;
    }
    return is_first;
}

/* When was what is live deployed?  Seen for the first time while a registered
 * release rolls out, it is what that replaces, whichever came to our ears
 * first. */
static time_ms discovered_at(const struct core *core,
                             const struct service *service)
{
    const struct release *coming = awaited(core, service);
    bool replaces =
        coming && coming->live_from == 0 && is_first_sight(core, service) &&
        core->now < coming->deployed_at + service_deadline(core, service);
    return replaces ? coming->deployed_at - 1 : core->now;
}

static bool discover(struct core *core, struct service *service)
{
    struct release *again = interrupted(core, service);
    if (again) {
        release_tell_moved(core, again, RELEASE_WATCHING, again->grade,
                           "live_again", "seen live again");
        return true;
    }
    if (!forget_has_room(core, service, 1)) {
        return false;
    }
    struct record *record = core_record_about(core, RECORD_REGISTERED, service);
    text_copy(record->version, sizeof record->version, service->live);
    record->origin = ORIGIN_DISCOVERED;
    record->deployed_at = discovered_at(core, service);
    text_copy(record->text, sizeof record->text,
              "seen live; nobody registered it");
    core_tell(core, record);
    return true;
}

static void supersede(struct core *core, const struct release *release,
                      const struct release *live)
{
    char text[RECORD_TEXT_MAX];
    uint64_t id = release->id;
    text_join(text, sizeof text, live->version, " is live", NULL);
    release_tell_moved(core, release, RELEASE_SUPERSEDED, release->grade,
                       "observed", text);
    rollback_withdraw(core, release_find(core, id), "superseded",
                      "the release is no longer live");
}

static bool is_over(const struct release *release, const struct release *live)
{
    return release != live && release_is_active(release) &&
           release->state != RELEASE_REVERTING &&
           (ledger_is_older(release, live) || release->live_from != 0);
}

/* At most this many at once, the rest in the next tick: each may withdraw a
 * rollback, and one of those a person's, who is told. */
#define SUPERSEDE_MAX 3

static bool supersede_others(struct core *core, struct service *service,
                             const struct release *live)
{
    int done = 0;
    for (uint32_t i = 0; i < service->releases_count; i++) {
        const struct release *release = ledger_at(core, service, i);
        if (!is_over(release, live)) {
            continue;
        }
        if (done == SUPERSEDE_MAX) {
            return true;
        }
        supersede(core, release, live);
        done++;
    }
    return done > 0;
}

/* A rollback put it live: it is what it was before. */
static bool restore(struct core *core, const struct service *service,
                    const struct release *live)
{
    if (live->state != RELEASE_SUPERSEDED || service->put_live == 0) {
        return false;
    }
    enum release_state state =
        live->grade == GRADE_GOOD ? RELEASE_GOOD : RELEASE_WATCHING;
    release_tell_moved(core, live, state, live->grade, "put_live",
                       "a rollback put it live again");
    return true;
}

static bool begin_watch(struct core *core, const struct release *live)
{
    bool has_policy = live->rule != NONE_INDEX;
    bool begins = live->state == RELEASE_CANDIDATE ||
                  (live->state == RELEASE_UNWATCHED && has_policy);
    bool ends = !has_policy && release_is_judged(live);
    if (begins && has_policy) {
        release_tell_moved(core, live, RELEASE_WATCHING, live->grade, "live",
                           "seen live; watching");
    } else if ((begins && live->state == RELEASE_CANDIDATE) || ends) {
        release_tell_moved(core, live, RELEASE_UNWATCHED, live->grade,
                           "no_policy", "no policy matches");
        rollback_withdraw(core, live, "no_policy",
                          "no policy says so any more");
    } else {
        return false;
    }
    return true;
}

static bool step_ledger(struct core *core, struct service *service)
{
    struct release *live = ledger_live(core, service);
    if (!live) {
        return discover(core, service);
    }
    return supersede_others(core, service, live) ||
           restore(core, service, live) || begin_watch(core, live);
}

void reconcile_due(struct core *core, struct service *service)
{
    /* While a rollback is under way its own observations decide. */
    bool squares = service->live[0] && service->rollback == 0;
    if (squares && step_ledger(core, service)) {
        reconcile_soon(core, service); /* one kind of move a tick */
        timer_pull(&core->timers, &service->observe,
                   core->now + interval(core, service));
    } else {
        watch_reconcile(core, service);
    }
}
