/* What the policy would have done about one release. */
#ifndef REPLAY_BACKTEST_JUDGE_H
#define REPLAY_BACKTEST_JUDGE_H

#include <jansson.h>

#include "controller/replay/backtest_releases.h"
#include "controller/replay/csv.h"
#include "controller/replay/report.h"
#include "state/record.h"

/* The most that was done or asked for, in order. */
enum backtest_did { DID_NOTHING, DID_PAGE, DID_HOLD, DID_ROLLBACK };

/* A decision, kept. */
struct backtest_decision {
    enum backtest_did did;
    time_ms at;
    char mode[MODE_TEXT_MAX];
    uint16_t leaf;
    uint8_t steps;
    struct step path[POLICY_DEPTH_MAX];
    char why[POLICY_TEXT_MAX]; /* the comparisons that decided, one line */
};

struct backtest_outcome {
    char final[48]; /* as replay says it; "" when nothing could be judged */
    char refusal[RECORD_TEXT_MAX]; /* why not */
    bool acts;                     /* the call would have left */
    /* The first of the most.  A rollback: the call's moment, else (observe,
     * suggest) when people would have been told.  Nothing: the last one. */
    struct backtest_decision decision;
    /* The first rollback that was not carried out though its mode may act: an
     * interlock refused it, or a countdown did not run down.  Else at is 0. */
    struct backtest_decision stayed;
};

/* Judge @table, as replay does. */
void backtest_judge(const struct policy *policy,
                    const struct backtest_release *release,
                    const struct csv *table,
                    struct backtest_outcome *ret_outcome);

/* "rollback", "hold", "page", "nothing". */
const char *backtest_did_name(enum backtest_did did);

#endif
