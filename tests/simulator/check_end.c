/* What must be over when all is quiet, and that the journal is the whole
 * truth. */
#include "tests/simulator/check_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/runtime/clock.h"
#include "policies/memory.h"
#include "policies/read/policy_read.h"

/* A bad version that is live so long in calm was looked at. */
#define JUDGED_WITHIN_MS (70 * SECOND_MS)

bool check_is_quiet(const struct check *check, const struct core *core)
{
    struct core_counts counts = {0};
    struct service_view service = {0};
    size_t cursor = 0;
    (void)check;
    view_counts(core, &counts);
    if (counts.rollbacks_under_way > 0 || counts.notices_pending > 0 ||
        counts.stopped) {
        return false;
    }
    while (view_next_service(core, &cursor, &service)) {
        if (service.observed_at == 0 || service.observe_error[0] != '\0') {
            return false;
        }
    }
    return true;
}

/* ---- what is over ------------------------------------------------------- */

static void check_rollbacks_over(const struct check *check)
{
    for (size_t i = 0; i < check->rollbacks_count; i++) {
        const struct seen_rollback *rollback = &check->rollbacks[i];
        if (rollback->state >= ROLLBACK_INTENDED &&
            rollback->state <= ROLLBACK_VERIFYING) {
            check_fail("liveness", "rollback %" PRIu64 " is %s for ever",
                       rollback->id, rollback_state_name(rollback->state));
        }
    }
}

static void check_notices_over(const struct check *check)
{
    for (size_t i = 0; i < check->notices_count; i++) {
        const struct seen_notice *notice = &check->notices[i];
        if (!notice->is_done || !notice->is_delivered || notice->reached == 0) {
            check_fail("notices", "nobody was told of notice %" PRIu64,
                       notice->id);
        }
    }
}

/* ---- what is live and bad ----------------------------------------------- */

static bool is_bad(const struct check *check, uint8_t place)
{
    const struct service_plan *plan = &check->plan->services[place];
    const struct seen_service *service = &check->services[place];
    for (size_t i = 0; i < PLAN_VERSIONS; i++) {
        const struct version_plan *version = &plan->versions[i];
        if (strcmp(version->name, service->really) == 0) {
            time_ms from = service->really_since + version->onset;
            from = from > check->calm_at ? from : check->calm_at;
            from = from > service->live_since ? from : service->live_since;
            return version->is_bad && clock_boot() > from + JUDGED_WITHIN_MS;
        }
    }
    return false;
}

static void check_judged(struct check *check, const struct core *core,
                         uint8_t place)
{
    const struct service_plan *plan = &check->plan->services[place];
    struct service_view service = {0};
    struct release_view release = {0};
    struct rollback_view rollback = {0};
    if (!view_find_service(core, plan->name, plan->environment, &service) ||
        strcmp(service.live, check->services[place].really) != 0 ||
        service.incident == 0 ||
        !view_release(core, service.release, &release) ||
        (release.state != RELEASE_WATCHING &&
         release.state != RELEASE_SUSPECT)) {
        return;
    }
    const struct seen_release *seen = seen_release(check, release.id);
    assert(seen != NULL);
    if (seen->flavour < 0 || !seen->goes_back ||
        seen->muted_until > clock_wall() - JUDGED_WITHIN_MS ||
        check_mode(check, place, seen->flavour, seen->unsure) != MODE_AUTO) {
        return;
    }
    if (!view_rollback(core, release.rollback, &rollback) ||
        rollback.state == ROLLBACK_PROPOSED ||
        rollback.state == ROLLBACK_CANCELLED) {
        check_fail("undecided", "%s %s is bad, and nothing was decided",
                   plan->name, release.version);
    }
}

/* Whoever is watched and bad is found out. */
static void check_found(struct check *check, const struct core *core,
                        uint8_t place)
{
    const struct service_plan *plan = &check->plan->services[place];
    struct service_view service = {0};
    struct release_view release = {0};
    if (!is_bad(check, place) ||
        !view_find_service(core, plan->name, plan->environment, &service) ||
        strcmp(service.live, check->services[place].really) != 0) {
        return;
    }
    if (!view_release(core, service.release, &release)) {
        check_fail("liveness", "%s %s is live, and no release of it is known",
                   plan->name, service.live);
    }
    const struct seen_release *seen = seen_release(check, release.id);
    assert(seen != NULL);
    if (release.policy[0] != '\0' && release.state == RELEASE_WATCHING &&
        clock_boot() > seen->moved_at + JUDGED_WITHIN_MS &&
        clock_wall() > release.deployed_at + JUDGED_WITHIN_MS &&
        seen->root != ANSWER_YES) {
        check_fail("liveness", "%s %s is bad and watched, and nobody sees it",
                   plan->name, release.version);
    }
}

/* ---- the journal -------------------------------------------------------- */

struct replay {
    struct core *core;
    struct problems *problems;
};

static bool visit(void *data, const struct entry *entry)
{
    struct replay *replay = data;
    static struct record record;
    char *body = NULL;
    char error[256] = "";
    const bool read = record_from_json(entry->payload, entry->length, &record,
                                       &body, error, sizeof error);
    assert(read);
    if (record.kind == RECORD_POLICY_SET) {
        record.policy = policy_read("p.yaml", record.body, record.body_length,
                                    replay->problems);
    }
    core_apply(replay->core, &record);
    free(body);
    return true;
}

static void check_journal(const struct core *core, struct store *journal,
                          const struct core_options *options)
{
    uint64_t last = 0;
    unsigned char head[CHAIN_BYTES];
    char error[512] = "";
    struct replay replay = {.core = core_new(options),
                            .problems =
                                memory_zeroed(1, sizeof(struct problems))};
    if (store_verify(journal, &last, head, error, sizeof error) != STORE_OK) {
        check_fail("chain", "%s", error);
    }
    const enum store_result result =
        journal->ops->read(journal, &(struct store_query){.after = 0}, visit,
                           &replay, error, sizeof error);
    assert(result == STORE_OK);
    check_same(core, replay.core);
    core_free(replay.core);
    free(replay.problems);
}

void check_end(struct check *check, const struct core *core,
               struct store *journal, const struct core_options *options)
{
    check_rollbacks_over(check);
    check_notices_over(check);
    for (uint8_t i = 0; i < check->plan->services_count; i++) {
        check_found(check, core, i);
        check_judged(check, core, i);
    }
    check_journal(core, journal, options);
}
