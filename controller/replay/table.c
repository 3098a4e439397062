#include "controller/replay/table.h"

#include "policies/evaluate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The copy ------------------------------------------------------------- */

static bool has_column(const struct policy *policy, const struct csv *csv,
                       uint32_t name)
{
    return csv_find(csv, policy_text(policy, name)) != CSV_NO_COLUMN;
}

static bool is_replaced(const struct policy *policy, const struct csv *csv,
                        const struct node *node)
{
    return node->op == OP_NAMED && has_column(policy, csv, node->text);
}

static uint16_t count_replaced(const struct policy *policy,
                               const struct csv *csv)
{
    uint16_t count = 0;

    for (uint16_t i = 0; i < policy->nodes; i++) {
        count = (uint16_t)(count +
                           is_replaced(policy, csv, policy_node(policy, i)));
    }
    return count;
}

static struct node *nodes_of(struct policy *policy)
{
    return (struct node *)(void *)((char *)policy + policy->nodes_at);
}

static struct signal *signals_of(struct policy *policy)
{
    return (struct signal *)(void *)((char *)policy + policy->signals_at);
}

/* The same block, with a longer array of signals behind everything else. */
static struct policy *copy_with_room(const struct policy *policy, uint16_t more)
{
    size_t old = (policy->bytes + 7U) & ~(size_t)7;
    size_t bytes = old + (policy->signals + more) * sizeof(struct signal);
    struct policy *copy = calloc(1, bytes);

    if (copy == NULL) {
        abort(); /* a policy's size is limited; see architecture: memory */
    }
    memcpy(copy, policy, policy->bytes);
    memcpy((char *)copy + old, (const char *)policy + policy->signals_at,
           policy->signals * sizeof(struct signal));
    copy->bytes = (uint32_t)bytes;
    copy->signals_at = (uint32_t)old;
    return copy;
}

static void replace(struct policy *policy, const struct csv *csv)
{
    for (uint16_t i = 0; i < policy->nodes; i++) {
        struct node *node = &nodes_of(policy)[i];

        if (is_replaced(policy, csv, node)) {
            signals_of(policy)[policy->signals] = (struct signal){
                .name = node->text,
                .query = node->text,
                .fetch = FETCH_TABLE,
                .unit = node->unit,
                .scale = 1,
                .max_age = 2 * policy->watch.every,
                .node = i,
            };
            node->op = OP_SIGNAL;
            node->signal = policy->signals;
            policy->signals++;
        }
    }
}

/* --- What is read --------------------------------------------------------- */

/* From the questions down: operands have smaller indexes. */
static void find_read(const struct policy *policy, bool read[POLICY_NODES_MAX])
{
    memset(read, 0, POLICY_NODES_MAX * sizeof(*read));
    for (uint16_t i = 0; i < policy->questions; i++) {
        read[policy_question(policy, i)->node] = true;
    }
    if (policy->watch.requests_node != NONE_INDEX) {
        read[policy->watch.requests_node] = true;
    }
    for (uint16_t i = policy->nodes; i > 0; i--) {
        const struct node *node = policy_node(policy, (uint16_t)(i - 1));
        int operands = op_operands(node->op);

        if (read[i - 1] && operands > 0) {
            read[node->a] = true;
        }
        if (read[i - 1] && operands > 1) {
            read[node->b] = true;
        }
    }
}

static void forget_unread(struct policy *policy)
{
    bool read[POLICY_NODES_MAX];

    find_read(policy, read);
    for (uint16_t i = 0; i < policy->signals; i++) {
        struct signal *signal = &signals_of(policy)[i];

        if (signal->node != NONE_INDEX && !read[signal->node]) {
            signal->node = NONE_INDEX;
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

    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);

        if (signal->node != NONE_INDEX &&
            !has_column(policy, csv, signal->name)) {
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

struct policy *table_policy(const struct policy *policy, const struct csv *csv,
                            struct problems *problems)
{
    uint16_t replaced = count_replaced(policy, csv);
    struct policy *copy = NULL;

    if (policy->signals + replaced > POLICY_SIGNALS_MAX) {
        (void)problems_error(problems, 0, 0,
                             "the policy's %u signals and %u columns in place "
                             "of expressions are more than %d; leave out "
                             "columns",
                             policy->signals, replaced, POLICY_SIGNALS_MAX);
        return NULL;
    }
    copy = copy_with_room(policy, replaced);
    replace(copy, csv);
    forget_unread(copy);
    warn_of_ignored(copy, csv, problems);
    warn_of_missing(copy, csv, problems);
    assert(copy->signals == policy->signals + replaced);
    return copy;
}
