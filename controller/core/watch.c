#include "controller/core/watch.h"

#include <assert.h>
#include <string.h>

#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

struct watch *watch_of(const struct core *core, const struct service *service)
{
    return &core->watches[service->index];
}

struct judge *watch_judge(const struct core *core,
                          const struct service *service)
{
    return watch_of(core, service)->judge;
}

static uint32_t subscription_id(const struct service *service, uint32_t at)
{
    return service->index * (uint32_t)POLICY_SIGNALS_MAX + at;
}

static struct subscription *subscription_at(const struct core *core,
                                            uint32_t id)
{
    struct watch *watch = &core->watches[id / POLICY_SIGNALS_MAX];
    return &watch->subscriptions[id % POLICY_SIGNALS_MAX];
}

/* ---- subscribing ------------------------------------------------------- */

/* Once for each query, however many of its series the watch reads. */
static void subscribe(struct core *core, const struct service *service,
                      uint32_t query)
{
    struct watch *watch = watch_of(core, service);
    for (uint32_t i = 0; i < watch->queries; i++) {
        if (watch->subscriptions[i].query == query) {
            return;
        }
    }
    uint32_t at = watch->queries++;
    uint32_t first = query_at(core, query)->subscription;
    time_ms patience = query_patience(core, query_at(core, query));
    watch->patience = patience > watch->patience ? patience : watch->patience;
    watch->subscriptions[at] = (struct subscription){query, first, NONE_ID};
    if (first != NONE_ID) {
        subscription_at(core, first)->previous = subscription_id(service, at);
    }
    query_at(core, query)->subscription = subscription_id(service, at);
}

static void unsubscribe(struct core *core, const struct subscription *left)
{
    if (left->previous == NONE_ID) {
        query_at(core, left->query)->subscription = left->next;
    } else {
        subscription_at(core, left->previous)->next = left->next;
    }
    if (left->next != NONE_ID) {
        subscription_at(core, left->next)->previous = left->previous;
    }
}

static void subscribe_all(struct core *core, const struct service *service,
                          const struct release *release)
{
    struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    const struct facts *facts =
        watch_facts(core, release, policy, watch->since, watch->since);
    for (uint16_t i = 0; i < policy->signals; i++) {
        bool is_read = policy_signal(policy, i)->node != NONE_INDEX;
        watch->series[i] =
            is_read ? series_take(core, service, policy, i, facts) : NONE_ID;
        if (watch->series[i] != NONE_ID) {
            subscribe(core, service, series_at(core, watch->series[i])->query);
        }
    }
}

static void unsubscribe_all(struct core *core, struct watch *watch)
{
    const struct policy *policy = rule_policy(core, watch->rule);
    for (uint32_t i = 0; i < watch->queries; i++) {
        unsubscribe(core, &watch->subscriptions[i]);
    }
    watch->queries = 0;
    watch->patience = 0;
    for (uint16_t i = 0; i < policy->signals; i++) {
        if (watch->series[i] != NONE_ID) {
            series_leave(core, watch->series[i]);
        }
    }
}

/* ---- the grid ---------------------------------------------------------- */

static uint32_t count_missing(const struct core *core,
                              const struct watch *watch)
{
    const struct policy *policy = rule_policy(core, watch->rule);
    size_t slot = grid_slot(watch->g, policy->watch.every);
    uint32_t missing = 0;
    for (uint32_t i = 0; i < watch->queries; i++) {
        enum asked asked = query_asked_in(
            query_at(core, watch->subscriptions[i].query), slot, watch->g);
        missing += asked != ASKED_ANSWERED && asked != ASKED_FAILED;
    }
    return missing;
}

/* When the sources have what was measured just before the next look. */
static time_ms refill_from(const struct core *core, const struct watch *watch)
{
    time_ms lag = 0;
    for (uint32_t i = 0; i < watch->queries; i++) {
        const struct query *query =
            query_at(core, watch->subscriptions[i].query);
        time_ms one = core->options.sources[query->key.source].lag;
        lag = one > lag ? one : lag;
    }
    const struct policy *policy = rule_policy(core, watch->rule);
    return watch->g - policy->watch.every + lag;
}

void watch_arm(struct core *core, struct watch *watch)
{
    time_ms soonest = watch->g > core->now ? watch->g : core->now;
    time_ms latest = watch->g + watch->patience;
    timer_arm(&core->timers, &watch->look,
              watch->missing == 0 || latest < soonest ? soonest : latest);
}

static void await(struct core *core, struct watch *watch, time_ms g)
{
    watch->g = g;
    watch->missing = count_missing(core, watch);
    watch_arm(core, watch);
}

void watch_answered(struct core *core, uint32_t id, time_ms g)
{
    struct watch *watch = &core->watches[id / POLICY_SIGNALS_MAX];
    if (!watch->on || watch->g != g || watch->missing == 0) {
        return;
    }
    watch->missing = count_missing(core, watch);
    if (watch->missing == 0 && watch->look.place != 0) {
        watch_arm(core, watch);
    }
}

/* ---- starting and stopping --------------------------------------------- */

/* The frozen values it judges with: its release's, or the suspect's. */
static const struct release *frozen_of(const struct core *core,
                                       const struct watch *watch)
{
    const struct policy *policy = rule_policy(core, watch->rule);
    const struct rollback *rollback = rollback_find(core, watch->rollback);
    const struct release *release =
        release_find(core, rollback ? rollback->release : watch->release);
    bool fits = release && release->frozens == policy->frozens &&
                text_equal(release->frozen_digest, policy->digest);
    return fits ? release : NULL;
}

void watch_judge_begin(struct core *core, const struct service *service)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    struct judge *judge = watch_judge(core, service);
    judge_start(policy, judge, watch->since);
    const struct release *frozen = frozen_of(core, watch);
    if (frozen) {
        judge_freeze(policy, judge, frozen->frozen);
    }
}

/* Is there a grid time after settle, before g, that nobody looked at? */
static bool needs_refill(const struct watch *watch, const struct policy *policy)
{
    time_ms every = policy->watch.every;
    return grid_after(watch->since + policy->watch.settle, every) <=
           watch->g - every;
}

static void copy_clock(struct watch *watch, const struct release *release,
                       time_ms now)
{
    watch->healthy = release->healthy;
    watch->looks = release->looks;
    watch->known_looks = release->known_looks;
    watch->requests = release->requests;
    watch->progress_at = now;
    watch->leaf = LEAF_INDEX_WAIT;
    watch->breaching = 0;
    watch->own = 0;
    watch->root = ANSWER_UNKNOWN;
    watch->known_root = ANSWER_UNKNOWN;
}

struct wanted {
    const struct release *release; /* NULL: no watch */
    uint64_t rollback;
    uint16_t rule;
    time_ms since;
};

static void take_memory(struct core *core, struct watch *watch)
{
    const struct policy *policy = rule_policy(core, watch->rule);
    watch->judge = arena_take(&core->judges, policy->judge_bytes);
    watch->series =
        arena_take(&core->texts, policy->signals * sizeof *watch->series);
    watch->subscriptions = arena_take(
        &core->texts, policy->signals * sizeof *watch->subscriptions);
}

static void give_memory(struct core *core, const struct watch *watch)
{
    const struct policy *policy = rule_policy(core, watch->rule);
    const char *texts[] = {watch->values, watch->unknowns};
    arena_give(&core->judges, watch->judge, policy->judge_bytes);
    arena_give(&core->texts, watch->series,
               policy->signals * sizeof *watch->series);
    arena_give(&core->texts, watch->subscriptions,
               policy->signals * sizeof *watch->subscriptions);
    arena_text(&core->texts, &texts[0], "", 1);
    arena_text(&core->texts, &texts[1], "", 1);
}

static void start(struct core *core, struct service *service,
                  const struct wanted *wanted)
{
    struct watch *watch = watch_of(core, service);
    watch->on = true;
    watch->rule = rule_take(core, wanted->rule);
    watch->release = wanted->release->id;
    watch->rollback = wanted->rollback;
    watch->since = wanted->since;
    copy_clock(watch, wanted->release, core->now);
    take_memory(core, watch);
    subscribe_all(core, service, wanted->release);
    watch_judge_begin(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    watch->learned = policy->frozens == 0 || watch->rollback != 0 ||
                     frozen_of(core, watch) != NULL;
    time_ms from = core->now > watch->since ? core->now : watch->since;
    await(core, watch, grid_after(from, policy->watch.every));
    watch->refill = needs_refill(watch, policy);
    if (watch->refill) {
        timer_arm(&core->timers, &watch->look, core->now);
    }
}

void watch_stop(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    if (!watch->on) {
        return;
    }
    unsubscribe_all(core, watch);
    pending_drop(core, watch->asking);
    timer_stop(&core->timers, &watch->look);
    timer_stop(&core->timers, &watch->act);
    timer_stop(&core->timers, &watch->account);
    give_memory(core, watch);
    uint16_t rule = watch->rule;
    struct timer look = watch->look, act = watch->act;
    struct timer account = watch->account;
    memset(watch, 0, sizeof *watch);
    watch->rule = NONE_INDEX;
    watch->values = watch->unknowns = "";
    watch->look = look;
    watch->act = act;
    watch->account = account;
    rule_leave(core, rule);
}

static struct wanted wanted_of(const struct core *core,
                               const struct service *service)
{
    const struct rollback *rollback = rollback_find(core, service->rollback);
    if (rollback) {
        bool verifies = rollback->state == ROLLBACK_VERIFYING &&
                        rollback->rule != NONE_INDEX;
        return (struct wanted){
            .release =
                verifies ? release_find(core, rollback->target_release) : NULL,
            .rollback = rollback->id,
            .rule = rollback->rule,
            .since = rollback->applied_at,
        };
    }
    const struct release *live = ledger_live(core, service);
    bool watched = live && release_is_judged(live) && live->rule != NONE_INDEX;
    return (struct wanted){
        .release = watched ? live : NULL,
        .rule = watched ? live->rule : NONE_INDEX,
        .since = watched ? live->since : 0,
    };
}

bool watch_reconcile(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    struct wanted wanted = wanted_of(core, service);
    if (watch->on && wanted.release && watch->release == wanted.release->id &&
        watch->rollback == wanted.rollback && watch->rule == wanted.rule &&
        watch->since == wanted.since) {
        return false;
    }
    uint64_t looks[2] = {watch->looks, watch->known_looks};
    time_ms healthy = watch->healthy;
    double requests = watch->requests;
    bool same = watch->on && wanted.release && !wanted.rollback &&
                watch->release == wanted.release->id;
    bool was_on = watch->on;
    watch_stop(core, service);
    if (!wanted.release) {
        return was_on;
    }
    start(core, service, &wanted);
    if (same) { /* another policy goes on with what the clock has */
        watch->looks = looks[0];
        watch->known_looks = looks[1];
        watch->healthy = healthy;
        watch->requests = requests;
    }
    return true;
}

void watch_restart_clock(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    if (!watch->on) {
        return;
    }
    const struct policy *policy = rule_policy(core, watch->rule);
    watch_judge_begin(core, service);
    watch->judged = 0;
    watch->quiet_since = 0;
    watch->unknown_since = 0;
    time_ms from = core->now > watch->since ? core->now : watch->since;
    await(core, watch, grid_after(from, policy->watch.every));
    watch->refill = needs_refill(watch, policy);
}

/* ---- looking ----------------------------------------------------------- */

/* @slot is that of watch->g; all queries of a policy have one grid. */
static struct sample sample_of(const struct core *core,
                               const struct watch *watch,
                               const struct policy *policy, uint16_t signal,
                               size_t slot)
{
    uint32_t id = watch->series[signal];
    if (id == NONE_ID) {
        bool is_read = policy_signal(policy, signal)->node != NONE_INDEX;
        return (struct sample){.unknown = is_read ? UNKNOWN_SOURCE_ERROR
                                                  : UNKNOWN_NOT_ASKED};
    }
    const struct series *series = series_at(core, id);
    switch (query_asked_in(query_at(core, series->query), slot, watch->g)) {
    case ASKED_ANSWERED:
        return series_sample(series, slot, watch->g);
    case ASKED_OPEN:
    case ASKED_FAILED:
        return (struct sample){.unknown = UNKNOWN_SOURCE_ERROR};
    case ASKED_NEVER:
        break;
    }
    return (struct sample){.unknown = UNKNOWN_NOT_ASKED};
}

/* Queries that did not answer for g until their deadline count as failed.
 * Each may record a lost source: so many at once, the rest in the next tick. */
#define MISSED_MAX 8

static bool note_missed(struct core *core, const struct watch *watch)
{
    uint32_t missed = 0;
    for (uint32_t i = 0; i < watch->queries; i++) {
        struct query *query = query_at(core, watch->subscriptions[i].query);
        if (query_asked(query, watch->g) == ASKED_OPEN) {
            if (missed == MISSED_MAX) {
                return false;
            }
            query_missed(core, query, watch->g);
            missed++;
        }
    }
    return true;
}

static void look(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    const struct release *release = release_find(core, watch->release);
    const struct policy *policy = rule_policy(core, watch->rule);
    assert(release);
    time_ms g = watch->g;
    size_t slot = grid_slot(g, policy->watch.every);
    for (uint16_t i = 0; i < policy->signals; i++) {
        core->row[i] = sample_of(core, watch, policy, i, slot);
    }
    const struct facts *facts =
        watch_facts(core, release, policy, watch->since, g);
    judge_look(policy, watch_judge(core, service), g, core->row, facts,
               &core->verdict);
    core->looks++;
    watch->judged = g;
    await(core, watch, g + policy->watch.every);
    look_taken(core, service, g);
}

/* So late that answers were overwritten: take the grid up where it is. */
static void skip_gap(struct core *core, struct watch *watch)
{
    const struct policy *policy = rule_policy(core, watch->rule);
    time_ms every = policy->watch.every;
    time_ms latest = watch->g + watch->patience + 2 * every;
    if (core->now <= latest) {
        return;
    }
    watch->g = grid_after(core->now, every);
    watch->missing = count_missing(core, watch);
    watch->refill = true;
    watch->quiet_since = 0; /* nobody looked meanwhile */
    watch->unknown_since = 0;
}

void watch_due(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    assert(watch->on);
    if (watch_reconcile(core, service)) {
        return; /* it is another watch now, with its own time */
    }
    skip_gap(core, watch);
    if (watch_ask_baseline(core, service) && watch->refill) {
        return; /* the answer, or its time-out, wakes the watch */
    }
    if (watch->asking && watch->refill) {
        return;
    }
    if (watch->refill && core->now < refill_from(core, watch)) {
        timer_arm(&core->timers, &watch->look, refill_from(core, watch));
        return;
    }
    if (watch_ask_refill(core, service)) {
        return;
    }
    time_ms due = watch->missing == 0 ? watch->g : watch->g + watch->patience;
    if (core->now < due) {
        watch_arm(core, watch);
        return;
    }
    if (watch->missing > 0) {
        if (note_missed(core, watch)) { /* ticks of their own: it records */
            watch->missing = 0;
        }
        timer_arm(&core->timers, &watch->look, core->now);
        return;
    }
    look(core, service);
}
