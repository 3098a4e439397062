/* The invariants of core.h, as code. */
#include "controller/core/core.h"

#include <assert.h>

#include "controller/core/inside.h"
#include "controller/core/ledger.h"

static bool is_armed(const struct timer *timer)
{
    return timer->place != 0;
}

/* 3, 4: whatever is outstanding has a deadline. */
static void check_pending(const struct core *core)
{
    for (uint32_t i = 0; i < core->pending.count; i++) {
        const struct pending *pending = pool_at(&core->pending, i);
        assert(is_armed(&pending->timer));
        assert(pending->id <= core->counter);
    }
    for (uint32_t i = 0; core->started && i < core->notices.count; i++) {
        const struct notice *notice = pool_at(&core->notices, i);
        assert(is_armed(&notice->timer));
    }
    for (uint32_t i = 0; core->started && i < core->actions.count; i++) {
        const struct action *action = pool_at(&core->actions, i);
        assert(is_armed(&action->timer));
    }
    for (uint32_t i = 0; i < core->freezes.count; i++) {
        const struct freeze *freeze = pool_at(&core->freezes, i);
        assert(is_armed(&freeze->timer));
    }
}

/* 4, 7, 8: a rollback under way is its service's only one and something will
 * move it. */
static void check_rollbacks(const struct core *core)
{
    for (uint32_t i = 0; i < core->rollbacks.count; i++) {
        const struct rollback *rollback = pool_at(&core->rollbacks, i);
        const struct service *service = service_at(core, rollback->service);
        bool proposed = rollback->state == ROLLBACK_PROPOSED;
        assert(proposed || !is_armed(&rollback->ends));
        if (!rollback_is_under_way(rollback)) {
            assert(service->rollback != rollback->id);
            assert(!core->started || !proposed || rollback->manual ||
                   rollback->acts_at == 0 || is_armed(&rollback->ends) ||
                   rollback->waiting != 0 || rollback->overdue ||
                   rollback->acts_at <= core->now);
            continue;
        }
        assert(service->rollback == rollback->id);
        assert(rollback->intended != 0); /* 2 */
        assert(!core->started || is_armed(&rollback->timer) ||
               rollback->waiting != 0);
    }
}

static void check_ledger(const struct core *core, const struct service *service)
{
    for (uint32_t i = 0; i < service->releases_count; i++) {
        const struct release *release = ledger_at(core, service, i);
        assert(release->service == service->index);
        assert(i == 0 ||
               ledger_is_older(ledger_at(core, service, i - 1), release));
        assert(release_is_active(release) || release->rule == NONE_INDEX);
    }
    /* 6: last good is older and graded, and what is tainted is nobody's. */
    const struct release *live = ledger_live(core, service);
    const struct release *target = live ? ledger_last_good(core, live) : NULL;
    assert(!target || ledger_is_older(target, live));
    assert(!target || target->grade == GRADE_GOOD ||
           target->grade == GRADE_PROVISIONAL);
    assert(!target || !ledger_is_tainted(core, service, target->version));
}

static void check_watch(const struct core *core, const struct service *service)
{
    const struct watch *watch = watch_of(core, service);
    if (!watch->on) {
        assert(!is_armed(&watch->look));
        assert(watch->asking == 0);
        return;
    }
    assert(release_find(core, watch->release));
    assert(rule_policy(core, watch->rule));
    assert(watch->missing <= watch->queries);
    assert(is_armed(&watch->look) || watch->asking != 0);
}

static void check_services(const struct core *core)
{
    for (uint32_t i = 0; i < core->services_count; i++) {
        const struct service *service = &core->services[i];
        check_ledger(core, service);
        check_watch(core, service);
        const struct incident *incident =
            incident_find(core, service->incident);
        assert(!service->incident || incident);
        assert(!incident || incident->closed_at == 0);
    }
}

static void check_queries(const struct core *core)
{
    uint32_t queries = 0, series = 0;
    for (uint32_t i = 0; i < core->queries.queries_used; i++) {
        const struct query *query = query_at(core, i);
        queries += query->readers > 0;
        assert(query->readers == 0 || is_armed(&query->timer));
    }
    for (uint32_t i = 0; i < core->queries.series_used; i++) {
        series += series_at(core, i)->readers > 0;
    }
    assert(queries == core->queries.queries_count);
    assert(series == core->queries.series_count);
}

void core_check(const struct core *core)
{
    assert(!core->decision);
    timers_check(&core->timers);
    check_pending(core);
    check_rollbacks(core);
    check_services(core);
    check_queries(core);
}
