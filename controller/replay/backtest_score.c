#include "controller/replay/backtest_score.h"

#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

enum backtest_worth backtest_worth(const struct backtest_release *release,
                                   const struct backtest_outcome *outcome)
{
    bool back = outcome->decision.did == DID_ROLLBACK;

    if (outcome->final[0] == '\0') {
        return WORTH_UNKNOWN;
    }
    switch (release->label) {
    case LABEL_NONE:
        break;
    case LABEL_INCIDENT:
        return back ? WORTH_RIGHT : WORTH_MISSED;
    case LABEL_HEALTHY:
        return back ? WORTH_WRONG : WORTH_QUIET;
    }
    return WORTH_UNKNOWN;
}

time_ms backtest_delay(const struct backtest_release *release,
                       const struct backtest_outcome *outcome)
{
    return outcome->decision.at - (release->began != 0
                                       ? release->began
                                       : release->release.deployed_at);
}

/* --- Counting ------------------------------------------------------------- */

struct counting {
    const struct backtest_release *releases;
    const struct backtest_outcome *outcomes;
    size_t count;
    time_ms *delays; /* room for all */
};

static bool is_same(const struct backtest_decision *a,
                    const struct backtest_decision *b)
{
    bool same = a->leaf == b->leaf && a->steps == b->steps;

    for (uint8_t i = 0; same && i < a->steps; i++) {
        same = a->path[i].question == b->path[i].question &&
               a->path[i].answer == b->path[i].answer;
    }
    return same;
}

/* Did @rule decide?  NULL: any rollback. */
static bool fired(const struct backtest_outcome *outcome,
                  const struct backtest_decision *rule)
{
    if (outcome->final[0] == '\0') {
        return false;
    }
    return rule == NULL ? outcome->decision.did == DID_ROLLBACK
                        : outcome->decision.did == rule->did &&
                              is_same(&outcome->decision, rule);
}

static int order(const void *left, const void *right)
{
    time_ms a = *(const time_ms *)left, b = *(const time_ms *)right;

    return (a > b) - (a < b);
}

static struct backtest_rule count_rule(const struct counting *counting,
                                       const struct backtest_decision *decision)
{
    struct backtest_rule rule = {.decision = decision};

    for (size_t i = 0; i < counting->count; i++) {
        const struct backtest_release *release = &counting->releases[i];
        const struct backtest_outcome *outcome = &counting->outcomes[i];

        if (!fired(outcome, decision)) {
            continue;
        }
        rule.fired++;
        rule.labelled += release->label != LABEL_NONE;
        if (release->label == LABEL_INCIDENT) {
            counting->delays[rule.right++] = backtest_delay(release, outcome);
        }
    }
    if (rule.right > 0) { /* the lower of the two middle ones */
        qsort(counting->delays, rule.right, sizeof(time_ms), order);
        rule.delay = counting->delays[(rule.right - 1) / 2];
    }
    return rule;
}

static bool is_known(const struct backtest_score *score,
                     const struct backtest_decision *decision)
{
    for (size_t i = 0; i < score->rules_count; i++) {
        if (score->rules[i].decision->did == decision->did &&
            is_same(score->rules[i].decision, decision)) {
            return true;
        }
    }
    return false;
}

void backtest_score(const struct backtest_release *releases,
                    const struct backtest_outcome *outcomes, size_t count,
                    struct backtest_score *ret_score)
{
    struct counting counting = {releases, outcomes, count, NULL};

    counting.delays = memory_resized(NULL, (count + 1) * sizeof(time_ms));
    memset(ret_score, 0, sizeof(*ret_score));
    for (size_t i = 0; i < count; i++) {
        const struct backtest_decision *decision = &outcomes[i].decision;

        if (outcomes[i].final[0] == '\0') {
            continue;
        }
        ret_score->judged++;
        ret_score->labelled += releases[i].label != LABEL_NONE;
        ret_score->incidents += releases[i].label == LABEL_INCIDENT;
        if (decision->did == DID_NOTHING || is_known(ret_score, decision)) {
            continue;
        }
        if (ret_score->rules_count == BACKTEST_RULES_MAX) {
            ret_score->rules_cut = true;
            continue;
        }
        ret_score->rules[ret_score->rules_count++] =
            count_rule(&counting, decision);
    }
    ret_score->total = count_rule(&counting, NULL);
    free(counting.delays);
}
