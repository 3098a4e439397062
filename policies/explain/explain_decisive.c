#include "policies/explain/explain.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* So many make a sentence that can still be read at night. */
#define DECISIVE_MAX 5

struct decisive {
    const struct policy *policy;
    const struct verdict *verdict;
    char *text;
    size_t size;
    int count;
    uint16_t told[DECISIVE_MAX];
};

/* A node still to look at, and the `for` it stands under. */
struct cause {
    uint16_t node;
    uint16_t held; /* an OP_FOR or OP_OF, or NONE_INDEX */
};

/* Every visit takes one cause and leaves at most two. */
struct causes {
    struct cause list[EXPRESSION_NODES_MAX * POLICY_DEPTH_MAX];
    size_t count;
};

static enum answer answer_of(const struct decisive *decisive, uint16_t index)
{
    struct value value = decisive->verdict->values[index];

    if (value.unknown != KNOWN) {
        return ANSWER_UNKNOWN;
    }
    return value.number != 0 ? ANSWER_YES : ANSWER_NO;
}

static void push(struct causes *causes, uint16_t node, uint16_t held)
{
    if (causes->count < sizeof(causes->list) / sizeof(causes->list[0])) {
        causes->list[causes->count++] = (struct cause){node, held};
    }
}

static const char *text_of(const struct decisive *decisive, uint16_t index)
{
    const struct policy *policy = decisive->policy;

    return policy_text(policy, policy_node(policy, index)->text);
}

/* "error_rate 8.7%", or "error_rate (stale)". */
static void print_operand(const struct decisive *decisive, uint16_t index,
                          char *ret_text, size_t size)
{
    const struct node *node = policy_node(decisive->policy, index);
    struct value value = decisive->verdict->values[index];
    char quantity[QUANTITY_TEXT_MAX];

    if (value.unknown != KNOWN) {
        (void)snprintf(ret_text, size, "%s (%s)", text_of(decisive, index),
                       unknown_name(value.unknown));
    } else {
        (void)snprintf(ret_text, size, "%s %s", text_of(decisive, index),
                       quantity_print(value.number, node->unit, quantity));
    }
}

/* What was found, by the answer; NULL for what is no comparison of numbers. */
static const char *const signs[OP_LAST][2] = {
    [OP_LESS] = {">=", "<"},
    [OP_LESS_EQUAL] = {">", "<="},
    [OP_GREATER] = {"<=", ">"},
    [OP_GREATER_EQUAL] = {"<", ">="},
};

static void print_comparison(const struct decisive *decisive,
                             const struct node *node, const char *sign,
                             char ret_text[POLICY_TEXT_MAX])
{
    const struct policy *policy = decisive->policy;
    struct value right = decisive->verdict->values[node->b];
    const struct node *other = policy_node(policy, node->b);
    char left[POLICY_TEXT_MAX / 2], quantity[QUANTITY_TEXT_MAX];
    const char *limit = text_of(decisive, node->b);

    print_operand(decisive, node->a, left, sizeof(left));
    if (other->op != OP_LITERAL && right.unknown == KNOWN) {
        limit = quantity_print(right.number, other->unit, quantity);
    }
    (void)snprintf(ret_text, POLICY_TEXT_MAX, "%s %s %.200s", left, sign,
                   limit);
}

static void tell(struct decisive *decisive, struct cause cause)
{
    const struct policy *policy = decisive->policy;
    const struct node *node = policy_node(policy, cause.node);
    enum answer answer = answer_of(decisive, cause.node);
    const char *sign = signs[node->op][answer != ANSWER_NO];
    char text[POLICY_TEXT_MAX], span[DURATION_TEXT_MAX];
    size_t used = strlen(decisive->text);

    for (int i = 0; i < decisive->count; i++) {
        if (decisive->told[i] == cause.node) {
            return;
        }
    }
    if (decisive->count == DECISIVE_MAX || used + 1 >= decisive->size) {
        return;
    }
    decisive->told[decisive->count++] = cause.node;
    if (sign != NULL) {
        print_comparison(decisive, node, sign, text);
    } else {
        (void)snprintf(
            text, sizeof(text), "%.200s%s%s", text_of(decisive, cause.node),
            answer_of(decisive, cause.node) == ANSWER_NO ? " is not so" : "",
            answer_of(decisive, cause.node) == ANSWER_UNKNOWN ? " is not known"
                                                              : "");
    }
    (void)snprintf(decisive->text + used, decisive->size - used, "%s%s",
                   used > 0 ? ", " : "", text);
    used = strlen(decisive->text);
    if (cause.held != NONE_INDEX && answer == ANSWER_YES) {
        const struct node *held = policy_node(policy, cause.held);
        const char *not_yet =
            answer_of(decisive, cause.held) == ANSWER_YES ? "" : " but not";

        if (held->op == OP_FOR) {
            (void)snprintf(decisive->text + used, decisive->size - used,
                           "%s for %s", not_yet,
                           duration_print(held->span, span));
        } else {
            (void)snprintf(decisive->text + used, decisive->size - used,
                           "%s for %u of %u looks", not_yet, held->k, held->n);
        }
    }
}

/* Of two operands the ones that made the answer what it is. */
static void push_makers(const struct decisive *decisive, struct causes *causes,
                        const struct node *node, struct cause cause)
{
    enum answer answer = answer_of(decisive, cause.node);
    enum answer both = node->op == OP_AND ? ANSWER_YES : ANSWER_NO;

    if (answer == both || answer_of(decisive, node->b) == answer) {
        push(causes, node->b, cause.held);
    }
    if (answer == both || answer_of(decisive, node->a) == answer) {
        push(causes, node->a, cause.held);
    }
}

static void visit(struct decisive *decisive, struct causes *causes,
                  struct cause cause)
{
    const struct node *node = policy_node(decisive->policy, cause.node);
    enum op op = node->op;

    if (op == OP_NAMED || op == OP_NOT || op == OP_SURELY) {
        push(causes, node->a, cause.held);
    } else if (op == OP_AND || op == OP_OR) {
        push_makers(decisive, causes, node, cause);
    } else if (op == OP_FOR || op == OP_OF) {
        push(causes, node->a, cause.node);
    } else if (op != OP_BEFORE && op != OP_FACT) {
        tell(decisive, cause); /* of those two the question says enough */
    }
}

void explain_decisive(const struct policy *policy,
                      const struct verdict *verdict, char *ret_text,
                      size_t size)
{
    struct decisive decisive = {
        .policy = policy, .verdict = verdict, .text = ret_text, .size = size};
    struct causes causes = {.count = 0};

    assert(size > 0);
    ret_text[0] = '\0';
    for (uint8_t i = 0; i < verdict->steps; i++) {
        push(&causes, policy_question(policy, verdict->path[i].question)->node,
             NONE_INDEX);
        /* A policy's expressions are a finite graph without cycles; a shared
         * signal is visited once for each mention. */
        for (int visits = 0; causes.count > 0 && visits < POLICY_NODES_MAX;
             visits++) {
            visit(&decisive, &causes, causes.list[--causes.count]);
        }
        causes.count = 0;
    }
}
