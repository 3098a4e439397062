#include "policies/read/expression.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "policies/read/told.h"

static const struct unit no_unit = {0, 0, 0};
static const struct unit count_unit = {1, 0, 0};

/* --- Refused parts ---------------------------------------------------------
 */

void compiler_break(struct compiler *compiler, size_t part)
{
    compiler->meaning[part].broken = true;
}

static bool argument_broken(const struct compiler *compiler,
                            const struct syntax_node *part)
{
    for (size_t i = 0; i < part->arguments; i++) {
        if (compiler->meaning[part->argument[i]].broken) {
            return true;
        }
    }
    return false;
}

/* --- Nodes ---------------------------------------------------------------- */

/* The source of a part on one line: runs of blanks become one. */
static uint32_t keep_part_text(struct compiler *compiler, size_t begin,
                               size_t end)
{
    char text[EXPRESSION_BYTES_MAX];
    size_t length = 0;

    assert(end - begin <= sizeof(text));
    for (size_t at = begin; at < end; at++) {
        char byte = compiler->text[at];

        if (byte == '\n' || byte == '\t') {
            byte = ' ';
        }
        if (byte != ' ' || length == 0 || text[length - 1] != ' ') {
            text[length++] = byte;
        }
    }
    return draft_text(compiler->draft, text, length);
}

static void add_traits(struct draft *draft, struct node_traits *traits,
                       uint16_t operand)
{
    const struct node_traits *more = NULL;

    if (operand == NONE_INDEX) {
        return;
    }
    more = &draft->traits[operand];
    if (more->lookback > traits->lookback) {
        traits->lookback = more->lookback;
    }
    traits->has_frozen = traits->has_frozen || more->has_frozen;
    traits->has_before = traits->has_before || more->has_before;
    traits->asks_safe = traits->asks_safe || more->asks_safe;
    traits->two_sided = traits->two_sided || more->two_sided;
    traits->has_sides = traits->has_sides || more->has_sides;
}

struct node *compiler_emit(struct compiler *compiler, size_t part, enum op op,
                           uint16_t a, uint16_t b)
{
    struct draft *draft = compiler->draft;
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    struct node_traits *traits = NULL;
    struct node *node = NULL;
    int line = 0, column = 0;
    uint16_t index = draft->head.nodes;

    if (index == POLICY_NODES_MAX) {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "the file's expressions have more than %d parts",
                             POLICY_NODES_MAX);
        compiler_break(compiler, part);
        return NULL;
    }
    draft->head.nodes++;
    node = &draft->nodes[index];
    yaml_place(draft->tree, compiler->item, syntax->begin, &line, &column);
    *node = (struct node){.op = op,
                          .a = a,
                          .b = b,
                          .signal = NONE_INDEX,
                          .ring = NONE_INDEX,
                          .ring_b = NONE_INDEX,
                          .frozen = NONE_INDEX,
                          .fleet = NONE_INDEX,
                          .trial = NONE_INDEX,
                          .line = (uint16_t)line,
                          .column = (uint16_t)column};
    node->text = keep_part_text(compiler, syntax->begin, syntax->end);
    traits = &draft->traits[index];
    *traits = (struct node_traits){0};
    add_traits(draft, traits, a);
    add_traits(draft, traits, b);
    compiler->meaning[part].node = index;
    return node;
}

void compiler_mean(struct compiler *compiler, size_t part, enum node_type type,
                   struct unit unit)
{
    struct meaning *meaning = &compiler->meaning[part];
    struct node *node = NULL;

    meaning->type = type;
    meaning->unit = unit;
    assert(meaning->node != NONE_INDEX);
    node = &compiler->draft->nodes[meaning->node];
    node->type = type;
    node->unit = unit;
}

uint16_t compiler_operand(struct compiler *compiler, size_t part)
{
    struct meaning *meaning = &compiler->meaning[part];
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    struct node *node = NULL;

    if (meaning->node != NONE_INDEX || meaning->broken) {
        return meaning->node;
    }
    assert(syntax->kind == SYNTAX_LITERAL);
    node = compiler_emit(compiler, part,
                         meaning->type == TYPE_TEXT ? OP_TEXT : OP_LITERAL,
                         NONE_INDEX, NONE_INDEX);
    if (node == NULL) {
        return NONE_INDEX;
    }
    node->number = syntax->number;
    if (meaning->type == TYPE_TEXT) {
        node->text =
            draft_text(compiler->draft, compiler->text + syntax->begin + 1,
                       syntax->end - syntax->begin - 2);
    }
    compiler_mean(compiler, part, meaning->type, meaning->unit);
    return meaning->node;
}

bool compiler_ring(struct compiler *compiler, size_t part, uint16_t operand,
                   int64_t slots, uint16_t *ret_ring)
{
    struct draft *draft = compiler->draft;
    const struct syntax_node *syntax = &compiler->syntax.node[part];

    assert(slots > 0);
    assert(slots <= SAMPLES_MAX);
    for (uint16_t i = 0; i < draft->head.rings; i++) {
        struct ring *ring = &draft->rings[i];

        if (ring->node == operand) {
            if (slots > ring->slots) {
                ring->slots = (uint16_t)slots;
            }
            *ret_ring = i;
            return true;
        }
    }
    if (draft->head.rings == POLICY_RINGS_MAX) {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "the policy looks back on more than %d different "
                             "things",
                             POLICY_RINGS_MAX);
        compiler_break(compiler, part);
        return false;
    }
    *ret_ring = draft->head.rings++;
    draft->rings[*ret_ring] = (struct ring){
        .node = operand,
        .slots = (uint16_t)slots,
        .condition = draft->nodes[operand].type == TYPE_CONDITION};
    return true;
}

bool compiler_check_window(struct compiler *compiler, size_t begin, size_t end,
                           time_ms span, int64_t least, const char *name)
{
    struct draft *draft = compiler->draft;
    int64_t times = draft_grid_times(draft, span);
    char window[DURATION_TEXT_MAX], every[DURATION_TEXT_MAX];
    char need[DURATION_TEXT_MAX];

    (void)duration_print(span, window);
    (void)duration_print(draft->head.watch.every, every);
    if (times > SAMPLES_MAX) {
        (void)compiler_error(
            compiler, begin, end,
            "%s looks back over %lld grid times of %s, at most %d: %s", name,
            (long long)times, every, SAMPLES_MAX,
            duration_print(SAMPLES_MAX * draft->head.watch.every, need));
        return false;
    }
    if (times < least) {
        (void)compiler_error(
            compiler, begin, end,
            "%s holds only %lld grid times of %s; %s needs %lld: at least %s",
            window, (long long)times, every, name, (long long)least,
            duration_print(least * draft->head.watch.every, need));
        return false;
    }
    return true;
}

/* --- Literals ------------------------------------------------------------- */

static void compile_literal(struct compiler *compiler, size_t part)
{
    struct meaning *meaning = &compiler->meaning[part];

    switch (compiler->syntax.node[part].literal) {
    case TOKEN_NUMBER:
        meaning->unit = count_unit;
        meaning->bare = true;
        return;
    case TOKEN_PERCENT:
        meaning->unit = no_unit;
        return;
    case TOKEN_DURATION:
        meaning->unit = (struct unit){0, 1, 0};
        return;
    case TOKEN_RATE:
        meaning->unit = (struct unit){1, -1, 0};
        return;
    case TOKEN_BYTES:
        meaning->unit = (struct unit){0, 0, 1};
        return;
    case TOKEN_TEXT:
        meaning->type = TYPE_TEXT;
        return;
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        meaning->type = TYPE_CONDITION;
        return;
    case TOKEN_END:
    case TOKEN_BAD:
    case TOKEN_PATH:
    case TOKEN_OPEN:
    case TOKEN_CLOSE:
    case TOKEN_COMMA:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
    case TOKEN_TIMES:
    case TOKEN_OVER:
    case TOKEN_LESS:
    case TOKEN_LESS_EQUAL:
    case TOKEN_GREATER:
    case TOKEN_GREATER_EQUAL:
    case TOKEN_EQUAL:
    case TOKEN_NOT_EQUAL:
    case TOKEN_AND:
    case TOKEN_OR:
    case TOKEN_NOT:
    case TOKEN_FOR:
    case TOKEN_OF:
        break;
    }
    assert(false); /* the parser makes no other literals */
}

/* --- Names ---------------------------------------------------------------- */

static const struct {
    const char *name;
    enum fact fact;
    enum node_type type;
} facts[] = {
    {"release.service", FACT_SERVICE, TYPE_TEXT},
    {"release.environment", FACT_ENVIRONMENT, TYPE_TEXT},
    {"release.version", FACT_VERSION, TYPE_TEXT},
    {"release.kind", FACT_KIND, TYPE_TEXT},
    {"release.data_change", FACT_DATA_CHANGE, TYPE_TEXT},
    {"release.rollback_safe", FACT_ROLLBACK_SAFE, TYPE_CONDITION},
    {"release.stuck", FACT_STUCK, TYPE_CONDITION},
    {"release.age", FACT_AGE, TYPE_NUMBER},
};
#define FACTS (sizeof(facts) / sizeof(facts[0]))

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static void emit_fact(struct compiler *compiler, size_t part, enum fact fact,
                      enum node_type type, const char *label)
{
    struct node *node =
        compiler_emit(compiler, part, OP_FACT, NONE_INDEX, NONE_INDEX);

    if (node == NULL) {
        return;
    }
    node->fact = fact;
    if (label != NULL) {
        node->label = draft_text(compiler->draft, label, strlen(label));
    }
    if (fact == FACT_ROLLBACK_SAFE) {
        compiler->draft->traits[compiler->meaning[part].node].asks_safe = true;
    }
    compiler_mean(compiler, part, type,
                  fact == FACT_AGE ? (struct unit){0, 1, 0} : no_unit);
}

static void compile_fact(struct compiler *compiler, size_t part,
                         const char *name)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    const char *names[FACTS];
    const char *nearest = NULL;
    char fact[64];

    if (begins_with(name, "release.labels.")) {
        emit_fact(compiler, part, FACT_LABEL, TYPE_TEXT,
                  name + strlen("release.labels."));
        return;
    }
    for (size_t i = 0; i < FACTS; i++) {
        names[i] = facts[i].name + strlen("release.");
        if (strcmp(facts[i].name, name) != 0) {
            continue;
        }
        if (facts[i].fact == FACT_STUCK &&
            told_is_column(compiler->draft, name)) {
            if (!compile_told(compiler, part, name, TYPE_CONDITION, no_unit)) {
                compiler_break(compiler, part);
            }
        } else {
            emit_fact(compiler, part, facts[i].fact, facts[i].type, NULL);
        }
        return;
    }
    nearest = nearest_name(name + strlen("release."), names, FACTS);
    if (nearest == NULL) {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "unknown fact '%s'; known are release.service "
                             ".environment .version .kind .data_change "
                             ".rollback_safe .stuck .age .labels.NAME",
                             name);
    } else {
        (void)snprintf(fact, sizeof(fact), "release.%s", nearest);
        compiler_fix(compiler,
                     compiler_error(compiler, syntax->begin, syntax->end,
                                    "unknown fact '%s'; did you mean '%s'?",
                                    name, fact),
                     syntax->begin, syntax->end, fact);
    }
    compiler_break(compiler, part);
}

static void complain_of_name(struct compiler *compiler, size_t part,
                             const char *name)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    const char *usage = function_usage(name, strlen(name));
    const char *names[SYMBOLS_MAX];
    const char *nearest = NULL;

    for (size_t i = 0; i < compiler->draft->symbol_count; i++) {
        names[i] = compiler->draft->symbols[i].item->key;
    }
    nearest = nearest_name(name, names, compiler->draft->symbol_count);
    if (usage != NULL) {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "'%s' is a function: %s", name, usage);
    } else if (nearest != NULL) {
        compiler_fix(compiler,
                     compiler_error(compiler, syntax->begin, syntax->end,
                                    "unknown signal '%s'; did you mean '%s'?",
                                    name, nearest),
                     syntax->begin, syntax->end, nearest);
    } else {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "unknown signal '%s'; name it under 'signals:'",
                             name);
    }
}

static void compile_symbol(struct compiler *compiler, size_t part,
                           struct symbol *symbol)
{
    struct meaning *meaning = &compiler->meaning[part];
    uint16_t index = symbol->node;

    if (!symbol->broken && symbol->expression == NULL) {
        index = draft_signal_node(compiler->draft, symbol);
    }
    if (symbol->broken || index == NONE_INDEX) {
        compiler_break(compiler, part);
        return;
    }
    meaning->node = index;
    meaning->type = compiler->draft->nodes[index].type;
    meaning->unit = compiler->draft->nodes[index].unit;
}

static void compile_path(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    size_t length = syntax->end - syntax->begin;
    char name[EXPRESSION_BYTES_MAX + 1];
    struct symbol *symbol =
        draft_symbol(compiler->draft, compiler->text + syntax->begin, length);

    if (symbol != NULL) {
        compile_symbol(compiler, part, symbol);
        return;
    }
    memcpy(name, compiler->text + syntax->begin, length);
    name[length] = '\0';
    if (begins_with(name, "release.")) {
        compile_fact(compiler, part, name);
        return;
    }
    if (begins_with(name, "fleet.")) {
        compile_call(compiler, part); /* fleet.breaching has no brackets */
        return;
    }
    complain_of_name(compiler, part, name);
    compiler_break(compiler, part);
}

/* --- The whole ------------------------------------------------------------ */

static void compile_part(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    struct problems *problems = compiler->draft->problems;

    compiler->meaning[part] = (struct meaning){.node = NONE_INDEX};
    if (argument_broken(compiler, syntax)) {
        compiler_break(compiler, part);
        return;
    }
    switch (syntax->kind) {
    case SYNTAX_LITERAL:
        (void)problems_about(problems, RULE_SYNTAX);
        compile_literal(compiler, part);
        return;
    case SYNTAX_PATH:
        (void)problems_about(problems, RULE_UNKNOWN_NAME);
        compile_path(compiler, part);
        return;
    case SYNTAX_CALL:
        (void)problems_about(problems, RULE_FUNCTION);
        compile_call(compiler, part);
        return;
    case SYNTAX_OPERATOR:
    case SYNTAX_HELD:
        (void)problems_about(problems, RULE_UNIT);
        compile_operator(compiler, part);
        return;
    }
}

/* Nesting, for whoever prints: operands one deeper than what uses them; what
 * was there before this expression keeps its own. */
static void set_depths(struct draft *draft, uint16_t first, uint16_t root)
{
    for (uint16_t i = root; i + 1 > first; i--) {
        const struct node *node = &draft->nodes[i];
        const uint16_t operands[] = {node->a, node->b};

        for (size_t j = 0; j < 2; j++) {
            if (operands[j] != NONE_INDEX && operands[j] >= first) {
                draft->nodes[operands[j]].depth = (uint16_t)(node->depth + 1);
            }
        }
        if (i == 0) {
            break;
        }
    }
}

static uint16_t compile(struct compiler *compiler, enum node_type *ret_type)
{
    struct draft *draft = compiler->draft;
    const struct yaml_item *item = compiler->item;
    uint16_t first = draft->head.nodes, root = NONE_INDEX;
    size_t whole = 0;

    if (!syntax_parse(compiler->text, item->text_length, &compiler->syntax,
                      &compiler->error)) {
        struct problem *problem =
            compiler_error(compiler, compiler->error.begin, compiler->error.end,
                           "%s", compiler->error.message);

        if (compiler->error.fix[0] != '\0') {
            compiler_fix(compiler, problem, compiler->error.fix_begin,
                         compiler->error.fix_end, compiler->error.fix);
        }
        return NONE_INDEX;
    }
    for (size_t i = 0; i < compiler->syntax.nodes; i++) {
        compile_part(compiler, i);
    }
    whole = compiler->syntax.nodes - 1;
    if (compiler->meaning[whole].broken) {
        return NONE_INDEX;
    }
    root = compiler_operand(compiler, whole);
    if (root != NONE_INDEX && root >= first) {
        set_depths(draft, first, root);
    }
    *ret_type = compiler->meaning[whole].type;
    return root;
}

static uint16_t compile_item(struct draft *draft, const struct yaml_item *item,
                             bool condition)
{
    struct compiler *compiler = NULL;
    enum problem_rule before = RULE_SYNTAX;
    enum node_type type = TYPE_NUMBER;
    uint16_t root = NONE_INDEX;

    if (yaml_expect_text(item, draft->problems) == NULL) {
        return NONE_INDEX;
    }
    compiler = memory_zeroed(1, sizeof(*compiler));
    compiler->draft = draft;
    compiler->item = item;
    compiler->text = item->text;
    before = problems_about(draft->problems, RULE_SYNTAX);
    root = compile(compiler, &type);
    (void)problems_about(draft->problems, RULE_UNIT);
    if (root != NONE_INDEX && condition && type != TYPE_CONDITION) {
        const struct syntax_node *whole =
            &compiler->syntax.node[compiler->syntax.nodes - 1];

        (void)compiler_error(compiler, whole->begin, whole->end,
                             "a question wants a condition; compare this with "
                             "something, like '> 5%%'");
        root = NONE_INDEX;
    } else if (root != NONE_INDEX && type == TYPE_TEXT) {
        (void)yaml_error(draft->problems, item,
                         "a signal is a number or a condition, not a text; "
                         "compare it with == or !=");
        root = NONE_INDEX;
    }
    (void)problems_about(draft->problems, before);
    free(compiler);
    return root;
}

uint16_t draft_expression(struct draft *draft, const struct yaml_item *item)
{
    return compile_item(draft, item, false);
}

uint16_t draft_condition(struct draft *draft, const struct yaml_item *item)
{
    return compile_item(draft, item, true);
}
