/* `tree:`: questions and leaves, without recursion: what is still to be read
 * waits on a stack of fixed size. */
#include "policies/read/draft.h"
#include "policies/utf8.h"

#include <assert.h>
#include <string.h>

/* --- Texts for people ----------------------------------------------------- */

/* About the bytes from @begin to @end of a text. */
static struct problem *template_error(struct draft *draft,
                                      const struct yaml_item *item,
                                      const char *begin, const char *end,
                                      const char *message)
{
    int line = 0, column = 0;
    struct problem *problem = NULL;

    yaml_place(draft->tree, item, (size_t)(begin - item->text), &line, &column);
    problem = problems_error(draft->problems, line, column, "%s", message);
    problem->length = (int)utf8_count(begin, (size_t)(end - begin));
    return problem;
}

static void complain_of_template(struct draft *draft,
                                 const struct yaml_item *item,
                                 const char *begin, const char *end,
                                 const char *nearest)
{
    int length = (int)(end - begin > 60 ? 60 : end - begin);
    char message[PROBLEM_TEXT_MAX];

    if (nearest == NULL) {
        (void)snprintf(message, sizeof(message),
                       "unknown name '%.*s'; known are service, environment, "
                       "version, target",
                       length, begin);
        (void)template_error(draft, item, begin, end, message);
        return;
    }
    (void)snprintf(message, sizeof(message),
                   "unknown name '%.*s'; did you mean '{{%s}}'?", length, begin,
                   nearest);
    problem_fix(template_error(draft, item, begin, end, message), "{{%s}}",
                nearest);
}

static bool check_template(struct draft *draft, const struct yaml_item *item)
{
    static const char *const names[] = {"service", "environment", "version",
                                        "target"};
    const char *at = item->text;

    while ((at = strstr(at, "{{")) != NULL) {
        const char *close = strstr(at, "}}");
        char name[48] = "";
        size_t length = 0;
        bool known = false;

        if (close == NULL) {
            (void)template_error(draft, item, at, at + 2,
                                 "'{{' is never closed by '}}'");
            return false;
        }
        length = (size_t)(close - at) - 2;
        (void)snprintf(name, sizeof(name), "%.*s",
                       (int)(length < sizeof(name) ? length : sizeof(name)),
                       at + 2);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            known = known || strcmp(names[i], name) == 0;
        }
        if (!known) {
            complain_of_template(draft, item, at, close + 2,
                                 nearest_name(name, names, 4));
            return false;
        }
        at = close + 2;
    }
    return true;
}

uint32_t draft_human_text(struct draft *draft, const struct yaml_item *item)
{
    if (yaml_expect_text(item, draft->problems) == NULL) {
        return 0;
    }
    if (item->text_length > POLICY_TEXT_MAX) {
        (void)yaml_error(draft->problems, item,
                         "a text has at most %d bytes, this one %zu",
                         POLICY_TEXT_MAX, item->text_length);
        return 0;
    }
    if (!check_template(draft, item)) {
        return 0;
    }
    return draft_text(draft, item->text, item->text_length);
}

/* --- Leaves --------------------------------------------------------------- */

static const char *const leaf_keys[] = {"rollback", "hold",   "page",  "run",
                                        "freeze",   "notify", "blame", "mode"};
#define LEAF_KEYS (sizeof(leaf_keys) / sizeof(leaf_keys[0]))

#define FREEZE_DEFAULT (24 * HOUR_MS)
#define FREEZE_MAX     (90 * DAY_MS)

static void read_notify(struct draft *draft, const struct yaml_item *item,
                        struct leaf *leaf)
{
    const struct yaml_item *entry =
        item->kind == YAML_LIST ? item->first : item;

    if (item->kind == YAML_LIST && item->count > POLICY_NOTIFY_MAX) {
        (void)yaml_error(draft->problems, item,
                         "at most %d notices for one leaf", POLICY_NOTIFY_MAX);
        return;
    }
    while (entry != NULL) {
        if (yaml_expect_name(entry, draft->problems) != NULL) {
            leaf->notify[leaf->notifies++] =
                draft_text(draft, entry->text, entry->text_length);
        }
        entry = item->kind == YAML_LIST ? entry->next : NULL;
    }
}

static void read_freeze(struct draft *draft, const struct yaml_item *item,
                        struct leaf *leaf)
{
    if (item == NULL) {
        leaf->freezes = leaf->kind == LEAF_ROLLBACK;
        leaf->freeze = leaf->freezes ? FREEZE_DEFAULT : 0;
        return;
    }
    if (item->kind == YAML_TEXT && strcmp(item->text, "none") == 0) {
        return;
    }
    if (yaml_expect_duration(item, MINUTE_MS, FREEZE_MAX, &leaf->freeze,
                             draft->problems)) {
        leaf->freezes = true;
    }
}

static void read_blame(struct draft *draft, const struct yaml_item *item,
                       struct leaf *leaf)
{
    static const char *const words[] = {"none"};
    size_t index = 0;

    if (!yaml_expect_word(item, words, 1, &index, draft->problems)) {
        return;
    }
    if (leaf->kind != LEAF_PAGE) {
        (void)yaml_key_error(
            draft->problems, item,
            "only a 'page' may blame nobody; take 'blame' out");
        return;
    }
    leaf->blames_nobody = true;
}

/* The one of rollback, hold and page that is there. */
static bool read_leaf_kind(struct draft *draft, const struct yaml_item *item,
                           struct leaf *leaf)
{
    static const char *const words[] = {"last_good"};
    const struct yaml_item *rollback = yaml_get(item, "rollback");
    const struct yaml_item *hold = yaml_get(item, "hold");
    const struct yaml_item *page = yaml_get(item, "page");
    size_t index = 0;

    if ((rollback != NULL) + (hold != NULL) + (page != NULL) != 1) {
        (void)yaml_error(draft->problems, item,
                         "a leaf wants exactly one of rollback, hold and "
                         "page");
        return false;
    }
    if (rollback != NULL) {
        leaf->kind = LEAF_ROLLBACK;
        return yaml_expect_word(rollback, words, 1, &index, draft->problems);
    }
    leaf->kind = hold != NULL ? LEAF_HOLD : LEAF_PAGE;
    leaf->text = draft_human_text(draft, hold != NULL ? hold : page);
    return leaf->text != 0;
}

static uint16_t add_leaf(struct draft *draft, const struct yaml_item *item)
{
    uint16_t index = draft->head.leaves;
    struct leaf *leaf = NULL;

    if (index == POLICY_LEAVES_MAX) {
        (void)yaml_error(draft->problems, item,
                         "the tree has more than %d leaves", POLICY_LEAVES_MAX);
        return NONE_INDEX;
    }
    draft->head.leaves++;
    leaf = &draft->leaves[index];
    memset(leaf, 0, sizeof(*leaf));
    leaf->line = (uint16_t)item->line;
    leaf->column = (uint16_t)item->column;
    return index;
}

static void read_leaf(struct draft *draft, const struct yaml_item *item,
                      uint16_t index)
{
    struct leaf *leaf = &draft->leaves[index];
    const struct yaml_item *entry = NULL;
    bool has_kind = false;

    (void)yaml_expect_map(item, leaf_keys, LEAF_KEYS, draft->problems);
    has_kind = read_leaf_kind(draft, item, leaf);
    read_freeze(draft, yaml_get(item, "freeze"), leaf);
    entry = yaml_get(item, "run");
    if (entry != NULL && yaml_expect_name(entry, draft->problems) != NULL) {
        leaf->run = draft_text(draft, entry->text, entry->text_length);
    }
    entry = yaml_get(item, "notify");
    if (entry != NULL) {
        read_notify(draft, entry, leaf);
    }
    entry = yaml_get(item, "blame");
    if (entry != NULL && has_kind) {
        read_blame(draft, entry, leaf);
    }
    entry = yaml_get(item, "mode");
    if (entry != NULL) {
        leaf->has_mode =
            draft_mode(draft, entry, &leaf->mode, &leaf->countdown);
    }
}

/* --- Questions ------------------------------------------------------------ */

static const char *const question_keys[] = {"question", "if", "then", "else",
                                            "unknown"};
#define QUESTION_KEYS (sizeof(question_keys) / sizeof(question_keys[0]))

enum side { SIDE_ROOT, SIDE_YES, SIDE_NO, SIDE_UNKNOWN };

/* A node of the tree that waits to be read, and whose branch it is. */
struct waiting {
    const struct yaml_item *item;
    uint16_t question;
    enum side side;
    size_t depth;
};

#define WAITING_MAX (3 * POLICY_QUESTIONS_MAX + 3)

struct tree_reader {
    struct draft *draft;
    struct waiting waiting[WAITING_MAX];
    size_t count;
};

static struct branch *branch_of(struct draft *draft,
                                const struct waiting *waiting)
{
    struct question *question = NULL;

    if (waiting->side == SIDE_ROOT) {
        return &draft->head.root;
    }
    question = &draft->questions[waiting->question];
    switch (waiting->side) {
    case SIDE_YES:
        return &question->yes;
    case SIDE_NO:
        return &question->no;
    case SIDE_ROOT:
    case SIDE_UNKNOWN:
        break;
    }
    return &question->unknown;
}

static void add_waiting(struct tree_reader *reader,
                        const struct yaml_item *item, uint16_t question,
                        enum side side, size_t depth)
{
    assert(reader->count < WAITING_MAX);
    reader->waiting[reader->count++] =
        (struct waiting){item, question, side, depth};
}

static bool is_word(const struct yaml_item *item, const char *word)
{
    return item->kind == YAML_TEXT && strcmp(item->text, word) == 0;
}

/* Then, else, unknown wait in this order: the stack gives the last first. */
static void add_branches(struct tree_reader *reader,
                         const struct yaml_item *item, uint16_t question,
                         size_t depth)
{
    const struct yaml_item *yes = yaml_get(item, "then");
    const struct yaml_item *no = yaml_get(item, "else");
    const struct yaml_item *unknown = yaml_get(item, "unknown");

    reader->draft->questions[question].unknown =
        (struct branch){TO_WAIT, LEAF_INDEX_WAIT};
    if (unknown != NULL && !is_word(unknown, "then") &&
        !is_word(unknown, "else")) {
        add_waiting(reader, unknown, question, SIDE_UNKNOWN, depth);
    }
    if (no != NULL) {
        add_waiting(reader, no, question, SIDE_NO, depth);
    }
    if (yes != NULL) {
        add_waiting(reader, yes, question, SIDE_YES, depth);
    }
}

static void want_keys(struct draft *draft, const struct yaml_item *item)
{
    static const char *const wanted[] = {"question", "if", "then", "else"};

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (yaml_get(item, wanted[i]) == NULL) {
            (void)yaml_error(draft->problems, item, "this question has no '%s'",
                             wanted[i]);
        }
    }
}

/* Has a comma torn the condition in { } apart?  That was said already. */
static bool is_torn(const struct yaml_item *item)
{
    for (item = item->first; item != NULL; item = item->next) {
        bool known = false;

        for (size_t i = 0; i < QUESTION_KEYS; i++) {
            known = known || strcmp(item->key, question_keys[i]) == 0;
        }
        if (!known && yaml_is_rest_of_value(item)) {
            return true;
        }
    }
    return false;
}

static void read_question(struct tree_reader *reader,
                          const struct yaml_item *item, uint16_t index)
{
    struct draft *draft = reader->draft;
    struct question *question = &draft->questions[index];
    const struct yaml_item *text = yaml_get(item, "question");
    const struct yaml_item *condition = yaml_get(item, "if");

    (void)yaml_expect_map(item, question_keys, QUESTION_KEYS, draft->problems);
    want_keys(draft, item);
    if (text != NULL && yaml_expect_text(text, draft->problems) != NULL) {
        if (text->text_length > POLICY_TEXT_MAX) {
            (void)yaml_error(draft->problems, text,
                             "a question has at most %d bytes, this one %zu",
                             POLICY_TEXT_MAX, text->text_length);
        }
        if (strstr(text->text, "{{") != NULL) {
            (void)yaml_error(draft->problems, text,
                             "{{...}} is filled in only in the texts of hold "
                             "and page");
        }
        question->text = draft_text(draft, text->text, text->text_length);
    }
    if (condition != NULL && !is_torn(item)) {
        question->node = draft_condition(draft, condition);
    }
}

static uint16_t add_question(struct draft *draft, const struct yaml_item *item,
                             size_t depth)
{
    uint16_t index = draft->head.questions;

    if (depth > POLICY_DEPTH_MAX) {
        (void)yaml_error(draft->problems, item,
                         "the tree is more than %d questions deep",
                         POLICY_DEPTH_MAX);
        return NONE_INDEX;
    }
    if (index == POLICY_QUESTIONS_MAX) {
        (void)yaml_error(draft->problems, item,
                         "the tree has more than %d questions",
                         POLICY_QUESTIONS_MAX);
        return NONE_INDEX;
    }
    draft->head.questions++;
    draft->questions[index] =
        (struct question){.node = NONE_INDEX,
                          .line = (uint16_t)item->line,
                          .column = (uint16_t)item->column};
    return index;
}

/* --- A node: a word, a leaf or a question --------------------------------- */

static bool read_word(struct draft *draft, const struct waiting *waiting,
                      struct branch *branch)
{
    /* the last two of `unknown` only, where they have been read already */
    static const char *const words[] = {"healthy", "wait", "then", "else"};
    size_t index = 0;

    if (!yaml_expect_word(waiting->item, words,
                          waiting->side == SIDE_UNKNOWN ? 4 : 2, &index,
                          draft->problems)) {
        return false;
    }
    *branch = (struct branch){TO_LEAF, index == 0 ? LEAF_INDEX_HEALTHY
                                                  : LEAF_INDEX_WAIT};
    return true;
}

static void read_node(struct tree_reader *reader, const struct waiting *waiting)
{
    struct draft *draft = reader->draft;
    const struct yaml_item *item = waiting->item;
    struct branch *branch = branch_of(draft, waiting);
    uint16_t index = NONE_INDEX;

    if (item->kind == YAML_TEXT && !yaml_is_empty(item)) {
        (void)read_word(draft, waiting, branch);
        return;
    }
    if (item->kind == YAML_LIST) {
        (void)yaml_error(draft->problems, item,
                         "a branch leads to one thing: healthy, wait, a leaf "
                         "or a question");
        return;
    }
    if (!yaml_expect_map(item, NULL, 0, draft->problems)) {
        return;
    }
    if (yaml_get(item, "if") == NULL && yaml_get(item, "question") == NULL) {
        index = add_leaf(draft, item);
        if (index != NONE_INDEX) {
            *branch = (struct branch){TO_LEAF, index};
            read_leaf(draft, item, index);
        }
        return;
    }
    index = add_question(draft, item, waiting->depth);
    if (index != NONE_INDEX) {
        *branch = (struct branch){TO_QUESTION, index};
        read_question(reader, item, index);
        add_branches(reader, item, index, waiting->depth + 1);
    }
}

/* `unknown: then` and `unknown: else` lead where those lead. */
static void resolve_unknowns(struct draft *draft,
                             const struct yaml_item *const *items)
{
    for (uint16_t i = 0; i < draft->head.questions; i++) {
        struct question *question = &draft->questions[i];
        const struct yaml_item *unknown = yaml_get(items[i], "unknown");

        if (unknown != NULL && is_word(unknown, "then")) {
            question->unknown = question->yes;
        } else if (unknown != NULL && is_word(unknown, "else")) {
            question->unknown = question->no;
        }
    }
}

void draft_tree(struct draft *draft, const struct yaml_item *tree)
{
    struct tree_reader reader = {.draft = draft};
    const struct yaml_item *items[POLICY_QUESTIONS_MAX] = {NULL};

    memset(draft->leaves, 0, 2 * sizeof(draft->leaves[0]));
    draft->leaves[LEAF_INDEX_HEALTHY].kind = LEAF_HEALTHY;
    draft->leaves[LEAF_INDEX_WAIT].kind = LEAF_WAIT;
    draft->head.leaves = 2;
    if (tree->kind == YAML_MAP && yaml_get(tree, "if") == NULL &&
        yaml_get(tree, "question") == NULL) {
        (void)yaml_error(draft->problems, tree,
                         "the tree begins with a question: question, if, "
                         "then, else");
        return;
    }
    if (!yaml_expect_map(tree, NULL, 0, draft->problems)) {
        return;
    }
    add_waiting(&reader, tree, 0, SIDE_ROOT, 1);
    while (reader.count > 0) {
        struct waiting waiting = reader.waiting[--reader.count];
        uint16_t before = draft->head.questions;

        read_node(&reader, &waiting);
        if (draft->head.questions > before) {
            items[before] = waiting.item;
        }
    }
    resolve_unknowns(draft, items);
}
