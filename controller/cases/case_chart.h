/* A case as lines of text: each signal that moves, and the verdicts. */
#ifndef CASES_CASE_CHART_H
#define CASES_CASE_CHART_H

#include "controller/cases/case_run.h"

/* Print it, at most @columns wide, 60 at least:
 *     pool_in_use        180 ____|___...---''' 480
 *     verdict                    |?----------RR
 * with bars of eight heights, and `^` under the moment that was looked at. */
void case_chart(const struct test_case *test_case,
                const struct case_picture *picture, int columns, FILE *out);

#endif
