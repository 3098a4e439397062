#include "controller/replay/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/evaluate.h"

#include "policies/memory.h"
#include "policies/read/policy_read.h"

struct policy *table_policy(const char *path, const char *source, size_t length,
                            const struct csv *csv, time_ms every,
                            struct problems *problems)
{
    const char *columns[CSV_COLUMNS_MAX];
    const struct policy_changes changes = {
        .every = every,
        .columns = columns,
        .count = csv_columns(csv),
    };

    for (size_t i = 0; i < csv_columns(csv); i++) {
        columns[i] = csv_name(csv, i);
    }
    return policy_read_changed(path, source, length, &changes, problems);
}

/* --- As the core asks ----------------------------------------------------- */

/* A thousand years. */
#define ENDLESS (365000 * DAY_MS)

/* Any text would do for @query, as long as it is the same for all. */
static void ask_by_name(struct signal *signal, uint32_t query, time_ms max_age)
{
    signal->fetch = FETCH_PROMETHEUS;
    signal->query = query;
    signal->fresh = 0;
    signal->source = 0;
    signal->max_age = max_age;
    signal->selects = 1;
    signal->select[0] = (struct select){.label = query, .value = signal->name};
}

struct policy *table_asked(const struct policy *policy, bool endless)
{
    struct policy *asked = memory_resized(NULL, policy->bytes);
    struct signal *signals = NULL;

    memcpy(asked, policy, policy->bytes);
    signals = (struct signal *)(void *)((char *)asked + asked->signals_at);
    for (uint16_t i = 0; i < asked->signals; i++) {
        ask_by_name(&signals[i], signals[0].name, asked->watch.every);
    }
    if (endless) {
        asked->watch.lasts = ENDLESS;
        asked->watch.at_most = ENDLESS;
    }
    policy_apply_to_all(asked);
    return asked;
}

/* --- Rows ----------------------------------------------------------------- */

static bool is_read(const struct policy *policy, uint16_t signal)
{
    return policy_signal(policy, signal)->node != NONE_INDEX;
}

static size_t column_of(const struct policy *policy, uint16_t signal,
                        const struct csv *csv)
{
    return csv_find(csv,
                    policy_text(policy, policy_signal(policy, signal)->name));
}

void table_want(const struct policy *policy, const struct csv *csv,
                bool ret_wanted[CSV_COLUMNS_MAX])
{
    memset(ret_wanted, 0, CSV_COLUMNS_MAX * sizeof(*ret_wanted));
    for (uint16_t i = 0; i < policy->signals; i++) {
        size_t column = column_of(policy, i, csv);

        if (is_read(policy, i) && column != CSV_NO_COLUMN) {
            ret_wanted[column] = true;
        }
    }
}

void table_init(struct table *table, const struct policy *policy,
                const struct csv *csv)
{
    memset(table, 0, sizeof(*table));
    table->csv = csv;
    table->signals = policy->signals;
    for (uint16_t i = 0; i < policy->signals; i++) {
        time_ms max_age = policy_signal(policy, i)->max_age;

        table->columns[i] = column_of(policy, i, csv);
        table->is_read[i] = is_read(policy, i);
        if (max_age == 0 && table->is_read[i] &&
            table->columns[i] != CSV_NO_COLUMN) {
            max_age = csv_max_age(csv, table->columns[i]);
        }
        table->max_ages[i] = max_age;
    }
}

void table_row(const struct table *table, const struct csv_cursor *cursor,
               struct sample *ret_row)
{
    for (uint16_t i = 0; i < table->signals; i++) {
        if (!table->is_read[i]) {
            ret_row[i] = (struct sample){0, UNKNOWN_NOT_ASKED};
        } else if (table->columns[i] == CSV_NO_COLUMN) {
            ret_row[i] = (struct sample){0, UNKNOWN_NO_COLUMN};
        } else {
            ret_row[i] = csv_at(cursor, table->columns[i], table->max_ages[i]);
        }
    }
}

/* --- What is missed ------------------------------------------------------- */

/* What the tree, or the requests that a grade needs, read: from them down, for
 * operands have smaller indexes. */
static void find_needed(const struct policy *policy,
                        bool ret_needed[POLICY_NODES_MAX])
{
    memset(ret_needed, 0, POLICY_NODES_MAX * sizeof(*ret_needed));
    for (uint16_t i = 0; i < policy->questions; i++) {
        ret_needed[policy_question(policy, i)->node] = true;
    }
    if (policy->watch.requests_node != NONE_INDEX) {
        ret_needed[policy->watch.requests_node] = true;
    }
    for (uint16_t i = policy->nodes; i > 0; i--) {
        const struct node *node = policy_node(policy, (uint16_t)(i - 1));
        int operands = op_operands(node->op);

        if (ret_needed[i - 1] && operands > 0) {
            ret_needed[node->a] = true;
        }
        if (ret_needed[i - 1] && operands > 1) {
            ret_needed[node->b] = true;
        }
    }
}

/* --- Warnings ------------------------------------------------------------- */

/* Names with commas between, cut with an ellipsis. */
struct names {
    size_t count;
    char text[PROBLEM_TEXT_MAX / 2];
};

static void add_name(struct names *names, const char *name)
{
    size_t used = strlen(names->text);
    size_t room = sizeof(names->text) - used;

    if (names->count++ == 0) {
        (void)snprintf(names->text, room, "%s", name);
    } else if (strlen(name) + sizeof(", , ...") <= room) {
        (void)snprintf(names->text + used, room, ", %s", name);
    } else if (used < 3 || strcmp(names->text + used - 3, "...") != 0) {
        (void)snprintf(names->text + used, room, ", ...");
    }
}

static bool is_named(const struct policy *policy, const char *name)
{
    for (uint16_t i = 0; i < policy->signals; i++) {
        if (strcmp(policy_text(policy, policy_signal(policy, i)->name), name) ==
            0) {
            return true;
        }
    }
    return false;
}

static void warn_of_ignored(const struct policy *policy, const struct csv *csv,
                            struct problems *problems)
{
    struct names names = {0};

    for (size_t i = 0; i < csv_columns(csv); i++) {
        if (!is_named(policy, csv_name(csv, i))) {
            add_name(&names, csv_name(csv, i));
        }
    }
    if (names.count > 0) {
        (void)problems_warning(problems, 0, 0,
                               "%s ignored, the policy names no such signal: "
                               "%s",
                               names.count == 1 ? "a column is" : "columns are",
                               names.text);
    }
}

static void warn_of_missing(const struct policy *policy, const struct csv *csv,
                            struct problems *problems)
{
    struct names names = {0};
    bool needed[POLICY_NODES_MAX];

    find_needed(policy, needed);
    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);

        if (is_read(policy, i) && needed[signal->node] &&
            column_of(policy, i, csv) == CSV_NO_COLUMN) {
            add_name(&names, policy_text(policy, signal->name));
        }
    }
    if (names.count > 0) {
        (void)problems_warning(problems, 0, 0,
                               "no column for %s: unknown at every look "
                               "(no column)",
                               names.text);
    }
}

void table_warn(const struct policy *policy, const struct csv *csv,
                struct problems *problems)
{
    warn_of_ignored(policy, csv, problems);
    warn_of_missing(policy, csv, problems);
}
