/* What worse() has seen, in one sentence. */
#ifndef POLICIES_EXPLAIN_COMPARED_H
#define POLICIES_EXPLAIN_COMPARED_H

#include "policies/judge.h"

#include <jansson.h>

#define COMPARED_TEXT_MAX 256

/* "canary 31 of 4,210 failed (0.74%), control 12 of 80,112 (0.015%): worse at
 * 1% (evidence 214 : 1)".  False for a node that is no worse(), or one that
 * has not compared anything yet; then nothing is written. */
bool explain_compared(const struct policy *policy,
                      const struct verdict *verdict, uint16_t node,
                      char ret_text[COMPARED_TEXT_MAX]);

/* {"canary":[31,4210],"control":[12,80112],"evidence":214.2,"text":"..."};
 * without a control for worse(x), whose canary was higher 31 of 40 times.
 * NULL likewise. */
json_t *explain_compared_json(const struct policy *policy,
                              const struct verdict *verdict, uint16_t node);

#endif
