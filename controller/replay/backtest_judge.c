#include "controller/replay/backtest_judge.h"

#include <stdlib.h>
#include <string.h>

#include "controller/replay/run.h"
#include "policies/explain/explain.h"
#include "policies/memory.h"

struct judged {
    struct backtest_outcome *outcome;
    struct backtest_decision last; /* the newest one */
};

const char *backtest_did_name(enum backtest_did did)
{
    static const char *const names[] = {"nothing", "page", "hold", "rollback"};

    return names[did];
}

static enum backtest_did did_of(enum leaf_kind kind)
{
    switch (kind) {
    case LEAF_HEALTHY:
    case LEAF_WAIT:
        break;
    case LEAF_PAGE:
        return DID_PAGE;
    case LEAF_HOLD:
        return DID_HOLD;
    case LEAF_ROLLBACK:
        return DID_ROLLBACK;
    }
    return DID_NOTHING;
}

static void keep(struct backtest_decision *decision, const struct told *told)
{
    const struct verdict *verdict = told->verdict;
    char mode[MODE_TEXT_MAX], why[POLICY_TEXT_MAX / 2] = "";

    memset(decision, 0, sizeof(*decision));
    decision->did = did_of(policy_leaf(told->policy, verdict->leaf)->kind);
    decision->at = verdict->at;
    decision->leaf = verdict->leaf;
    decision->steps = verdict->steps;
    memcpy(decision->path, verdict->path, sizeof(decision->path));
    (void)snprintf(decision->mode, sizeof(decision->mode), "%s",
                   report_mode(told, mode));
    explain_decisive(told->policy, verdict, why, sizeof(why));
    text_escape(why, decision->why, sizeof(decision->why));
}

/* A rollback that may act by itself counts only when it does. */
static void on_decision(void *data, const struct told *told)
{
    struct judged *judged = data;
    struct backtest_decision *most = &judged->outcome->decision;

    keep(&judged->last, told);
    if (judged->last.did > most->did &&
        (judged->last.did < DID_ROLLBACK || told->mode <= MODE_SUGGEST)) {
        *most = judged->last;
    }
    if (judged->last.did == DID_ROLLBACK && told->mode > MODE_SUGGEST &&
        judged->outcome->stayed.at == 0) {
        judged->outcome->stayed = judged->last;
    }
}

static void on_look(void *data, const struct verdict *verdict,
                    const struct facts *facts)
{
    (void)data;
    (void)verdict;
    (void)facts;
}

static void on_end(void *data, const struct ending *ending)
{
    struct judged *judged = data;
    struct backtest_outcome *outcome = judged->outcome;

    (void)snprintf(outcome->final, sizeof(outcome->final), "%s", ending->final);
    outcome->acts = ending->acts;
    if (ending->acts) {
        outcome->stayed.at = 0;
        outcome->decision = judged->last;
        outcome->decision.at = ending->first_action_at;
    } else if (outcome->decision.did == DID_NOTHING) {
        outcome->decision = judged->last;
        outcome->decision.did = DID_NOTHING; /* a rollback that stayed away */
    }
}

void backtest_judge(const struct policy *policy,
                    const struct backtest_release *release,
                    const struct csv *table,
                    struct backtest_outcome *ret_outcome)
{
    struct judged *judged = memory_zeroed(1, sizeof(*judged));
    const struct report_listener listener = {judged, on_look, on_decision,
                                             on_end};
    struct report report = {
        .listener = &listener, .release = &release->release, .csv = table};
    const struct run_options options = {
        .csv = table,
        .fill = CSV_STEP,
        .policy = policy,
        .release = &release->release,
    };

    memset(ret_outcome, 0, sizeof(*ret_outcome));
    judged->outcome = ret_outcome;
    (void)run_judge(&options, &report, ret_outcome->refusal,
                    sizeof(ret_outcome->refusal));
    free(judged);
}
