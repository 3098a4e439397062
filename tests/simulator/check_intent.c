/* A durable intent to go back: every interlock, worked out anew from what the
 * journal had before it and from what was seen outside. */
#include "tests/simulator/check_inside.h"

#include <inttypes.h>
#include <string.h>

#include "controller/runtime/clock.h"

struct intent {
    struct check *check;
    const struct seen_rollback *rollback;
    const struct record *record;
    struct seen_release *suspect, *target;
    const struct seen_service *service;
    bool by_person;
};

static void found(const struct intent *intent, const char *checker,
                  const char *what)
{
    check_fail(checker, "rollback %" PRIu64 " of %s from %s to %s: %s",
               intent->rollback->id, intent->record->service,
               intent->record->version, intent->record->target_version, what);
}

/* ---- whom, and to what --------------------------------------------------- */

static void check_under_way(const struct intent *intent)
{
    if (intent->service->rollback != 0) {
        found(intent, "one_at_a_time", "another one is under way");
    }
}

static void check_live_is_suspect(const struct intent *intent)
{
    if (strcmp(intent->service->live, intent->record->version) != 0) {
        found(intent, "not_live", "the suspect is not what is live");
    }
}

/* Was it rolled back, and never vouched for since? */
static bool is_tainted(const struct check *check, uint8_t service,
                       const char *version)
{
    uint64_t tainted = 0, adopted = 0;
    for (size_t i = 0; i < check->releases_count; i++) {
        const struct seen_release *release = &check->releases[i];
        if (release->service != service ||
            strcmp(release->version, version) != 0) {
            continue;
        }
        if (release->grade == GRADE_TAINTED) {
            tainted = release->id;
        }
        if (release->origin == ORIGIN_ADOPTED) {
            adopted = release->id;
        }
    }
    return tainted > adopted;
}

static void check_target(const struct intent *intent)
{
    const struct record *record = intent->record;
    if (intent->target == NULL || record->target_version[0] == '\0' ||
        strcmp(record->version, record->target_version) == 0) {
        found(intent, "last_good", "there is no other version to go to");
        return;
    }
    if (intent->target->grade != GRADE_GOOD &&
        intent->target->grade != GRADE_PROVISIONAL) {
        found(intent, "last_good", "the target has no grade");
    }
    if (is_tainted(intent->check, intent->rollback->service,
                   record->target_version)) {
        found(intent, "tainted", "the target was rolled back itself");
    }
    if (intent->target->deployed_at > intent->suspect->deployed_at) {
        found(intent, "last_good", "the target is younger");
    }
}

static void check_data(const struct intent *intent)
{
    for (size_t i = 0; i < intent->check->releases_count; i++) {
        const struct seen_release *release = &intent->check->releases[i];
        if (release->service == intent->rollback->service && release->one_way &&
            release->deployed_at > intent->target->deployed_at &&
            release->deployed_at <= intent->suspect->deployed_at &&
            (release == intent->suspect ||
             release->id < intent->record->sequence) &&
            strcmp(release->version, intent->target->version) != 0) {
            found(intent, "one_way", "data was changed one way");
        }
    }
}

/* ---- why ---------------------------------------------------------------- */

static void check_verdict(const struct intent *intent)
{
    if (!intent->suspect->goes_back) {
        found(intent, "verdict", "no verdict asks for it");
    }
    if (intent->suspect->root != ANSWER_YES) {
        found(intent, "absence", "its root question was not known true");
    }
}

/* The source said lately, and clearly, that users are hurt. */
static void check_evidence(const struct intent *intent)
{
    const time_ms since = clock_boot() - 100 * SECOND_MS;
    const struct seen_look *look = NULL;
    if (intent->service->hurt_at > 0 && intent->service->hurt_at >= since) {
        return;
    }
    for (size_t i = 0; (look = seen_look_back(intent->check, i)) != NULL; i++) {
        if (look->boot < since) {
            break;
        }
        if (look->service == intent->rollback->service && look->errors_known &&
            look->requests_known && look->is_high) {
            return;
        }
    }
    found(intent, "absence", "no source said that users are hurt");
}

/* By itself, after a countdown that people could stop, or with their yes. */
static void check_ceiling(const struct intent *intent)
{
    const struct seen_release *suspect = intent->suspect;
    const struct seen_rollback *rollback = intent->rollback;
    if (suspect->flavour < 0) {
        found(intent, "mode", "no policy asked for it");
        return;
    }
    const enum mode mode = check_mode(intent->check, suspect->service,
                                      suspect->flavour, suspect->unsure);
    const bool ran_down =
        rollback->acts_at != 0 && rollback->acts_at <= intent->record->at;
    if (mode != MODE_AUTO && !(mode == MODE_COUNTDOWN && ran_down) &&
        !(mode != MODE_OBSERVE && rollback->is_approved)) {
        found(intent, "mode", "its mode does not let it act");
    }
}

static void check_muted(const struct intent *intent)
{
    const struct seen_release *suspect = intent->suspect;
    if (suspect->muted_until > intent->record->at &&
        (suspect->muted_digest[0] == '\0' ||
         (suspect->muted_leaf == suspect->leaf &&
          strcmp(suspect->muted_digest, suspect->digest) == 0))) {
        found(intent, "muted", "a person had said no");
    }
}

/* What a rollback put live is not reverted unattended, until somebody has
 * deployed it anew. */
static void check_put_live(const struct intent *intent)
{
    const struct seen_rollback *back =
        seen_rollback(intent->check, intent->service->spent);
    const struct seen_release *suspect = intent->suspect;
    if (back != NULL && strcmp(back->target, intent->record->version) == 0 &&
        !(suspect->id > back->id && suspect->origin != ORIGIN_DISCOVERED)) {
        found(intent, "put_live", "a rollback put the suspect live");
    }
}

/* ---- brakes ------------------------------------------------------------- */

static uint32_t spent(const struct intent *intent, bool fleet, time_ms window)
{
    uint32_t count = 0;
    for (size_t i = 0; i < intent->check->rollbacks_count; i++) {
        const struct seen_rollback *other = &intent->check->rollbacks[i];
        count += other->intended != 0 &&
                 other->intended_at > intent->record->at - window &&
                 (fleet || other->service == intent->rollback->service);
    }
    return count;
}

static void check_budgets(const struct intent *intent)
{
    const struct plan *plan = intent->check->plan;
    if (spent(intent, false, plan->per_service_window) >= plan->per_service) {
        found(intent, "budget", "the service's budget is spent");
    }
    if (spent(intent, true, plan->fleet_window) >= plan->fleet) {
        found(intent, "budget", "the fleet's budget is spent");
    }
}

static void check_shared_cause(const struct intent *intent)
{
    const struct check *check = intent->check;
    const struct seen_incident *own =
        seen_incident(intent->check, intent->rollback->incident);
    const time_ms around = own != NULL && own->blamed_at != 0
                               ? own->blamed_at
                               : intent->record->at;
    uint32_t count = 0, live = 0;
    for (size_t i = 0; i < check->incidents_count; i++) {
        const struct seen_incident *incident = &check->incidents[i];
        count += !incident->is_closed && incident->blamed_at != 0 &&
                 incident->blamed_at >= around - 5 * MINUTE_MS &&
                 incident->blamed_at <= around + 5 * MINUTE_MS;
    }
    for (size_t i = 0; i < check->plan->services_count; i++) {
        live += check->services[i].live[0] != '\0';
    }
    if (check->plan->shared_services > 0 &&
        count >= check->plan->shared_services && count * 10 >= live * 3) {
        found(intent, "shared_cause", "many services are in trouble at once");
    }
}

static void check_announced(const struct intent *intent)
{
    const struct seen_service *service = intent->service;
    if (service->announced[0] != '\0' &&
        service->announced_until > intent->record->at &&
        strcmp(service->announced, intent->record->version) != 0) {
        found(intent, "announced", "a newer deploy was announced");
    }
}

static void check_once(const struct intent *intent)
{
    for (size_t i = 0; i < intent->check->rollbacks_count; i++) {
        const struct seen_rollback *other = &intent->check->rollbacks[i];
        if (other != intent->rollback && other->intended != 0 &&
            other->incident == intent->record->incident &&
            other->release == intent->record->release) {
            found(intent, "once", "it was tried in this incident before");
        }
    }
}

void check_intent(struct check *check, struct seen_rollback *rollback,
                  const struct record *record)
{
    const struct intent intent = {
        .check = check,
        .rollback = rollback,
        .record = record,
        .suspect = seen_release(check, record->release),
        .target = seen_release(check, record->target_release),
        .service = &check->services[rollback->service],
        .by_person = record->by[0] != '\0'};
    if (intent.suspect == NULL) {
        found(&intent, "journal", "the suspect was never registered");
    }
    check_under_way(&intent);
    check_live_is_suspect(&intent);
    check_target(&intent);
    check_data(&intent);
    check_budgets(&intent);
    check_announced(&intent);
    if (check->is_stopped) {
        found(&intent, "stop", "the STOP file stands");
    }
    if (!intent.by_person) {
        check_verdict(&intent);
        check_evidence(&intent);
        check_ceiling(&intent);
        check_muted(&intent);
        check_shared_cause(&intent);
        check_put_live(&intent);
        check_once(&intent);
    }
}
