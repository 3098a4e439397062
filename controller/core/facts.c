/* What a policy may ask of a release besides its signals. */
#include "controller/core/watch.h"

#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

bool watch_is_stuck(const struct core *core, const struct release *release,
                    time_ms at)
{
    const struct service *service = service_at(core, release->service);
    bool complete = ledger_live(core, service) == release && service->complete;
    return release_is_active(release) && !complete &&
           at >= release->since + service_deadline(core, service);
}

static uint32_t released_within(const struct core *core, time_ms span)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->releases.count; i++) {
        const struct release *release = pool_at(&core->releases, i);
        count += release->origin == ORIGIN_REGISTERED &&
                 release->deployed_at > core->now - span;
    }
    return count;
}

static void fill_fleet(const struct core *core, const struct policy *policy,
                       struct facts *facts)
{
    for (uint16_t i = 0; i < policy->fleets; i++) {
        const struct fleet_query *query = policy_fleet(policy, i);
        switch (query->fact) {
        case FLEET_ROLLBACKS:
            facts->fleet[i] = guard_spent(core, NULL, query->span);
            break;
        case FLEET_BREACHING:
            facts->fleet[i] = incident_breaching(core, core->now, core->now);
            break;
        case FLEET_RELEASED:
            facts->fleet[i] = released_within(core, query->span);
            break;
        }
    }
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

void watch_texts(const struct core *core, const struct release *release,
                 const struct policy *policy, struct facts *ret_facts)
{
    const struct service *service = service_at(core, release->service);
    const struct release *control = policy_asks(policy, FACT_CONTROL_VERSION)
                                        ? ledger_last_good(core, release)
                                        : NULL;
    *ret_facts = (struct facts){
        .service = service->name,
        .environment = service->environment,
        .version = release->version,
        .control_version = control ? control->version : NULL,
        .kind = or_null(release->kind),
        .data_change = or_null(release->data_change),
        .labels = release->labels,
        .labels_count = release->labels_count,
    };
}

const struct facts *watch_facts(struct core *core,
                                const struct release *release,
                                const struct policy *policy, time_ms since,
                                time_ms g)
{
    struct facts *facts = &core->facts;
    watch_texts(core, release, policy, facts);
    facts->deployed_at = since;
    facts->rollback_safe = ANSWER_UNKNOWN;
    if (policy_asks(policy, FACT_ROLLBACK_SAFE)) {
        facts->rollback_safe = ledger_rollback_safe(
            core, release, ledger_last_good(core, release));
    }
    facts->stuck =
        policy_asks(policy, FACT_STUCK) && watch_is_stuck(core, release, g);
    fill_fleet(core, policy, facts);
    return facts;
}
