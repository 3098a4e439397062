#include "controller/replay/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct policy *table_asked(const struct policy *policy, bool endless)
{
    struct policy *asked = malloc(policy->bytes);

    if (asked == NULL) {
        abort(); /* a policy's size is limited; see architecture: memory */
    }
    memcpy(asked, policy, policy->bytes);
    policy_apply_to_all(asked);
    if (endless) {
        asked->watch.lasts = ENDLESS;
        asked->watch.at_most = ENDLESS;
    }
    return asked;
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

    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);

        if (signal->node != NONE_INDEX &&
            csv_find(csv, policy_text(policy, signal->name)) == CSV_NO_COLUMN) {
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
