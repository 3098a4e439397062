/* `is` signals: each in its turn after those it needs, each a node with a
 * name; or, for replay, fetched from a column of its name. */
#include "policies/evaluate.h"
#include "policies/read/draft.h"
#include "policies/read/lexer.h"
#include "policies/read/told.h"

#include <assert.h>
#include <string.h>

/* The `is` signal becomes a node of its own, so that its name can be shown. */
static void add_named_node(struct draft *draft, struct symbol *symbol,
                           uint16_t root)
{
    const char *key = symbol->item->key;

    symbol->node =
        root == NONE_INDEX
            ? NONE_INDEX
            : draft_node(draft, symbol, OP_NAMED, draft->nodes[root].unit,
                         draft_text(draft, key, strlen(key)));
    symbol->broken = symbol->node == NONE_INDEX;
    if (!symbol->broken) {
        draft->nodes[symbol->node].type = draft->nodes[root].type;
        draft->nodes[symbol->node].a = root;
        draft->traits[symbol->node] = draft->traits[root];
    }
}

/* --- Names that a table has (replay) -------------------------------------- */

/* What the expression meant when it was compiled. */
static const struct node *unchanged_node(const struct draft *draft,
                                         const char *name)
{
    for (uint16_t i = 0; i < draft->unchanged->nodes; i++) {
        const struct node *node = policy_node(draft->unchanged, i);

        if (node->op == OP_NAMED &&
            strcmp(policy_text(draft->unchanged, node->text), name) == 0) {
            return node;
        }
    }
    return NULL;
}

/* The column is as smooth as the queries that it stands for, and has a
 * control's side if they had.  Operands have smaller indexes: one pass down
 * from @meant finds what it read. */
static void take_after(struct signal *signal, const struct policy *policy,
                       const struct node *meant)
{
    bool read[POLICY_NODES_MAX] = {false};

    read[meant->a] = true;
    for (uint16_t i = (uint16_t)(meant->a + 1); i > 0; i--) {
        const struct node *node = policy_node(policy, i - 1);

        for (int j = 0; read[i - 1] && j < op_operands(node->op); j++) {
            read[j == 0 ? node->a : node->b] = true;
        }
        if (read[i - 1] && node->op == OP_SIGNAL) {
            const struct signal *one = policy_signal(policy, node->signal);

            signal->two_sided = signal->two_sided || one->two_sided;
            signal->range =
                one->range > signal->range ? one->range : signal->range;
        }
    }
}

/* A condition comes as 0 and 1: true above one half. */
static uint16_t add_threshold(struct draft *draft, struct symbol *symbol,
                              uint16_t signal)
{
    struct unit unit = draft->nodes[signal].unit;
    uint16_t half = draft_node(draft, symbol, OP_LITERAL, unit,
                               draft_text(draft, "50%", 3));
    uint16_t above = NONE_INDEX;

    if (half == NONE_INDEX) {
        return NONE_INDEX;
    }
    draft->nodes[half].number = 0.5;
    above =
        draft_node(draft, symbol, OP_GREATER, unit, draft->nodes[signal].text);
    if (above != NONE_INDEX) {
        draft->nodes[above].type = TYPE_CONDITION;
        draft->nodes[above].a = signal;
        draft->nodes[above].b = half;
    }
    return above;
}

/* The symbol is fetched under its own name; its expression is forgotten. */
static void replace_by_column(struct draft *draft, struct symbol *symbol)
{
    const char *key = symbol->item->key;
    const struct node *meant = unchanged_node(draft, key);
    struct signal *signal = &draft->signals[draft->head.signals];

    assert(meant != NULL);
    symbol->broken = true;
    if (draft->head.signals == POLICY_SIGNALS_MAX) {
        (void)yaml_key_error(draft->problems, symbol->item,
                             "with the table's columns there are more than "
                             "%d fetched signals",
                             POLICY_SIGNALS_MAX);
        return;
    }
    *signal = (struct signal){.name = draft_text(draft, key, strlen(key)),
                              .fetch = FETCH_TABLE,
                              .unit = meant->unit,
                              .scale = 1,
                              .node = NONE_INDEX};
    signal->query = draft_text(draft, symbol->expression->text,
                               symbol->expression->text_length);
    take_after(signal, draft->unchanged, meant);
    symbol->signal = draft->head.signals++;
    symbol->broken = false;
    if (draft_signal_node(draft, symbol) != NONE_INDEX &&
        meant->type == TYPE_CONDITION) {
        add_named_node(draft, symbol,
                       add_threshold(draft, symbol, symbol->node));
    }
}

static void compile_named(struct draft *draft, struct symbol *symbol)
{
    if (told_is_column(draft, symbol->item->key)) {
        replace_by_column(draft, symbol);
        return;
    }
    add_named_node(draft, symbol, draft_expression(draft, symbol->expression));
}

/* --- Their order ---------------------------------------------------------- */

/* needs[i][j]: signal i reads signal j. */
struct needs {
    bool of[SYMBOLS_MAX][SYMBOLS_MAX];
};

/* Which signals the words of @item name, but for those of calls: in
 * `rate: {is: rate(hits)}` the second is the function. */
static void find_needs_of(struct draft *draft, const struct yaml_item *item,
                          bool *ret_needs)
{
    struct lexer lexer = {.text = item->text, .length = item->text_length};
    struct token token = lexer_next(&lexer);

    while (token.kind != TOKEN_END && token.kind != TOKEN_BAD) {
        struct token next = lexer_next(&lexer);
        const struct symbol *symbol = NULL;

        if (token.kind == TOKEN_PATH && next.kind != TOKEN_OPEN) {
            symbol = draft_symbol(draft, item->text + token.begin,
                                  token.end - token.begin);
        }
        if (symbol != NULL && symbol->expression != NULL) {
            ret_needs[symbol - draft->symbols] = true;
        }
        token = next;
    }
}

static void find_needs(struct draft *draft, struct needs *needs)
{
    for (size_t i = 0; i < draft->symbol_count; i++) {
        const struct yaml_item *item = draft->symbols[i].expression;

        if (item != NULL && item->kind == YAML_TEXT &&
            !told_is_column(draft, draft->symbols[i].item->key)) {
            find_needs_of(draft, item, needs->of[i]);
        }
    }
}

/* What is left needs itself, over some others: name the circle. */
static void complain_of_circle(struct draft *draft, const struct needs *needs,
                               const bool *done)
{
    size_t trail[SYMBOLS_MAX + 1];
    size_t position[SYMBOLS_MAX] = {0}; /* 1 + where in the trail */
    char text[PROBLEM_TEXT_MAX] = "";
    size_t length = 0, used = 0, at = 0;

    while (done[at]) {
        at++;
    }
    while (position[at] == 0) {
        size_t next = 0;

        trail[length++] = at;
        position[at] = length;
        while (done[next] || !needs->of[at][next]) {
            next++;
        }
        at = next;
    }
    trail[length] = at;
    for (size_t i = position[at] - 1; i <= length && used < sizeof(text); i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                                 used == 0 ? "" : " -> ",
                                 draft->symbols[trail[i]].item->key);
    }
    (void)yaml_key_error(draft->problems, draft->symbols[at].item,
                         "signal '%s' needs itself: %s; work one of them out "
                         "from something else",
                         draft->symbols[at].item->key, text);
}

static bool is_ready(const struct draft *draft, const struct needs *needs,
                     const bool *done, size_t symbol)
{
    for (size_t i = 0; i < draft->symbol_count; i++) {
        if (needs->of[symbol][i] && !done[i]) {
            return false;
        }
    }
    return true;
}

/* Again and again the first one in the file whose needs are met. */
static void compile_in_order(struct draft *draft, const struct needs *needs)
{
    bool done[SYMBOLS_MAX];
    size_t left = 0;

    for (size_t i = 0; i < draft->symbol_count; i++) {
        done[i] = draft->symbols[i].expression == NULL;
        left += done[i] ? 0 : 1;
    }
    while (left > 0) {
        size_t next = 0;

        while (next < draft->symbol_count &&
               (done[next] || !is_ready(draft, needs, done, next))) {
            next++;
        }
        if (next == draft->symbol_count) {
            complain_of_circle(draft, needs, done);
            break;
        }
        compile_named(draft, &draft->symbols[next]);
        done[next] = true;
        left--;
    }
    for (size_t i = 0; i < draft->symbol_count; i++) {
        draft->symbols[i].broken = draft->symbols[i].broken || !done[i];
    }
}

void draft_named(struct draft *draft)
{
    struct needs needs = {0};

    find_needs(draft, &needs);
    compile_in_order(draft, &needs);
}
