/* `signals:`: every name, and how a fetched one is fetched. */
#include "policies/read/draft.h"
#include "policies/read/lexer.h"
#include "policies/read/selector.h"

#include <string.h>

static const char *const fetched_keys[] = {
    "prometheus", "scrape",  "json",  "unit",   "select",
    "on_no_data", "max_age", "fresh", "source",
};
#define FETCHED_KEYS (sizeof(fetched_keys) / sizeof(fetched_keys[0]))

static const char *const signal_keys[] = {
    "prometheus", "scrape",     "json",    "is",    "unit",
    "select",     "on_no_data", "max_age", "fresh", "source",
};
#define SIGNAL_KEYS (sizeof(signal_keys) / sizeof(signal_keys[0]))

static const struct {
    const char *key;
    enum fetch fetch;
} fetches[] = {
    {"prometheus", FETCH_PROMETHEUS},
    {"scrape", FETCH_SCRAPE},
    {"json", FETCH_JSON},
};
#define FETCHES (sizeof(fetches) / sizeof(fetches[0]))

/* --- A fetched signal ----------------------------------------------------- */

static bool keep_query(struct draft *draft, const struct yaml_item *item,
                       uint32_t *ret_text)
{
    const char *text = yaml_expect_text(item, draft->problems);

    if (text == NULL) {
        return false;
    }
    if (item->text_length > QUERY_TEXT_MAX) {
        (void)yaml_error(draft->problems, item,
                         "a query has at most %d bytes, this one %zu",
                         QUERY_TEXT_MAX, item->text_length);
        return false;
    }
    *ret_text = draft_text(draft, text, item->text_length);
    return true;
}

static bool read_unit(struct draft *draft, const struct yaml_item *entry,
                      struct signal *signal)
{
    static const char *const names[] = {
        "ratio",        "count", "per_second",       "seconds",
        "milliseconds", "bytes", "bytes_per_second",
    };
    const struct yaml_item *item = yaml_get(entry, "unit");
    size_t index = 0;

    if (item == NULL) {
        (void)yaml_key_error(draft->problems, entry,
                             "signal '%.60s' needs a 'unit': ratio, count, "
                             "per_second, seconds, milliseconds, bytes or "
                             "bytes_per_second",
                             entry->key);
        return false;
    }
    return yaml_expect_word(item, names, sizeof(names) / sizeof(names[0]),
                            &index, draft->problems) &&
           unit_of_name(names[index], &signal->unit, &signal->scale);
}

/* "release.version" and the like; true when @text is one of them. */
static bool read_selected_fact(struct draft *draft, const char *text,
                               struct select *select)
{
    static const struct {
        const char *name;
        enum fact fact;
    } facts[] = {{"release.service", FACT_SERVICE},
                 {"release.environment", FACT_ENVIRONMENT},
                 {"release.version", FACT_VERSION}};
    static const char label[] = "release.labels.";

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (strcmp(facts[i].name, text) == 0) {
            select->is_fact = true;
            select->fact = facts[i].fact;
            return true;
        }
    }
    if (strncmp(text, label, sizeof(label) - 1) == 0 &&
        lexer_is_name(text + sizeof(label) - 1)) {
        text += sizeof(label) - 1;
        select->is_fact = true;
        select->fact = FACT_LABEL;
        select->value = draft_text(draft, text, strlen(text));
        return true;
    }
    return false;
}

/* As Prometheus has them; another one could never be found in an answer. */
static bool is_label(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return name[0] != '\0' && (name[0] < '0' || name[0] > '9') &&
           name[strspn(name, letters)] == '\0';
}

static void read_selection(struct draft *draft, const struct yaml_item *entry,
                           struct signal *signal)
{
    const char *text = yaml_expect_text(entry, draft->problems);
    struct select *select = &signal->select[signal->selects];

    if (text == NULL) {
        return;
    }
    if (!is_label(entry->key)) {
        (void)yaml_key_error(draft->problems, entry,
                             "'%.100s' is not a label's name, which has A-Z, "
                             "a-z, 0-9 and _, and no digit first; select by "
                             "another",
                             entry->key);
        return;
    }
    signal->selects++;
    select->label = draft_text(draft, entry->key, strlen(entry->key));
    if (read_selected_fact(draft, text, select)) {
        signal->two_sided = signal->two_sided || select->fact == FACT_VERSION;
        return;
    }
    if (strncmp(text, "release.", strlen("release.")) == 0) {
        (void)yaml_warning(draft->problems, entry,
                           "'%.80s' is taken as literal text; the facts here "
                           "are release.service .environment .version "
                           ".labels.NAME",
                           text);
    }
    select->value = draft_text(draft, text, entry->text_length);
}

static void read_select(struct draft *draft, const struct yaml_item *item,
                        struct signal *signal)
{
    if (!yaml_expect_map(item, NULL, 0, draft->problems)) {
        return;
    }
    if (item->count > POLICY_SELECT_MAX) {
        (void)yaml_key_error(draft->problems, item,
                             "at most %d labels can be selected by",
                             POLICY_SELECT_MAX);
        return;
    }
    for (const struct yaml_item *entry = item->first; entry != NULL;
         entry = entry->next) {
        read_selection(draft, entry, signal);
    }
}

/* `select` and `fresh` are about the answer of a Prometheus. */
static void refuse_beside(struct draft *draft, const struct yaml_item *entry,
                          const char *key, const char *fetch)
{
    const struct yaml_item *item = yaml_get(entry, key);

    if (item != NULL && strcmp(fetch, "prometheus") != 0) {
        (void)yaml_key_error(
            draft->problems, item,
            "'%s' belongs to 'prometheus', not to '%s'; take it "
            "out",
            key, fetch);
    }
}

static void read_options(struct draft *draft, const struct yaml_item *entry,
                         struct signal *signal)
{
    static const char *const no_data[] = {"unknown", "zero"};
    const struct yaml_item *item = yaml_get(entry, "on_no_data");
    size_t index = 0;

    if (item != NULL &&
        yaml_expect_word(item, no_data, 2, &index, draft->problems)) {
        signal->zero_when_empty = index == 1;
    }
    signal->max_age = draft->changes == NULL ? 2 * draft->head.watch.every : 0;
    item = yaml_get(entry, "max_age");
    if (item != NULL) {
        (void)yaml_expect_duration(item, draft->head.watch.every, DAY_MS,
                                   &signal->max_age, draft->problems);
    }
    item = yaml_get(entry, "source");
    if (item != NULL && yaml_expect_name(item, draft->problems) != NULL) {
        signal->source = draft_text(draft, item->text, item->text_length);
    }
    item = yaml_get(entry, "fresh");
    if (item != NULL) {
        (void)keep_query(draft, item, &signal->fresh);
    }
    item = yaml_get(entry, "select");
    if (item != NULL) {
        read_select(draft, item, signal);
    }
}

/* What a source would refuse at each look is refused here, at its place. */
static bool check_selector(struct draft *draft, const struct yaml_item *query)
{
    char error[160];
    size_t at = 0;
    int line = 0, column = 0;
    struct selector *selector =
        selector_read(query->text, &at, error, sizeof(error));

    if (selector == NULL) {
        yaml_place(draft->tree, query, at, &line, &column);
        (void)problems_error(draft->problems, line, column,
                             "'scrape' wants a selector: %s", error);
        return false;
    }
    selector_free(selector);
    return true;
}

static void read_fetched(struct draft *draft, const struct yaml_item *entry,
                         enum fetch fetch, const char *key,
                         struct symbol *symbol)
{
    const struct yaml_item *query = yaml_get(entry, key);
    struct signal signal = {.fetch = fetch, .node = NONE_INDEX};

    if (draft->head.signals == POLICY_SIGNALS_MAX) {
        (void)yaml_key_error(draft->problems, entry,
                             "more than %d fetched signals in one policy",
                             POLICY_SIGNALS_MAX);
        symbol->broken = true;
        return;
    }
    symbol->broken = !keep_query(draft, query, &signal.query);
    if (!symbol->broken && fetch == FETCH_JSON && query->text[0] != '/') {
        char fix[PROBLEM_TEXT_MAX];

        (void)snprintf(fix, sizeof(fix), "/%.300s", query->text);
        yaml_fix(yaml_error(draft->problems, query,
                            "'json' wants a JSON pointer; it begins with '/'"),
                 query, fix);
    }
    if (!symbol->broken && fetch == FETCH_SCRAPE) {
        symbol->broken = !check_selector(draft, query);
    }
    symbol->broken = !read_unit(draft, entry, &signal) || symbol->broken;
    refuse_beside(draft, entry, "select", key);
    refuse_beside(draft, entry, "fresh", key);
    read_options(draft, entry, &signal);
    signal.range = !symbol->broken && fetch == FETCH_PROMETHEUS
                       ? query_range(query->text)
                       : 0;
    signal.name = draft_text(draft, entry->key, strlen(entry->key));
    symbol->signal = draft->head.signals;
    draft->signals[draft->head.signals++] = signal;
}

uint16_t draft_node(struct draft *draft, const struct symbol *symbol,
                    enum op op, struct unit unit, uint32_t text)
{
    uint16_t index = draft->head.nodes;

    if (index == POLICY_NODES_MAX) {
        (void)yaml_key_error(draft->problems, symbol->item,
                             "the file's expressions have more than %d parts",
                             POLICY_NODES_MAX);
        return NONE_INDEX;
    }
    draft->nodes[index] =
        (struct node){.op = op,
                      .type = TYPE_NUMBER,
                      .unit = unit,
                      .a = NONE_INDEX,
                      .b = NONE_INDEX,
                      .signal = NONE_INDEX,
                      .ring = NONE_INDEX,
                      .ring_b = NONE_INDEX,
                      .frozen = NONE_INDEX,
                      .fleet = NONE_INDEX,
                      .trial = NONE_INDEX,
                      .text = text,
                      .line = (uint16_t)symbol->item->key_line,
                      .column = (uint16_t)symbol->item->key_column};
    draft->traits[index] = (struct node_traits){0};
    draft->head.nodes++;
    return index;
}

uint16_t draft_signal_node(struct draft *draft, struct symbol *symbol)
{
    struct signal *signal = &draft->signals[symbol->signal];

    if (symbol->node != NONE_INDEX) {
        return symbol->node;
    }
    symbol->node =
        draft_node(draft, symbol, OP_SIGNAL, signal->unit, signal->name);
    if (symbol->node == NONE_INDEX) {
        symbol->broken = true;
        return NONE_INDEX;
    }
    draft->nodes[symbol->node].signal = symbol->signal;
    draft->traits[symbol->node].two_sided = signal->two_sided;
    signal->node = symbol->node;
    return symbol->node;
}

/* --- Every name ----------------------------------------------------------- */

/* A map with exactly one of prometheus, scrape, json, is; which one. */
static bool find_kind(struct draft *draft, const struct yaml_item *entry,
                      const char **ret_key, enum fetch *ret_fetch)
{
    size_t found = 0;

    *ret_key = yaml_get(entry, "is") != NULL ? "is" : NULL;
    found = *ret_key != NULL ? 1 : 0;
    for (size_t i = 0; i < FETCHES; i++) {
        if (yaml_get(entry, fetches[i].key) != NULL) {
            *ret_key = fetches[i].key;
            *ret_fetch = fetches[i].fetch;
            found++;
        }
    }
    if (found == 1) {
        return true;
    }
    (void)yaml_key_error(draft->problems, entry,
                         "signal '%.60s' wants exactly one of prometheus, "
                         "scrape, json and is",
                         entry->key);
    return false;
}

/* The keys beside `is`: none; a unit is derived.  False when a comma has torn
 * the expression itself apart. */
static bool check_named_keys(struct draft *draft, const struct yaml_item *entry)
{
    static const char *const keys[] = {"is"};
    const struct yaml_item *before = NULL;

    for (const struct yaml_item *item = entry->first; item != NULL;
         item = item->next) {
        struct problem *problem = NULL;
        bool elsewhere = false;

        for (size_t i = 0; i < FETCHED_KEYS; i++) {
            elsewhere = elsewhere || strcmp(item->key, fetched_keys[i]) == 0;
        }
        if (elsewhere) {
            problem =
                yaml_key_error(draft->problems, item,
                               "'%s' belongs to a fetched signal; of "
                               "'is' it follows from the expression; take it "
                               "out",
                               item->key);
        } else if (strcmp(item->key, "is") != 0) {
            problem = yaml_unknown_key(item, keys, 1, draft->problems);
        }
        if (strcmp(item->key, "is") != 0 && yaml_is_rest_of_value(item)) {
            yaml_quote_fix(problem, before, item);
            return false;
        }
        before = item;
    }
    return true;
}

static void read_signal(struct draft *draft, const struct yaml_item *entry,
                        struct symbol *symbol)
{
    const char *key = NULL;
    enum fetch fetch = FETCH_PROMETHEUS;

    symbol->broken = true;
    if (!yaml_expect_map(entry, NULL, 0, draft->problems) ||
        !find_kind(draft, entry, &key, &fetch)) {
        return;
    }
    symbol->broken = false;
    if (strcmp(key, "is") == 0) {
        symbol->broken = !check_named_keys(draft, entry);
        symbol->expression = symbol->broken ? NULL : yaml_get(entry, "is");
        return;
    }
    (void)yaml_expect_map(entry, signal_keys, SIGNAL_KEYS, draft->problems);
    read_fetched(draft, entry, fetch, key, symbol);
}

static bool check_name(struct draft *draft, const struct yaml_item *entry)
{
    if (!lexer_is_name(entry->key) || strlen(entry->key) > 64) {
        (void)yaml_key_error(draft->problems, entry,
                             "a signal's name has a-z, 0-9 and _, begins with "
                             "a letter and has at most 64 of them");
        return false;
    }
    if (lexer_is_reserved(entry->key)) {
        (void)yaml_key_error(draft->problems, entry,
                             "'%s' is a word of the language; choose another "
                             "name",
                             entry->key);
        return false;
    }
    return true;
}

void draft_signals(struct draft *draft, const struct yaml_item *signals)
{
    if (!yaml_expect_map(signals, NULL, 0, draft->problems)) {
        return;
    }
    for (const struct yaml_item *entry = signals->first; entry != NULL;
         entry = entry->next) {
        struct symbol *symbol = NULL;

        if (draft->symbol_count == SYMBOLS_MAX) {
            (void)yaml_key_error(draft->problems, entry,
                                 "more than %d signals in one policy",
                                 SYMBOLS_MAX);
            break;
        }
        symbol = &draft->symbols[draft->symbol_count++];
        *symbol = (struct symbol){.item = entry, .node = NONE_INDEX};
        read_signal(draft, entry, symbol);
        symbol->broken = !check_name(draft, entry) || symbol->broken;
    }
    draft_named(draft);
}
