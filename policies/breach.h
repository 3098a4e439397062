/* In which signals does a look see the trouble?  Whoever has several releases
 * to choose a suspect from asks this. */
#ifndef POLICIES_BREACH_H
#define POLICIES_BREACH_H

#include "policies/judge.h"

/* The fetched signals that the root question's "yes" comes from, as bits, 1 <<
 * index: those that its true comparisons read.  0 when it is not a known yes.
 * Costs one pass over the policy's nodes. */
uint32_t breach_signals(const struct policy *policy,
                        const struct verdict *verdict);

#endif
