#include "controller/core/view.h"

#include <assert.h>
#include <string.h>

#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

/* ---- services ---------------------------------------------------------- */

bool view_service(const struct core *core, uint16_t index,
                  struct service_view *ret_view)
{
    if (index >= core->services_count) {
        return false;
    }
    const struct service *service = service_at(core, index);
    const struct release *live = ledger_live(core, service);
    *ret_view = (struct service_view){
        .index = index,
        .service = service->name,
        .environment = service->environment,
        .option = service->option,
        .live = service->live,
        .complete = service->complete,
        .observed_at = service->observed_at,
        .observe_error = service->observe_error,
        .release = live ? live->id : 0,
        .incident = service->incident,
        .rollback = service->rollback,
    };
    return true;
}

bool view_find_service(const struct core *core, const char *service,
                       const char *environment, struct service_view *ret_view)
{
    const struct service *found = service_find(core, service, environment);
    return found && view_service(core, found->index, ret_view);
}

bool view_next_service(const struct core *core, size_t *cursor,
                       struct service_view *ret_view)
{
    if (*cursor >= core->services_count) {
        return false;
    }
    return view_service(core, (uint16_t)(*cursor)++, ret_view);
}

/* ---- releases ---------------------------------------------------------- */

static void fill_names(struct release_view *view, const struct release *release)
{
    view->id = release->id;
    view->service = release->service;
    view->version = release->version;
    view->previous = release->previous;
    view->kind = release->kind;
    view->data_change = release->data_change;
    view->compatible_from = release->compatible_from;
    view->policy = release->policy;
    view->policy_digest = release->digest;
    view->state = release->state;
    view->grade = release->grade;
    view->origin = release->origin;
    view->deployed_at = release->deployed_at;
    view->registered_at = release->registered_at;
    view->verdict = release->verdict_kind;
    view->verdict_text = release->verdict_text;
    view->verdict_sequence = release->verdict;
    view->incident = release->incident;
    view->rollback = release->rollback;
    view->blind = release->blind;
    view->muted_until = release->muted_until;
    view->muted_by = release->muted_by;
    view->labels = release->labels;
    view->labels_count = release->labels_count;
}

static const struct watch *watch_on(const struct core *core,
                                    const struct release *release)
{
    const struct watch *watch = &core->watches[release->service];
    bool its = watch->on && !watch->rollback && watch->release == release->id;
    return its ? watch : NULL;
}

static void fill_clock(const struct core *core, struct release_view *view,
                       const struct release *release)
{
    const struct watch *watch = watch_on(core, release);
    const struct policy *policy = rule_policy(core, release->rule);
    view->healthy = watch ? watch->healthy : release->healthy;
    view->looks = watch ? watch->looks : release->looks;
    view->known_looks = watch ? watch->known_looks : release->known_looks;
    view->requests = watch ? watch->requests : release->requests;
    view->judged_at =
        watch && watch->judged ? watch->judged : release->judged_at;
    view->lasts = policy ? policy->watch.lasts : 0;
}

static void fill_outlook(const struct core *core, struct release_view *view,
                         const struct release *release)
{
    const struct service *service = service_at(core, release->service);
    const struct release *target = ledger_last_good(core, release);
    const struct watch *watch = watch_on(core, release);
    const struct policy *policy = rule_policy(core, release->rule);
    view->last_good = target ? target->id : 0;
    view->last_good_version = target ? target->version : "";
    view->rollback_safe = ledger_rollback_safe(core, release, target);
    view->stuck = watch_is_stuck(core, release, core->now);
    time_ms countdown = 0;
    if (policy) {
        bool same = watch && watch->rule == release->rule;
        view->mode =
            guard_mode(core, service, policy, same ? watch->leaf : NONE_INDEX,
                       same && watch->unsure, &countdown);
    }
}

bool view_release(const struct core *core, uint64_t id,
                  struct release_view *ret_view)
{
    const struct release *release = release_find(core, id);
    if (!release) {
        return false;
    }
    *ret_view = (struct release_view){0};
    fill_names(ret_view, release);
    fill_clock(core, ret_view, release);
    fill_outlook(core, ret_view, release);
    return true;
}

bool view_next_release(const struct core *core, size_t *cursor,
                       struct release_view *ret_view)
{
    if (*cursor >= core->releases.count) {
        return false;
    }
    uint32_t position = core->releases.count - 1 - (uint32_t)*cursor;
    const struct release *release = pool_at(&core->releases, position);
    (*cursor)++;
    return view_release(core, release->id, ret_view);
}

size_t view_brakes(const struct core *core, uint64_t release,
                   struct brake ret_brakes[BRAKES_MAX])
{
    const struct release *found = release_find(core, release);
    bool may_go_back = found && release_is_active(found) &&
                       found->rule != NONE_INDEX &&
                       found->state != RELEASE_GOOD;
    return may_go_back ? guard_brakes(core, found, ret_brakes) : 0;
}

uint64_t view_find_release(const struct core *core, const char *service,
                           const char *environment, const char *version)
{
    const struct service *found = service_find(core, service, environment);
    const struct release *release =
        found ? ledger_version(core, found, version) : NULL;
    return release ? release->id : 0;
}

bool view_release_series(const struct core *core, uint64_t release,
                         uint16_t signal, uint32_t *ret_query,
                         uint32_t *ret_series)
{
    const struct release *found = release_find(core, release);
    const struct watch *watch = found ? &core->watches[found->service] : NULL;
    if (!watch || !watch->on || watch->release != release ||
        signal >= rule_policy(core, watch->rule)->signals ||
        watch->series[signal] == NONE_ID) {
        return false;
    }
    *ret_series = watch->series[signal];
    *ret_query = series_at(core, *ret_series)->query;
    return true;
}

/* ---- rollbacks and incidents ------------------------------------------- */

bool view_rollback(const struct core *core, uint64_t id,
                   struct rollback_view *ret_view)
{
    const struct rollback *rollback = rollback_find(core, id);
    if (!rollback) {
        return false;
    }
    *ret_view = (struct rollback_view){
        .id = rollback->id,
        .incident = rollback->incident,
        .release = rollback->release,
        .target_release = rollback->target_release,
        .service = rollback->service,
        .suspect = rollback->suspect,
        .target = rollback->target,
        .state = rollback->state,
        .mode = rollback->mode,
        .countdown = rollback->countdown,
        .proposed_at = rollback->proposed_at,
        .intended_at = rollback->intended_at,
        .requested_at = rollback->requested_at,
        .applied_at = rollback->applied_at,
        .acts_at = rollback->state == ROLLBACK_PROPOSED ? rollback->acts_at : 0,
        .approved_by = rollback->approved_by,
        .ended_at = rollback->ended_at,
        .code = rollback->code,
        .text = rollback->text,
    };
    return true;
}

bool view_incident(const struct core *core, uint64_t id,
                   struct incident_view *ret_view)
{
    const struct incident *incident = incident_find(core, id);
    if (!incident) {
        return false;
    }
    *ret_view = (struct incident_view){
        .id = incident->id,
        .release = incident->release,
        .service = incident->service,
        .opened_at = incident->opened_at,
        .closed_at = incident->closed_at,
        .text = incident->text,
    };
    return true;
}

bool view_next_incident(const struct core *core, size_t *cursor,
                        struct incident_view *ret_view)
{
    if (*cursor >= core->incidents.count) {
        return false;
    }
    uint32_t position = core->incidents.count - 1 - (uint32_t)*cursor;
    const struct incident *incident = pool_at(&core->incidents, position);
    (*cursor)++;
    return view_incident(core, incident->id, ret_view);
}

bool view_next_freeze(const struct core *core, size_t *cursor,
                      struct freeze_view *ret_view)
{
    if (*cursor >= core->freezes.count) {
        return false;
    }
    const struct freeze *freeze =
        pool_at(&core->freezes, (uint32_t)(*cursor)++);
    *ret_view = (struct freeze_view){
        .id = freeze->id,
        .incident = freeze->incident,
        .service = freeze->service,
        .environment = freeze->environment,
        .reason = freeze->reason,
        .by = freeze->by,
        .at = freeze->at,
        .until = freeze->until,
    };
    return true;
}

bool view_next_undelivered(const struct core *core, size_t *cursor,
                           struct undelivered_view *ret_view)
{
    if (*cursor >= UNDELIVERED_MAX || *cursor >= core->undelivered_count) {
        return false;
    }
    const struct undelivered *one =
        &core->undelivered[(core->undelivered_count - ++*cursor) %
                           UNDELIVERED_MAX];
    *ret_view = (struct undelivered_view){
        .notice = one->notice,
        .at = one->at,
        .service = one->service,
        .sink = one->sink,
        .what = one->what,
        .text = one->text,
        .why = one->why,
    };
    return true;
}

/* ---- queries ----------------------------------------------------------- */

bool view_query(const struct core *core, uint32_t id,
                struct query_view *ret_view)
{
    if (id >= core->queries.queries_used || query_at(core, id)->readers == 0) {
        return false;
    }
    *ret_view = query_at(core, id)->key;
    return true;
}

bool view_next_query(const struct core *core, size_t *cursor,
                     struct query_view *ret_view)
{
    while (*cursor < core->queries.queries_used) {
        if (view_query(core, (uint32_t)(*cursor)++, ret_view)) {
            return true;
        }
    }
    return false;
}

/* The cursor is the series' id + 1; 0 begins. */
bool view_next_series(const struct core *core, uint32_t query, size_t *cursor,
                      struct series_view *ret_view)
{
    struct query_view asked;
    if (!view_query(core, query, &asked)) {
        return false;
    }
    uint32_t id = *cursor == 0 ? query_at(core, query)->series
                               : series_at(core, (uint32_t)(*cursor - 1))->next;
    if (id == NONE_ID) {
        return false;
    }
    const struct series *series = series_at(core, id);
    *ret_view = (struct series_view){.id = id, .selects = series->selects};
    const char *text = series->texts;
    for (uint8_t i = 0; i < series->selects; i++) {
        ret_view->labels[i] = text;
        ret_view->values[i] = text + strlen(text) + 1;
        text = ret_view->values[i] + strlen(ret_view->values[i]) + 1;
    }
    *cursor = (size_t)id + 1;
    return true;
}

/* ---- policies and sources ---------------------------------------------- */

static uint32_t judged_by(const struct core *core, size_t rule)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->services_count; i++) {
        count += core->watches[i].on && core->watches[i].rule == rule;
    }
    return count;
}

bool view_next_policy(const struct core *core, size_t *cursor,
                      struct policy_view *ret_view)
{
    const struct rulebook *rulebook = &core->rulebook;
    while (*cursor < rulebook->used && !rulebook->rules[*cursor].in_force) {
        (*cursor)++;
    }
    if (*cursor >= rulebook->used) {
        return false;
    }
    const struct policy *policy = rulebook->rules[*cursor].policy;
    *ret_view = (struct policy_view){
        .name = policy_text(policy, policy->name),
        .digest = policy->digest,
        .service = policy_text(policy, policy->service),
        .environment = policy_text(policy, policy->environment),
        .mode = policy->mode,
        .judges = judged_by(core, *cursor),
    };
    (*cursor)++;
    return true;
}

bool view_next_lost_source(const struct core *core, size_t *cursor,
                           struct lost_source_view *ret_view)
{
    const struct source_state *sources = core->queries.sources;
    while (*cursor < core->options.sources_count && !sources[*cursor].lost) {
        (*cursor)++;
    }
    if (*cursor >= core->options.sources_count) {
        return false;
    }
    *ret_view = (struct lost_source_view){
        .name = core->options.sources[*cursor].name,
        .text = sources[*cursor].text,
        .since = sources[*cursor].since,
    };
    (*cursor)++;
    return true;
}

/* ---- everything at once ------------------------------------------------ */

const struct verdict *view_verdict(const struct core *core)
{
    return &core->verdict;
}

const struct facts *view_facts(const struct core *core)
{
    return &core->facts;
}

const struct policy *view_policy(const struct core *core, const char *name)
{
    return rule_policy(core, rule_find(core, name));
}

static void count_releases(const struct core *core, struct core_counts *counts)
{
    for (uint32_t i = 0; i < core->releases.count; i++) {
        const struct release *release = pool_at(&core->releases, i);
        counts->blind += release->blind && release_is_judged(release);
    }
    for (uint32_t i = 0; i < core->services_count; i++) {
        counts->watched += core->watches[i].on;
        counts->incidents_open += core->services[i].incident != 0;
        counts->rollbacks_under_way += core->services[i].rollback != 0;
    }
    for (uint32_t i = 0; i < core->rulebook.used; i++) {
        counts->policies += core->rulebook.rules[i].in_force;
    }
}

void view_counts(const struct core *core, struct core_counts *ret_counts)
{
    *ret_counts = (struct core_counts){
        .services = core->services_count,
        .releases = core->releases.count,
        .series = core->queries.series_count,
        .queries = core->queries.queries_count,
        .freezes = core->freezes.count,
        .notices_pending = core->notices.count,
        .looks = core->looks,
        .verdicts = core->verdicts,
        .unknown_answers = core->unknown_answers,
        .notices_undelivered = core->undelivered_count,
        .ceiling = core->stopped ? MODE_OBSERVE : core->options.ceiling,
        .stopped = core->stopped,
    };
    count_releases(core, ret_counts);
    for (size_t i = 0; i <= ROLLBACK_UNVERIFIED; i++) {
        ret_counts->rollbacks_by_state[i] = core->rollbacks_by_state[i];
    }
}
