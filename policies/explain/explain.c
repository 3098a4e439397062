#include "policies/explain/explain.h"

#include "policies/explain/explain_compared.h"
#include "policies/explain/explain_lines.h"
#include "policies/explain/json_make.h"
#include "policies/facts.h"

#include <assert.h>
#include <string.h>

static void put_text(json_t *object, const char *key, const char *text)
{
    json_put(object, key, json_string(text));
}

/* --- Names ---------------------------------------------------------------- */

const char *leaf_kind_name(enum leaf_kind kind)
{
    static const char *const names[] = {
        [LEAF_HEALTHY] = "healthy",   [LEAF_WAIT] = "wait",
        [LEAF_ROLLBACK] = "rollback", [LEAF_HOLD] = "hold",
        [LEAF_PAGE] = "page",
    };

    assert(kind <= LEAF_PAGE);
    return names[kind];
}

/* --- The path ------------------------------------------------------------- */

json_t *explain_path(const struct policy *policy, const struct verdict *verdict)
{
    json_t *path = json_made(json_array());

    for (uint8_t i = 0; i < verdict->steps; i++) {
        const struct step *step = &verdict->path[i];
        const struct question *question =
            policy_question(policy, step->question);
        json_t *entry = json_made(json_object());

        put_text(entry, "question", policy_text(policy, question->text));
        put_text(entry, "answer", answer_name(step->answer));
        json_append(path, entry);
    }
    return path;
}

/* --- What decided --------------------------------------------------------- */

static void put_value(json_t *entry, const struct node *node,
                      struct value value)
{
    char unit[UNIT_TEXT_MAX];

    if (value.unknown != KNOWN) {
        json_put(entry, "value", json_null());
    } else if (node->type == TYPE_CONDITION) {
        json_put(entry, "value", json_boolean(value.number != 0));
    } else {
        json_put(entry, "value", json_real(value.number));
    }
    if (node->type == TYPE_NUMBER) {
        put_text(entry, "unit", unit_print(node->unit, unit));
    }
    if (value.unknown != KNOWN) {
        put_text(entry, "unknown", unknown_name(value.unknown));
    }
}

/* Numbers in between, and what follows from the entries beneath. */
static bool goes_without_saying(const struct node *node)
{
    switch (node->op) {
    case OP_LITERAL:
    case OP_TEXT:
    case OP_NEGATE:
    case OP_ADD:
    case OP_SUBTRACT:
    case OP_MULTIPLY:
    case OP_DIVIDE:
    case OP_NOT:
    case OP_AND:
    case OP_OR:
    case OP_SIDES:
        return true;
    case OP_FACT:
        return node->type == TYPE_TEXT;
    case OP_SIGNAL:
    case OP_NAMED:
    case OP_FLEET:
    case OP_LESS:
    case OP_LESS_EQUAL:
    case OP_GREATER:
    case OP_GREATER_EQUAL:
    case OP_EQUAL:
    case OP_NOT_EQUAL:
    case OP_FOR:
    case OP_OF:
    case OP_SURELY:
    case OP_ABSENT:
    case OP_AVG:
    case OP_MIN:
    case OP_MAX:
    case OP_SUM:
    case OP_STDDEV:
    case OP_QUANTILE:
    case OP_COUNT:
    case OP_SLOPE:
    case OP_FORECAST:
    case OP_RISING:
    case OP_FLAT:
    case OP_RATE:
    case OP_TOO_MANY:
    case OP_BURN:
    case OP_WORSENED:
    case OP_OUTGROWS:
    case OP_AT_DEPLOY:
    case OP_BASELINE:
    case OP_CHANGE:
    case OP_BEFORE:
    case OP_CANARY:
    case OP_CONTROL:
    case OP_WORSE:
    case OP_WORSE_SHARE:
    case OP_LAST:
        break;
    }
    return false;
}

static bool is_listed(const json_t *because, const char *expression)
{
    size_t i = 0;
    const json_t *entry = NULL;

    json_array_foreach(because, i, entry)
    {
        const json_t *listed = json_object_get(entry, "expr");

        if (strcmp(json_string_value(listed), expression) == 0) {
            return true;
        }
    }
    return false;
}

/* The same words mean the same wherever they stand in one policy, so words
 * are listed once. */
static void list(json_t *because, const struct policy *policy,
                 const struct verdict *verdict, uint16_t index)
{
    const struct node *node = policy_node(policy, index);
    const char *expression = policy_text(policy, node->text);
    json_t *entry = NULL, *compared = NULL;

    if (is_listed(because, expression)) {
        return;
    }
    entry = json_made(json_object());
    put_text(entry, "expr", expression);
    put_value(entry, node, verdict->values[index]);
    compared = explain_compared_json(policy, verdict, index);
    if (compared != NULL) {
        json_put(entry, "compared", compared);
    }
    json_append(because, entry);
}

json_t *explain_because(const struct policy *policy,
                        const struct verdict *verdict)
{
    json_t *because = json_made(json_array());
    struct reading reading;

    reading_begin(&reading, policy);
    for (uint8_t i = 0; i < verdict->steps; i++) {
        const struct question *question =
            policy_question(policy, verdict->path[i].question);
        struct passage passage;

        reading_open(&reading, question->node);
        while (reading_next(&reading, &passage)) {
            if (passage.node == question->node ||
                !goes_without_saying(policy_node(policy, passage.node))) {
                list(because, policy, verdict, passage.node);
            }
        }
    }
    return because;
}

/* --- The tree ------------------------------------------------------------- */

struct explainer {
    const struct policy *policy;
    const struct verdict *verdict;
    const struct facts *facts;
};

static json_t *explain_leaf(const struct explainer *explainer,
                            struct branch branch, bool taken)
{
    const struct policy *policy = explainer->policy;
    const struct facts *facts = explainer->facts;
    uint16_t index = branch.to == TO_WAIT ? LEAF_INDEX_WAIT : branch.index;
    char text[POLICY_TEXT_MAX * 2];
    json_t *leaf = json_made(json_object());

    leaf_text(policy, index, facts->service, facts->environment, facts->version,
              NULL, text, sizeof(text));
    put_text(leaf, "leaf", leaf_kind_name(policy_leaf(policy, index)->kind));
    put_text(leaf, "text", text);
    json_put(leaf, "taken", json_boolean(taken));
    return leaf;
}

static bool same_branch(struct branch a, struct branch b)
{
    return a.to == b.to && a.index == b.index;
}

/* Hang the branch of @answer under its question.  A question has one parent,
 * so each object finds one owner. */
static void hang_branch(const struct explainer *explainer, json_t **questions,
                        uint16_t index, enum answer answer, bool taken)
{
    static const char *const keys[] = {
        [ANSWER_NO] = "else",
        [ANSWER_YES] = "then",
        [ANSWER_UNKNOWN] = "unknown",
    };
    const struct branch *branch =
        question_branch(policy_question(explainer->policy, index), answer);

    json_put(questions[index], keys[answer],
             branch->to == TO_QUESTION
                 ? questions[branch->index]
                 : explain_leaf(explainer, *branch, taken));
}

/* `unknown: then` is told as the word, not as a copy. */
static void hang_branches(const struct explainer *explainer, json_t **questions,
                          uint16_t index, const struct step *step)
{
    const struct question *question = policy_question(explainer->policy, index);
    bool as_yes = same_branch(question->unknown, question->yes);
    bool as_no = !as_yes && same_branch(question->unknown, question->no);
    bool yes = step != NULL && step->answer == ANSWER_YES;
    bool no = step != NULL && step->answer == ANSWER_NO;
    bool unknown = step != NULL && step->answer == ANSWER_UNKNOWN;

    hang_branch(explainer, questions, index, ANSWER_YES,
                yes || (unknown && as_yes));
    hang_branch(explainer, questions, index, ANSWER_NO,
                no || (unknown && as_no));
    if (as_yes || as_no) {
        put_text(questions[index], "unknown", as_yes ? "then" : "else");
    } else {
        hang_branch(explainer, questions, index, ANSWER_UNKNOWN, unknown);
    }
}

static const struct step *step_at(const struct verdict *verdict,
                                  uint16_t question)
{
    for (uint8_t i = 0; i < verdict->steps; i++) {
        if (verdict->path[i].question == question) {
            return &verdict->path[i];
        }
    }
    return NULL;
}

static json_t *explain_question(const struct explainer *explainer,
                                uint16_t index, const struct step *step)
{
    const struct policy *policy = explainer->policy;
    const struct question *question = policy_question(policy, index);
    const struct node *node = policy_node(policy, question->node);
    json_t *entry = json_made(json_object());

    put_text(entry, "question", policy_text(policy, question->text));
    put_text(entry, "if", policy_text(policy, node->text));
    if (step != NULL) {
        put_text(entry, "answer", answer_name(step->answer));
    }
    json_put(entry, "taken", json_boolean(step != NULL));
    return entry;
}

static json_t *explain_tree(const struct explainer *explainer)
{
    const struct policy *policy = explainer->policy;
    const struct verdict *verdict = explainer->verdict;
    json_t *questions[POLICY_QUESTIONS_MAX];
    struct reading reading;

    assert(policy->root.to == TO_QUESTION);
    for (uint16_t i = 0; i < policy->questions; i++) {
        questions[i] = explain_question(explainer, i, step_at(verdict, i));
    }
    reading_begin(&reading, policy);
    for (uint8_t i = 0; i < verdict->steps; i++) {
        uint16_t index = verdict->path[i].question;

        json_put(questions[index], "lines",
                 explain_lines(&reading, policy_question(policy, index)->node,
                               verdict, explainer->facts));
    }
    for (uint16_t i = 0; i < policy->questions; i++) {
        hang_branches(explainer, questions, i, step_at(verdict, i));
    }
    return questions[policy->root.index];
}

/* --- Signals -------------------------------------------------------------- */

static const char *fetch_name(enum fetch fetch)
{
    static const char *const names[] = {
        [FETCH_PROMETHEUS] = "prometheus",
        [FETCH_SCRAPE] = "scrape",
        [FETCH_JSON] = "json",
        [FETCH_TABLE] = "table",
    };

    assert(fetch <= FETCH_TABLE);
    return names[fetch];
}

static json_t *explain_select(const struct explainer *explainer,
                              const struct signal *signal)
{
    json_t *selects = json_made(json_object());

    for (uint8_t i = 0; i < signal->selects; i++) {
        const struct select *select = &signal->select[i];
        const char *value =
            selected_text(explainer->policy, select, explainer->facts);

        json_put(selects, policy_text(explainer->policy, select->label),
                 value == NULL ? json_null() : json_string(value));
    }
    return selects;
}

static json_t *explain_named(const struct explainer *explainer, uint16_t index)
{
    const struct policy *policy = explainer->policy;
    const struct node *node = policy_node(policy, index);
    json_t *entry = json_made(json_object());

    put_text(entry, "name", policy_text(policy, node->text));
    put_value(entry, node, explainer->verdict->values[index]);
    return entry;
}

/* Fetched ones first, each as the policy names them; then the `is` ones. */
static json_t *explain_signals(const struct explainer *explainer)
{
    const struct policy *policy = explainer->policy;
    json_t *signals = json_made(json_array());

    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);
        json_t *entry = NULL;

        if (signal->node == NONE_INDEX) {
            continue; /* nothing reads it: it had no part in this */
        }
        entry = explain_named(explainer, signal->node);
        put_text(entry, "from", fetch_name(signal->fetch));
        put_text(entry, "query", policy_text(policy, signal->query));
        json_put(entry, "select", explain_select(explainer, signal));
        json_append(signals, entry);
    }
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        if (node->op == OP_NAMED) {
            json_t *entry = explain_named(explainer, i);

            put_text(entry, "is",
                     policy_text(policy, policy_node(policy, node->a)->text));
            json_append(signals, entry);
        }
    }
    return signals;
}

/* --- All of it ------------------------------------------------------------ */

json_t *explain_verdict(const struct policy *policy,
                        const struct verdict *verdict,
                        const struct facts *facts)
{
    const struct explainer explainer = {policy, verdict, facts};
    const struct leaf *leaf = policy_leaf(policy, verdict->leaf);
    json_t *explanation = json_made(json_object());
    char moment[MOMENT_TEXT_MAX];
    char text[POLICY_TEXT_MAX * 2];

    leaf_text(policy, verdict->leaf, facts->service, facts->environment,
              facts->version, NULL, text, sizeof(text));
    put_text(explanation, "at", moment_print(verdict->at, moment));
    put_text(explanation, "policy", policy_text(policy, policy->name));
    put_text(explanation, "digest", policy->digest);
    put_text(explanation, "verdict", leaf_kind_name(leaf->kind));
    put_text(explanation, "text", text);
    json_put(explanation, "unsure", json_boolean(verdict->unsure));
    json_put(explanation, "path", explain_path(policy, verdict));
    json_put(explanation, "because", explain_because(policy, verdict));
    json_put(explanation, "tree", explain_tree(&explainer));
    json_put(explanation, "signals", explain_signals(&explainer));
    return explanation;
}
