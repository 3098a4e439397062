/* Facts that a table tells: `release.stuck` and `fleet.*` as columns. */
#include "policies/read/told.h"

#include <assert.h>
#include <string.h>

const char *told_name(const char *fact, time_ms span,
                      char ret_name[TOLD_NAME_MAX])
{
    char text[DURATION_TEXT_MAX];

    if (span == 0) {
        (void)snprintf(ret_name, TOLD_NAME_MAX, "%s", fact);
    } else {
        (void)snprintf(ret_name, TOLD_NAME_MAX, "%s(%s)", fact,
                       duration_print(span, text));
    }
    return ret_name;
}

bool told_is_column(const struct draft *draft, const char *name)
{
    for (size_t i = 0; draft->changes != NULL && i < draft->changes->count;
         i++) {
        if (strcmp(draft->changes->columns[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The signal that is fetched from the column; made at its first use. */
static struct signal *find_signal(struct compiler *compiler, size_t part,
                                  const char *name, struct unit unit)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    struct draft *draft = compiler->draft;
    struct signal *signal = NULL;

    for (uint16_t i = 0; i < draft->head.signals; i++) {
        signal = &draft->signals[i];
        if (strcmp(draft->texts + (signal->name - sizeof(struct policy)),
                   name) == 0) {
            return signal;
        }
    }
    if (draft->head.signals == POLICY_SIGNALS_MAX) {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "with the table's columns there are more than "
                             "%d fetched signals",
                             POLICY_SIGNALS_MAX);
        return NULL;
    }
    signal = &draft->signals[draft->head.signals++];
    *signal = (struct signal){.name = draft_text(draft, name, strlen(name)),
                              .fetch = FETCH_TABLE,
                              .unit = unit,
                              .scale = 1,
                              .node = NONE_INDEX};
    signal->query = signal->name;
    return signal;
}

/* The node of the signal, the only one that it has. */
static uint16_t find_node(struct compiler *compiler, size_t part,
                          struct signal *signal)
{
    struct node *node = NULL;

    if (signal->node != NONE_INDEX) {
        compiler->meaning[part].node = signal->node;
        return signal->node;
    }
    node = compiler_emit(compiler, part, OP_SIGNAL, NONE_INDEX, NONE_INDEX);
    if (node == NULL) {
        return NONE_INDEX;
    }
    node->signal = (uint16_t)(signal - compiler->draft->signals);
    signal->node = compiler->meaning[part].node;
    compiler_mean(compiler, part, TYPE_NUMBER, signal->unit);
    return signal->node;
}

bool compile_told(struct compiler *compiler, size_t part, const char *name,
                  enum node_type type, struct unit unit)
{
    struct draft *draft = compiler->draft;
    struct signal *signal = find_signal(compiler, part, name, unit);
    uint16_t told = NONE_INDEX, half = NONE_INDEX;
    struct node *node = NULL;

    assert(told_is_column(draft, name));
    told = signal == NULL ? NONE_INDEX : find_node(compiler, part, signal);
    if (told == NONE_INDEX || type == TYPE_NUMBER) {
        compiler->meaning[part].type = TYPE_NUMBER;
        compiler->meaning[part].unit = unit;
        return told != NONE_INDEX;
    }
    node = compiler_emit(compiler, part, OP_LITERAL, NONE_INDEX, NONE_INDEX);
    if (node == NULL) {
        return false;
    }
    node->number = 0.5;
    node->text = draft_text(draft, "50%", 3);
    compiler_mean(compiler, part, TYPE_NUMBER, unit);
    half = compiler->meaning[part].node;
    if (compiler_emit(compiler, part, OP_GREATER, told, half) == NULL) {
        return false;
    }
    compiler_mean(compiler, part, TYPE_CONDITION, unit);
    return true;
}
