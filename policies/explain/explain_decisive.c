#include "policies/explain/explain.h"

#include "policies/explain/explain_compared.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "policies/utf8.h"
#include "policies/window.h"

/* So many make a sentence that can still be read at night. */
#define DECISIVE_MAX 5

struct decisive {
    const struct policy *policy;
    const struct verdict *verdict;
    char *text;
    size_t size, used;
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
    return answer_of_value(decisive->verdict->values[index]);
}

static void push(struct causes *causes, uint16_t node, uint16_t held)
{
    if (causes->count < sizeof(causes->list) / sizeof(causes->list[0])) {
        causes->list[causes->count++] = (struct cause){node, held};
    }
}

/* An expression longer than this is cut. */
#define SHOWN_MAX 200

static const char *text_of(const struct decisive *decisive, uint16_t index,
                           char shown[SHOWN_MAX + 1])
{
    const struct policy *policy = decisive->policy;
    const char *text = policy_text(policy, policy_node(policy, index)->text);
    size_t length = utf8_cut(text, strlen(text), SHOWN_MAX);

    memcpy(shown, text, length);
    shown[length] = '\0';
    return shown;
}

/* Add whole characters as long as there is room; what was cut ends it. */
static void add(struct decisive *decisive, const char *text)
{
    size_t whole = strlen(text);
    size_t length = utf8_cut(text, whole, decisive->size - decisive->used - 1);

    memcpy(decisive->text + decisive->used, text, length);
    decisive->used += length;
    decisive->text[decisive->used] = '\0';
    if (length < whole) {
        decisive->size = decisive->used + 1;
    }
}

/* "error_rate 8.7%", or "error_rate (stale)". */
static void add_operand(struct decisive *decisive, uint16_t index)
{
    const struct node *node = policy_node(decisive->policy, index);
    struct value value = decisive->verdict->values[index];
    char quantity[QUANTITY_TEXT_MAX], shown[SHOWN_MAX + 1];

    add(decisive, text_of(decisive, index, shown));
    add(decisive, " ");
    if (value.unknown != KNOWN) {
        add(decisive, "(");
        add(decisive, unknown_name(value.unknown));
        add(decisive, ")");
    } else {
        add(decisive, quantity_print(value.number, node->unit, quantity));
    }
}

/* What was found, by the answer; NULL for what is no comparison of numbers. */
static const char *const signs[OP_LAST][2] = {
    [OP_LESS] = {">=", "<"},
    [OP_LESS_EQUAL] = {">", "<="},
    [OP_GREATER] = {"<=", ">"},
    [OP_GREATER_EQUAL] = {"<", ">="},
};

static void add_comparison(struct decisive *decisive, const struct node *node,
                           const char *sign)
{
    struct value right = decisive->verdict->values[node->b];
    const struct node *other = policy_node(decisive->policy, node->b);
    char quantity[QUANTITY_TEXT_MAX], shown[SHOWN_MAX + 1];

    add_operand(decisive, node->a);
    add(decisive, " ");
    add(decisive, sign);
    add(decisive, " ");
    add(decisive, other->op != OP_LITERAL && right.unknown == KNOWN
                      ? quantity_print(right.number, other->unit, quantity)
                      : text_of(decisive, node->b, shown));
}

/* What it had to last, when it is so now. */
static void add_held(struct decisive *decisive, struct cause cause)
{
    const struct node *held = NULL;
    char span[DURATION_TEXT_MAX], text[64];

    if (cause.held == NONE_INDEX ||
        answer_of(decisive, cause.node) != ANSWER_YES) {
        return;
    }
    held = policy_node(decisive->policy, cause.held);
    if (held->op == OP_FOR) {
        (void)snprintf(text, sizeof(text), " for %s",
                       duration_print(held->span, span));
    } else {
        (void)snprintf(text, sizeof(text), " for %u of %u looks", held->k,
                       held->n);
    }
    add(decisive,
        answer_of(decisive, cause.held) == ANSWER_YES ? "" : " but not");
    add(decisive, text);
}

static bool was_told(const struct decisive *decisive, uint16_t node)
{
    for (int i = 0; i < decisive->count; i++) {
        if (decisive->told[i] == node) {
            return true;
        }
    }
    return false;
}

static void tell(struct decisive *decisive, struct cause cause)
{
    const struct node *node = policy_node(decisive->policy, cause.node);
    enum answer answer = answer_of(decisive, cause.node);
    const char *sign = signs[node->op][answer != ANSWER_NO];
    char shown[SHOWN_MAX + 1], compared[COMPARED_TEXT_MAX];

    if (decisive->count == DECISIVE_MAX || was_told(decisive, cause.node)) {
        return;
    }
    add(decisive, decisive->count > 0 ? ", " : "");
    decisive->told[decisive->count++] = cause.node;
    if (sign != NULL) {
        add_comparison(decisive, node, sign);
    } else if (answer != ANSWER_UNKNOWN &&
               explain_compared(decisive->policy, decisive->verdict, cause.node,
                                compared)) {
        add(decisive, compared);
    } else {
        add(decisive, text_of(decisive, cause.node, shown));
        add(decisive, answer == ANSWER_NO        ? " is not so"
                      : answer == ANSWER_UNKNOWN ? " is not known"
                                                 : "");
    }
    add_held(decisive, cause);
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
