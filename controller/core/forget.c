#include "controller/core/forget.h"

#include <assert.h>

#include "controller/core/inside.h"
#include "controller/core/ledger.h"

/* A budget counts its rollback: so long it is remembered. */
static bool is_counted(const struct core *core, const struct release *release)
{
    for (uint32_t i = core->rollbacks.count; i > 0; i--) {
        const struct rollback *rollback = pool_at(&core->rollbacks, i - 1);
        if (rollback->proposed_at < core->now - BUDGET_WINDOW_MAX_MS) {
            return false;
        }
        if (rollback->release == release->id && rollback->intended_at != 0) {
            return true;
        }
    }
    return false;
}

static bool is_part_of(const struct rollback *rollback,
                       const struct release *release)
{
    return rollback && (rollback->release == release->id ||
                        rollback->target_release == release->id);
}

static const struct release *newest_of(const struct core *core,
                                       const struct service *service)
{
    return service->releases_count > 0
               ? ledger_at(core, service, service->releases_count - 1)
               : NULL;
}

/* Somebody may still go back to it, or what it was part of is not over. */
static bool is_wanted(const struct core *core, const struct release *release)
{
    const struct service *service = service_at(core, release->service);
    const struct release *newest = newest_of(core, service);
    const struct incident *incident = incident_find(core, release->incident);
    return (incident && incident->closed_at == 0) || newest == release ||
           is_part_of(rollback_find(core, service->put_live), release) ||
           is_part_of(rollback_find(core, service->rollback), release) ||
           is_counted(core, release) ||
           (newest && ledger_last_good(core, newest) == release);
}

/* What is over goes first; then what was registered and never came. */
enum pass { PASS_OVER, PASS_NEVER_CAME, PASS_LAST };

static bool may_go(const struct core *core, const struct release *release,
                   enum pass pass)
{
    bool fits = pass == PASS_OVER
                    ? !release_is_active(release)
                    : release_is_active(release) && release->live_from == 0;
    return fits && !is_wanted(core, release);
}

/* How many of a service may go, no more than @enough. */
static uint32_t spare_here(const struct core *core,
                           const struct service *service, uint32_t enough)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < service->releases_count && count < enough; i++) {
        const struct release *release = ledger_at(core, service, i);
        count += may_go(core, release, PASS_OVER) ||
                 may_go(core, release, PASS_NEVER_CAME);
    }
    return count;
}

static uint32_t spare_of_all(const struct core *core, uint32_t enough)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->releases.count && count < enough; i++) {
        const struct release *release = pool_at(&core->releases, i);
        count += may_go(core, release, PASS_OVER) ||
                 may_go(core, release, PASS_NEVER_CAME);
    }
    return count;
}

/* How many are too many when @wanted more come. */
static uint32_t excess(uint32_t count, uint32_t wanted, uint32_t max)
{
    return count + wanted > max ? count + wanted - max : 0;
}

bool forget_has_room(const struct core *core, const struct service *service,
                     uint32_t wanted)
{
    assert(wanted <= LEDGER_SPARE);
    uint32_t all =
        excess(core->releases.count, wanted, core->options.releases_max);
    uint32_t here = service ? excess(service->releases_count, wanted,
                                     RELEASES_PER_SERVICE_MAX)
                            : 0;
    return (here == 0 || spare_here(core, service, here) == here) &&
           (all == 0 || spare_of_all(core, all) == all);
}

static struct release *first_here(const struct core *core,
                                  const struct service *service)
{
    for (enum pass pass = PASS_OVER; pass < PASS_LAST; pass++) {
        for (uint32_t i = 0; i < service->releases_count; i++) {
            struct release *release = ledger_at(core, service, i);
            if (may_go(core, release, pass)) {
                return release;
            }
        }
    }
    return NULL;
}

static struct release *first_of_all(const struct core *core)
{
    for (enum pass pass = PASS_OVER; pass < PASS_LAST; pass++) {
        for (uint32_t i = 0; i < core->releases.count; i++) {
            struct release *release = pool_at(&core->releases, i);
            if (may_go(core, release, pass)) {
                return release;
            }
        }
    }
    return NULL;
}

static void forget_rollbacks(struct core *core, uint64_t release)
{
    for (uint32_t i = core->rollbacks.count; i > 0; i--) {
        struct rollback *rollback = pool_at(&core->rollbacks, i - 1);
        if (rollback->release == release) {
            assert(!rollback_is_under_way(rollback));
            timer_stop(&core->timers, &rollback->timer);
            timer_stop(&core->timers, &rollback->ends);
            rollback_stop_waiting(core, rollback);
            pool_remove(&core->rollbacks, rollback->id);
        }
    }
}

static void forget(struct core *core, struct release *release)
{
    if (!release) {
        return;
    }
    forget_rollbacks(core, release->id);
    for (uint32_t i = core->incidents.count; i > 0; i--) {
        struct incident *incident = pool_at(&core->incidents, i - 1);
        if (incident->release == release->id && incident->closed_at) {
            pool_remove(&core->incidents, incident->id);
        }
    }
    struct service *service = service_at(core, release->service);
    if (watch_of(core, service)->release == release->id) {
        watch_stop(core, service); /* it is over, and about to be stopped */
    }
    rule_leave(core, release->rule);
    ledger_remove(core, service, release);
    release_drop(core, release);
    pool_remove(&core->releases, release->id);
}

void forget_for_one(struct core *core, const struct service *service)
{
    if (service->releases_count >= RELEASES_PER_SERVICE_MAX) {
        forget(core, first_here(core, service));
    }
    if (core->releases.count >= core->options.releases_max) {
        forget(core, first_of_all(core));
    }
}
