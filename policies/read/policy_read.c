/* The policy file: its keys in order, and nothing that is not in them. */
#include "policies/read/draft.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

static const char *const policy_keys[] = {
    "policy",   "applies_to", "mode",    "unsure", "watch",
    "baseline", "verify",     "signals", "tree",   "canary",
};
#define POLICY_KEYS (sizeof(policy_keys) / sizeof(policy_keys[0]))

/* --- Modes ---------------------------------------------------------------- */

#define COUNTDOWN_MIN SECOND_MS /* without any it would be 'auto' */
#define COUNTDOWN_MAX HOUR_MS

bool draft_mode(struct draft *draft, const struct yaml_item *item,
                enum mode *ret_mode, time_ms *ret_countdown)
{
    static const char *const words[] = {"observe", "suggest", "countdown 60s",
                                        "auto"};
    static const char countdown[] = "countdown";
    const char *text = yaml_expect_text(item, draft->problems);
    size_t index = 0;

    if (text == NULL) {
        return false;
    }
    if (strncmp(text, countdown, sizeof(countdown) - 1) != 0) {
        if (!yaml_expect_word(item, words, 4, &index, draft->problems)) {
            return false;
        }
        *ret_mode = (enum mode)index;
        return true;
    }
    text += sizeof(countdown) - 1;
    if (*text != ' ' || !duration_read(text + 1, ret_countdown) ||
        *ret_countdown < COUNTDOWN_MIN || *ret_countdown > COUNTDOWN_MAX) {
        (void)yaml_error(draft->problems, item,
                         "a countdown wants its length, 1s to 1h: "
                         "countdown 60s");
        return false;
    }
    *ret_mode = MODE_COUNTDOWN;
    return true;
}

static void read_modes(struct draft *draft, const struct yaml_item *root)
{
    const struct yaml_item *item = yaml_get(root, "mode");

    draft->head.mode = MODE_OBSERVE;
    draft->head.unsure = MODE_SUGGEST;
    if (item != NULL) {
        (void)draft_mode(draft, item, &draft->head.mode,
                         &draft->head.countdown);
    } else {
        problems_warning(draft->problems, root->line, root->column,
                         "no 'mode': this policy only observes; write "
                         "'mode: auto' to let it act")
            ->rule = RULE_ONLY_OBSERVES;
    }
    item = yaml_get(root, "unsure");
    if (item != NULL) {
        (void)draft_mode(draft, item, &draft->head.unsure,
                         &draft->head.unsure_countdown);
    }
}

/* --- Name and scope ------------------------------------------------------- */

/* A name, "prefix*" or "*". */
static uint32_t read_pattern(struct draft *draft, const struct yaml_item *item)
{
    const char *text = NULL;
    char prefix[NAME_MAX_BYTES + 1] = "";
    size_t length = 0;

    if (item == NULL) {
        return POLICY_STAR_AT;
    }
    text = yaml_expect_text(item, draft->problems);
    if (text == NULL) {
        return POLICY_STAR_AT;
    }
    length = item->text_length;
    if (length > 1 && length <= NAME_MAX_BYTES && text[length - 1] == '*') {
        memcpy(prefix, text, length - 1);
        text = prefix;
    }
    if (strcmp(text, "*") != 0 && !name_is_valid(text)) {
        (void)yaml_error(draft->problems, item,
                         "'%.140s' is neither a name nor a prefix with one "
                         "'*' at its end",
                         item->text);
        return POLICY_STAR_AT;
    }
    return draft_text(draft, item->text, length);
}

static void read_scope(struct draft *draft, const struct yaml_item *root)
{
    static const char *const keys[] = {"service", "environment"};
    const struct yaml_item *name = yaml_get(root, "policy");
    const struct yaml_item *scope = yaml_get(root, "applies_to");

    draft->head.service = draft->head.environment = POLICY_STAR_AT;
    draft->head.name = POLICY_STAR_AT;
    if (name == NULL) {
        (void)problems_error(draft->problems, root->line, root->column,
                             "the policy has no name; begin with 'policy: "
                             "NAME'");
    } else if (yaml_expect_name(name, draft->problems) != NULL) {
        draft->head.name = draft_text(draft, name->text, name->text_length);
    }
    if (scope != NULL && yaml_expect_map(scope, keys, 2, draft->problems)) {
        draft->head.service = read_pattern(draft, yaml_get(scope, "service"));
        draft->head.environment =
            read_pattern(draft, yaml_get(scope, "environment"));
    }
}

/* --- Times ---------------------------------------------------------------- */

/* The duration of @key, or @span as it is; true when it was given. */
static bool read_span(struct draft *draft, const struct yaml_item *map,
                      const char *key, time_ms least, time_ms most,
                      time_ms *span)
{
    const struct yaml_item *item = yaml_get(map, key);

    return item != NULL &&
           yaml_expect_duration(item, least, most, span, draft->problems);
}

static void read_needs(struct draft *draft, const struct yaml_item *item)
{
    static const char *const keys[] = {"known", "requests"};
    struct watch_rules *watch = &draft->head.watch;
    const struct yaml_item *entry = NULL;

    if (!yaml_expect_map(item, keys, 2, draft->problems)) {
        return;
    }
    entry = yaml_get(item, "known");
    if (entry != NULL) {
        (void)yaml_expect_percent(entry, &watch->needs_known, draft->problems);
    }
    entry = yaml_get(item, "requests");
    if (entry != NULL) {
        (void)yaml_expect_number(entry, 0, 1e15, &watch->needs_requests,
                                 draft->problems);
    }
}

#define EVERY_MIN 100LL
#define WATCH_MAX (90 * DAY_MS)

static void read_watch(struct draft *draft, const struct yaml_item *root)
{
    static const char *const keys[] = {"for",         "every",   "settle",
                                       "provisional", "at_most", "needs"};
    const struct yaml_item *item = yaml_get(root, "watch");
    struct watch_rules *watch = &draft->head.watch;

    *watch = (struct watch_rules){.lasts = DAY_MS,
                                  .every = 15 * SECOND_MS,
                                  .settle = MINUTE_MS,
                                  .provisional = HOUR_MS,
                                  .at_most = 2 * DAY_MS,
                                  .needs_known = 0.9,
                                  .requests_node = NONE_INDEX};
    if (item != NULL) {
        (void)read_span(draft, item, "every", EVERY_MIN, HOUR_MS,
                        &watch->every);
    }
    if (draft->changes != NULL && draft->changes->every > 0) {
        watch->every = draft->changes->every;
    }
    if (item == NULL || !yaml_expect_map(item, keys, 6, draft->problems)) {
        return;
    }
    (void)read_span(draft, item, "for", watch->every, WATCH_MAX, &watch->lasts);
    if (read_span(draft, item, "settle", 0, DAY_MS, &watch->settle)) {
        draft->settle_item = yaml_get(item, "settle");
    }
    watch->at_most = 2 * watch->lasts;
    (void)read_span(draft, item, "at_most", watch->lasts, 2 * WATCH_MAX,
                    &watch->at_most);
    if (watch->provisional > watch->lasts) {
        watch->provisional = watch->lasts;
    }
    (void)read_span(draft, item, "provisional", watch->every, watch->lasts,
                    &watch->provisional);
    if (yaml_get(item, "needs") != NULL) {
        read_needs(draft, yaml_get(item, "needs"));
    }
}

static void read_times(struct draft *draft, const struct yaml_item *root)
{
    static const char *const keys[] = {"within", "for"};
    const struct yaml_item *verify = yaml_get(root, "verify");
    struct policy *head = &draft->head;

    head->baseline = HOUR_MS;
    head->verify_within = 15 * MINUTE_MS;
    head->verify_for = 2 * MINUTE_MS;
    (void)read_span(draft, root, "baseline", head->watch.every, WATCH_MAX,
                    &head->baseline);
    if (verify == NULL || !yaml_expect_map(verify, keys, 2, draft->problems)) {
        return;
    }
    (void)read_span(draft, verify, "within", head->watch.every, DAY_MS,
                    &head->verify_within);
    if (head->verify_for > head->verify_within) {
        head->verify_for = head->verify_within;
    }
    (void)read_span(draft, verify, "for", head->watch.every,
                    head->verify_within, &head->verify_for);
}

/* --- What needs each other ------------------------------------------------ */

/* `needs: {requests: N}` is the time integral of the signal of that name. */
static void find_requests(struct draft *draft, const struct yaml_item *root)
{
    const struct yaml_item *watch = yaml_get(root, "watch");
    const struct yaml_item *needs =
        watch == NULL ? NULL : yaml_get(watch, "needs");
    const struct yaml_item *item =
        needs == NULL ? NULL : yaml_get(needs, "requests");
    struct symbol *symbol = draft_symbol(draft, "requests", 8);
    char unit[UNIT_TEXT_MAX];
    uint16_t node = NONE_INDEX;

    if (item == NULL || draft->head.watch.needs_requests <= 0) {
        return;
    }
    if (symbol == NULL) {
        (void)yaml_key_error(draft->problems, item,
                             "'needs: requests' counts the signal named "
                             "'requests'; there is none under 'signals:'");
        return;
    }
    if (symbol->broken) {
        return;
    }
    node = symbol->expression == NULL ? draft_signal_node(draft, symbol)
                                      : symbol->node;
    if (node == NONE_INDEX) {
        return;
    }
    if (!unit_equal(draft->nodes[node].unit, (struct unit){1, -1, 0})) {
        (void)yaml_key_error(draft->problems, item,
                             "'needs: requests' adds up the signal "
                             "'requests'; it must be per_second, not %s",
                             draft->nodes[node].type == TYPE_CONDITION
                                 ? "a condition"
                                 : unit_print(draft->nodes[node].unit, unit));
        return;
    }
    draft->head.watch.requests_node = node;
}

/* The whole baseline is kept in memory while it is learned. */
static void check_baseline(struct draft *draft, const struct yaml_item *root)
{
    const struct yaml_item *item = yaml_get(root, "baseline");
    bool used = false;
    char every[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
    time_ms grid = draft->head.watch.every;

    for (uint16_t i = 0; i < draft->head.frozens; i++) {
        used = used || draft->nodes[draft->frozens[i]].op != OP_BEFORE;
    }
    if (!used || draft_grid_times(draft, draft->head.baseline) <= SAMPLES_MAX) {
        return;
    }
    (void)problems_error(draft->problems,
                         item == NULL ? root->line : item->line,
                         item == NULL ? root->column : item->column,
                         "the baseline holds more than %d grid times of %s; "
                         "write 'baseline: %s' or less, or a longer "
                         "watch.every",
                         SAMPLES_MAX, duration_print(grid, every),
                         duration_print(SAMPLES_MAX * grid, most));
}

static void read_root(struct draft *draft, const struct yaml_item *root)
{
    const struct yaml_item *item = NULL;

    if (!yaml_expect_map(root, policy_keys, POLICY_KEYS, draft->problems)) {
        return;
    }
    item = yaml_get(root, "canary");
    if (item != NULL) {
        (void)yaml_key_error(draft->problems, item,
                             "canaries are not in this version; take "
                             "'canary:' out, the watch after the deploy "
                             "works without");
    }
    read_scope(draft, root);
    read_modes(draft, root);
    read_watch(draft, root);
    read_times(draft, root);
    item = yaml_get(root, "signals");
    (void)problems_about(draft->problems, RULE_SIGNAL);
    if (item != NULL) {
        draft_signals(draft, item);
    }
    find_requests(draft, root);
    item = yaml_get(root, "tree");
    (void)problems_about(draft->problems, RULE_TREE);
    if (item == NULL) {
        (void)problems_error(draft->problems, root->line, root->column,
                             "the policy has no 'tree:'; it begins with a "
                             "question: question, if, then, else");
    } else {
        draft_tree(draft, item);
    }
    (void)problems_about(draft->problems, RULE_COST);
    check_baseline(draft, root);
}

static struct policy *read_once(const char *path, const char *source,
                                size_t length, struct problems *problems,
                                const struct policy_changes *changes,
                                const struct policy *unchanged)
{
    size_t errors_before = problems->errors;
    struct yaml_tree *tree = yaml_tree_read(path, source, length, problems);
    struct draft *draft = NULL;
    struct policy *policy = NULL;

    if (tree == NULL) {
        return NULL;
    }
    draft = memory_zeroed(1, sizeof(*draft));
    draft->tree = tree;
    draft->problems = problems;
    draft->changes = changes;
    draft->unchanged = unchanged;
    (void)draft_text(draft, "*", 1);
    read_root(draft, yaml_root(tree));
    if (problems->errors == errors_before) {
        draft_lint(draft);
        policy = draft_finish(draft, source, length);
    }
    if (policy != NULL && !policy_check_cost(policy, problems)) {
        policy_free(policy);
        policy = NULL;
    }
    assert((policy == NULL) == (problems->errors > errors_before));
    free(draft);
    yaml_tree_free(tree);
    return policy;
}

struct policy *policy_read(const char *path, const char *source, size_t length,
                           struct problems *problems)
{
    return read_once(path, source, length, problems, NULL, NULL);
}

struct policy *policy_read_changed(const char *path, const char *source,
                                   size_t length,
                                   const struct policy_changes *changes,
                                   struct problems *problems)
{
    struct policy *unchanged = policy_read(path, source, length, problems);
    struct policy *policy = NULL;
    size_t warnings = problems->count;

    if (unchanged == NULL) {
        return NULL;
    }
    policy = read_once(path, source, length, problems, changes, unchanged);
    if (policy != NULL) {
        problems->count = warnings; /* the same ones again */
    }
    policy_free(unchanged);
    return policy;
}

/* --- Files ---------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length > strlen(end) &&
           strcmp(text + length - strlen(end), end) == 0;
}

bool policy_file_is_named(const char *name)
{
    static const char *const others[] = {".test.yaml", ".test.yml",
                                         ".test.json", ".schema.json"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (ends_with(name, others[i])) {
            return false;
        }
    }
    return name[0] != '.' &&
           (ends_with(name, ".yaml") || ends_with(name, ".yml") ||
            ends_with(name, ".json"));
}
