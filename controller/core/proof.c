#include "controller/core/proof.h"

struct proof {
    const struct verdict *verdict;
    bool fresh[POLICY_NODES_MAX]; /* of each node, operands first */
};

static bool is_known(const struct proof *proof, uint16_t node)
{
    return proof->verdict->values[node].unknown == KNOWN;
}

/* An operand that decides alone, or both of them. */
static bool joins_fresh(const struct proof *proof, const struct node *node,
                        uint16_t index)
{
    double decisive = node->op == OP_OR;
    const struct value *values = proof->verdict->values;
    bool a = proof->fresh[node->a], b = proof->fresh[node->b];
    if (values[index].number == decisive) {
        return (a && values[node->a].number == decisive) ||
               (b && values[node->b].number == decisive);
    }
    return a && b;
}

static bool is_fresh(const struct proof *proof, const struct node *node,
                     uint16_t index)
{
    bool joins = node->op == OP_AND || node->op == OP_OR;
    bool looks_back = node->op == OP_FOR || node->op == OP_OF;
    bool passes_on =
        node->op == OP_NOT || node->op == OP_NAMED || node->op == OP_SURELY;
    if (!is_known(proof, index)) {
        return false;
    }
    if (joins) {
        return joins_fresh(proof, node, index);
    }
    return looks_back || passes_on ? proof->fresh[node->a] : true;
}

bool proof_is_fresh(const struct policy *policy, const struct verdict *verdict)
{
    struct proof proof = {.verdict = verdict};
    if (policy->root.to != TO_QUESTION) {
        return true;
    }
    uint16_t root = policy_question(policy, policy->root.index)->node;
    for (uint16_t i = 0; i <= root; i++) {
        proof.fresh[i] = is_fresh(&proof, policy_node(policy, i), i);
    }
    return proof.fresh[root];
}
