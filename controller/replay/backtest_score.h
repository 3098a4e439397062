/* How often a policy was right about releases that people know the truth of. */
#ifndef REPLAY_BACKTEST_SCORE_H
#define REPLAY_BACKTEST_SCORE_H

#include "controller/replay/backtest_judge.h"

#define BACKTEST_RULES_MAX 128

/* What a rollback, or none, was worth. */
enum backtest_worth {
    WORTH_UNKNOWN, /* no label, or nothing to judge */
    WORTH_RIGHT,   /* an incident, and it would have gone back */
    WORTH_WRONG,   /* no incident, and it would have gone back */
    WORTH_MISSED,  /* an incident, and it would not */
    WORTH_QUIET    /* no incident, and it would not */
};

enum backtest_worth backtest_worth(const struct backtest_release *release,
                                   const struct backtest_outcome *outcome);

/* From the incident's begin, else from the deploy, to the decision. */
time_ms backtest_delay(const struct backtest_release *release,
                       const struct backtest_outcome *outcome);

/* A path through the tree to a leaf that did something. */
struct backtest_rule {
    const struct backtest_decision *decision; /* of the first release */
    size_t fired;                             /* for any release */
    size_t labelled;                          /* of those, with a label */
    size_t right;                             /* of those, an incident */
    time_ms delay;                            /* the median of those */
};

struct backtest_score {
    size_t judged, labelled, incidents;
    size_t rules_count;
    bool rules_cut;                                 /* there were more */
    struct backtest_rule rules[BACKTEST_RULES_MAX]; /* as they first fired */
    struct backtest_rule total;                     /* all rollbacks */
};

/* Of @count releases and what came of them; lent. */
void backtest_score(const struct backtest_release *releases,
                    const struct backtest_outcome *outcomes, size_t count,
                    struct backtest_score *ret_score);

#endif
