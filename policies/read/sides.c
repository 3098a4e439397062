/* The control's side of an expression: a copy of it whose signals select the
 * version that was live before, where the written ones select the release's.
 * Everything else is shared, and each part is copied once. */
#include "policies/read/call.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "policies/evaluate.h"

static const char *text_of(const struct draft *draft, uint32_t offset)
{
    return draft->texts + (offset - sizeof(struct policy));
}

static bool has_two_sides(struct compiler *compiler,
                          const struct syntax_node *argument, uint16_t operand,
                          const char *name)
{
    const struct node_traits *traits = &compiler->draft->traits[operand];
    char text[PART_TEXT_MAX];

    if (traits->has_sides) {
        (void)compiler_error(compiler, argument->begin, argument->end,
                             "%s() of what is of one side already; take the "
                             "inner canary(), control() or worse() out",
                             name);
        return false;
    }
    if (traits->has_frozen) {
        (void)compiler_error(compiler, argument->begin, argument->end,
                             "%s() is about both sides now, baseline(), "
                             "change(), at_deploy(), before() and worsened() "
                             "about the time before the deploy; compare them "
                             "apart",
                             name);
        return false;
    }
    if (!traits->two_sided) {
        (void)compiler_error(compiler, argument->begin, argument->end,
                             "'%s' has no two sides: no signal in it selects "
                             "by the release's version, as 'select: {version: "
                             "release.version}' does",
                             compiler_part(compiler, argument, text));
        return false;
    }
    return true;
}

/* --- Copies --------------------------------------------------------------- */

static bool refuse(struct compiler *compiler, size_t part, const char *what,
                   int most)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];

    (void)compiler_error(compiler, syntax->begin, syntax->end,
                         "with the control's side the policy has more than %d "
                         "%s",
                         most, what);
    compiler_break(compiler, part);
    return false;
}

/* `errors:control`, which nobody can write; else `control(errors / requests)`.
 */
static uint32_t keep_text(struct draft *draft, const struct node *node)
{
    bool named = node->op == OP_SIGNAL || node->op == OP_NAMED;
    char text[EXPRESSION_BYTES_MAX + sizeof("control()")];

    (void)snprintf(text, sizeof(text), named ? "%s:control" : "control(%s)",
                   text_of(draft, node->text));
    return draft_text(draft, text, strlen(text));
}

static bool copy_signal(struct compiler *compiler, size_t part,
                        struct node *copy, uint16_t index)
{
    struct draft *draft = compiler->draft;
    struct signal *signal = &draft->signals[draft->head.signals];

    if (draft->head.signals == POLICY_SIGNALS_MAX) {
        return refuse(compiler, part, "fetched signals", POLICY_SIGNALS_MAX);
    }
    *signal = draft->signals[copy->signal];
    signal->name = copy->text;
    signal->node = index;
    signal->two_sided = false;
    for (uint8_t i = 0; i < signal->selects; i++) {
        if (signal->select[i].is_fact &&
            signal->select[i].fact == FACT_VERSION) {
            signal->select[i].fact = FACT_CONTROL_VERSION;
            draft->head.asked |= 1U << FACT_CONTROL_VERSION;
        }
    }
    copy->signal = draft->head.signals++;
    return true;
}

/* The other side's operand, where there is one. */
static uint16_t other_side(const struct draft *draft, uint16_t operand)
{
    return operand == NONE_INDEX || draft->traits[operand].control == 0
               ? operand
               : draft->traits[operand].control;
}

static bool copy_rings(struct compiler *compiler, size_t part,
                       struct node *copy)
{
    const struct ring *rings = compiler->draft->rings;

    return (copy->ring == NONE_INDEX ||
            compiler_ring(compiler, part, copy->a, rings[copy->ring].slots,
                          &copy->ring)) &&
           (copy->ring_b == NONE_INDEX ||
            compiler_ring(compiler, part, copy->b, rings[copy->ring_b].slots,
                          &copy->ring_b));
}

/* Its operands have been copied. */
static bool copy_node(struct compiler *compiler, size_t part, uint16_t original)
{
    struct draft *draft = compiler->draft;
    uint16_t index = draft->head.nodes;
    struct node *copy = &draft->nodes[index];

    if (index == POLICY_NODES_MAX) {
        return refuse(compiler, part, "parts of expressions", POLICY_NODES_MAX);
    }
    draft->head.nodes++;
    *copy = draft->nodes[original];
    copy->text = keep_text(draft, copy);
    copy->a = other_side(draft, copy->a);
    copy->b = other_side(draft, copy->b);
    draft->traits[index] = draft->traits[original];
    draft->traits[original].control = index;
    return (copy->op != OP_SIGNAL ||
            copy_signal(compiler, part, copy, index)) &&
           copy_rings(compiler, part, copy);
}

/* Operands have smaller indexes: one pass down finds what @operand is made of.
 */
static void find_parts(const struct draft *draft, uint16_t operand,
                       bool ret_parts[POLICY_NODES_MAX])
{
    memset(ret_parts, 0, POLICY_NODES_MAX * sizeof(*ret_parts));
    ret_parts[operand] = true;
    for (uint16_t i = (uint16_t)(operand + 1); i > 0; i--) {
        const struct node *node = &draft->nodes[i - 1];

        for (int j = 0; ret_parts[i - 1] && j < op_operands(node->op); j++) {
            ret_parts[j == 0 ? node->a : node->b] = true;
        }
    }
}

static uint16_t control_of(struct compiler *compiler, size_t part,
                           uint16_t operand)
{
    struct draft *draft = compiler->draft;
    bool parts[POLICY_NODES_MAX];

    assert(draft->traits[operand].two_sided);
    find_parts(draft, operand, parts);
    for (uint16_t i = 0; i <= operand; i++) {
        const struct node_traits *traits = &draft->traits[i];

        if (parts[i] && traits->two_sided && traits->control == 0 &&
            !copy_node(compiler, part, i)) {
            return NONE_INDEX;
        }
    }
    return draft->traits[operand].control;
}

static uint16_t both_sides_of(struct compiler *compiler, size_t part,
                              uint16_t operand)
{
    struct draft *draft = compiler->draft;
    uint16_t control = control_of(compiler, part, operand);
    struct node *node = NULL;

    if (control == NONE_INDEX) {
        return NONE_INDEX;
    }
    node = compiler_emit(compiler, part, OP_SIDES, operand, control);
    if (node == NULL) {
        return NONE_INDEX;
    }
    node->text = draft->nodes[operand].text;
    node->unit = draft->nodes[operand].unit;
    return compiler->meaning[part].node;
}

/* How far the queries and windows of @operand look back over: values so far
 * apart have nothing in common. */
static time_ms range_of(const struct compiler *compiler, uint16_t operand)
{
    const struct draft *draft = compiler->draft;
    bool parts[POLICY_NODES_MAX];
    time_ms longest = 0;

    find_parts(draft, operand, parts);
    for (uint16_t i = 0; i <= operand; i++) {
        const struct node *node = &draft->nodes[i];
        time_ms range = parts[i] && node->op == OP_SIGNAL
                            ? draft->signals[node->signal].range
                            : 0;

        longest = range > longest ? range : longest;
    }
    return longest + draft->traits[operand].lookback;
}

/* --- Calls ---------------------------------------------------------------- */

bool call_has_sides(const struct call *call)
{
    enum op op = call->function->op;

    return op == OP_CANARY || op == OP_CONTROL || op == OP_WORSE ||
           op == OP_WORSE_SHARE;
}

bool call_check_sides(struct compiler *compiler, const struct call *call)
{
    const struct syntax_node *nodes = compiler->syntax.node;

    for (size_t i = 0; i < call->operand_count; i++) {
        if (!has_two_sides(compiler, &nodes[call->syntax->argument[i]],
                           call->operands[i], call->function->name)) {
            return false;
        }
    }
    return true;
}

bool call_take_sides(struct compiler *compiler, struct call *call)
{
    enum op op = call->function->op;
    time_ms every = compiler->draft->head.watch.every;
    time_ms longest = op == OP_WORSE ? MINUTE_MS : every, range = 0;

    for (size_t i = 0; i < call->operand_count; i++) {
        uint16_t operand = call->operands[i];

        range = range_of(compiler, operand);
        longest = range > longest ? range : longest;
        call->operands[i] = op == OP_CANARY ? operand
                            : op == OP_CONTROL
                                ? control_of(compiler, call->part, operand)
                                : both_sides_of(compiler, call->part, operand);
        if (call->operands[i] == NONE_INDEX) {
            return false;
        }
    }
    call->window = draft_grid_times(compiler->draft, longest) * every;
    return true;
}

bool call_gather(struct compiler *compiler, const struct call *call,
                 struct node *node)
{
    struct policy *head = &compiler->draft->head;

    compiler->draft->traits[compiler->meaning[call->part].node].has_sides =
        true;
    if (node->op != OP_WORSE && node->op != OP_WORSE_SHARE) {
        return true;
    }
    if (head->trials == POLICY_TRIALS_MAX) {
        (void)compiler_error(compiler, call->syntax->begin, call->syntax->end,
                             "more than %d of worse() in one policy",
                             POLICY_TRIALS_MAX);
        return false;
    }
    node->factor = call->factor > 0 ? call->factor : 1;
    node->trial = head->trials++;
    return true;
}
