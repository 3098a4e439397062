/* The expressions under a question, read from the top down, and as lines:
 *
 *   hurt or filling: yes
 *     filling: yes
 *       pool_saturation = 98% > 70% for 2m: yes
 *
 * Only explain.c and explain_print.c include this. */
#ifndef POLICIES_EXPLAIN_LINES_H
#define POLICIES_EXPLAIN_LINES_H

#include "policies/judge.h"

#include <jansson.h>

/* A reading goes through the expressions of several questions; what was read
 * once is met again only as a name. */
struct reading {
    const struct policy *policy;
    bool seen[POLICY_NODES_MAX];
    uint16_t waiting; /* passages on the stack */
    struct passage {
        uint16_t node;
        uint16_t parent; /* NONE_INDEX under a question itself */
        uint16_t depth;  /* of its line, when it has one */
        bool again;      /* its parts were read before */
    } stack[2 * POLICY_NODES_MAX + 1];
};

void reading_begin(struct reading *reading, const struct policy *policy);

/* Begin with @node; the reading before must have come to its end. */
void reading_open(struct reading *reading, uint16_t node);

/* The next node, parents before operands, left before right; false at the end.
 * What is frozen since the deploy, baseline() and before(), is not entered:
 * what its operand is worth now has no part in it. */
bool reading_next(struct reading *reading, struct passage *ret_passage);

/* The lines under @node: [{"depth":0,"text":"..","answer":"yes|no|unknown",
 * "unknown":"stale","now":"yes"}]; "now" when a `for` differs from what it
 * holds over. */
json_t *explain_lines(struct reading *reading, uint16_t node,
                      const struct verdict *verdict, const struct facts *facts);

#endif
