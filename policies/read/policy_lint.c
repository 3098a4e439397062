/* Warnings about policies that load, but will surprise whoever wrote them. */
#include "policies/read/draft.h"

#include <string.h>

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

static time_ms longest_range(const char *query)
{
    time_ms longest = 0;

    for (; *query != '\0'; query++) {
        time_ms span = *query == '[' ? range_at(query) : 0;

        longest = span > longest ? span : longest;
    }
    return longest;
}

static const char *text_of(const struct draft *draft, uint32_t offset)
{
    return draft->texts + (offset - sizeof(struct policy));
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
        time_ms span = signal->fetch == FETCH_PROMETHEUS
                           ? longest_range(text_of(draft, signal->query))
                           : 0;

        if (span > longest) {
            longest = span;
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
    lint_rollbacks(draft);
    lint_settle(draft);
}
