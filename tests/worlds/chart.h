/* A world and what a policy thought of it, as text: one column a span of
 * time, one line a signal or a condition of the policy. */
#ifndef WORLDS_CHART_H
#define WORLDS_CHART_H

#include "tests/worlds/measure.h"

void chart_print(const struct world *world, const char *path,
                 const char *source, FILE *out);

#endif
