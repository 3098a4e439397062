/* What every expression of a policy is worth at one look.
 *
 * Three-valued throughout: a value is a number, or true or false, or unknown
 * with one reason.  Where several operands are unknown, the left one's reason
 * is given.  A window that is not covered says so, whatever made it so: the
 * operand's own reason stands beneath it in the explanation. */
#ifndef POLICIES_EVALUATE_H
#define POLICIES_EVALUATE_H

#include "policies/judge.h"
#include "policies/window.h"

struct look {
    const struct policy *policy;
    struct moment moment;
    unsigned char *block;       /* a release's memory, with its rings */
    const struct value *frozen; /* [0, policy->frozens) */
    const struct sample *row;   /* [0, policy->signals) */
    const struct facts *facts;
    const bool *needed;        /* the nodes to work out; NULL: all */
    struct value *values;      /* out: [0, policy->nodes) */
    struct compared *compared; /* out: [0, policy->trials) */
    struct window *window;     /* scratch */
};

/* What a node costs at a look, n being the grid times of its window (at most
 * SAMPLES_MAX; where pairs are compared, thinned to PAIRED_MAX):
 *
 *   arithmetic, comparison, and, or, frozen values      one step
 *   for        one step while it is false now, else n bytes
 *   for k of n, count                                   n bytes
 *   avg min max sum stddev flat rate, too_many, burn    n numbers, a pass or
 *              two, in order of time: a running sum would round otherwise
 *   quantile                                            n, by selection
 *   rising     n; n^2/2 comparisons when the last third lies higher
 *   slope forecast                                      n^2/2 divisions and a
 *              selection among them
 *   worsened outgrows                                   n; n^2/2 when it grew
 *
 * Nothing grows with the age of a release.  tests/bench/run judge measures it,
 * policies/read/policy_cost.c refuses policies that would cost too much.
 *
 * Work out every node in order and remember in the rings what later looks
 * read.  The caller has already skipped the grid times that are missing. */
void evaluate(const struct look *look);

/* How many operands (a, then b) an operation has: 0, 1 or 2. */
int op_operands(enum op op);

#endif
