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

static struct judge *judge_of(const struct core *core,
                              const struct service *service)
{
    return (struct judge *)&core->judges[service->index * JUDGE_WORDS];
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

/* ---- facts ------------------------------------------------------------- */

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

const struct facts *watch_facts(struct core *core,
                                const struct release *release,
                                const struct policy *policy, time_ms since,
                                time_ms g)
{
    const struct service *service = service_at(core, release->service);
    struct facts *facts = &core->facts;
    *facts = (struct facts){
        .service = service->name,
        .environment = service->environment,
        .version = release->version,
        .kind = or_null(release->kind),
        .data_change = or_null(release->data_change),
        .labels = release->labels,
        .labels_count = release->labels_count,
        .deployed_at = since,
        .rollback_safe = ledger_rollback_safe(core, release,
                                              ledger_last_good(core, release)),
        .stuck = watch_is_stuck(core, release, g),
    };
    fill_fleet(core, policy, facts);
    return facts;
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
    uint32_t missing = 0;
    for (uint32_t i = 0; i < watch->queries; i++) {
        enum asked asked = query_asked(
            query_at(core, watch->subscriptions[i].query), watch->g);
        missing += asked != ASKED_ANSWERED && asked != ASKED_FAILED;
    }
    return missing;
}

static time_ms patience_of(const struct core *core, const struct watch *watch)
{
    time_ms longest = 0;
    for (uint32_t i = 0; i < watch->queries; i++) {
        time_ms one =
            query_patience(core, query_at(core, watch->subscriptions[i].query));
        longest = one > longest ? one : longest;
    }
    return longest;
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

static void arm_look(struct core *core, struct watch *watch)
{
    time_ms soonest = watch->g > core->now ? watch->g : core->now;
    time_ms latest = watch->g + patience_of(core, watch);
    timer_arm(&core->timers, &watch->look,
              watch->missing == 0 || latest < soonest ? soonest : latest);
}

static void await(struct core *core, struct watch *watch, time_ms g)
{
    watch->g = g;
    watch->missing = count_missing(core, watch);
    arm_look(core, watch);
}

void watch_answered(struct core *core, uint32_t id, time_ms g)
{
    struct watch *watch = &core->watches[id / POLICY_SIGNALS_MAX];
    if (!watch->on || watch->g != g || watch->missing == 0) {
        return;
    }
    watch->missing = count_missing(core, watch);
    if (watch->missing == 0 && watch->look.place != 0) {
        arm_look(core, watch);
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

static void judge_begin(struct core *core, const struct service *service)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    struct judge *judge = judge_of(core, service);
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
    watch->root = ANSWER_UNKNOWN;
}

struct wanted {
    const struct release *release; /* NULL: no watch */
    uint64_t rollback;
    uint16_t rule;
    time_ms since;
};

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
    subscribe_all(core, service, wanted->release);
    judge_begin(core, service);
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

static void stop(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    unsubscribe_all(core, watch);
    pending_drop(core, watch->asking);
    timer_stop(&core->timers, &watch->look);
    timer_stop(&core->timers, &watch->act);
    timer_stop(&core->timers, &watch->account);
    uint16_t rule = watch->rule;
    struct timer look = watch->look, act = watch->act;
    struct timer account = watch->account;
    memset(watch, 0, sizeof *watch);
    watch->rule = NONE_INDEX;
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
    if (was_on) {
        stop(core, service);
    }
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
    judge_begin(core, service);
    watch->judged = 0;
    watch->quiet_since = 0;
    watch->unknown_since = 0;
    time_ms from = core->now > watch->since ? core->now : watch->since;
    await(core, watch, grid_after(from, policy->watch.every));
    watch->refill = needs_refill(watch, policy);
}

/* ---- history ----------------------------------------------------------- */

static time_ms history_patience(const struct core *core)
{
    time_ms longest = SECOND_MS;
    for (size_t i = 0; i < core->options.sources_count; i++) {
        time_ms timeout = core->options.sources[i].timeout;
        longest = timeout > longest ? timeout : longest;
    }
    /* A range query reads more than an instant one. */
    return 2 * longest + SECOND_MS;
}

static void ask_history(struct core *core, struct service *service,
                        time_ms from, time_ms to)
{
    struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    struct effect *effect = pending_ask(core, EFFECT_HISTORY, PENDING_HISTORY,
                                        service->index, history_patience(core));
    effect->service = service->index;
    effect->history.release = watch->release;
    effect->history.policy = policy;
    effect->history.every = policy->watch.every;
    effect->history.from = from;
    effect->history.to = to;
    watch->asking = effect->id.counter;
    struct pending *pending = pool_find(&core->pending, watch->asking);
    pending->rule = rule_take(core, watch->rule);
}

/* The hour before the deploy, and whatever the policy looks back from it. */
static bool ask_baseline(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    if (watch->learned || watch->asking || watch->baseline_tried == watch->g) {
        return false;
    }
    time_ms every = policy->watch.every;
    time_ms to = grid_at_or_before(watch->since, every);
    time_ms rows = policy->history / every;
    rows = rows < HISTORY_ROWS_MAX ? rows : HISTORY_ROWS_MAX - 1;
    watch->baseline_tried = watch->g;
    watch->asks_baseline = true;
    ask_history(core, service, to - rows * every, to);
    return true;
}

static bool ask_refill(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    if (!watch->refill || watch->asking || watch->refill_tried == watch->g) {
        return false;
    }
    time_ms every = policy->watch.every;
    time_ms to = watch->g - every;
    time_ms from = grid_at_or_before(to - policy->lookback, every);
    time_ms first = grid_after(watch->since, every);
    from = from > first ? from : first;
    if (to - from >= HISTORY_ROWS_MAX * every) {
        from = to - (HISTORY_ROWS_MAX - 1) * every;
    }
    if (from > to) {
        watch->refill = false;
        return false;
    }
    watch->refill_tried = watch->g;
    watch->asks_baseline = false;
    ask_history(core, service, from, to);
    return true;
}

/* Times at which a version was live that is suspect now: not normal. */
static size_t spans_without(struct core *core, const struct service *service)
{
    size_t count = 0;
    for (uint32_t i = 0; i < service->releases_count; i++) {
        const struct release *release = ledger_at(core, service, i);
        bool bad = release->state == RELEASE_SUSPECT ||
                   release->state == RELEASE_REVERTING ||
                   release->state == RELEASE_REVERTED ||
                   release->grade == GRADE_TAINTED;
        if (bad && release->live_from) {
            time_ms from = release->deployed_at < release->live_from
                               ? release->deployed_at
                               : release->live_from;
            core->without[count++] = (struct span){
                from, release->live_until ? release->live_until : TIME_NEVER};
        }
    }
    return count;
}

static void record_baseline(struct core *core, const struct service *service,
                            const struct release *release)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    struct record *record = core_record_about(core, RECORD_BASELINE, service);
    record->release = release->id;
    text_copy(record->name, sizeof record->name,
              policy_text(policy, policy->name));
    text_copy(record->digest, sizeof record->digest, policy->digest);
    record->grid = watch->g;
    record->frozens = (uint8_t)policy->frozens;
    memcpy(record->frozen, judge_frozen(policy, judge_of(core, service)),
           policy->frozens * sizeof record->frozen[0]);
    core_tell(core, record);
}

static void learn(struct core *core, struct service *service,
                  const struct history *history)
{
    struct watch *watch = watch_of(core, service);
    const struct release *release = release_find(core, watch->release);
    const struct policy *policy = rule_policy(core, watch->rule);
    assert(release);
    struct history given = *history;
    given.without = core->without;
    given.withouts = spans_without(core, service);
    const struct facts *facts =
        watch_facts(core, release, policy, watch->since, watch->since);
    judge_learn(policy, judge_of(core, service), &given, facts, core->scratch);
    watch->learned = true;
    record_baseline(core, service, release);
}

static void refill(struct core *core, struct service *service,
                   const struct history *history)
{
    struct watch *watch = watch_of(core, service);
    const struct release *release = release_find(core, watch->release);
    const struct policy *policy = rule_policy(core, watch->rule);
    assert(release);
    judge_begin(core, service);
    for (size_t i = 0; i < history->rows; i++) {
        time_ms g = history->from + (time_ms)i * policy->watch.every;
        if (g <= watch->since || g >= watch->g) {
            continue;
        }
        const struct facts *facts =
            watch_facts(core, release, policy, watch->since, g);
        judge_look(policy, judge_of(core, service), g,
                   &history->samples[i * policy->signals], facts,
                   &core->scratch->verdict);
    }
    watch->refill = false;
}

void watch_history(struct core *core, struct service *service,
                   const struct history *history)
{
    struct watch *watch = watch_of(core, service);
    watch->asking = 0;
    if (history && watch->asks_baseline) {
        learn(core, service, history);
    } else if (history) {
        refill(core, service, history);
    }
    if (watch->look.place == 0) {
        arm_look(core, watch);
    }
    if (watch->refill && history && watch->asks_baseline) {
        timer_arm(&core->timers, &watch->look, core->now);
    }
}

/* ---- looking ----------------------------------------------------------- */

static struct sample sample_of(struct core *core, const struct watch *watch,
                               const struct policy *policy, uint16_t signal)
{
    uint32_t id = watch->series[signal];
    if (id == NONE_ID) {
        bool is_read = policy_signal(policy, signal)->node != NONE_INDEX;
        return (struct sample){.unknown = is_read ? UNKNOWN_SOURCE_ERROR
                                                  : UNKNOWN_NOT_ASKED};
    }
    const struct series *series = series_at(core, id);
    struct query *query = query_at(core, series->query);
    switch (query_asked(query, watch->g)) {
    case ASKED_ANSWERED:
        return series_sample(series, query, watch->g);
    case ASKED_OPEN:
    case ASKED_FAILED:
        return (struct sample){.unknown = UNKNOWN_SOURCE_ERROR};
    case ASKED_NEVER:
        break;
    }
    return (struct sample){.unknown = UNKNOWN_NOT_ASKED};
}

/* A query that did not answer for g until its deadline counts as failed. */
static void note_missed(struct core *core, const struct watch *watch)
{
    for (uint32_t i = 0; i < watch->queries; i++) {
        query_missed(core, query_at(core, watch->subscriptions[i].query),
                     watch->g);
    }
}

static void look(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    const struct release *release = release_find(core, watch->release);
    const struct policy *policy = rule_policy(core, watch->rule);
    assert(release);
    for (uint16_t i = 0; i < policy->signals; i++) {
        core->row[i] = sample_of(core, watch, policy, i);
    }
    time_ms g = watch->g;
    const struct facts *facts =
        watch_facts(core, release, policy, watch->since, g);
    judge_look(policy, judge_of(core, service), g, core->row, facts,
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
    time_ms latest = watch->g + patience_of(core, watch) + 2 * every;
    if (core->now <= latest) {
        return;
    }
    watch->g = grid_after(core->now, every);
    watch->missing = count_missing(core, watch);
    watch->refill = true;
}

void watch_due(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    assert(watch->on);
    if (watch_reconcile(core, service)) {
        return; /* it is another watch now, with its own time */
    }
    skip_gap(core, watch);
    if (ask_baseline(core, service) && watch->refill) {
        return; /* the answer, or its time-out, wakes the watch */
    }
    if (watch->asking && watch->refill) {
        return;
    }
    if (watch->refill && core->now < refill_from(core, watch)) {
        timer_arm(&core->timers, &watch->look, refill_from(core, watch));
        return;
    }
    if (ask_refill(core, service)) {
        return;
    }
    time_ms due =
        watch->missing == 0 ? watch->g : watch->g + patience_of(core, watch);
    if (core->now < due) {
        arm_look(core, watch);
        return;
    }
    if (watch->missing > 0) {
        note_missed(core, watch); /* a tick of its own: it may record */
        watch->missing = 0;
        timer_arm(&core->timers, &watch->look, core->now);
        return;
    }
    look(core, service);
}
