/* What the journal says, record by record, and what it may not say. */
#include "tests/simulator/check_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controller/runtime/clock.h"

/* However slow target and disk are in a storm: both fail for at most 45 s. */
#define DECIDE_WITHIN_MS (120 * SECOND_MS)

#define FIND(list, wanted)                                                     \
    for (size_t i = check->list##_count; i > 0; i--) {                         \
        if (check->list[i - 1].id == (wanted)) {                               \
            return &check->list[i - 1];                                        \
        }                                                                      \
    }                                                                          \
    return NULL

struct seen_release *seen_release(struct check *check, uint64_t id)
{
    FIND(releases, id);
}

struct seen_rollback *seen_rollback(struct check *check, uint64_t id)
{
    FIND(rollbacks, id);
}

struct seen_incident *seen_incident(struct check *check, uint64_t id)
{
    FIND(incidents, id);
}

struct seen_notice *seen_notice(struct check *check, uint64_t id)
{
    FIND(notices, id);
}

#define ADD(check, list)                                                       \
    (assert((check)->list##_count <                                            \
            sizeof(check)->list / sizeof(check)->list[0]),                     \
     &(check)->list[(check)->list##_count++])

static void copy(char place[PLAN_NAME_MAX], const char *text)
{
    (void)snprintf(place, PLAN_NAME_MAX, "%.*s", PLAN_NAME_MAX - 1, text);
}

static uint8_t place_of(const struct check *check, const struct record *record)
{
    for (uint8_t i = 0; i < check->plan->services_count; i++) {
        if (strcmp(check->plan->services[i].name, record->service) == 0) {
            return i;
        }
    }
    check_fail("journal", "record %" PRIu64 " is of a service '%s'",
               record->sequence, record->service);
}

/* ---- policies ----------------------------------------------------------- */

static void policy_set(struct check *check, const struct record *record)
{
    int flavour = -1;
    const int found = sscanf(record->body, "# flavour %d", &flavour);
    assert(found == 1);
    check->policies[check->policies_count % SEEN_POLICIES_MAX].flavour =
        flavour;
    memcpy(check->policies[check->policies_count % SEEN_POLICIES_MAX].digest,
           record->digest, sizeof record->digest);
    check->policies_count++;
    const time_ms every = flavour_of((uint8_t)flavour)->every;
    const time_ms verify = flavour_of((uint8_t)flavour)->verify_for;
    check->every_most = every > check->every_most ? every : check->every_most;
    const time_ms holds = flavour_of((uint8_t)flavour)->holds;
    check->holds_most = holds > check->holds_most ? holds : check->holds_most;
    if (check->verify_least == 0 || verify < check->verify_least) {
        check->verify_least = verify;
    }
}

static int flavour_by(const struct check *check, const char *digest)
{
    for (size_t i = 0; i < SEEN_POLICIES_MAX; i++) {
        if (strcmp(check->policies[i].digest, digest) == 0) {
            return check->policies[i].flavour;
        }
    }
    check_fail("journal", "a verdict by a policy that was never set");
}

static enum mode lower(enum mode a, enum mode b)
{
    return a < b ? a : b;
}

enum mode check_mode(const struct check *check, uint8_t service, int number,
                     bool unsure)
{
    const struct flavour *flavour = flavour_of((uint8_t)number);
    enum mode mode = lower(flavour->mode, flavour->leaf_mode);
    mode = unsure ? lower(mode, flavour->unsure) : mode;
    mode = lower(mode, check->plan->ceiling);
    return lower(mode, check->plan->services[service].ceiling);
}

/* ---- releases ----------------------------------------------------------- */

/* A key was used: the same key is never another release. */
static void note_key(struct check *check, const struct record *record)
{
    unsigned number = 0;
    if (sscanf(record->key, "key-%u", &number) != 1) {
        return;
    }
    assert(number < SEEN_REASONS_MAX);
    if (check->keys[number] != 0) {
        check_fail("keys",
                   "%s registered release %" PRIu64 " and release %" PRIu64,
                   record->key, check->keys[number], record->sequence);
    }
    check->keys[number] = record->sequence;
}

static void registered(struct check *check, const struct record *record)
{
    struct seen_release *release = ADD(check, releases);
    *release = (struct seen_release){.id = record->sequence,
                                     .service = place_of(check, record),
                                     .origin = record->origin,
                                     .state = record->state,
                                     .grade = record->grade,
                                     .deployed_at = record->deployed_at,
                                     .flavour = -1};
    copy(release->version, record->version);
    release->one_way = strcmp(record->data_change, "contract") == 0 ||
                       strcmp(record->data_change, "irreversible") == 0;
    note_key(check, record);
    struct seen_service *service = &check->services[release->service];
    if (record->origin != ORIGIN_DISCOVERED &&
        strcmp(service->announced, record->version) == 0) {
        service->announced[0] = '\0';
    }
}

/* A grade rises while the version is live, complete and was seen for as long
 * as is said. */
static void check_grade(const struct check *check,
                        const struct seen_release *release,
                        const struct record *record)
{
    const struct seen_service *service = &check->services[release->service];
    if (record->grade == GRADE_TAINTED || record->grade < release->grade) {
        check_fail("grade", "release %" PRIu64 " falls from %s to %s",
                   release->id, grade_name(release->grade),
                   grade_name(record->grade));
    }
    if (strcmp(service->live, release->version) != 0 || !service->is_complete) {
        check_fail("grade", "release %" PRIu64 " becomes %s while %s is live%s",
                   release->id, grade_name(record->grade), service->live,
                   service->is_complete ? "" : ", not complete");
    }
    if (release->flavour >= 0 && release->root != ANSWER_NO &&
        strcmp(record->code, "good") != 0 && release->goes_back) {
        check_fail("grade", "release %" PRIu64 " rises in trouble",
                   release->id);
    }
}

/* Healthy time is made of looks at which the source said something. */
static void check_clock(const struct check *check,
                        const struct seen_release *release,
                        const struct record *record)
{
    const time_ms slack = 4 * check->every_most + check->holds_most;
    const time_ms known = check->services[release->service]
                              .known_ms[seen_version(release->version)];
    if (record->healthy > known + slack) {
        check_fail("absence",
                   "release %" PRIu64 " has %lld ms of health, and was known "
                   "for %lld ms",
                   release->id, (long long)record->healthy, (long long)known);
    }
}

static void release_moved(struct check *check, const struct record *record)
{
    struct seen_release *release = seen_release(check, record->release);
    if (release == NULL) {
        check_fail("journal",
                   "a move of release %" PRIu64 ", which was never registered",
                   record->release);
    }
    if (record->grade != release->grade) {
        check_grade(check, release, record);
    }
    check_clock(check, release, record);
    release->moved_at = clock_boot();
    release->state = record->state;
    release->grade = record->grade;
}

static void progress(struct check *check, const struct record *record)
{
    const struct seen_release *release = seen_release(check, record->release);
    if (release != NULL) {
        check_clock(check, release, record);
    }
}

/* ---- verdicts ----------------------------------------------------------- */

static bool was_decided(const struct check *check,
                        const struct seen_release *release)
{
    for (size_t i = check->rollbacks_count; i > 0; i--) {
        const struct seen_rollback *rollback = &check->rollbacks[i - 1];
        if (rollback->release == release->id &&
            rollback->incident == release->incident &&
            (rollback->refusals != 0 || rollback->intended != 0)) {
            return true;
        }
    }
    return false;
}

static void verdict(struct check *check, const struct record *record)
{
    struct seen_release *release = seen_release(check, record->release);
    assert(release != NULL);
    struct seen_service *service = &check->services[release->service];
    struct seen_incident *incident = seen_incident(check, record->incident);
    const bool blamed = strcmp(record->code, "blamed") == 0;
    const bool was = release->blamed && release->incident == record->incident;
    release->goes_back = strcmp(record->verdict_kind, "rollback") == 0;
    release->unsure = record->unsure;
    release->root = record->root;
    release->flavour = flavour_by(check, record->digest);
    release->blamed = blamed;
    release->leaf = record->leaf;
    memcpy(release->digest, record->digest, sizeof record->digest);
    if (record->incident != 0) {
        release->incident = record->incident;
    }
    if (incident != NULL && !incident->is_closed && blamed && !was) {
        incident->blamed_at = record->at;
    }
    service->decide_by = 0;
    if (release->goes_back && record->incident != 0 &&
        release->state != RELEASE_HELD && service->rollback == 0 &&
        check_mode(check, release->service, release->flavour,
                   release->unsure) == MODE_AUTO &&
        release->muted_until <= record->at && !was_decided(check, release)) {
        service->decide_by = clock_boot() + DECIDE_WITHIN_MS;
        service->decide_about = release->id;
    }
}

void check_decided(const struct check *check)
{
    for (size_t i = 0; i < check->plan->services_count; i++) {
        const struct seen_service *service = &check->services[i];
        if (check->is_alive && service->decide_by != 0 &&
            clock_boot() > service->decide_by) {
            check_fail("undecided",
                       "release %" PRIu64
                       " of %s should go back, and nothing was decided",
                       service->decide_about, check->plan->services[i].name);
        }
    }
}

/* ---- incidents ---------------------------------------------------------- */

static void opened(struct check *check, const struct record *record)
{
    struct seen_incident *incident = ADD(check, incidents);
    const uint8_t service = place_of(check, record);
    for (size_t i = 0; i + 1 < check->incidents_count; i++) {
        if (check->incidents[i].service == service &&
            !check->incidents[i].is_closed) {
            check_fail("incidents", "%s has two open incidents",
                       record->service);
        }
    }
    *incident = (struct seen_incident){
        .id = record->sequence,
        .service = service,
        .blamed_at = strcmp(record->code, "blamed") == 0 ? record->at : 0};
}

static void closed(struct check *check, const struct record *record)
{
    struct seen_incident *incident = seen_incident(check, record->incident);
    assert(incident != NULL);
    incident->is_closed = true;
    check->services[incident->service].decide_by = 0;
}

/* ---- rollbacks ---------------------------------------------------------- */

static void proposed(struct check *check, const struct record *record)
{
    struct seen_rollback *rollback = ADD(check, rollbacks);
    *rollback = (struct seen_rollback){.id = record->sequence,
                                       .incident = record->incident,
                                       .release = record->release,
                                       .service = place_of(check, record),
                                       .flavour = -1};
    copy(rollback->suspect, record->version);
}

/* Once for each reason, until somebody orders it all the same. */
static void refused(struct check *check, struct seen_rollback *rollback,
                    const struct record *record)
{
    static const char *const codes[] = {
        "no_last_good", "no_target",   "irreversible",   "not_live",
        "under_way",    "per_service", "fleet",          "shared_cause",
        "blind",        "put_live",    "announced",      "stop",
        "mode",         "target_gone", "target_unclear", "muted",
        "shared_blame"};
    size_t code = 0;
    while (code < sizeof codes / sizeof codes[0] &&
           strcmp(codes[code], record->code) != 0) {
        code++;
    }
    const uint64_t bit = UINT64_C(1) << code;
    if ((rollback->refusals & bit) != 0 &&
        rollback->state == ROLLBACK_REFUSED &&
        check->ordered < rollback->refused) {
        check_fail("refusals", "rollback %" PRIu64 " is refused twice: %s",
                   rollback->id, record->code);
    }
    rollback->refusals |= bit;
    rollback->refused = record->sequence;
    rollback->acts_at = 0;
    rollback->is_approved = false;
}

/* Proposed, and what for: the end of a countdown, or a person's yes. */
static void consented(struct seen_rollback *rollback,
                      const struct record *record)
{
    if (strcmp(record->code, "countdown") == 0) {
        rollback->acts_at = record->until;
        rollback->countdown = record->countdown;
        rollback->is_approved = false;
    } else if (strcmp(record->code, "suggested") == 0) {
        rollback->acts_at = 0;
        rollback->is_approved = false;
    } else if (strcmp(record->code, "approved") == 0) {
        rollback->is_approved = true;
    }
}

static void muted(struct check *check, const struct record *record)
{
    struct seen_release *release = seen_release(check, record->release);
    assert(release != NULL);
    release->muted_until = record->until;
    release->muted_leaf = record->leaf;
    memcpy(release->muted_digest, record->digest, sizeof record->digest);
    check->services[release->service].decide_by = 0;
}

/* It was taken by the clock as it is now: g is when it was. */
static bool is_of_now(const struct seen_look *look)
{
    const time_ms age = look->boot - (look->g - look->offset);
    return look->offset == clock_wall() - clock_boot() && age >= 0 &&
           age < 20 * SECOND_MS;
}

/* Recovered means: known and well at both ends of as long as the policy asks.
 */
static void check_recovered(const struct check *check,
                            const struct seen_rollback *rollback,
                            const struct record *record)
{
    time_ms first = 0, last = 0;
    bool is_low = false; /* once: then `for` says no for a while */
    const struct seen_look *look = NULL;
    if (rollback->clock_sets != check->clock_sets ||
        rollback->offset != clock_wall() - clock_boot() ||
        record->at < clock_wall() - 5 * SECOND_MS ||
        record->at > clock_wall() + 5 * SECOND_MS) {
        return; /* grid times jumped, or it is long ago */
    }
    for (size_t i = 0; (look = seen_look_back(check, i)) != NULL; i++) {
        if (look->service == rollback->service && is_of_now(look) &&
            look->g > rollback->applied_at && look->errors_known &&
            look->requests_known) {
            last = look->g > last ? look->g : last;
            first = first == 0 || look->g < first ? look->g : first;
            is_low = is_low || !look->is_high;
        }
    }
    if (last - first + check->every_most < check->verify_least || !is_low) {
        check_fail("recovered",
                   "rollback %" PRIu64 " recovered after %lld ms, %s",
                   rollback->id, (long long)(last - first),
                   is_low ? "healthy" : "never healthy");
    }
}

static bool may_move(enum rollback_state from, enum rollback_state to)
{
    switch (to) {
    case ROLLBACK_PROPOSED:
    case ROLLBACK_REFUSED:
    case ROLLBACK_CANCELLED:
    case ROLLBACK_INTENDED:
        return from == ROLLBACK_PROPOSED || from == ROLLBACK_REFUSED;
    case ROLLBACK_REQUESTED:
        return from == ROLLBACK_INTENDED;
    case ROLLBACK_IN_PROGRESS:
        return from == ROLLBACK_INTENDED || from == ROLLBACK_REQUESTED;
    case ROLLBACK_APPLIED:
    case ROLLBACK_FAILED:
        return from == ROLLBACK_INTENDED || from == ROLLBACK_REQUESTED ||
               from == ROLLBACK_IN_PROGRESS;
    case ROLLBACK_VERIFYING:
        return from == ROLLBACK_APPLIED;
    case ROLLBACK_RECOVERED:
    case ROLLBACK_NOT_RECOVERED:
    case ROLLBACK_UNVERIFIED:
        return from == ROLLBACK_VERIFYING;
    }
    return false;
}

static bool is_final(enum rollback_state state)
{
    return state == ROLLBACK_RECOVERED || state == ROLLBACK_NOT_RECOVERED ||
           state == ROLLBACK_UNVERIFIED || state == ROLLBACK_FAILED;
}

static void intended(struct check *check, struct seen_rollback *rollback,
                     const struct record *record)
{
    struct seen_service *service = &check->services[rollback->service];
    struct seen_release *release = seen_release(check, rollback->release);
    check_intent(check, rollback, record);
    rollback->intended = record->sequence;
    rollback->intended_at = record->at;
    rollback->by_person = record->by[0] != '\0';
    rollback->flavour = release->flavour;
    copy(rollback->target, record->target_version);
    service->rollback = rollback->id;
    service->spent = rollback->id;
    release->grade = GRADE_TAINTED;
    release->state = RELEASE_REVERTING;
    if (record->until > record->at) {
        *ADD(check, freezes) = (struct seen_freeze){
            record->sequence, rollback->service, record->until, false};
    }
}

static void rollback_moved(struct check *check, const struct record *record)
{
    struct seen_rollback *rollback = seen_rollback(check, record->rollback);
    if (rollback == NULL) {
        check_fail("journal",
                   "a move of rollback %" PRIu64 ", which was never proposed",
                   record->rollback);
    }
    const enum rollback_state next = record->rollback_state;
    if (!may_move(rollback->state, next)) {
        check_fail("moves", "rollback %" PRIu64 " moves from %s to %s",
                   rollback->id, rollback_state_name(rollback->state),
                   rollback_state_name(next));
    }
    check->services[rollback->service].decide_by = 0;
    if (next == ROLLBACK_INTENDED) {
        intended(check, rollback, record);
    } else if (next == ROLLBACK_PROPOSED) {
        consented(rollback, record);
    } else if (next == ROLLBACK_REFUSED) {
        refused(check, rollback, record);
    } else if (next == ROLLBACK_APPLIED) {
        rollback->applied_at = record->at;
        rollback->clock_sets = check->clock_sets;
        rollback->offset = clock_wall() - clock_boot();
    } else if (next == ROLLBACK_RECOVERED) {
        check_recovered(check, rollback, record);
    }
    if (is_final(next)) {
        check->services[rollback->service].rollback = 0;
    }
    rollback->state = next;
}

/* ---- freezes, notices, people ------------------------------------------- */

static void frozen(struct check *check, const struct record *record)
{
    *ADD(check, freezes) = (struct seen_freeze){
        record->sequence, place_of(check, record), record->until, false};
}

static void thawed(struct check *check, const struct record *record)
{
    for (size_t i = 0; i < check->freezes_count; i++) {
        struct seen_freeze *freeze = &check->freezes[i];
        freeze->is_over =
            freeze->is_over ||
            (record->freeze != 0 ? freeze->id == record->freeze
                                 : freeze->service == place_of(check, record));
    }
}

static void notice_done(struct check *check, const struct record *record)
{
    struct seen_notice *notice = seen_notice(check, record->notice);
    if (notice == NULL || notice->is_done) {
        check_fail("notices", "notice %" PRIu64 " is done, %s", record->notice,
                   notice == NULL ? "and was none" : "twice");
    }
    if (record->delivered && notice->reached == 0) {
        check_fail("notices", "notice %" PRIu64 " reached nobody",
                   record->notice);
    }
    notice->is_done = true;
    notice->is_delivered = record->delivered;
}

static void note_reason(struct check *check, const char *text, uint8_t kind)
{
    unsigned number = 0;
    if (sscanf(text, "why-%u", &number) == 1) {
        assert(number < SEEN_REASONS_MAX);
        check->reasons[number] = kind;
    }
}

static void announced(struct check *check, const struct record *record)
{
    struct seen_service *service = &check->services[place_of(check, record)];
    copy(service->announced, record->version);
    service->announced_until = record->until;
    note_reason(check, record->by, COMMAND_ANNOUNCE + 1);
}

static void commanded(struct check *check, const struct record *record)
{
    check->ordered = record->sequence;
    for (int kind = COMMAND_ADOPT; kind <= COMMAND_MUTE; kind++) {
        if (strcmp(command_name((enum command_kind)kind), record->name) == 0) {
            note_reason(check, record->text, (uint8_t)(kind + 1));
        }
    }
}

/* ---- time, starts ------------------------------------------------------- */

static void shift(time_ms *moment, time_ms difference)
{
    *moment += *moment != 0 ? difference : 0;
}

static void clock_set(struct check *check, const struct record *record)
{
    check->clock_sets++;
    for (size_t i = 0; i < check->rollbacks_count; i++) {
        shift(&check->rollbacks[i].intended_at, record->difference);
        shift(&check->rollbacks[i].applied_at, record->difference);
        shift(&check->rollbacks[i].acts_at, record->difference);
    }
    for (size_t i = 0; i < check->incidents_count; i++) {
        shift(&check->incidents[i].blamed_at, record->difference);
    }
    for (size_t i = 0; i < check->releases_count; i++) {
        shift(&check->releases[i].muted_until, record->difference);
    }
    for (size_t i = 0; i < check->plan->services_count; i++) {
        shift(&check->services[i].announced_until, record->difference);
    }
}

static void at_most(time_ms *moment, time_ms at)
{
    *moment = *moment > at ? at : *moment;
}

/* The clock went back meanwhile: what was later than now counts from now. */
static void count_from_now(struct check *check, time_ms at)
{
    for (size_t i = 0; i < check->rollbacks_count; i++) {
        at_most(&check->rollbacks[i].intended_at, at);
        at_most(&check->rollbacks[i].acts_at,
                at + check->rollbacks[i].countdown);
    }
    for (size_t i = 0; i < check->incidents_count; i++) {
        at_most(&check->incidents[i].blamed_at, at);
    }
    for (size_t i = 0; i < check->plan->services_count; i++) {
        at_most(&check->services[i].announced_until, at + 30 * MINUTE_MS);
    }
}

static void started(struct check *check, const struct record *record)
{
    if (record->epoch != check->epoch + 1) {
        check_fail("epochs", "epoch %u follows epoch %u", record->epoch,
                   check->epoch);
    }
    check->epoch = record->epoch;
    check->clock_sets++; /* the clock may be another one */
    count_from_now(check, record->at);
    memset(check->counters, 0, sizeof check->counters);
    for (size_t i = 0; i < check->plan->services_count; i++) {
        check->services[i].decide_by = 0;
    }
}

static void observed(struct check *check, const struct record *record)
{
    struct seen_service *service = &check->services[place_of(check, record)];
    if (strcmp(service->live, record->version) != 0) {
        service->live_since = clock_boot();
    }
    copy(service->live, record->version);
    service->is_complete = record->complete;
    service->decide_by = 0;
}

static void noticed(struct check *check, const struct record *record)
{
    *ADD(check, notices) = (struct seen_notice){.id = record->sequence};
}

static void stop_file(struct check *check, const struct record *record)
{
    check->is_stopped = record->on;
}

static void policy_removed(struct check *check, const struct record *record)
{
    (void)record;
    for (size_t i = 0; i < check->plan->services_count; i++) {
        check->services[i].decide_by = 0;
    }
}

/* Of the other kinds nothing is asked here. */
static void (*const takers[])(struct check *check,
                              const struct record *record) = {
    [RECORD_STARTED] = started,
    [RECORD_POLICY_SET] = policy_set,
    [RECORD_POLICY_REMOVED] = policy_removed,
    [RECORD_REGISTERED] = registered,
    [RECORD_OBSERVED] = observed,
    [RECORD_PROGRESS] = progress,
    [RECORD_VERDICT] = verdict,
    [RECORD_RELEASE_MOVED] = release_moved,
    [RECORD_INCIDENT_OPENED] = opened,
    [RECORD_INCIDENT_CLOSED] = closed,
    [RECORD_ROLLBACK_PROPOSED] = proposed,
    [RECORD_ROLLBACK_MOVED] = rollback_moved,
    [RECORD_FROZEN] = frozen,
    [RECORD_THAWED] = thawed,
    [RECORD_COMMANDED] = commanded,
    [RECORD_NOTICE] = noticed,
    [RECORD_NOTICE_DONE] = notice_done,
    [RECORD_CLOCK_SET] = clock_set,
    [RECORD_STOP_FILE] = stop_file,
    [RECORD_ANNOUNCED] = announced,
    [RECORD_MUTED] = muted,
};

void check_record(struct check *check, const struct record *record)
{
    if (record->sequence != check->sequence + 1) {
        check_fail("journal", "record %" PRIu64 " follows record %" PRIu64,
                   record->sequence, check->sequence);
    }
    if (record->kind != RECORD_STARTED && record->epoch != check->epoch) {
        check_fail("epochs", "record %" PRIu64 " is of epoch %u, not %u",
                   record->sequence, record->epoch, check->epoch);
    }
    check->sequence = record->sequence;
    check_decided(check);
    if (record->kind < sizeof takers / sizeof takers[0] &&
        takers[record->kind] != NULL) {
        takers[record->kind](check, record);
    }
}
