/* Warnings about policies that load, but will surprise whoever wrote them. */
#include "policies/read/draft.h"

#include <string.h>

static const char *text_of(const struct draft *draft, uint32_t offset)
{
    return draft->texts + (offset - sizeof(struct policy));
}

/* --- A rollback that never asks whether it is safe ------------------------ */

/* Questions that lead to each other form a tree, so who leads to a question
 * stands before it in the array. */
static void find_asked(const struct draft *draft, bool *asked)
{
    for (uint16_t i = 0; i < draft->head.questions; i++) {
        const struct question *question = &draft->questions[i];
        const struct branch branches[] = {question->yes, question->no,
                                          question->unknown};

        asked[i] = asked[i] || draft->traits[question->node].asks_safe;
        for (size_t j = 0; j < 3; j++) {
            if (branches[j].to == TO_QUESTION) {
                asked[branches[j].index] = asked[i];
            }
        }
    }
}

static void lint_rollbacks(const struct draft *draft)
{
    bool asked[POLICY_QUESTIONS_MAX] = {false};
    bool warned[POLICY_LEAVES_MAX] = {false};

    find_asked(draft, asked);
    for (uint16_t i = 0; i < draft->head.questions; i++) {
        const struct question *question = &draft->questions[i];
        const struct branch branches[] = {question->yes, question->no,
                                          question->unknown};

        for (size_t j = 0; j < 3; j++) {
            const struct leaf *leaf = &draft->leaves[branches[j].index];

            if (asked[i] || branches[j].to != TO_LEAF ||
                leaf->kind != LEAF_ROLLBACK || warned[branches[j].index]) {
                continue;
            }
            warned[branches[j].index] = true;
            (void)problems_warning(draft->problems, leaf->line, leaf->column,
                                   "this rollback never asks whether going "
                                   "back is safe; ask 'if: "
                                   "release.rollback_safe' before it");
        }
    }
}

/* --- A trigger that no excuse can see ------------------------------------- */

/* Which fetched signals a node reads, a bit each. */
static void find_read(const struct draft *draft,
                      uint32_t ret_read[POLICY_NODES_MAX])
{
    for (uint16_t i = 0; i < draft->head.nodes; i++) {
        const struct node *node = &draft->nodes[i];

        ret_read[i] = node->op == OP_SIGNAL ? UINT32_C(1) << node->signal : 0;
        ret_read[i] |= node->a == NONE_INDEX ? 0 : ret_read[node->a];
        ret_read[i] |= node->b == NONE_INDEX ? 0 : ret_read[node->b];
    }
}

/* A question and all below it. */
struct below {
    bool rolls_back;
    bool excuses;  /* measures something and may lead away from the rollback */
    uint32_t seen; /* by those that do */
};

static void add_branch(const struct draft *draft, const struct below *below,
                       struct branch branch, struct below *sum,
                       bool *ret_leads_away)
{
    const struct below *more = NULL;

    if (branch.to == TO_LEAF) {
        bool rolls_back = draft->leaves[branch.index].kind == LEAF_ROLLBACK;

        sum->rolls_back = sum->rolls_back || rolls_back;
        *ret_leads_away = *ret_leads_away || !rolls_back;
    } else if (branch.to == TO_QUESTION) {
        more = &below[branch.index];
        sum->rolls_back = sum->rolls_back || more->rolls_back;
        sum->excuses = sum->excuses || more->excuses;
        sum->seen |= more->seen;
    }
}

/* Who is led to stands behind who leads there, so the last comes first. */
static void find_below(const struct draft *draft, const uint32_t *read,
                       struct below ret_below[POLICY_QUESTIONS_MAX])
{
    for (uint16_t i = draft->head.questions; i > 0; i--) {
        const struct question *question = &draft->questions[i - 1];
        struct below *sum = &ret_below[i - 1];
        bool leads_away = false;

        *sum = (struct below){0};
        add_branch(draft, ret_below, question->yes, sum, &leads_away);
        add_branch(draft, ret_below, question->no, sum, &leads_away);
        if (sum->rolls_back && leads_away && read[question->node] != 0) {
            sum->excuses = true;
            sum->seen |= read[question->node];
        }
    }
}

/* What `a or b` is made of is a trigger each; a name counts as what it names
 * when that is an `or` again. */
static uint16_t inner_or(const struct draft *draft, uint16_t index)
{
    const struct node *node = &draft->nodes[index];

    if (node->op == OP_NAMED && draft->nodes[node->a].op == OP_OR) {
        return node->a;
    }
    return index;
}

static void lint_triggers_of(const struct draft *draft, const uint32_t *read,
                             const struct question *question, uint32_t seen)
{
    uint16_t waiting[EXPRESSION_NODES_MAX];
    size_t count = 0;

    waiting[count++] = question->node;
    while (count > 0) {
        uint16_t index = inner_or(draft, waiting[--count]);
        const struct node *node = &draft->nodes[index];

        if (node->op == OP_OR && count + 2 <= EXPRESSION_NODES_MAX) {
            waiting[count++] = node->b;
            waiting[count++] = node->a;
        } else if (read[index] != 0 && (read[index] & seen) == 0) {
            (void)problems_warning(
                draft->problems, node->line, node->column,
                "'%.80s' leads on from a question, but no question below "
                "that may excuse it looks at what it measures; name it there, "
                "as in 'not %.80s and ...'",
                text_of(draft, node->text), text_of(draft, node->text));
        }
    }
}

/* Load may excuse a full pool, never errors: an excuse that does not look at
 * what triggered excuses it all the same. */
static void lint_triggers(const struct draft *draft)
{
    uint32_t read[POLICY_NODES_MAX];
    struct below below[POLICY_QUESTIONS_MAX];

    find_read(draft, read);
    find_below(draft, read, below);
    for (uint16_t i = 0; i < draft->head.questions; i++) {
        const struct question *question = &draft->questions[i];
        const struct below *then = question->yes.to == TO_QUESTION
                                       ? &below[question->yes.index]
                                       : NULL;

        if (then != NULL && then->excuses) {
            lint_triggers_of(draft, read, question, then->seen);
        }
    }
}

/* --- Settling shorter than what the queries look back on -------------------
 */

static bool is_unit_letter(char letter)
{
    return letter != '\0' && strchr("mshdwy", letter) != NULL;
}

static time_ms unit_span(const char *unit, size_t *ret_length)
{
    *ret_length = 1;
    switch (unit[0]) {
    case 'm':
        *ret_length = unit[1] == 's' ? 2 : 1;
        return unit[1] == 's' ? 1 : MINUTE_MS;
    case 's':
        return SECOND_MS;
    case 'h':
        return HOUR_MS;
    case 'd':
        return DAY_MS;
    case 'w':
        return 7 * DAY_MS;
    default:
        return 365 * DAY_MS;
    }
}

/* "[1h30m]" or "[5m:15s]" at @text: its range; 0 when it is none. */
static time_ms range_at(const char *text)
{
    time_ms span = 0;

    text++;
    while (*text >= '0' && *text <= '9') {
        time_ms number = 0;
        size_t length = 0;

        for (; *text >= '0' && *text <= '9'; text++) {
            if (number > 1000000) {
                return 0;
            }
            number = number * 10 + (*text - '0');
        }
        if (!is_unit_letter(*text)) {
            return 0;
        }
        span += number * unit_span(text, &length);
        text += length;
    }
    return *text == ']' || *text == ':' ? span : 0;
}

time_ms query_range(const char *query)
{
    time_ms longest = 0;

    for (; *query != '\0'; query++) {
        time_ms span = *query == '[' ? range_at(query) : 0;

        longest = span > longest ? span : longest;
    }
    return longest;
}

/* A query that averages over 5 minutes sees the old version for as long. */
static void lint_settle(const struct draft *draft)
{
    char settle[DURATION_TEXT_MAX], range[DURATION_TEXT_MAX];
    char text[PROBLEM_TEXT_MAX];
    time_ms longest = 0;
    const char *name = NULL;

    for (uint16_t i = 0; i < draft->head.signals; i++) {
        const struct signal *signal = &draft->signals[i];

        if (signal->range > longest) {
            longest = signal->range;
            name = text_of(draft, signal->name);
        }
    }
    if (longest <= draft->head.watch.settle) {
        return;
    }
    (void)snprintf(text, sizeof(text),
                   "settle is %s, but the query of '%s' looks back over %s "
                   "and still sees the version before; settle at least as "
                   "long",
                   duration_print(draft->head.watch.settle, settle), name,
                   duration_print(longest, range));
    if (draft->settle_item != NULL) {
        (void)yaml_warning(draft->problems, draft->settle_item, "%s", text);
    } else {
        (void)problems_warning(draft->problems, 0, 0, "%s", text);
    }
}

void draft_lint(struct draft *draft)
{
    enum problem_rule before =
        problems_about(draft->problems, RULE_UNASKED_ROLLBACK);

    lint_rollbacks(draft);
    (void)problems_about(draft->problems, RULE_UNSEEN_TRIGGER);
    lint_triggers(draft);
    (void)problems_about(draft->problems, RULE_SHORT_SETTLE);
    lint_settle(draft);
    (void)problems_about(draft->problems, before);
}
