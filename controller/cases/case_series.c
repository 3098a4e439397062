/* The series of a case, and its policy with them. */
#include "controller/cases/cases_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "policies/read/fleet.h"
#include "policies/read/policy_read.h"
#include "policies/read/told.h"

/* --- Names ---------------------------------------------------------------- */

#define NAMES_MAX (POLICY_SIGNALS_MAX + POLICY_NODES_MAX + POLICY_FLEET_MAX)

/* What a case may say a series of. */
struct names {
    const char *list[NAMES_MAX];
    size_t count;
    char fleet[POLICY_FLEET_MAX][TOLD_NAME_MAX];
};

/* Every signal of the policy by name, fetched or not, and the facts that it
 * asks. */
static void find_names(const struct policy *policy, struct names *ret_names)
{
    const char **names = ret_names->list;
    size_t count = 0;

    for (uint16_t i = 0; i < policy->signals; i++) {
        names[count++] = policy_text(policy, policy_signal(policy, i)->name);
    }
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        if (node->op == OP_NAMED) {
            names[count++] = policy_text(policy, node->text);
        } else if (node->op == OP_FACT && node->fact == FACT_STUCK) {
            names[count++] = "release.stuck";
        }
    }
    for (uint16_t i = 0; i < policy->fleets; i++) {
        const struct fleet_query *query = policy_fleet(policy, i);

        names[count++] = told_name(fleet_name(query->fact), query->span,
                                   ret_names->fleet[i]);
    }
    ret_names->count = count;
}

static bool is_fact(const char *name)
{
    return strncmp(name, "release.", 8) == 0 || strncmp(name, "fleet.", 6) == 0;
}

static void complain_of_name(struct case_reader *reader,
                             const struct yaml_item *item)
{
    const char *says = is_fact(item->key) ? "asks no fact" : "has no signal";
    struct names names;
    const char *nearest = NULL;
    struct problem *problem = NULL;

    find_names(reader->policy, &names);
    nearest = nearest_name(item->key, names.list, names.count);
    if (nearest == NULL) {
        (void)yaml_key_error(reader->problems, item, "the policy %s '%.60s'",
                             says, item->key);
        return;
    }
    problem = yaml_key_error(reader->problems, item,
                             "the policy %s '%.60s'; did you mean '%s'?", says,
                             item->key, nearest);
    yaml_key_fix(problem, item, nearest);
}

/* --- Which ---------------------------------------------------------------- */

static void add_column(struct case_reader *reader, const struct yaml_item *item,
                       struct test_case *test_case,
                       const struct yaml_item **items)
{
    size_t index = 0;

    while (index < test_case->columns_count &&
           strcmp(items[index]->key, item->key) != 0) {
        index++;
    }
    if (index == CASE_COLUMNS_MAX) {
        (void)yaml_key_error(reader->problems, item,
                             "more than %d series in one case",
                             CASE_COLUMNS_MAX);
        return;
    }
    items[index] = item;
    if (index == test_case->columns_count) {
        test_case->columns_count++;
    }
}

/* A comma in { } made a key of the rest of a series. */
static bool is_torn(const struct case_reader *reader,
                    const struct yaml_item *item)
{
    struct names names;

    find_names(reader->policy, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.list[i], item->key) == 0) {
            return false;
        }
    }
    return yaml_is_rest_of_value(item);
}

static void complain_of_comma(struct case_reader *reader,
                              const struct yaml_item *before,
                              const struct yaml_item *item)
{
    struct problem *problem =
        yaml_key_error(reader->problems, item,
                       "a comma ends a value inside { }: quote this series, "
                       "or give each one a line of its own");

    yaml_quote_fix(problem, before, item);
}

/* The file's series, then the case's own in place of some of them. */
static void find_columns(struct case_reader *reader,
                         const struct yaml_item *item,
                         struct test_case *test_case,
                         const struct yaml_item **items)
{
    const struct yaml_item *maps[] = {reader->series, yaml_get(item, "series")};
    const struct yaml_item *before = NULL;

    for (size_t i = 0; i < 2; i++) {
        if (maps[i] == NULL ||
            !yaml_expect_map(maps[i], NULL, 0, reader->problems)) {
            continue;
        }
        for (const struct yaml_item *entry = maps[i]->first; entry != NULL;
             entry = entry->next) {
            if (is_torn(reader, entry)) {
                complain_of_comma(reader, before, entry);
                break;
            }
            add_column(reader, entry, test_case, items);
            before = entry;
        }
    }
}

/* --- The policy ----------------------------------------------------------- */

static const struct signal *find_signal(const struct policy *policy,
                                        const char *name)
{
    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);

        if (strcmp(policy_text(policy, signal->name), name) == 0) {
            return signal;
        }
    }
    return NULL;
}

/* The policy that reads the columns, owned by the caller. */
static struct policy *read_policy(struct case_reader *reader,
                                  const struct yaml_item *const *items,
                                  size_t count)
{
    const struct case_file *file = reader->file;
    const char *names[CASE_COLUMNS_MAX];
    const struct policy_changes changes = {.columns = names, .count = count};
    struct problems *ignored = memory_resized(NULL, sizeof(*ignored));
    struct policy *policy = NULL;

    for (size_t i = 0; i < count; i++) {
        names[i] = items[i]->key;
    }
    problems_init(ignored, file->policy_path);
    policy = policy_read_changed(file->policy_path, file->policy_source,
                                 file->policy_length, &changes, ignored);
    if (policy == NULL) {
        (void)yaml_error(reader->problems, items[0],
                         "with these series the policy cannot be read: %s",
                         ignored->list[0].text);
    }
    free(ignored);
    return policy;
}

/* Every signal that is read needs a series: a test says what it knows. */
static void want_all(struct case_reader *reader, const struct yaml_item *item,
                     const struct test_case *test_case)
{
    const struct policy *policy = test_case->policy;

    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);
        const char *name = policy_text(policy, signal->name);
        bool found = signal->node == NONE_INDEX;

        for (size_t j = 0; j < test_case->columns_count; j++) {
            found = found || strcmp(test_case->columns[j].name, name) == 0;
        }
        if (!found) {
            (void)yaml_error(reader->problems, item,
                             "the policy reads '%s', and this case has no "
                             "series of it; write '%s: _' when there was no "
                             "data",
                             name, name);
        }
    }
}

/* --- Values --------------------------------------------------------------- */

static void read_column(struct case_reader *reader,
                        const struct yaml_item *item,
                        struct test_case *test_case, size_t index)
{
    struct case_column *column = &test_case->columns[index];
    const struct signal *signal = find_signal(test_case->policy, item->key);
    struct notation_kind kind = {.every = test_case->policy->watch.every};
    bool fills = false;
    time_ms rows = 0;

    column->name = item->key;
    column->text = item->text;
    if (signal == NULL) {
        complain_of_name(reader, item);
        return;
    }
    kind.unit = signal->unit;
    kind.scale = signal->scale;
    if (notation_read(reader->file->tree, item, &kind, &column->notation,
                      reader->problems)) {
        rows = notation_rows(&column->notation.after, &fills);
        if (rows * kind.every > test_case->lasts) {
            test_case->lasts = rows * kind.every;
        }
    }
}

/* A series that ends before the case does says nothing about the rest: that is
 * a slip more often than a test. */
static void check_ends(struct case_reader *reader,
                       const struct yaml_item *const *items,
                       const struct test_case *test_case)
{
    time_ms every = test_case->policy->watch.every;
    char ends[DURATION_TEXT_MAX], lasts[DURATION_TEXT_MAX];

    for (size_t i = 0; i < test_case->columns_count; i++) {
        bool fills = false;
        time_ms span =
            notation_rows(&test_case->columns[i].notation.after, &fills) *
            every;

        if (!fills && span + every <= test_case->lasts) {
            (void)yaml_error(reader->problems, items[i],
                             "this series ends %s after the deploy, the case "
                             "after %s; a last value without a count goes on "
                             "to the end",
                             duration_print(span, ends),
                             duration_print(test_case->lasts, lasts));
        }
    }
}

void case_read_series(struct case_reader *reader, const struct yaml_item *item,
                      struct test_case *test_case)
{
    const struct yaml_item *items[CASE_COLUMNS_MAX] = {NULL};
    size_t errors = reader->problems->errors;

    find_columns(reader, item, test_case, items);
    if (test_case->columns_count == 0) {
        (void)yaml_error(reader->problems, item,
                         "this case has no 'series'; give each signal its "
                         "values");
        return;
    }
    test_case->columns =
        memory_zeroed(test_case->columns_count, sizeof(*test_case->columns));
    test_case->policy = read_policy(reader, items, test_case->columns_count);
    if (test_case->policy == NULL) {
        return;
    }
    for (size_t i = 0; i < test_case->columns_count; i++) {
        read_column(reader, items[i], test_case, i);
    }
    if (reader->problems->errors > errors) {
        return;
    }
    want_all(reader, item, test_case);
    check_ends(reader, items, test_case);
    if (test_case->lasts / test_case->policy->watch.every > SERIES_ROWS_MAX) {
        (void)yaml_error(reader->problems, item,
                         "this case has more than %d grid times",
                         SERIES_ROWS_MAX);
    } else if (test_case->lasts < test_case->policy->watch.every) {
        (void)yaml_error(reader->problems, item,
                         "how long is this case?  Give a series a count, or "
                         "write 'lasts: 30m'");
    }
}
