#include "controller/core/blame.h"

#include <assert.h>

#include "controller/core/consent.h"
#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"
#include "policies/breach.h"

static const struct policy *policy_of(const struct core *core,
                                      const struct watch *watch)
{
    return rule_policy(core, watch->rule);
}

static const struct leaf *leaf_of(const struct core *core,
                                  const struct watch *watch)
{
    return policy_leaf(policy_of(core, watch), watch->leaf);
}

/* ---- what is shared ---------------------------------------------------- */

static bool breaches(const struct watch *watch, uint16_t signal)
{
    return (watch->breaching >> signal & 1u) &&
           watch->series[signal] != NONE_ID;
}

static bool reads(const struct core *core, const struct watch *watch,
                  uint32_t series, bool breaching)
{
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        if (watch->series[i] != NONE_ID && (!breaching || breaches(watch, i)) &&
            series_is_same(core, watch->series[i], series)) {
            return true;
        }
    }
    return false;
}

/* Does @other read something in which @watch sees its trouble; and, when
 * @breaching, see its own there? */
static bool meets(const struct core *core, const struct watch *watch,
                  const struct watch *other, bool breaching)
{
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        if (breaches(watch, i) &&
            reads(core, other, watch->series[i], breaching)) {
            return true;
        }
    }
    return false;
}

static bool is_own(const struct core *core, const struct watch *watch,
                   uint16_t signal)
{
    for (uint32_t i = 0; i < core->services_count; i++) {
        const struct watch *other = &core->watches[i];
        if (other->on && other != watch &&
            reads(core, other, watch->series[signal], false)) {
            return false;
        }
    }
    return true;
}

static uint32_t count_own(const struct core *core, const struct watch *watch)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        count += breaches(watch, i) && is_own(core, watch, i);
    }
    return count;
}

void blame_note(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    const struct leaf *leaf = leaf_of(core, watch);
    watch->breaching = 0;
    watch->own = 0;
    if (leaf->kind == LEAF_HEALTHY || leaf->kind == LEAF_WAIT) {
        return;
    }
    watch->breaching = breach_signals(policy_of(core, watch), &core->verdict);
    watch->own = count_own(core, watch);
    struct incident *incident = incident_find(core, service->incident);
    if (incident) {
        incident->shared = watch->breaching != 0 && watch->own == 0;
    }
}

/* ---- who else ---------------------------------------------------------- */

static const struct release *going_back(const struct core *core,
                                        const struct watch *watch,
                                        const struct service *service)
{
    const struct rollback *rollback = rollback_find(core, service->rollback);
    const struct release *release =
        rollback ? release_find(core, rollback->release) : NULL;
    const struct policy *policy =
        rollback ? rule_policy(core, rollback->rule) : NULL;
    if (!release || !policy) {
        return NULL;
    }
    struct facts facts;
    watch_texts(core, release, policy, &facts);
    for (uint16_t i = 0; i < policy_of(core, watch)->signals; i++) {
        for (uint16_t j = 0; breaches(watch, i) && j < policy->signals; j++) {
            if (series_is_of(core, watch->series[i], service, policy, j,
                             &facts)) {
                return release;
            }
        }
    }
    return NULL;
}

/* Deployed later, and nobody can have judged it: the trouble may be its own. */
static bool is_too_new(const struct core *core, const struct watch *watch,
                       const struct watch *other)
{
    const struct release *release = release_find(core, other->release);
    const struct policy *policy = policy_of(core, other);
    time_ms judged = other->since + policy->watch.settle + policy->root_window +
                     2 * policy->watch.every;
    time_ms countdown = 0;
    return ledger_is_older(release_find(core, watch->release), release) &&
           core->now < judged && meets(core, watch, other, false) &&
           guard_mode_now(core, service_at(core, release->service),
                          &countdown) != MODE_OBSERVE;
}

/* May something still come of it?  What was tried, declined or refused for a
 * reason of its own holds nobody up; nor does a question that nobody answers.
 */
static bool may_go_back(const struct core *core, const struct release *release,
                        enum mode mode)
{
    const struct service *service = service_at(core, release->service);
    const struct rollback *rollback = rollback_find(core, release->rollback);
    if (consent_is_muted(core, release)) {
        return false;
    }
    if (!rollback || rollback->incident != service->incident) {
        return true;
    }
    bool waits = rollback->state == ROLLBACK_REFUSED
                     ? text_equal(rollback->code, "shared_blame")
                     : rollback->state == ROLLBACK_PROPOSED;
    return waits && (mode > MODE_SUGGEST ||
                     core->now - rollback->proposed_at < PAGE_REPEAT_MS);
}

/* What is held is to blame as well: people roll it forward. */
static bool is_candidate(const struct core *core, const struct watch *watch,
                         const struct watch *other)
{
    const struct release *release = release_find(core, other->release);
    const struct service *service = service_at(core, release->service);
    time_ms countdown = 0;
    enum mode mode = guard_mode_now(core, service, &countdown);
    enum leaf_kind kind = leaf_of(core, other)->kind;
    bool pends = kind == LEAF_HOLD ||
                 (kind == LEAF_ROLLBACK && may_go_back(core, release, mode));
    return service->incident != 0 && mode != MODE_OBSERVE && pends &&
           meets(core, watch, other, true);
}

/* More signals of its own, then the newer one. */
static bool is_worse(const struct core *core, const struct release *a,
                     const struct release *b)
{
    uint32_t own_a = core->watches[a->service].own;
    uint32_t own_b = core->watches[b->service].own;
    return own_a != own_b ? own_a > own_b : ledger_is_older(b, a);
}

static const struct release *worst_candidate(const struct core *core,
                                             const struct watch *watch)
{
    const struct release *worst = release_find(core, watch->release);
    for (uint32_t i = 0; i < core->services_count; i++) {
        const struct watch *other = &core->watches[i];
        if (other->on && !other->rollback && other != watch &&
            is_candidate(core, watch, other) &&
            is_worse(core, release_find(core, other->release), worst)) {
            worst = release_find(core, other->release);
        }
    }
    return worst->id == watch->release ? NULL : worst;
}

/* Whom everybody waits for, whoever is worse. */
static const struct release *first_of_all(const struct core *core,
                                          const struct watch *watch,
                                          const char **ret_why)
{
    for (uint32_t i = 0; i < core->services_count; i++) {
        const struct service *service = &core->services[i];
        const struct watch *other = &core->watches[i];
        const struct release *back =
            other != watch ? going_back(core, watch, service) : NULL;
        if (back) {
            *ret_why = " goes back now, over something that both read";
            return back;
        }
        if (other != watch && other->on && !other->rollback &&
            is_too_new(core, watch, other)) {
            *ret_why = " came later, reads the same and cannot be judged yet";
            return release_find(core, other->release);
        }
    }
    return NULL;
}

const struct release *blame_other(const struct core *core,
                                  const struct release *release,
                                  const char **ret_why)
{
    const struct watch *watch = &core->watches[release->service];
    if (!watch->on || watch->release != release->id || watch->breaching == 0) {
        return NULL;
    }
    const struct release *first = first_of_all(core, watch, ret_why);
    if (!first) {
        *ret_why = " is in trouble over the same and is the first suspect";
        first = worst_candidate(core, watch);
    }
    return first;
}
