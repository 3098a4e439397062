#include "policies/breach.h"

#include <assert.h>
#include <stdbool.h>

static_assert(POLICY_SIGNALS_MAX <= 32, "signals are bits of a uint32_t");

static bool holds(const struct value *value)
{
    return value->unknown == KNOWN && value->number != 0;
}

/* Of "a or b" only what is true counts; what a "not" or "k of n" is made of
 * need not be true now, and numbers count whole. */
static bool wants_truth(enum op op)
{
    return op == OP_AND || op == OP_OR || op == OP_SURELY || op == OP_FOR ||
           op == OP_NAMED;
}

static void mark(const struct policy *policy, const struct verdict *verdict,
                 const struct node *from, uint16_t operand, bool *marked)
{
    if (operand == NONE_INDEX) {
        return;
    }
    const struct node *node = policy_node(policy, operand);
    bool counts = node->type != TYPE_CONDITION || !wants_truth(from->op) ||
                  holds(&verdict->values[operand]);
    marked[operand] |= counts;
}

uint32_t breach_signals(const struct policy *policy,
                        const struct verdict *verdict)
{
    bool marked[POLICY_NODES_MAX] = {false};
    uint32_t signals = 0;
    if (verdict->root != ANSWER_YES) {
        return 0;
    }
    assert(policy->root.to == TO_QUESTION);
    uint16_t root = policy_question(policy, policy->root.index)->node;
    marked[root] = true;
    /* Operands have smaller indexes: from the root down, each once. */
    for (uint16_t i = root + 1; i > 0; i--) {
        const struct node *node = policy_node(policy, i - 1);
        if (!marked[i - 1]) {
            continue;
        }
        mark(policy, verdict, node, node->a, marked);
        mark(policy, verdict, node, node->b, marked);
        if (node->op == OP_SIGNAL) {
            signals |= UINT32_C(1) << node->signal;
        }
    }
    return signals;
}
