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
    const bool *needed;    /* the nodes to work out; NULL: all */
    struct value *values;  /* out: [0, policy->nodes) */
    struct window *window; /* scratch */
};

/* Work out every node in order and remember in the rings what later looks
 * read.  The caller has already skipped the grid times that are missing. */
void evaluate(const struct look *look);

/* How many operands (a, then b) an operation has: 0, 1 or 2. */
int op_operands(enum op op);

#endif
