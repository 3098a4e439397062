#include "controller/core/blame.h"

#include <assert.h>

#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

static const struct policy *policy_of(const struct core *core,
                                      const struct watch *watch)
{
    return rule_policy(core, watch->rule);
}

static bool breaches(const struct watch *watch, uint16_t signal)
{
    return watch->breaching >> signal & 1u;
}

/* Read by more watches than this one; it may read it as two signals. */
static bool is_shared(const struct core *core, const struct watch *watch,
                      uint16_t signal)
{
    uint32_t series = watch->series[signal], own = 0;
    if (series == NONE_ID) {
        return false;
    }
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        own += watch->series[i] == series;
    }
    return series_at(core, series)->readers > own;
}

static uint32_t own_signals(const struct core *core, const struct watch *watch)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        count += breaches(watch, i) && !is_shared(core, watch, i);
    }
    return count;
}

static bool sees_trouble_in(const struct core *core, const struct watch *watch,
                            uint32_t series)
{
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        if (watch->series[i] == series && breaches(watch, i)) {
            return true;
        }
    }
    return false;
}

/* Do both see their trouble in the same? */
static bool meets(const struct core *core, const struct watch *watch,
                  const struct watch *other)
{
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        if (breaches(watch, i) && watch->series[i] != NONE_ID &&
            sees_trouble_in(core, other, watch->series[i])) {
            return true;
        }
    }
    return false;
}

bool blame_is_own(const struct core *core, const struct service *service)
{
    const struct watch *watch = watch_of(core, service);
    return !watch->on || watch->judged == 0 || watch->breaching == 0 ||
           own_signals(core, watch) > 0;
}

/* The release that @other is about, when it may be the suspect: its trouble
 * stands, more than watching is allowed, and nothing was tried yet. */
static const struct release *candidate(const struct core *core,
                                       const struct watch *other)
{
    const struct release *release = release_find(core, other->release);
    if (other->rollback || !release || !incident_blames(core, release)) {
        return NULL;
    }
    const struct service *service = service_at(core, release->service);
    const struct rollback *rollback = rollback_find(core, release->rollback);
    time_ms countdown = 0;
    bool tried = rollback && rollback_is_spent(rollback) &&
                 rollback->incident == service->incident;
    bool acts = guard_mode_now(core, service, &countdown) != MODE_OBSERVE;
    return acts && !tried ? release : NULL;
}

/* More signals of its own, then the newer one, then the later record. */
static bool is_worse(const struct core *core, const struct release *a,
                     const struct release *b)
{
    uint32_t own_a = own_signals(core, &core->watches[a->service]);
    uint32_t own_b = own_signals(core, &core->watches[b->service]);
    return own_a != own_b ? own_a > own_b : ledger_is_older(b, a);
}

static bool shares_trouble(const struct core *core, const struct watch *watch)
{
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        if (breaches(watch, i) && is_shared(core, watch, i)) {
            return true;
        }
    }
    return false;
}

/* What goes back now, over something in which @watch sees its trouble. */
static const struct release *going_back(const struct core *core,
                                        const struct watch *watch)
{
    const struct release *release = release_find(core, watch->after);
    if (!release || (watch->breaching & watch->after_signals) == 0) {
        return NULL;
    }
    const struct service *service = service_at(core, release->service);
    const struct rollback *rollback = rollback_find(core, service->rollback);
    return rollback && rollback->release == release->id ? release : NULL;
}

static const struct release *worst_candidate(const struct core *core,
                                             const struct watch *watch)
{
    const struct release *worst = release_find(core, watch->release);
    for (uint32_t i = 0; i < core->services_count; i++) {
        const struct watch *other = &core->watches[i];
        const struct release *release =
            other->on && other != watch ? candidate(core, other) : NULL;
        if (release && meets(core, watch, other) &&
            is_worse(core, release, worst)) {
            worst = release;
        }
    }
    return worst->id == watch->release ? NULL : worst;
}

const struct release *blame_other(const struct core *core,
                                  const struct release *release)
{
    const struct watch *watch = &core->watches[release->service];
    if (!watch->on || watch->release != release->id) {
        return NULL;
    }
    const struct release *first = going_back(core, watch);
    if (!first && shares_trouble(core, watch)) {
        first = worst_candidate(core, watch);
    }
    return first;
}

/* The signals of @other that read a series in which @watch breaches. */
static uint32_t met_signals(const struct core *core, const struct watch *watch,
                            const struct watch *other)
{
    uint32_t signals = 0;
    for (uint16_t i = 0; i < policy_of(core, other)->signals; i++) {
        bool met = other->series[i] != NONE_ID &&
                   sees_trouble_in(core, watch, other->series[i]);
        signals |= met ? UINT32_C(1) << i : 0;
    }
    return signals;
}

void blame_taken(struct core *core, const struct release *release)
{
    const struct watch *watch = &core->watches[release->service];
    if (!watch->on || watch->release != release->id ||
        !shares_trouble(core, watch)) {
        return;
    }
    for (uint32_t i = 0; i < core->services_count; i++) {
        struct watch *other = &core->watches[i];
        uint32_t signals =
            other->on && other != watch ? met_signals(core, watch, other) : 0;
        if (signals != 0) {
            other->after = release->id;
            other->after_signals = signals;
        }
    }
}
