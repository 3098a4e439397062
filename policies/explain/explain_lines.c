#include "policies/explain/explain_lines.h"

#include "policies/explain/explain_compared.h"

#include "policies/evaluate.h"
#include "policies/facts.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

/* --- Reading -------------------------------------------------------------- */

void reading_begin(struct reading *reading, const struct policy *policy)
{
    reading->policy = policy;
    reading->waiting = 0;
    memset(reading->seen, 0, sizeof(reading->seen));
}

static void push(struct reading *reading, struct passage passage)
{
    assert(reading->waiting < sizeof(reading->stack) / sizeof(struct passage));
    reading->stack[reading->waiting++] = passage;
}

void reading_open(struct reading *reading, uint16_t node)
{
    assert(reading->waiting == 0);
    push(reading, (struct passage){node, NONE_INDEX, 0, false});
}

static bool is_connective(const struct node *node)
{
    return node->op == OP_AND || node->op == OP_OR || node->op == OP_NOT;
}

static bool holds_over(const struct node *node)
{
    return node->op == OP_FOR || node->op == OP_OF;
}

/* Does a node stand in its parent's line: `x > 1 for 2m` is one line. */
static bool is_merged(const struct node *node, const struct node *parent)
{
    return parent != NULL && holds_over(parent) && !is_connective(node);
}

/* Conditions have lines; numbers stand in those of their comparisons, and the
 * connectives are plain from what they connect. */
static bool has_line(const struct node *node, const struct node *parent)
{
    if (parent == NULL) {
        return true;
    }
    return node->type == TYPE_CONDITION && node->op != OP_LITERAL &&
           !is_connective(node) && !is_merged(node, parent);
}

static const struct node *parent_of(const struct reading *reading,
                                    const struct passage *passage)
{
    return passage->parent == NONE_INDEX
               ? NULL
               : policy_node(reading->policy, passage->parent);
}

/* What stands below it happened before the deploy: nothing to read now. */
static bool is_of_the_past(const struct node *node)
{
    return node->op == OP_BASELINE || node->op == OP_BEFORE ||
           node->op == OP_AT_DEPLOY;
}

bool reading_next(struct reading *reading, struct passage *ret_passage)
{
    const struct node *node = NULL;
    struct passage passage;
    int operands = 0;

    if (reading->waiting == 0) {
        return false;
    }
    passage = reading->stack[--reading->waiting];
    node = policy_node(reading->policy, passage.node);
    passage.again = reading->seen[passage.node];
    reading->seen[passage.node] = true;
    operands = op_operands(node->op);
    if (!passage.again && !is_of_the_past(node)) {
        uint16_t depth = passage.depth;

        if (has_line(node, parent_of(reading, &passage))) {
            depth++;
        }
        for (int i = operands - 1; i >= 0; i--) {
            push(reading, (struct passage){i == 0 ? node->a : node->b,
                                           passage.node, depth, false});
        }
    }
    *ret_passage = passage;
    return true;
}

/* --- Lines ---------------------------------------------------------------- */

#define LINE_MAX (3 * EXPRESSION_BYTES_MAX)

struct line {
    const struct policy *policy;
    const struct verdict *verdict;
    const struct facts *facts;
    size_t used;
    char text[LINE_MAX];
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line,
                                                      const char *format, ...)
{
    va_list arguments;
    int wanted = 0;

    va_start(arguments, format);
    wanted = vsnprintf(line->text + line->used, LINE_MAX - line->used, format,
                       arguments);
    va_end(arguments);
    assert(wanted >= 0);
    line->used += (size_t)wanted;
    if (line->used >= LINE_MAX) {
        line->used = LINE_MAX - 1; /* cut; an expression is far shorter */
    }
}

/* One side of a comparison with what it is worth: `error_rate = 8.7%`. */
static void add_side(struct line *line, uint16_t index)
{
    const struct node *node = policy_node(line->policy, index);
    struct value value = line->verdict->values[index];
    char quantity[QUANTITY_TEXT_MAX];

    if (node->op == OP_TEXT) {
        add(line, "\"%s\"", policy_text(line->policy, node->text));
        return;
    }
    add(line, "%s", policy_text(line->policy, node->text));
    if (node->op == OP_LITERAL) {
        return;
    }
    if (value.unknown != KNOWN) {
        add(line, " = unknown");
    } else if (node->type == TYPE_TEXT) {
        add(line, " = \"%s\"", node_text(line->policy, node, line->facts));
    } else if (node->type == TYPE_CONDITION) {
        add(line, " = %s", value.number != 0 ? "true" : "false");
    } else {
        add(line, " = %s", quantity_print(value.number, node->unit, quantity));
    }
}

static const char *comparison_sign(enum op op)
{
    static const char *const signs[OP_LAST] = {
        [OP_LESS] = "<",   [OP_LESS_EQUAL] = "<=",    [OP_GREATER] = ">",
        [OP_EQUAL] = "==", [OP_GREATER_EQUAL] = ">=", [OP_NOT_EQUAL] = "!=",
    };

    return signs[op];
}

static void add_condition(struct line *line, uint16_t index)
{
    const struct node *node = policy_node(line->policy, index);
    const char *sign = comparison_sign(node->op);
    char compared[COMPARED_TEXT_MAX];

    if (sign == NULL) {
        add(line, "%s", policy_text(line->policy, node->text));
        if (explain_compared(line->policy, line->verdict, index, compared)) {
            add(line, ": %s", compared);
        }
        return;
    }
    add_side(line, node->a);
    add(line, " %s ", sign);
    add_side(line, node->b);
}

static void add_held(struct line *line, const struct node *node)
{
    const struct node *held = policy_node(line->policy, node->a);
    char duration[DURATION_TEXT_MAX];

    if (!is_merged(held, node)) {
        add(line, "%s", policy_text(line->policy, node->text));
        return;
    }
    add_condition(line, node->a);
    if (node->op == OP_FOR) {
        add(line, " for %s", duration_print(node->span, duration));
    } else {
        add(line, " for %u of %u", node->k, node->n);
    }
}

static json_t *explain_line(struct line *line, const struct passage *passage)
{
    const struct node *node = policy_node(line->policy, passage->node);
    struct value value = line->verdict->values[passage->node];
    enum answer answer = answer_of_value(value);
    enum answer now = answer;

    line->used = 0;
    if (holds_over(node)) {
        add_held(line, node);
        now = answer_of_value(line->verdict->values[node->a]);
    } else {
        add_condition(line, passage->node);
    }
    return json_pack("{s:i,s:s,s:s,s:s*,s:s*}", "depth", passage->depth, "text",
                     line->text, "answer", answer_name(answer), "unknown",
                     value.unknown == KNOWN ? NULL
                                            : unknown_name(value.unknown),
                     "now", now == answer ? NULL : answer_name(now));
}

json_t *explain_lines(struct reading *reading, uint16_t node,
                      const struct verdict *verdict, const struct facts *facts)
{
    struct line line = {reading->policy, verdict, facts, 0, {0}};
    json_t *lines = json_array();
    struct passage passage;

    reading_open(reading, node);
    while (reading_next(reading, &passage)) {
        if (has_line(policy_node(reading->policy, passage.node),
                     parent_of(reading, &passage))) {
            int failed =
                json_array_append_new(lines, explain_line(&line, &passage));

            assert(failed == 0);
            (void)failed;
        }
    }
    return lines;
}
