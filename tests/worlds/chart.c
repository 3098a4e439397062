#include "tests/worlds/chart.h"

#include "policies/window.h"

#include <assert.h>
#include <string.h>

#define COLUMNS 110

/* What the looks of one column said: the last one wins, but for a leaf that
 * acts. */
struct strips {
    double from, to;
    char leaf[COLUMNS + 1];
    char named[POLICY_NODES_MAX][COLUMNS + 1];
    bool is_named[POLICY_NODES_MAX];
    char name[POLICY_NODES_MAX][32];
};

static int column_of(const struct strips *strips, double at)
{
    int column =
        (int)((at - strips->from) / (strips->to - strips->from) * COLUMNS);

    return column < 0 ? 0 : column >= COLUMNS ? COLUMNS - 1 : column;
}

static char letter_of(enum leaf_kind kind)
{
    switch (kind) {
    case LEAF_HEALTHY:
        return '.';
    case LEAF_WAIT:
        return '?';
    case LEAF_ROLLBACK:
        return 'R';
    case LEAF_HOLD:
        return 'H';
    case LEAF_PAGE:
        return 'p';
    }
    return ' ';
}

static void keep_look(const struct policy *policy,
                      const struct verdict *verdict, double at, void *context)
{
    static const char answers[] = {'-', '#', '?'};
    struct strips *strips = context;
    int column = column_of(strips, at);

    if (strips->leaf[column] != 'R') {
        strips->leaf[column] =
            letter_of(policy_leaf(policy, verdict->leaf)->kind);
    }
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        if (node->op == OP_NAMED && node->type == TYPE_CONDITION) {
            char *cell = &strips->named[i][column];

            strips->is_named[i] = true;
            (void)snprintf(strips->name[i], sizeof(strips->name[i]), "%s",
                           policy_text(policy, node->text));
            if (*cell != '#') {
                *cell = answers[answer_of_value(verdict->values[i])];
            }
        }
    }
}

static double cell_of(const struct reading *reading, int cell)
{
    const double cells[READING_CELLS] = {
        reading->error_rate, reading->requests, reading->pool_in_use,
        reading->pool_size, reading->latency_p99};

    return cells[cell];
}

static void print_signal(const struct world *world, const struct strips *strips,
                         const char *name, int cell, FILE *out)
{
    static const char levels[] = "_123456789";
    double sums[COLUMNS] = {0}, counts[COLUMNS] = {0}, most = 0;

    for (size_t i = 0; i < world->count; i++) {
        const struct reading *reading = &world->readings[i];
        int column = column_of(strips, reading->at);

        if (!((reading->empty | reading->nan) & (1 << cell))) {
            sums[column] += cell_of(reading, cell);
            counts[column] += 1;
        }
    }
    for (int i = 0; i < COLUMNS; i++) {
        double mean = counts[i] > 0 ? sums[i] / counts[i] : 0;

        most = mean > most ? mean : most;
    }
    (void)fprintf(out, "%-20s ", name);
    for (int i = 0; i < COLUMNS; i++) {
        double share =
            counts[i] > 0 && most > 0 ? sums[i] / counts[i] / most : 0;

        (void)fputc(counts[i] > 0 ? levels[(int)(share * 9.49)] : ' ', out);
    }
    (void)fprintf(out, " 9 = %.4g\n", most);
}

static void print_mark(const struct strips *strips, const char *name, double at,
                       FILE *out)
{
    (void)fprintf(out, "%-20s %*s\n", name, column_of(strips, at) + 1, "|");
}

void chart_print(const struct world *world, const char *path,
                 const char *source, FILE *out)
{
    static struct strips strips;
    struct measure_options options = {path, source, keep_look, &strips};
    struct outcome outcome;

    memset(&strips, 0, sizeof(strips));
    assert(world->count > 0);
    strips.from = world->readings[0].at < 0 ? world->readings[0].at : -60;
    strips.to = world->plan.after;
    memset(strips.leaf, ' ', COLUMNS);
    memset(strips.named, ' ', sizeof(strips.named));
    for (size_t i = 0; i < POLICY_NODES_MAX; i++) {
        strips.named[i][COLUMNS] = '\0';
    }
    outcome = measure_policy(world, &options);
    (void)fprintf(out,
                  "%.0f s before, %.0f s after, rows every %d s, onset %.0f s, "
                  "size %.0f, hold %.4g s, rate %.4g/s: ",
                  world->plan.before, world->plan.after, world->plan.every,
                  world->plan.onset, world->plan.size, world->plan.hold,
                  world->plan.rate);
    if (outcome.reverts) {
        (void)fprintf(out, "reverts at %.0f s\n", outcome.reverted_at);
    } else {
        (void)fputs("does not revert\n", out);
    }
    print_mark(&strips, "deploy", 0, out);
    print_mark(&strips, "onset", world->plan.onset, out);
    print_signal(world, &strips, "error_rate", 0, out);
    print_signal(world, &strips, "requests", 1, out);
    if (world->plan.has_pool) {
        print_signal(world, &strips, "pool_in_use", 2, out);
        print_signal(world, &strips, "pool_size", 3, out);
    }
    print_signal(world, &strips, "latency_p99", 4, out);
    for (size_t i = 0; i < POLICY_NODES_MAX; i++) {
        if (strips.is_named[i]) {
            (void)fprintf(out, "%-20s %s\n", strips.name[i], strips.named[i]);
        }
    }
    (void)fprintf(out, "%-20s %s\n\n", "verdict", strips.leaf);
}
