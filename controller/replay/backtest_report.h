/* A backtest, for people or as JSON for machines. */
#ifndef REPLAY_BACKTEST_REPORT_H
#define REPLAY_BACKTEST_REPORT_H

#include <stdio.h>

#include "controller/replay/backtest_score.h"

struct backtest_report {
    FILE *out;
    bool json, colour;
    const struct policy *policy;
    time_ms from, to;
    const struct backtest_releases *releases;
    const struct backtest_outcome *outcomes; /* one for each */
};

void backtest_report(const struct backtest_report *report);

#endif
