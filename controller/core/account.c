/* The watch clock and what follows from it: grades, the end of the watch,
 * blindness, and the end of a quiet incident. */
#include "controller/core/watch.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

/* Seen live and complete, lately enough to believe it. */
static bool is_seen(const struct core *core, const struct service *service,
                    const struct watch *watch)
{
    const struct release *live = ledger_live(core, service);
    return live && live->id == watch->release && service->complete &&
           service->observed_at != 0 &&
           core->now - service->observed_at <= 3 * OBSERVE_EVERY_MS;
}

static bool is_healthy(const struct policy *policy, const struct watch *watch)
{
    const struct leaf *leaf = policy_leaf(policy, watch->leaf);
    return watch->root != ANSWER_UNKNOWN &&
           (leaf->kind == LEAF_HEALTHY || leaf->blames_nobody);
}

/* More than any policy may ask for: a broken exporter may say anything. */
#define REQUESTS_MAX 1e15

static double add_requests(const struct core *core, const struct policy *policy,
                           double before)
{
    uint16_t node = policy->watch.requests_node;
    if (node == NONE_INDEX || core->verdict.values[node].unknown != KNOWN ||
        core->verdict.values[node].number <= 0) {
        return before;
    }
    double sum = before + core->verdict.values[node].number *
                              (double)policy->watch.every / (double)SECOND_MS;
    return sum < REQUESTS_MAX ? sum : REQUESTS_MAX;
}

static void note_root(struct watch *watch, const struct policy *policy,
                      time_ms g)
{
    if (watch->root != ANSWER_UNKNOWN) {
        watch->unknown_since = 0;
        watch->known_root = watch->root;
    } else if (watch->unknown_since == 0 &&
               g > watch->since + policy->watch.settle + policy->root_window) {
        watch->unknown_since = g;
    }
    if (watch->root != ANSWER_NO) {
        watch->quiet_since = 0;
    } else if (watch->quiet_since == 0) {
        watch->quiet_since = g;
    }
}

void account_look(struct core *core, struct service *service, time_ms g)
{
    struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    note_root(watch, policy, g);
    if (g <= watch->since + policy->watch.settle) {
        return;
    }
    watch->looks++;
    if (watch->root != ANSWER_UNKNOWN) {
        watch->known_looks++;
        watch->requests = add_requests(core, policy, watch->requests);
    }
    if (is_healthy(policy, watch) && is_seen(core, service, watch)) {
        watch->healthy += policy->watch.every;
    }
}

/* ---- what is due ------------------------------------------------------- */

static bool has_needs(const struct policy *policy, const struct watch *watch)
{
    double share =
        watch->looks ? (double)watch->known_looks / (double)watch->looks : 0;
    return share >= policy->watch.needs_known &&
           watch->requests >= policy->watch.needs_requests;
}

static bool becomes_good(const struct policy *policy, const struct watch *watch,
                         const struct release *release)
{
    return release->state == RELEASE_WATCHING &&
           release->grade != GRADE_TAINTED &&
           watch->healthy >= policy->watch.lasts && has_needs(policy, watch);
}

static bool becomes_provisional(const struct policy *policy,
                                const struct watch *watch,
                                const struct release *release)
{
    return release->state == RELEASE_WATCHING && release->grade == GRADE_NONE &&
           watch->healthy >= policy->watch.provisional;
}

/* Counted in looks, not in wall time: a clock that jumps ends no watch. */
static bool saw_too_little(const struct policy *policy,
                           const struct watch *watch,
                           const struct release *release)
{
    return release->state == RELEASE_WATCHING &&
           (time_ms)watch->looks * policy->watch.every >= policy->watch.at_most;
}

static bool turns_blind(const struct watch *watch,
                        const struct release *release)
{
    return !release->blind && watch->unknown_since != 0 &&
           watch->judged - watch->unknown_since >= BLIND_AFTER_MS;
}

static bool sees_again(const struct watch *watch, const struct release *release)
{
    return release->blind && watch->root != ANSWER_UNKNOWN;
}

static bool is_quiet(const struct core *core, const struct service *service,
                     const struct watch *watch)
{
    const struct incident *incident = incident_find(core, service->incident);
    return incident && incident->rollback == 0 && watch->quiet_since != 0 &&
           watch->judged - watch->quiet_since >= INCIDENT_QUIET_MS;
}

/* However healthy it was: not in trouble, though a person closed the incident,
 * and not while it comes or goes. */
static bool may_rise(const struct core *core, const struct service *service,
                     const struct watch *watch)
{
    return is_healthy(rule_policy(core, watch->rule), watch) &&
           is_seen(core, service, watch);
}

bool account_is_due(const struct core *core, const struct service *service)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    const struct release *release = release_find(core, watch->release);
    assert(release);
    if (core->store_is_down) {
        return false; /* going forward needs a record */
    }
    return (may_rise(core, service, watch) &&
            (becomes_good(policy, watch, release) ||
             becomes_provisional(policy, watch, release))) ||
           saw_too_little(policy, watch, release) ||
           turns_blind(watch, release) || sees_again(watch, release) ||
           is_quiet(core, service, watch) ||
           core->now - watch->progress_at >= PROGRESS_EVERY_MS;
}

/* ---- doing it ---------------------------------------------------------- */

static void tell_progress(struct core *core, const struct service *service,
                          const struct release *release)
{
    struct watch *watch = watch_of(core, service);
    struct record *record = core_record_about(core, RECORD_PROGRESS, service);
    record->release = release->id;
    record->healthy = watch->healthy;
    record->looks = watch->looks;
    record->known_looks = watch->known_looks;
    record->requests = watch->requests;
    record->grid = watch->judged;
    watch->progress_at = core->now;
    core_tell(core, record);
}

static void tell_blind(struct core *core, struct service *service,
                       const struct release *release, bool on)
{
    const struct watch *watch = watch_of(core, service);
    char name[RELEASE_TEXT_MAX], text[RECORD_TEXT_MAX];
    describe_release(core, release, name);
    struct record *record = core_record_about(core, RECORD_BLIND, service);
    record->release = release->id;
    record->on = on;
    record->grid = watch->judged;
    record->looks = watch->looks;
    record->known_looks = watch->known_looks;
    text_join(text, sizeof text, "blind: ", name,
              " could not be judged for 5m: ", watch->unknowns,
              ". Nothing is rolled back meanwhile; bring these signals back",
              NULL);
    if (!on) {
        text_join(text, sizeof text, name, " is seen again", NULL);
    }
    text_copy(record->text, sizeof record->text, text);
    core_tell(core, record);
    if (on) {
        notice_tell(core, service, NULL, NONE_INDEX, release->id, "blind",
                    text);
    }
}

static void tell_undetermined(struct core *core, struct service *service,
                              const struct release *release)
{
    const struct watch *watch = watch_of(core, service);
    char name[RELEASE_TEXT_MAX], text[RECORD_TEXT_MAX];
    char known[DIGITS_MAX], looks[DIGITS_MAX], requests[DIGITS_MAX];
    text_join(text, sizeof text, describe_release(core, release, name),
              " could not be watched well enough to be called good: known at ",
              text_digits(watch->known_looks, known), " of ",
              text_digits(watch->looks, looks), " looks, ",
              text_digits((uint64_t)watch->requests, requests), " requests",
              watch->unknowns[0] ? "; missing: " : "", watch->unknowns,
              ". It stays live without a grade; the gate is open", NULL);
    uint64_t id = release->id;
    release_tell_moved(core, release, RELEASE_HELD, release->grade,
                       "undetermined", text);
    notice_tell(core, service, NULL, NONE_INDEX, id, "undetermined", text);
}

static void raise_grade(struct core *core, struct service *service,
                        const struct release *release)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    bool rises = may_rise(core, service, watch);
    if (rises && becomes_good(policy, watch, release)) {
        release_tell_moved(core, release, RELEASE_GOOD, GRADE_GOOD, "good",
                           "healthy for the whole watch");
    } else if (saw_too_little(policy, watch, release)) {
        tell_undetermined(core, service, release);
    } else if (rises && becomes_provisional(policy, watch, release)) {
        release_tell_moved(core, release, release->state, GRADE_PROVISIONAL,
                           "provisional", "healthy so far");
    } else {
        return;
    }
    timer_pull(&core->timers, &service->observe, core->now);
}

static void close_quiet(struct core *core, struct service *service,
                        const struct release *release)
{
    const struct incident *incident = incident_find(core, service->incident);
    if (release->state == RELEASE_SUSPECT) {
        release_tell_moved(core, release, RELEASE_WATCHING, release->grade,
                           "quiet", "the trouble is over; watching goes on");
    }
    incident_close(core, incident, "quiet", "",
                   "no trouble for 10m, without a rollback");
}

void account_due(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    if (!watch->on || watch->rollback) {
        return;
    }
    const struct release *release = release_find(core, watch->release);
    assert(release);
    if (core->now - watch->progress_at >= PROGRESS_EVERY_MS) {
        tell_progress(core, service, release);
    }
    if (turns_blind(watch, release)) {
        tell_blind(core, service, release, true);
    } else if (sees_again(watch, release)) {
        tell_blind(core, service, release, false);
    }
    if (is_quiet(core, service, watch)) {
        close_quiet(core, service, release);
    }
    raise_grade(core, service, release);
}
