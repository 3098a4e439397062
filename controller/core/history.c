/* The past of a watch: the hour before its deploy, and what it missed. */
#include "controller/core/watch.h"

#include <assert.h>
#include <string.h>

#include "controller/core/inside.h"
#include "controller/core/ledger.h"

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
bool watch_ask_baseline(struct core *core, struct service *service)
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

bool watch_ask_refill(struct core *core, struct service *service)
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
    memcpy(record->frozen, judge_frozen(policy, watch_judge(core, service)),
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
    judge_learn(policy, watch_judge(core, service), &given, facts,
                core->scratch);
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
    watch_judge_begin(core, service);
    for (size_t i = 0; i < history->rows; i++) {
        time_ms g = history->from + (time_ms)i * policy->watch.every;
        if (g <= watch->since || g >= watch->g) {
            continue;
        }
        const struct facts *facts =
            watch_facts(core, release, policy, watch->since, g);
        judge_look(policy, watch_judge(core, service), g,
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
        watch_arm(core, watch);
    }
    if (watch->refill && history && watch->asks_baseline) {
        timer_arm(&core->timers, &watch->look, core->now);
    }
}
