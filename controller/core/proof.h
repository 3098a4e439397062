/* What a proof of recovery rests on. */
#ifndef CORE_PROOF_H
#define CORE_PROOF_H

#include "policies/judge.h"

/* Does the root's known answer rest on what was seen at this very look?  A
 * `for` that one sample made false stays false for its whole span though
 * nothing was heard since: that says no, but it proves nothing. */
bool proof_is_fresh(const struct policy *policy, const struct verdict *verdict);

#endif
